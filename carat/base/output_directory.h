#ifndef CARAT_BASE_OUTPUT_DIRECTORY_H_
#define CARAT_BASE_OUTPUT_DIRECTORY_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/temporary_path.h"

namespace carat {

// A folder that appears at its final place complete or not at all, whenever the program dies.
//
// Files are written into path(), a folder beside the target; Commit() makes them durable and swaps
// the folder in. Without Commit the destructor removes it.
//
// An existing target is replaced only if it is an empty folder or one that an earlier run wrote and
// nobody has put anything into since: `-o ~` must not cost anybody a home.
class OutputDirectory {
 public:
  // `files` are the names that the finished folder may hold, with '/' where they lie in folders of
  // it, and one '*' for any text within a name; the first is in every one.
  OutputDirectory(const std::filesystem::path& target, std::span<const std::string_view> files);

  const std::filesystem::path& path() const { return temporary_.path(); }
  const std::filesystem::path& target() const { return target_; }

  void Commit();

 private:
  std::vector<std::string> files_;
  std::filesystem::path target_;
  TemporaryPath temporary_;
};

}  // namespace carat

#endif  // CARAT_BASE_OUTPUT_DIRECTORY_H_
