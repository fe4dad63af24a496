// What the readers of downloaded files have in common.

#ifndef CARAT_CHECKPOINT_DOWNLOADED_H_
#define CARAT_CHECKPOINT_DOWNLOADED_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace carat::checkpoint {

// How to mend a damaged file.
inline constexpr std::string_view kDownloadAgain = "download the file again";

// Throws Error where a Git LFS pointer stands in for the file, which git clones without LFS leave.
void CheckIsNoGitLfsPointer(std::span<const std::byte> file, std::string_view where);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_DOWNLOADED_H_
