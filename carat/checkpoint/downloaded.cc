#include "carat/checkpoint/downloaded.h"

#include "carat/base/error.h"

namespace carat::checkpoint {

void CheckIsNoGitLfsPointer(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with("version https://git-lfs.github.com/spec")) return;
  throw Error("{}: is a pointer to the file, not the file; run git lfs pull in its folder", where);
}

}  // namespace carat::checkpoint
