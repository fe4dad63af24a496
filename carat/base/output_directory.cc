// OutputDirectory of file.h. The target T is written as T.carat-tmp-<pid>, whose descriptor is
// locked (flock) while its writer lives: the kernel lets go of the lock however the process ends,
// so a folder of that name that can be locked belongs to nobody.

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "carat/base/error.h"
#include "carat/base/file.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryInfix = ".carat-tmp-";

std::string Reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

// The target as an absolute path with symlinks followed, so that a link to a folder stays a link.
fs::path Resolve(const fs::path& target) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(target), error);
  if (error) throw Error("{}: cannot write there: {}", target.string(), error.message());
  if (!resolved.has_filename()) resolved = resolved.parent_path();
  return resolved;
}

// A folder that another file system is mounted on cannot be replaced.
bool IsMountPoint(const fs::path& folder) {
  struct stat inside, outside;
  return stat(folder.c_str(), &inside) == 0 && stat(folder.parent_path().c_str(), &outside) == 0 &&
         inside.st_dev != outside.st_dev;
}

void CheckReplaceable(const fs::path& target, std::string_view marker) {
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
  if (fs::is_empty(target, error) || fs::exists(target / marker, error)) return;
  throw Error(
      "{}: holds other files (there is no {} in it), so it is not replaced; choose another "
      "folder or remove it first",
      target.string(), marker);
}

// An open descriptor of the folder with its lock, or -1 if somebody else has the lock.
int OpenLocked(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  close(descriptor);
  return -1;
}

bool IsTemporaryOf(const fs::path& target, const fs::path& candidate) {
  const std::string name = candidate.filename().string();
  const std::string prefix = target.filename().string().append(kTemporaryInfix);
  return name.size() > prefix.size() && name.starts_with(prefix) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

// Removes what writers of this target left when they were killed.
void RemoveLeftovers(const fs::path& target) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(target.parent_path(), error)) {
    if (!IsTemporaryOf(target, entry.path())) continue;
    const int lock = OpenLocked(entry.path());
    if (lock < 0) continue;
    fs::remove_all(entry.path(), error);
    close(lock);
  }
}

// Waits until a file or folder is on the disk. Some file systems report a full one only here.
void Sync(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // a parent that may be written to but not read
  const bool is_synced = fsync(descriptor) == 0 || errno == EINVAL;
  const int error_number = errno;
  close(descriptor);
  if (!is_synced) throw Error("{}: cannot write: {}", path.string(), Reason(error_number));
}

// For file systems that cannot exchange two folders: moves the old one aside first.
bool ReplaceByMovingAside(const fs::path& from, const fs::path& to) {
  fs::path aside = to;
  aside += ".carat-old";
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

// Puts the folder `from` in the place of `to`. What was there, if anything, is then at `from` or
// gone.
bool Replace(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return true;  // `to` is empty, or not there
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return true;
  return (errno == EINVAL || errno == ENOSYS) && ReplaceByMovingAside(from, to);
}

}  // namespace

OutputDirectory::OutputDirectory(const fs::path& target, std::string_view marker)
    : target_(Resolve(target)), marker_(marker) {
  CheckReplaceable(target_, marker_);
  std::error_code error;
  fs::create_directories(target_.parent_path(), error);
  if (error) {
    throw Error("{}: cannot make the folder: {}", target_.parent_path().string(), error.message());
  }
  RemoveLeftovers(target_);
  // A process may write the same target twice at once, or be given the id of one that still writes.
  constexpr int kMaxTries = 100;
  for (long number = getpid(); lock_ < 0; ++number) {
    if (number - getpid() >= kMaxTries) {
      throw Error("{}: the file system there cannot lock folders; choose another place with -o",
                  target_.string());
    }
    path_ = target_;
    path_ += std::string(kTemporaryInfix) + std::to_string(number);
    if (mkdir(path_.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) == 0) {
      lock_ = OpenLocked(path_);
      if (lock_ < 0) rmdir(path_.c_str());
    } else if (errno != EEXIST) {
      throw Error("{}: cannot write there: {}; choose another place with -o", target_.string(),
                  Reason(errno));
    }
  }
}

OutputDirectory::~OutputDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
  close(lock_);
}

void OutputDirectory::Commit() {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path_)) {
    if (entry.is_directory() || entry.is_regular_file()) Sync(entry.path());
  }
  Sync(path_);
  CheckReplaceable(target_, marker_);  // somebody may have put other files there meanwhile
  if (!Replace(path_, target_)) {
    throw Error("{}: cannot put the finished folder there: {}", target_.string(), Reason(errno));
  }
  Sync(target_.parent_path());
}

}  // namespace carat
