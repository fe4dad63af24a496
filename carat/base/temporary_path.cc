#include "carat/base/temporary_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "carat/base/error.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInfix = ".carat-tmp-";

// An open descriptor of the file or folder with its lock, or -1 if somebody else has the lock.
int OpenLocked(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return -1;
  struct stat status;
  // Between open and flock, somebody who took it for a leftover may have removed it.
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &status) == 0 &&
      status.st_nlink > 0) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

bool IsTemporaryOf(const fs::path& target, const fs::path& candidate) {
  const std::string name = candidate.filename().string();
  const std::string prefix = target.filename().string().append(kInfix);
  return name.size() > prefix.size() && name.starts_with(prefix) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

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

// 0, or an errno.
int Make(const fs::path& path, TemporaryPath::Kind kind) {
  if (kind == TemporaryPath::Kind::kFolder) {
    return mkdir(path.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) == 0 ? 0 : errno;
  }
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                        S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (file < 0) return errno;
  close(file);
  return 0;
}

}  // namespace

fs::path ResolveTarget(const fs::path& target) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(target), error);
  if (error) throw Error("{}: cannot write there: {}", target.string(), error.message());
  if (!resolved.has_filename()) resolved = resolved.parent_path();
  if (fs::is_symlink(resolved, error)) {
    throw Error("{}: is a link to nothing; remove it or make what it leads to", target.string());
  }
  return resolved;
}

fs::path ResolveFileTarget(const fs::path& target) {
  fs::path resolved = ResolveTarget(target);
  std::error_code error;
  const fs::file_status status = fs::status(resolved, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return resolved;
  throw Error("{}: is {}; give the name of a file", target.string(),
              fs::is_directory(status) ? "a folder" : "not a regular file");
}

TemporaryPath::TemporaryPath(const fs::path& target, Kind kind) {
  RemoveLeftovers(target);
  // A process may write the same target twice at once, or be given the id of one that still writes.
  constexpr int kMaxTries = 100;
  for (int tries = 0; lock_ < 0; ++tries) {
    if (tries == kMaxTries) {
      throw Error("{}: the file system there cannot lock what is written; choose another place",
                  target.string());
    }
    path_ = target;
    path_ += std::string(kInfix) + std::to_string(getpid() + tries);
    const int error_number = Make(path_, kind);
    if (error_number == 0) {
      lock_ = OpenLocked(path_);
      if (lock_ < 0) remove(path_.c_str());
    } else if (error_number != EEXIST) {
      throw Error("{}: cannot write there: {}; choose another place", target.string(),
                  std::generic_category().message(error_number));
    }
  }
}

TemporaryPath::~TemporaryPath() {
  std::error_code error;
  fs::remove_all(path_, error);
  close(lock_);
}

}  // namespace carat
