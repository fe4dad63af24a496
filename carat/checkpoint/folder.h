// What lies where a user says that a folder is. Nothing here throws std::filesystem's exceptions,
// whose texts help nobody.

#ifndef CARAT_CHECKPOINT_FOLDER_H_
#define CARAT_CHECKPOINT_FOLDER_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace carat::checkpoint {

// Throws Error if `path` is no folder, saying what it is instead. `expected` is what the user was
// to give: "a Hugging Face model folder".
void CheckIsFolder(const std::filesystem::path& path, std::string_view expected);

// Whether the folder has something of that name. Throws Error if the system will not tell.
bool Has(const std::filesystem::path& folder, std::string_view name);

// Whether a name that a file gives is that of a file in the same folder, and nothing else.
bool IsPlainFileName(const std::string& name);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_FOLDER_H_
