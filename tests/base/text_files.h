// Files of a test's folder, written and read as a whole.

#ifndef CARAT_TESTS_BASE_TEXT_FILES_H_
#define CARAT_TESTS_BASE_TEXT_FILES_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/support/temporary_folder.h"

namespace carat {

using tests::TemporaryFolder;

// Writes folder/name, and the folders it is in; returns its path.
inline std::filesystem::path WriteText(const TemporaryFolder& folder, std::string_view name,
                                       std::string_view text) {
  const std::filesystem::path path = folder / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace carat

#endif  // CARAT_TESTS_BASE_TEXT_FILES_H_
