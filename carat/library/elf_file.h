// Finds a data symbol in a 64-bit little-endian ELF library without loading it. Everything in the
// file is untrusted: a position or count that leads out of it makes the result empty.

#ifndef CARAT_LIBRARY_ELF_FILE_H_
#define CARAT_LIBRARY_ELF_FILE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace carat::library {

// The bytes of the data symbol `name` of the dynamic symbol table: part of `elf`.
std::optional<std::string_view> FindElfData(std::span<const std::byte> elf, std::string_view name);

}  // namespace carat::library

#endif  // CARAT_LIBRARY_ELF_FILE_H_
