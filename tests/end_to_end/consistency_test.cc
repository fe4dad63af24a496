// What must not depend on how a text is fed or a model compiled: optimization levels, instruction
// sets, threads, chunks, batches.

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/library/cpu_features.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"
#include "carat/quantization/scheme.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

using compiler::CompileOptions;
using compiler::OptLevel;

constexpr const char* kCase =
    "new-config-softcap";  // windows of 16, full and sliding layers, softcap

std::shared_ptr<runtime::Model> Load(const CompileOptions& options, int num_threads = 2) {
  return runtime::Model::Load(Compiled(options), {.num_threads = num_threads});
}

class QuantizationTest : public testing::TestWithParam<std::string> {};

// Integer weights meet activations rounded to 8 bits: the rest of the difference is the cache in
// f16.
TEST_P(QuantizationTest, LibraryAgreesWithTheReferenceOnTheSameWeights) {
  const auto& scheme = quantization::FindScheme(GetParam());
  const auto folder = ModelFolder(kCase);
  const auto checkpoint = checkpoint::Checkpoint::Open(folder);
  model::ModelConfig config = model::LoadModelConfig(folder);
  model::ResolveWeightNames(checkpoint, config);
  const graph::Graph graph = model::BuildGraph(config);
  graph::Reference reference(graph, model::CheckpointWeights(checkpoint, scheme.matrix));
  const std::vector<TokenId> tokens = RandomTokens(70, config.vocab_size, 1);
  std::vector<int32_t> rows(tokens.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  const std::vector<float> expected = reference.Forward(tokens, rows);

  const auto model = Load({.model = folder, .quantization = GetParam()});
  const float difference = MaxDifference(AllLogits(model, tokens, 512), expected);
  const bool int8 = scheme.activation == quantization::ActivationFormat::kInt8Blocks;
  const bool f32_cache = scheme.kv == quantization::KvFormat::kF32;
  // Logits are some units large; 8-bit activations err by 0.4% of a block's largest.
  EXPECT_LT(difference, int8 ? 0.35F : f32_cache ? 1e-3F : 1e-2F);
  RecordProperty("max_difference", std::to_string(difference));
  std::cout << "  " << GetParam() << ": max difference " << difference << "\n";
}

INSTANTIATE_TEST_SUITE_P(Schemes, QuantizationTest,
                         testing::Values("q4_0", "q8_0", "q0f16", "q0bf16", "q0f32"));

class OptLevelTest : public testing::TestWithParam<OptLevel> {};

TEST_P(OptLevelTest, GivesTheSameBitsAsO3) {
  const std::vector<TokenId> tokens = RandomTokens(50, 384, 2);
  const CompileOptions best{.model = ModelFolder(kCase), .quantization = "q4_0"};
  CompileOptions options = best;
  options.level = GetParam();
  for (const int64_t chunk : {512, 1}) {
    EXPECT_EQ(AllLogits(Load(options), tokens, chunk), AllLogits(Load(best), tokens, chunk));
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, OptLevelTest,
                         testing::Values(OptLevel::kO0, OptLevel::kO1, OptLevel::kO2));

TEST(ConsistencyTest, GenericTargetAgreesWithTheNativeOne) {
  const std::vector<TokenId> tokens = RandomTokens(40, 384, 3);
  CompileOptions options{.model = ModelFolder(kCase), .quantization = "q4_0"};
  const std::vector<float> native = AllLogits(Load(options), tokens, 512);
  options.target = "generic";
  // Norms sum in the order of the vector width; a rounding step of an activation may follow.
  EXPECT_LT(MaxDifference(AllLogits(Load(options), tokens, 512), native), 0.1F);
}

TEST(ConsistencyTest, ThreadsDoNotChangeABit) {
  const std::vector<TokenId> tokens = RandomTokens(90, 384, 4);
  const CompileOptions options{.model = ModelFolder(kCase), .quantization = "q4_0"};
  for (const int64_t chunk : {512, 7, 1}) {
    const std::vector<float> alone = AllLogits(Load(options, 1), tokens, chunk);
    for (const int num_threads : {2, 3, 5}) {
      EXPECT_EQ(AllLogits(Load(options, num_threads), tokens, chunk), alone)
          << num_threads << " threads, " << chunk << " tokens at a time";
    }
  }
}

TEST(ConsistencyTest, ChunksGiveTheLogitsOfOneShot) {
  const std::vector<TokenId> tokens = RandomTokens(200, 384, 5);
  const auto model = Load({.model = ModelFolder(kCase), .quantization = "q0f32"});
  const std::vector<float> whole = AllLogits(model, tokens, 512);
  for (const int64_t chunk : {1, 3, 16, 64, 65, 150}) {
    EXPECT_LT(MaxDifference(AllLogits(model, tokens, chunk), whole), 1e-4F) << chunk;
  }
}

TEST(ConsistencyTest, SmallPrefillChunksWrapTheRingsRight) {
  const std::vector<TokenId> tokens = RandomTokens(300, 384, 6);
  CompileOptions options{.model = ModelFolder(kCase), .quantization = "q0f32"};
  const std::vector<float> whole = AllLogits(Load(options), tokens, 512);
  options.prefill_chunk_size = 5;
  EXPECT_LT(MaxDifference(AllLogits(Load(options), tokens, 512), whole), 1e-4F);
}

TEST(ConsistencyTest, SequencesOfABatchDoNotSeeEachOther) {
  const auto model = Load({.model = ModelFolder(kCase), .quantization = "q4_0"});
  std::vector<std::vector<TokenId>> prompts;
  for (const int64_t length : {33, 1, 80, 17}) {
    prompts.push_back(RandomTokens(length, 384, static_cast<uint32_t>(length)));
  }
  std::vector<runtime::Sequence> sequences;
  for (size_t i = 0; i < prompts.size(); ++i) sequences.emplace_back(model);
  std::vector<runtime::SequenceChunk> chunks;
  for (size_t i = 0; i < prompts.size(); ++i) {
    chunks.push_back({&sequences[i], prompts[i], runtime::LogitRows::kLast});
  }
  std::vector<float> together(prompts.size() * model->vocab_size());
  model->Forward(chunks, together);
  // And one decoding step of them all.
  const std::vector<TokenId> next = RandomTokens(4, 384, 7);
  for (size_t i = 0; i < prompts.size(); ++i) chunks[i].tokens = {&next[i], 1};
  std::vector<float> decoded(together.size());
  model->Forward(chunks, decoded);

  for (size_t i = 0; i < prompts.size(); ++i) {
    runtime::Sequence alone(model);
    std::vector<float> logits(model->vocab_size());
    model->Forward(alone, prompts[i], logits);
    const size_t row = i * logits.size();
    EXPECT_LT(MaxDifference(logits, std::span(together).subspan(row, logits.size())), 1e-5F) << i;
    model->Forward(alone, {&next[i], 1}, logits);
    EXPECT_LT(MaxDifference(logits, std::span(decoded).subspan(row, logits.size())), 1e-5F) << i;
  }
}

}  // namespace
}  // namespace carat
