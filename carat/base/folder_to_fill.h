#ifndef CARAT_BASE_FOLDER_TO_FILL_H_
#define CARAT_BASE_FOLDER_TO_FILL_H_

#include <filesystem>
#include <vector>

namespace carat {

// A folder that files are to be put into one by one. It is made if it is not there, with those it
// is in, and what was made is removed again by the destructor unless something is in it by then.
class FolderToFill {
 public:
  // Makes nothing yet.
  explicit FolderToFill(std::filesystem::path path);
  ~FolderToFill();
  FolderToFill(const FolderToFill&) = delete;
  FolderToFill& operator=(const FolderToFill&) = delete;

  // Throws Error if it cannot be made.
  void Make();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> missing_;  // the innermost first
};

}  // namespace carat

#endif  // CARAT_BASE_FOLDER_TO_FILL_H_
