// The compiled library in each quantization against the reference interpreter on the same weights.

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"
#include "carat/quantization/scheme.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

class QuantizationTest : public testing::TestWithParam<std::string> {};

// Integer weights meet activations rounded to 8 bits: the rest of the difference is the cache in
// f16.
TEST_P(QuantizationTest, LibraryAgreesWithTheReferenceOnTheSameWeights) {
  const auto scheme = quantization::FindScheme(GetParam());
  const auto folder = ModelFolder(kWindowedCase);
  const auto checkpoint = checkpoint::Checkpoint::Open(folder);
  model::ModelConfig config = model::LoadModelConfig(folder);
  model::ResolveWeightNames(checkpoint, config);
  const graph::Graph graph = model::BuildGraph(config);
  graph::Reference reference(graph, model::CheckpointWeights(checkpoint, scheme));
  const std::vector<TokenId> tokens = RandomTokens(70, config.vocab_size, 1);
  std::vector<int32_t> rows(tokens.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  const std::vector<float> expected = reference.Forward(tokens, rows);

  const auto model = LoadCompiled({.model = folder, .quantization = GetParam()});
  const float difference = MaxDifference(AllLogits(model, tokens, 512), expected);
  const bool int8 = quantization::BlockValues(scheme.matrix) > 1;
  const bool f32_cache = scheme.kv == quantization::KvFormat::kF32;
  // Logits are some units large; 8-bit activations err by 0.4% of a block's largest.
  EXPECT_LT(difference, int8 ? 0.35F : f32_cache ? 1e-3F : 1e-2F);
  RecordProperty("max_difference", std::to_string(difference));
  std::cout << "  " << GetParam() << ": max difference " << difference << "\n";
}

INSTANTIATE_TEST_SUITE_P(Schemes, QuantizationTest,
                         testing::Values("q4_0", "q8_0", "q4_0+q8_0", "q0f16", "q0bf16", "q0f32"));

}  // namespace
}  // namespace carat
