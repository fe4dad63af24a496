#include "carat/base/output_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "carat/base/error.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

// A folder that another file system is mounted on cannot be replaced.
bool IsMountPoint(const fs::path& folder) {
  struct stat inside, outside;
  return stat(folder.c_str(), &inside) == 0 && stat(folder.parent_path().c_str(), &outside) == 0 &&
         inside.st_dev != outside.st_dev;
}

using Names = std::vector<std::string>;

// `pattern` may have one '*', which stands for any text within a name.
bool Matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const std::string_view end = pattern.substr(star + 1);
  return name.size() >= star + end.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(end) &&
         name.substr(star, name.size() - star - end.size()).find('/') == std::string_view::npos;
}

// A file of ours, or a folder on the way to one.
bool IsOurs(const std::string& name, bool is_folder, const Names& files) {
  return std::ranges::any_of(files, [&](const std::string& file) {
    return is_folder ? file.starts_with(name + "/") : Matches(name, file);
  });
}

// Only what earlier runs write is in there.
void CheckOurs(const fs::path& folder, const Names& files) {
  std::string reason;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    const bool is_folder = fs::is_directory(entry.symlink_status());
    if (!IsOurs(name, is_folder, files)) reason = "such as " + name;
  }
  if (std::error_code error; !fs::exists(folder / files.front(), error)) {
    reason = "there is no " + files.front() + " in it";
  }
  if (reason.empty()) return;
  throw Error(
      "{}: holds other files ({}), so it is not replaced; choose another folder or remove it first",
      folder.string(), reason);
}

void CheckReplaceable(const fs::path& target, const Names& files) {
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    throw Error("{}: is a file, and a folder should be written there; choose another place",
                target.string());
  }
  if (IsMountPoint(target)) {
    throw Error("{}: is a mount point, which cannot be replaced; choose a folder inside it",
                target.string());
  }
  if (access(target.c_str(), R_OK | W_OK | X_OK) != 0) {
    throw Error("{}: cannot write there: {}", target.string(), SystemMessage(errno));
  }
  if (!fs::is_empty(target, error)) CheckOurs(target, files);
}

// Waits until a file or folder is on the disk. Some file systems report a full one only here.
void Sync(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // a parent that may be written to but not read
  const bool is_synced = fsync(descriptor) == 0 || errno == EINVAL;
  const int error_number = errno;
  close(descriptor);
  if (!is_synced) throw Error("{}: cannot write: {}", path.string(), SystemMessage(error_number));
}

// Where the old folder goes meanwhile on a file system that cannot exchange two.
fs::path AsideOf(const fs::path& target) {
  fs::path aside = target;
  aside += ".carat-old";
  return aside;
}

bool ReplaceByMovingAside(const fs::path& from, const fs::path& to, const Names& files) {
  const fs::path aside = AsideOf(to);
  CheckReplaceable(aside, files);
  std::error_code error;
  fs::remove_all(aside, error);
  if (rename(to.c_str(), aside.c_str()) != 0) return false;
  if (rename(from.c_str(), to.c_str()) != 0) {
    const int error_number = errno;
    fs::rename(aside, to, error);
    errno = error_number;
    return false;
  }
  fs::remove_all(aside, error);
  return true;
}

// A program that was killed while the old folder was aside has left it there.
void RestoreAside(const fs::path& target, const Names& files) {
  const fs::path aside = AsideOf(target);
  std::error_code error;
  if (!fs::exists(target, error) && fs::exists(aside / files.front(), error)) {
    fs::rename(aside, target, error);
  }
}

// Puts the folder `from` in the place of `to`. What was there, if anything, is then at `from` or
// gone.
bool Replace(const fs::path& from, const fs::path& to, const Names& files) {
  if (rename(from.c_str(), to.c_str()) == 0) return true;  // `to` is empty, or not there
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return true;
  return (errno == EINVAL || errno == ENOSYS) && ReplaceByMovingAside(from, to, files);
}

// The target as an absolute path in a folder that exists, and free to be written.
fs::path Prepare(const fs::path& target, const Names& files) {
  fs::path resolved = ResolveTarget(target);
  CheckReplaceable(resolved, files);
  std::error_code error;
  fs::create_directories(resolved.parent_path(), error);
  if (error) {
    throw Error("{}: cannot make the folder: {}", resolved.parent_path().string(), error.message());
  }
  RestoreAside(resolved, files);
  return resolved;
}

}  // namespace

OutputDirectory::OutputDirectory(const fs::path& target, std::span<const std::string_view> files)
    : files_(files.begin(), files.end()),
      target_(Prepare(target, files_)),
      temporary_(target_, TemporaryPath::Kind::kFolder) {}

void OutputDirectory::Commit() {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path())) {
    if (entry.is_directory() || entry.is_regular_file()) Sync(entry.path());
  }
  Sync(path());
  CheckReplaceable(target_, files_);  // somebody may have put other files there meanwhile
  if (!Replace(path(), target_, files_)) {
    throw Error("{}: cannot put the finished folder there: {}", target_.string(),
                SystemMessage(errno));
  }
  Sync(target_.parent_path());
}

}  // namespace carat
