#include "carat/library/library_file.h"

#include <optional>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/library/elf_file.h"

namespace carat::library {

LibraryMetadata ReadLibraryMetadata(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::optional<std::string_view> text = FindElfData(file.bytes(), kMetadataSymbol);
  if (!text) {
    throw Error("{}: not a library that Carat compiled (no symbol {}); compile the model again",
                path.string(), kMetadataSymbol);
  }
  // A C string: it ends at the first zero.
  return ParseMetadata(text->substr(0, text->find('\0')), path.string());
}

}  // namespace carat::library
