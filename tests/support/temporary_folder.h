// A folder that a test may fill, gone when the test ends.

#ifndef CARAT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
#define CARAT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "carat/base/error.h"

namespace carat::tests {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "carat-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error("no temporary folder: {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace carat::tests

#endif  // CARAT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
