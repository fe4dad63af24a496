#include "carat/compiler/codegen/cpu/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "carat/compiler/codegen/cpu/names.h"
#include "carat/compiler/pack_weights.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Generate(const std::string& model_config, OptLevel level = OptLevel::kO3) {
  const auto scheme = quantization::FindScheme("q4_0");
  const model::ModelConfig config = SmallConfig();
  const Program program =
      MakeProgram(RunPasses(SmallGraph(), PassesOf(level, scheme)), {level, 64});
  const KvPlan kv = PlanKv(config, scheme, 64, 4);
  library::LibraryMetadata metadata;
  metadata.carat_version = "1.2.3";
  metadata.model_config = model_config;
  metadata.weights = PlanWeights(program.weights);
  return GenerateCpu({program, config, scheme, library::FindTarget("generic"), metadata, kv});
}

TEST(GenerateTest, EqualLayersShareAFunctionAndALoop) {
  model::ModelConfig config = SmallConfig();
  config.num_hidden_layers = 6;
  config.layer_types.assign(6, model::LayerKind::kSlidingAttention);
  const auto scheme = quantization::FindScheme("q4_0");
  const Program program = MakeProgram(
      RunPasses(model::BuildGraph(config), PassesOf(OptLevel::kO3, scheme)), {OptLevel::kO3, 64});
  const KvPlan kv = PlanKv(config, scheme, 64, 4);
  library::LibraryMetadata metadata;
  metadata.model_config = "{}";
  metadata.weights = PlanWeights(program.weights);
  const std::string code =
      GenerateCpu({program, config, scheme, library::FindTarget("generic"), metadata, kv});
  EXPECT_THAT(code, HasSubstr("// Layers 0 to 4.\n"));
  EXPECT_THAT(code,
              HasSubstr("for (int layer = 0; layer <= 4; ++layer) SlidingLayer(step, b, layer);"));
  EXPECT_THAT(code, HasSubstr("SlidingLayer2(step, b, 5);"));  // its rows are the outputs'
}

TEST(GenerateTest, DimensionsHaveTheirNames) {
  const std::string code = Generate("{}");
  EXPECT_THAT(code, HasSubstr("constexpr int64_t kHiddenSize = 64;"));
  EXPECT_THAT(code, HasSubstr("MakeRopeFrequencies<kHeadDim>(1000000.0, 8.0)"));
  EXPECT_THAT(code, HasSubstr("GeluMulStore{"));
}

// Here num_heads * head_dim is hidden_size; each place says which of them it means.
TEST(GenerateTest, WidthsAreNamedByTheirRoles) {
  const std::string code = Generate("{}");
  EXPECT_THAT(code, HasSubstr("MatMul<S, Q4_0, 128, kHiddenSize>"));                   // q, k and v
  EXPECT_THAT(code, HasSubstr("MatMul<S, Q4_0, kHiddenSize, kNumHeads * kHeadDim>"));  // o
  EXPECT_THAT(code, HasSubstr("MatMul<S, Q4_0, kIntermediateSize, kHiddenSize>"));
  EXPECT_THAT(code, HasSubstr("MatMul<S, Q4_0, kHiddenSize, kIntermediateSize>"));
  EXPECT_THAT(code, HasSubstr("MatMul<S, Q4_0, kVocabSize, kHiddenSize>"));
  EXPECT_THAT(code, HasSubstr("RmsNormHeads<S, 4, kHeadDim>"));
}

TEST(GenerateTest, FunctionsSayWhatTheyComputeForWhichLayers) {
  const std::string code = Generate("{}");
  EXPECT_THAT(code, HasSubstr("// Before the layers.\n// Computes angles_0, "));
  EXPECT_THAT(code, HasSubstr("// Layer 0.\n// Computes q_k_v, attention to the last 8 tokens, o, "
                              "gated, down.\nvoid SlidingLayer("));
  EXPECT_THAT(code, HasSubstr("attention to all tokens, o, "));
  EXPECT_THAT(code, HasSubstr("// From o_2 on these are only the rows whose logits"));
  EXPECT_THAT(code, HasSubstr("// After the layers.\n// Computes logits.\nvoid AfterLayers("));
}

// config.json is anybody's text; in the library it is a string and nothing else.
TEST(GenerateTest, AHostileConfigStaysInsideItsLiteral) {
  const nlohmann::json config = {{"name", "\"; int x; // \\ ?\?/ \n )json\" \xc3\xa9"}};
  const std::string code = Generate(config.dump());
  const std::regex literal(R"re(^    "([^"\\]|\\.)*";?$)re");
  std::istringstream lines(code.substr(code.find("carat_library_metadata[] =")));
  std::string line;
  std::getline(lines, line);  // the declaration
  int pieces = 0;
  while (std::getline(lines, line) && !line.empty()) {
    EXPECT_TRUE(std::regex_match(line, literal)) << line;
    ++pieces;
  }
  EXPECT_GT(pieces, 1);
  EXPECT_THAT(code, Not(HasSubstr("?\?/")));
  EXPECT_THAT(code, Not(HasSubstr("\xc3\xa9")));
}

TEST(NamesTest, LayerNamesAreTakenApart) {
  EXPECT_EQ(ParseLayerName("layers.12.self_attn.q_norm").layer, 12);
  EXPECT_EQ(ParseLayerName("layers.12.self_attn.q_norm").field, "self_attn_q_norm");
  EXPECT_EQ(ParseLayerName("embed_tokens").layer, -1);
}

TEST(NamesTest, FloatsKeepTheirValue) {
  EXPECT_EQ(FloatText(1), "1.0f");
  EXPECT_EQ(FloatText(25.25F), "25.25f");
  EXPECT_EQ(FloatText(1e-6F), "1e-06f");
  EXPECT_EQ(DoubleText(1e6), "1000000.0");
}

TEST(KvPlanTest, SlidingLayersKeepTheWindowInWholePages) {
  const model::ModelConfig config = SmallConfig();  // window 8, two sliding layers, one full
  const KvPlan plan = PlanKv(config, quantization::FindScheme("q4_0"), 512, 4);
  EXPECT_EQ(plan.layer_page_bytes, 64 * 2 * 2 * 16 * 2);  // tokens, k and v, heads, dims, f16
  EXPECT_EQ(plan.ring_pages, 1);                          // 8 tokens
  EXPECT_EQ(plan.page_bytes(), plan.layer_page_bytes);
  EXPECT_EQ(plan.ring_bytes(), 2 * plan.layer_page_bytes);
  EXPECT_GE(plan.staging_bytes, 512 / 64 * plan.layer_page_bytes);
}

// Gemma 3 270M at 32,768 tokens: 3 full and 15 sliding layers, one KV head of 256, windows of 512.
TEST(KvPlanTest, The270MsCacheIs82PercentBelowAllFullLayers) {
  model::ModelConfig config = SmallConfig();
  config.num_hidden_layers = 18;
  config.num_key_value_heads = 1;
  config.head_dim = 256;
  config.sliding_window = 512;
  config.layer_types.assign(18, model::LayerKind::kSlidingAttention);
  for (const int full : {5, 11, 17}) config.layer_types[full] = model::LayerKind::kFullAttention;
  const KvPlan plan = PlanKv(config, quantization::FindScheme("q4_0"), 512, 1);
  const int64_t pages = 32768 / 64;
  const auto all_full = static_cast<double>(18 * pages * plan.layer_page_bytes);
  const auto kept = static_cast<double>(pages * plan.page_bytes() + plan.ring_bytes());
  EXPECT_LE(kept / all_full, 1 - 0.82);
}

TEST(KvPlanTest, ChunksThatFitTheRingNeedNoStaging) {
  const KvPlan plan = PlanKv(SmallConfig(), quantization::FindScheme("q4_0"), 32, 4);
  EXPECT_EQ(plan.staging_bytes, 0);
}

}  // namespace
}  // namespace carat::compiler
