#include "carat/base/folder_to_fill.h"

#include <system_error>
#include <utility>

#include "carat/base/error.h"

namespace carat {

namespace fs = std::filesystem;

FolderToFill::FolderToFill(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  for (fs::path each = fs::absolute(path_, error);
       each.has_relative_path() && !fs::exists(each, error); each = each.parent_path()) {
    missing_.push_back(each);
  }
}

FolderToFill::~FolderToFill() {
  std::error_code error;
  for (const fs::path& each : missing_) fs::remove(each, error);  // which an empty one lets happen
}

void FolderToFill::Make() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (fs::is_directory(path_)) return;
  throw Error("{}: cannot make the folder: {}", path_.string(),
              error ? error.message() : "a file has that name");
}

}  // namespace carat
