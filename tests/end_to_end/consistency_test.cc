// What must not depend on how a text is fed or a library compiled: instruction sets, threads,
// chunks, batches.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

using compiler::CompileOptions;

TEST(ConsistencyTest, GenericTargetAgreesWithTheNativeOne) {
  const std::vector<TokenId> tokens = RandomTokens(40, 384, 3);
  CompileOptions options{.model = ModelFolder(kWindowedCase), .quantization = "q4_0"};
  const std::vector<float> native = AllLogits(LoadCompiled(options), tokens, 512);
  options.target = "generic";
  // Norms sum in the order of the vector width; a rounding step of an activation may follow.
  EXPECT_LT(MaxDifference(AllLogits(LoadCompiled(options), tokens, 512), native), 0.1F);
}

TEST(ConsistencyTest, ThreadsDoNotChangeABit) {
  const std::vector<TokenId> tokens = RandomTokens(90, 384, 4);
  const CompileOptions options{.model = ModelFolder(kWindowedCase), .quantization = "q4_0"};
  for (const int64_t chunk : {512, 7, 1}) {
    const std::vector<float> alone = AllLogits(LoadCompiled(options, 1), tokens, chunk);
    for (const int num_threads : {2, 3, 5}) {
      EXPECT_EQ(AllLogits(LoadCompiled(options, num_threads), tokens, chunk), alone)
          << num_threads << " threads, " << chunk << " tokens at a time";
    }
  }
}

TEST(ConsistencyTest, ChunksGiveTheLogitsOfOneShot) {
  const std::vector<TokenId> tokens = RandomTokens(200, 384, 5);
  const auto model = LoadCompiled({.model = ModelFolder(kWindowedCase), .quantization = "q0f32"});
  const std::vector<float> whole = AllLogits(model, tokens, 512);
  for (const int64_t chunk : {1, 3, 16, 64, 65, 150}) {
    EXPECT_LT(MaxDifference(AllLogits(model, tokens, chunk), whole), 1e-4F) << chunk;
  }
}

TEST(ConsistencyTest, SmallPrefillChunksWrapTheRingsRight) {
  const std::vector<TokenId> tokens = RandomTokens(300, 384, 6);
  CompileOptions options{.model = ModelFolder(kWindowedCase), .quantization = "q0f32"};
  const std::vector<float> whole = AllLogits(LoadCompiled(options), tokens, 512);
  options.prefill_chunk_size = 5;
  EXPECT_LT(MaxDifference(AllLogits(LoadCompiled(options), tokens, 512), whole), 1e-4F);
}

TEST(ConsistencyTest, SequencesOfABatchDoNotSeeEachOther) {
  const auto model = LoadCompiled({.model = ModelFolder(kWindowedCase), .quantization = "q4_0"});
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
