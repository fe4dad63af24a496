#ifndef CARAT_BASE_ATOMIC_FILE_H_
#define CARAT_BASE_ATOMIC_FILE_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "carat/base/file.h"
#include "carat/base/temporary_path.h"

namespace carat {

// A file that appears at its final place complete or not at all: written beside it, then renamed. A
// link stays a link, and what is not a regular file (/dev/null) is refused.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target);

  FileWriter& writer() { return writer_; }

  void Commit();

 private:
  std::filesystem::path target_;
  TemporaryPath temporary_;
  FileWriter writer_;
};

void WriteFileAtomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void WriteFileAtomically(const std::filesystem::path& path, std::string_view text);

}  // namespace carat

#endif  // CARAT_BASE_ATOMIC_FILE_H_
