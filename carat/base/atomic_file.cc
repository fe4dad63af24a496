#include "carat/base/atomic_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "carat/base/error.h"

namespace carat {

namespace fs = std::filesystem;

AtomicFile::AtomicFile(const fs::path& target)
    : target_(ResolveFileTarget(target)),
      temporary_(target_, TemporaryPath::Kind::kFile),
      writer_(temporary_.path()) {}

void AtomicFile::Commit() {
  writer_.Close();
  if (rename(temporary_.path().c_str(), target_.c_str()) != 0) {
    throw Error("{}: cannot write: {}", target_.string(), std::generic_category().message(errno));
  }
}

void WriteFileAtomically(const fs::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.writer().Write(bytes);
  file.Commit();
}

void WriteFileAtomically(const fs::path& path, std::string_view text) {
  WriteFileAtomically(path, std::as_bytes(std::span(text)));
}

}  // namespace carat
