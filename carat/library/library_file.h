// Reads a compiled library's metadata out of the ELF file, without loading it: none of its code
// runs, so a library for another processor can be looked at and refused in words.

#ifndef CARAT_LIBRARY_LIBRARY_FILE_H_
#define CARAT_LIBRARY_LIBRARY_FILE_H_

#include <filesystem>

#include "carat/library/metadata.h"

namespace carat::library {

// Throws Error if the file is missing, no 64-bit ELF library, or not one that Carat compiled.
LibraryMetadata ReadLibraryMetadata(const std::filesystem::path& path);

}  // namespace carat::library

#endif  // CARAT_LIBRARY_LIBRARY_FILE_H_
