// A dist folder around the fake library, for tests of what runs models.

#ifndef CARAT_TESTS_RUNTIME_FAKE_MODEL_H_
#define CARAT_TESTS_RUNTIME_FAKE_MODEL_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/library/dist_folder.h"
#include "carat/library/weights_file.h"
#include "tests/support/temporary_folder.h"

namespace carat::tests {

inline constexpr std::string_view kFakeMetadata =
#include "tests/runtime/fake_metadata.inc"
    ;

class FakeModelFolder {
 public:
  FakeModelFolder() {
    library::WeightsWriter writer(path() / library::kWeightsFile);
    writer.BeginWeight();
    writer.Append(std::vector<std::byte>(128, std::byte{7}));
    config_.metadata = library::ParseMetadata(kFakeMetadata, "fake_metadata.inc");
    config_.metadata.weights_hash = library::HashToHex(writer.Finish());
    config_.generation.eos_token_ids = {1};
    std::filesystem::copy_file(CARAT_FAKE_LIBRARY, path() / library::kLibraryFile);
    WriteConfig(config_);
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  const library::DistConfig& config() const { return config_; }

  void WriteConfig(const library::DistConfig& config) const {
    WriteFileAtomically(path() / library::kConfigFile, library::ToJsonText(config));
  }

  // Replaces bytes of the library, its metadata for instance, by others of the same length.
  void PatchLibrary(std::string_view from, std::string_view to) const {
    const std::filesystem::path file = path() / library::kLibraryFile;
    std::ifstream in(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    const size_t at = bytes.find(from);
    if (at == std::string::npos || from.size() != to.size()) throw Error("cannot patch: {}", from);
    WriteFileAtomically(file, bytes.replace(at, from.size(), to));
  }

 private:
  TemporaryFolder folder_;
  library::DistConfig config_;
};

}  // namespace carat::tests

#endif  // CARAT_TESTS_RUNTIME_FAKE_MODEL_H_
