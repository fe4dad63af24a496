#include "carat/library/metadata_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "carat/base/error.h"
#include "tests/library/example_metadata.h"

namespace carat::library {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using tests::ExampleMetadata;

constexpr int64_t kHuge = int64_t{1} << 62;

void ExpectRefused(const std::function<void(LibraryMetadata&)>& change, const std::string& what) {
  LibraryMetadata metadata = ExampleMetadata();
  change(metadata);
  EXPECT_THAT([&] { CheckMetadata(metadata, "lib.so"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("lib.so: "), HasSubstr(what))))
      << what;
}

TEST(MetadataCheck, TakesWhatIsSound) {
  EXPECT_NO_THROW(CheckMetadata(ExampleMetadata(), "lib.so"));
}

TEST(MetadataCheck, RefusesSizesBeyondAnyMachine) {
  using Field = int64_t LibraryMetadata::*;
  for (const auto& [name, field] : std::initializer_list<std::pair<std::string, Field>>{
           {"vocab_size", &LibraryMetadata::vocab_size},
           {"context_window_size", &LibraryMetadata::context_window_size},
           {"prefill_chunk_size", &LibraryMetadata::prefill_chunk_size},
           {"max_batch_size", &LibraryMetadata::max_batch_size},
           {"sliding_window", &LibraryMetadata::sliding_window},
           {"page_tokens", &LibraryMetadata::page_tokens},
           {"page_bytes", &LibraryMetadata::page_bytes},
           {"ring_tokens", &LibraryMetadata::ring_tokens},
           {"ring_bytes", &LibraryMetadata::ring_bytes},
           {"scratch_shared_bytes", &LibraryMetadata::scratch_shared_bytes},
           {"scratch_thread_bytes", &LibraryMetadata::scratch_thread_bytes},
           {"weights_bytes", &LibraryMetadata::weights_bytes},
           {"decode_weight_bytes", &LibraryMetadata::decode_weight_bytes}}) {
    // Named again: before version 16, clang's lambdas capture no structured bindings.
    const Field size = field;
    ExpectRefused([&](LibraryMetadata& m) { m.*size = kHuge; }, "'" + name + "' is 46116860184");
  }
}

TEST(MetadataCheck, RefusesACacheBeyondAnyMachine) {
  const std::string what = "make a KV cache beyond any machine";
  ExpectRefused([](LibraryMetadata& m) { m.context_window_size = 1 << 30, m.max_batch_size = 64; },
                what);
  ExpectRefused([](LibraryMetadata& m) { m.max_batch_size = 65536, m.page_bytes = 1 << 30; }, what);
}

TEST(MetadataCheck, RefusesRingsThatDoNotFitTheWindow) {
  ExpectRefused([](LibraryMetadata& m) { m.ring_tokens = 448; }, "ring_tokens is 448");
  ExpectRefused([](LibraryMetadata& m) { m.ring_tokens = 577; }, "ring_tokens is 577");
  ExpectRefused([](LibraryMetadata& m) { m.ring_tokens = 0; }, "sliding window is 512");
  ExpectRefused([](LibraryMetadata& m) { m.ring_bytes = 0; }, "576 tokens has 0 bytes");
}

TEST(MetadataCheck, RefusesWhatDiffersFromTheModelsConfig) {
  ExpectRefused([](LibraryMetadata& m) { m.vocab_size = 999; }, "that of model_config is 1000");
  ExpectRefused([](LibraryMetadata& m) { m.sliding_window = 511; }, "that of model_config is 512");
  ExpectRefused([](LibraryMetadata& m) { m.page_bytes = 0; }, "1 layers with full attention");
  ExpectRefused([](LibraryMetadata& m) { m.model_config = "{}"; }, "model_config");
}

TEST(MetadataCheck, RefusesAHashThatIsNone) {
  for (const char* hash : {"0123", "0123456789ABCDEF", "0123456789abcdefg"}) {
    ExpectRefused([&](LibraryMetadata& m) { m.weights_hash = hash; }, "16 hex digits");
  }
}

TEST(MetadataCheck, RefusesWeightsOutsideTheFile) {
  struct Place {
    int64_t offset;
    int64_t num_bytes;
  };
  for (const Place& place : {Place{0, 576}, Place{400, 576}, Place{512, 576}, Place{320, kHuge},
                             Place{kHuge, 576}, Place{kHuge, kHuge}}) {
    ExpectRefused(
        [&](LibraryMetadata& m) {
          m.weights[1].offset = place.offset;
          m.weights[1].num_bytes = place.num_bytes;
        },
        "weight 'gate_up'");
  }
}

TEST(MetadataCheck, RefusesWeightsThatOverlap) {
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].offset = 256; },
                "inside the weight before it");
}

TEST(MetadataCheck, RefusesShapesThatDoNotFitTheBytes) {
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].weight.parts[1].rows = 17; },
                "is [33, 32] in q4_0, which does not fit its 576 bytes");
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].weight.parts[1].rows = kHuge; },
                "part 'up' is [4611686018427387904, 32]");
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].weight.parts[1].cols = 64; },
                "part 'up' is [16, 64]");
  ExpectRefused(
      [](LibraryMetadata& m) {
        for (graph::SourceTensor& part : m.weights[1].weight.parts) part.cols = 31;
      },
      "is [32, 31] in q4_0");
  ExpectRefused([](LibraryMetadata& m) { m.weights[0].weight.parts[0].cols = 65; }, "'norm'");
}

TEST(MetadataCheck, RefusesLayoutsThatAWeightCannotHave) {
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].layout = "vector"; }, "layout 'vector'");
  ExpectRefused([](LibraryMetadata& m) { m.weights[1].layout = "spiral"; }, "layout 'spiral'");
}

}  // namespace
}  // namespace carat::library
