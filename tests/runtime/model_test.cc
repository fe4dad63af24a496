#include "carat/runtime/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include "carat/base/error.h"
#include "tests/runtime/fake_model.h"

namespace carat::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using tests::FakeModelFolder;

constexpr int64_t kVocabSize = 32;

// The two logits in which the fake library tells what it saw (fake_library.cc).
struct Seen {
  float text;
  float window;
  bool operator==(const Seen&) const = default;
};

Seen SeenIn(std::span<const float> logits) { return {-logits[30], -logits[31]}; }

Seen Expected(std::span<const TokenId> text) {
  constexpr int64_t kWindow = 6;
  Seen seen = {0, 0};
  for (int64_t p = 0; p < std::ssize(text); ++p) {
    const float term = text[p] * (p + 1.0f);
    seen.text += term;
    if (p > std::ssize(text) - 1 - kWindow) seen.window += term;
  }
  return seen;
}

std::vector<TokenId> Tokens(int64_t count, TokenId first = 2) {
  std::vector<TokenId> tokens(count);
  for (int64_t i = 0; i < count; ++i) tokens[i] = (first + 5 * i) % 11;
  return tokens;
}

class ModelTest : public ::testing::TestWithParam<int> {
 protected:
  FakeModelFolder folder_;
  std::shared_ptr<Model> model_ = Model::Load(folder_.path(), {.num_threads = GetParam()});
  std::vector<float> logits_ = std::vector<float>(kVocabSize);
};

INSTANTIATE_TEST_SUITE_P(Threads, ModelTest, ::testing::Values(1, 3));

TEST_P(ModelTest, RunsPromptsLongerThanAChunk) {
  Sequence sequence(model_);
  const std::vector<TokenId> prompt = Tokens(23);
  model_->Forward(sequence, prompt, logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(prompt));
  EXPECT_EQ(sequence.length(), 23);
}

TEST_P(ModelTest, ContinuesTokenByToken) {
  Sequence sequence(model_);
  const std::vector<TokenId> text = Tokens(30);
  for (size_t i = 0; i < text.size(); ++i) {
    model_->Forward(sequence, {&text[i], 1}, logits_);
    ASSERT_EQ(SeenIn(logits_), Expected(std::span(text).first(i + 1)));
  }
}

TEST_P(ModelTest, GivesTheLogitsOfAllTokens) {
  Sequence sequence(model_);
  const std::vector<TokenId> prompt = Tokens(12);
  std::vector<float> logits(12 * kVocabSize);
  const SequenceChunk chunk = {&sequence, prompt, LogitRows::kAll};
  model_->Forward({&chunk, 1}, logits);
  for (size_t i = 0; i < prompt.size(); ++i) {
    EXPECT_EQ(SeenIn(std::span(logits).subspan(i * kVocabSize, kVocabSize)),
              Expected(std::span(prompt).first(i + 1)));
  }
}

TEST_P(ModelTest, BatchesSequencesWithoutMixingThem) {
  Sequence a(model_);
  Sequence b(model_);
  std::vector<TokenId> text_a = Tokens(7, 1);
  std::vector<TokenId> text_b = Tokens(9, 4);
  std::vector<float> logits(2 * kVocabSize);
  const SequenceChunk prompts[] = {{&a, text_a, LogitRows::kLast}, {&b, text_b, LogitRows::kLast}};
  model_->Forward(prompts, logits);
  EXPECT_EQ(SeenIn(std::span(logits).first(kVocabSize)), Expected(text_a));
  EXPECT_EQ(SeenIn(std::span(logits).last(kVocabSize)), Expected(text_b));

  const TokenId next = 8;
  text_a.push_back(next);
  text_b.push_back(next);
  const SequenceChunk decode[] = {{&b, {&next, 1}, LogitRows::kLast},
                                  {&a, {&next, 1}, LogitRows::kNone}};
  model_->Forward(decode, logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(text_b));
  EXPECT_EQ(a.length(), 8);
}

TEST_P(ModelTest, ContinuesAfterARollback) {
  Sequence sequence(model_);
  std::vector<TokenId> text = Tokens(20);
  model_->Forward(sequence, text, logits_);
  ASSERT_EQ(sequence.Truncate(18), 18);
  text.resize(18);
  text.push_back(9);
  model_->Forward(sequence, std::span(text).last(1), logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(text));

  EXPECT_EQ(sequence.Truncate(4), 0);
  model_->Forward(sequence, std::span(text).first(6), logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(std::span(text).first(6)));
}

TEST_P(ModelTest, StartsAfreshAfterAReset) {
  Sequence sequence(model_);
  model_->Forward(sequence, Tokens(30), logits_);
  sequence.Reset();
  EXPECT_EQ(model_->kv_bytes_in_use(), 0);
  const std::vector<TokenId> text = Tokens(4, 3);
  model_->Forward(sequence, text, logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(text));
}

TEST_P(ModelTest, EndsASequenceWithItsObject) {
  std::vector<Sequence> sequences;
  sequences.emplace_back(model_);
  sequences.emplace_back(model_);
  EXPECT_THROW(Sequence third(model_), Error);
  sequences.pop_back();
  Sequence another(model_);
  EXPECT_EQ(another.length(), 0);
}

TEST_P(ModelTest, RefusesTokensOutsideTheVocabulary) {
  Sequence sequence(model_);
  model_->Forward(sequence, Tokens(2), logits_);
  for (const TokenId bad : {-1, 32}) {
    const std::vector<TokenId> tokens = {3, 4, 5, 6, 7, 8, bad};
    EXPECT_THAT([&] { model_->Forward(sequence, tokens, logits_); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr("at position 8"), HasSubstr("outside the vocabulary of 32"))));
  }
  EXPECT_EQ(sequence.length(), 2);
}

TEST_P(ModelTest, RefusesTextsLongerThanTheContextBeforeItRuns) {
  Sequence sequence(model_);
  model_->Forward(sequence, Tokens(10), logits_);
  EXPECT_THAT(
      [&] { model_->Forward(sequence, Tokens(21), logits_); },
      ThrowsMessage<Error>(HasSubstr("do not fit the context window of 30 (10 are in it)")));
  EXPECT_EQ(sequence.length(), 10);
  model_->Forward(sequence, Tokens(20), logits_);
  EXPECT_EQ(sequence.length(), 30);
}

TEST_P(ModelTest, RefusesCallsThatDoNotFit) {
  Sequence sequence(model_);
  const std::vector<TokenId> tokens = {1, 2};
  const SequenceChunk chunk = {&sequence, tokens, LogitRows::kLast};
  const SequenceChunk twice[] = {chunk, chunk};
  std::vector<float> logits(2 * kVocabSize);
  EXPECT_THAT([&] { model_->Forward(twice, logits); }, ThrowsMessage<Error>(HasSubstr("twice")));
  EXPECT_THAT(
      [&] {
        model_->Forward({&chunk, 1}, logits);
      },
      ThrowsMessage<Error>(HasSubstr("32 logits asked for, but the buffer holds 64")));
  EXPECT_THAT([&] { model_->Forward(sequence, {}, logits_); },
              ThrowsMessage<Error>(HasSubstr("no tokens")));
  Sequence stranger(Model::Load(folder_.path()));
  EXPECT_THAT([&] { model_->Forward(stranger, tokens, logits_); },
              ThrowsMessage<Error>(HasSubstr("another model")));
}

TEST_P(ModelTest, PassesOnWhatTheLibrarySaysAndStaysUsable) {
  Sequence sequence(model_);
  model_->Forward(sequence, Tokens(3), logits_);
  const std::vector<TokenId> unlucky = {13};
  EXPECT_THAT([&] { model_->Forward(sequence, unlucky, logits_); },
              ThrowsMessage<Error>(HasSubstr("token 13 is bad luck")));
  EXPECT_EQ(sequence.length(), 3);
  std::vector<TokenId> text = Tokens(3);
  text.push_back(6);
  model_->Forward(sequence, std::span(text).last(1), logits_);
  EXPECT_EQ(SeenIn(logits_), Expected(text));
}

TEST_P(ModelTest, TakesTurnsWhenCalledFromSeveralThreads) {
  const auto run = [this](TokenId first) {
    Sequence sequence(model_);
    std::vector<float> logits(kVocabSize);
    const std::vector<TokenId> text = Tokens(30, first);
    for (const TokenId& token : text) model_->Forward(sequence, {&token, 1}, logits);
    EXPECT_EQ(SeenIn(logits), Expected(text));
  };
  std::thread other(run, 1);
  run(7);
  other.join();
}

// --- Loading ---

TEST(LoadModel, RefusesAFolderThatWasNotCompiled) {
  EXPECT_THAT([] { Model::Load("/nonexistent"); },
              ThrowsMessage<Error>(HasSubstr("does not exist, expected a folder")));
  tests::TemporaryFolder folder;
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("no carat-config.json in it")));
}

TEST(LoadModel, NamesAMissingFile) {
  for (const std::string_view name : {library::kWeightsFile, library::kLibraryFile}) {
    FakeModelFolder folder;
    std::filesystem::remove(folder.path() / name);
    EXPECT_THAT([&] { Model::Load(folder.path()); },
                ThrowsMessage<Error>(HasSubstr(std::string(name) + " is missing")));
  }
}

TEST(LoadModel, RefusesALibraryOfAnotherVersion) {
  FakeModelFolder folder;
  folder.PatchLibrary(R"("carat_version": ")" CARAT_VERSION, R"("carat_version": "9.9.9)");
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr("model.so: compiled by Carat 9.9.9"),
                                         HasSubstr("this is Carat " CARAT_VERSION))));
}

TEST(LoadModel, RefusesALibraryForAnotherTvmFfi) {
  FakeModelFolder folder;
  folder.PatchLibrary(R"("tvm_ffi_abi": "0.1")", R"("tvm_ffi_abi": "7.1")");
  library::DistConfig config = folder.config();
  config.metadata.tvm_ffi_abi = "7.1";
  folder.WriteConfig(config);
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("compiled for TVM FFI 7.1, but this Carat uses 0.1")));
}

TEST(LoadModel, NamesTheProcessorFeaturesThatAreMissing) {
  FakeModelFolder folder;
  folder.PatchLibrary(R"("cpu_features": [],
  "kernels": ["fake"],)",
                      R"("cpu_features": ["warp"],
  "kernels": [],)");
  library::DistConfig config = folder.config();
  config.metadata.cpu_features = {"warp"};
  config.metadata.kernels = {};
  folder.WriteConfig(config);
  EXPECT_THAT(
      [&] { Model::Load(folder.path()); },
      ThrowsMessage<Error>(AllOf(HasSubstr("this processor lacks warp"), HasSubstr("--target"))));
}

TEST(LoadModel, RefusesFilesOfDifferentCompilations) {
  FakeModelFolder folder;
  library::DistConfig config = folder.config();
  config.metadata.prefill_chunk_size = 4;
  folder.WriteConfig(config);
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr("different compilations"),
                                         HasSubstr("'prefill_chunk_size' differs"))));
}

TEST(LoadModel, RefusesWeightsOfAnotherCompilation) {
  FakeModelFolder folder;
  library::DistConfig config = folder.config();
  config.metadata.weights_hash = "0123456789abcdef";
  folder.WriteConfig(config);
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("weights.bin has hash"), HasSubstr("0123456789abcdef"))));
}

TEST(LoadModel, RefusesTruncatedWeights) {
  FakeModelFolder folder;
  std::filesystem::resize_file(folder.path() / library::kWeightsFile, 150);
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("the file is truncated")));
}

TEST(LoadModel, RefusesDamagedWeights) {
  FakeModelFolder folder;
  {
    std::fstream file(folder.path() / library::kWeightsFile,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('x');
  }
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("weights.bin: damaged")));
}

TEST(LoadModel, RunsNoCodeOfALibraryThatItRefuses) {
  FakeModelFolder folder;
  library::DistConfig config = folder.config();
  config.metadata.decode_weight_bytes += 1;
  folder.WriteConfig(config);
  unsetenv("CARAT_FAKE_LIBRARY_RAN");
  EXPECT_THROW(Model::Load(folder.path()), Error);
  EXPECT_EQ(getenv("CARAT_FAKE_LIBRARY_RAN"), nullptr);
  folder.WriteConfig(folder.config());
  EXPECT_NO_THROW(Model::Load(folder.path()));
  EXPECT_NE(getenv("CARAT_FAKE_LIBRARY_RAN"), nullptr);
}

TEST(LoadModel, RefusesAFileThatIsNoLibrary) {
  FakeModelFolder folder;
  WriteFileAtomically(folder.path() / library::kLibraryFile, std::string_view("#!/bin/sh\n"));
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("not a library that Carat compiled")));
}

TEST(LoadModel, RefusesALibraryWithoutForward) {
  FakeModelFolder folder;
  folder.PatchLibrary("__tvm_ffi_forward", "__tvm_ffi_forwarb");
  EXPECT_THAT([&] { Model::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("has no function __tvm_ffi_forward")));
}

}  // namespace
}  // namespace carat::runtime
