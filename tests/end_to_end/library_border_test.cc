// What a compiled library says to arguments that no careful host would give: any TVM FFI host may
// call it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/library/dist_folder.h"
#include "carat/library/library_file.h"
#include "carat/library/weights_file.h"
#include "carat/runtime/library.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class LibraryBorderTest : public ::testing::Test {
 protected:
  static constexpr int64_t kPages = 8;

  LibraryBorderTest()
      : folder_(Compiled({.model = ModelFolder(kWindowedCase), .max_batch_size = 4})),
        library_(folder_ / library::kLibraryFile,
                 library::ReadLibraryMetadata(folder_ / library::kLibraryFile)),
        weights_(folder_ / library::kWeightsFile),
        pages_(kPages * library_.metadata().page_bytes),
        rings_(library_.metadata().max_batch_size * library_.metadata().ring_bytes),
        scratch_(library_.metadata().scratch_shared_bytes +
                 library_.metadata().scratch_thread_bytes + 64) {}

  // One token for each sequence.
  void Forward(const std::vector<runtime::StepSequence>& sequences,
               const std::vector<TokenId>& tokens, const std::vector<int32_t>& first_pages) {
    const library::LibraryMetadata& m = library_.metadata();
    std::vector<int32_t> page_table;
    for (const int32_t first : first_pages) {
      page_table.push_back(first);
      page_table.resize(page_table.size() + m.max_pages_per_sequence() - 1, -1);
    }
    std::vector<float> logits(m.vocab_size);
    const std::vector<int32_t> rows = {0};
    void* aligned = scratch_.data();
    size_t space = scratch_.size();
    std::align(64, scratch_.size() - 64, aligned, space);
    library_.Forward({.weights = weights_.bytes(),
                      .kv_pages = pages_,
                      .kv_rings = rings_,
                      .scratch = {static_cast<std::byte*>(aligned), scratch_.size() - 64},
                      .sequences = sequences,
                      .page_table = page_table,
                      .tokens = tokens,
                      .logit_rows = rows,
                      .logits = logits});
  }

  std::filesystem::path folder_;
  runtime::Library library_;
  library::WeightsFile weights_;
  std::vector<std::byte> pages_;
  std::vector<std::byte> rings_;
  std::vector<std::byte> scratch_;
};

TEST_F(LibraryBorderTest, ASoundCallIsTaken) {
  EXPECT_NO_THROW(Forward({{0, 0, 1}, {1, 0, 1}}, {5, 6}, {0, 1}));
}

TEST_F(LibraryBorderTest, MoreSequencesThanPlannedForAreRefused) {
  const std::vector<runtime::StepSequence> five = {
      {0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {3, 0, 1}};
  EXPECT_THAT(
      [&] {
        Forward(five, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 4});
      },
      ThrowsMessage<Error>(HasSubstr("at most 4")));
}

TEST_F(LibraryBorderTest, TwoSequencesInOneSlotAreRefused) {
  EXPECT_THAT(
      [&] {
        Forward({{1, 0, 1}, {1, 0, 1}}, {5, 6}, {0, 1});
      },
      ThrowsMessage<Error>(HasSubstr("same slot")));
}

TEST_F(LibraryBorderTest, TwoSequencesWritingOnePageAreRefused) {
  EXPECT_THAT(
      [&] {
        Forward({{0, 0, 1}, {1, 0, 1}}, {5, 6}, {3, 3});
      },
      ThrowsMessage<Error>(HasSubstr("same page")));
}

TEST_F(LibraryBorderTest, IndicesOutOfRangeAreRefused) {
  EXPECT_THAT([&] { Forward({{0, 0, 1}}, {384}, {0}); }, ThrowsMessage<Error>(HasSubstr("384")));
  EXPECT_THAT([&] { Forward({{4, 0, 1}}, {5}, {0}); }, ThrowsMessage<Error>(HasSubstr("slot 4")));
  EXPECT_THAT(
      [&] {
        Forward({{0, 0, 1}}, {5}, {kPages});
      },
      ThrowsMessage<Error>(HasSubstr("page_table")));
  EXPECT_THAT(
      [&] {
        Forward({{0, 512, 1}}, {5}, {0});
      },
      ThrowsMessage<Error>(HasSubstr("context")));
  EXPECT_THAT(
      [&] {
        Forward({{0, -1, 1}}, {5}, {0});
      },
      ThrowsMessage<Error>(HasSubstr("position 0")));
  EXPECT_THAT(
      [&] {
        Forward({{0, 0, 2}}, {5}, {0});
      },
      ThrowsMessage<Error>(HasSubstr("sequences count 2")));
}

}  // namespace
}  // namespace carat
