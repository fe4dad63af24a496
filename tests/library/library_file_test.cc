#include "carat/library/library_file.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat::library {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// libc: an ELF library that everybody has, and that Carat did not compile.
std::string BytesOfLibc() {
  Dl_info info = {};
  dladdr(reinterpret_cast<void*>(&dladdr), &info);
  return ReadTextFile(info.dli_fname);
}

class LibraryFileTest : public ::testing::Test {
 protected:
  void ExpectNotALibrary(std::string_view bytes) const {
    WriteFileAtomically(path_, bytes);
    EXPECT_THAT([&] { ReadLibraryMetadata(path_); },
                ThrowsMessage<Error>(HasSubstr("not a library that Carat compiled")));
  }

  tests::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.so";
};

TEST_F(LibraryFileTest, NamesAMissingFile) {
  EXPECT_THAT([&] { ReadLibraryMetadata(path_); }, ThrowsMessage<Error>(HasSubstr("model.so")));
}

TEST_F(LibraryFileTest, RefusesWhatIsNoLibrary) {
  ExpectNotALibrary("");
  ExpectNotALibrary(
      "\x7f"
      "ELF");
  ExpectNotALibrary(std::string(4096, '\0'));
}

TEST_F(LibraryFileTest, RefusesOtherLibraries) { ExpectNotALibrary(BytesOfLibc()); }

TEST_F(LibraryFileTest, SurvivesTruncatedLibraries) {
  const std::string bytes = BytesOfLibc();
  for (size_t length = 1; length < bytes.size(); length = length * 3 / 2 + 1) {
    ExpectNotALibrary(std::string_view(bytes).substr(0, length));
  }
}

TEST_F(LibraryFileTest, SurvivesHeadersThatLie) {
  std::string bytes = BytesOfLibc();
  for (size_t at = 4; at < 64; ++at) {
    const char original = bytes[at];
    bytes[at] = '\xff';
    ExpectNotALibrary(bytes);
    bytes[at] = original;
  }
}

}  // namespace
}  // namespace carat::library
