// What is written aside before it takes its final place, and what becomes of it when its writer is
// killed.

#ifndef CARAT_BASE_TEMPORARY_PATH_H_
#define CARAT_BASE_TEMPORARY_PATH_H_

#include <filesystem>

namespace carat {

// Where writing to `target` really writes: an absolute path with links followed, so that a link
// stays a link. Throws Error for a link to nothing.
std::filesystem::path ResolveTarget(const std::filesystem::path& target);

// The same for a file. Throws Error if something else is there: a folder, a device.
std::filesystem::path ResolveFileTarget(const std::filesystem::path& target);

// An empty file or folder `<target>.carat-tmp-<number>`. It is locked (flock) while its writer
// lives: the kernel lets go of the lock however the process ends, so one that can be locked belongs
// to nobody, and is removed by the next TemporaryPath for the same target.
class TemporaryPath {
 public:
  enum class Kind { kFile, kFolder };

  // `target` is ResolveTarget's, in a folder that exists. Throws Error if nothing can be written
  // there.
  TemporaryPath(const std::filesystem::path& target, Kind kind);
  ~TemporaryPath();  // removes whatever is at path() then
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace carat

#endif  // CARAT_BASE_TEMPORARY_PATH_H_
