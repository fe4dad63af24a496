#include "carat/library/library_file.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"

namespace carat::library {

namespace {

// Reads structures out of an ELF file. Everything in it is untrusted: a position or count that
// leads out of the file makes the result empty.
class ElfFile {
 public:
  explicit ElfFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // The bytes of the data symbol `name`, of the dynamic symbol table.
  std::optional<std::string_view> FindData(std::string_view name) const;

 private:
  template <typename T>
  std::optional<T> Read(uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

  std::optional<std::string_view> Text(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(bytes_.data()) + offset, size);
  }

  std::optional<Elf64_Ehdr> ReadHeader() const;
  bool SymbolNamed(const Elf64_Sym& symbol, const Elf64_Shdr& strings, std::string_view name) const;
  std::optional<std::string_view> SymbolData(const Elf64_Ehdr& header,
                                             const Elf64_Sym& symbol) const;

  std::span<const std::byte> bytes_;
};

std::optional<Elf64_Ehdr> ElfFile::ReadHeader() const {
  const auto header = Read<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) {
    return std::nullopt;
  }
  return header;
}

bool ElfFile::SymbolNamed(const Elf64_Sym& symbol, const Elf64_Shdr& strings,
                          std::string_view name) const {
  const auto text = Text(strings.sh_offset + symbol.st_name, name.size() + 1);
  return text && text->substr(0, name.size()) == name && text->back() == '\0';
}

// Where the program headers put the symbol's address into the file.
std::optional<std::string_view> ElfFile::SymbolData(const Elf64_Ehdr& header,
                                                    const Elf64_Sym& symbol) const {
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = Read<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return std::nullopt;
    if (segment->p_type != PT_LOAD || symbol.st_value < segment->p_vaddr) continue;
    const uint64_t position = symbol.st_value - segment->p_vaddr;
    if (position >= segment->p_filesz || segment->p_filesz - position < symbol.st_size) continue;
    return Text(segment->p_offset + position, symbol.st_size);
  }
  return std::nullopt;
}

std::optional<std::string_view> ElfFile::FindData(std::string_view name) const {
  const auto header = ReadHeader();
  if (!header) return std::nullopt;
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto table = Read<Elf64_Shdr>(header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!table) return std::nullopt;
    if (table->sh_type != SHT_DYNSYM) continue;
    const auto strings =
        Read<Elf64_Shdr>(header->e_shoff + uint64_t{table->sh_link} * sizeof(Elf64_Shdr));
    if (!strings) return std::nullopt;
    for (uint64_t j = 0; j < table->sh_size / sizeof(Elf64_Sym); ++j) {
      const auto symbol = Read<Elf64_Sym>(table->sh_offset + j * sizeof(Elf64_Sym));
      if (!symbol) return std::nullopt;
      if (SymbolNamed(*symbol, *strings, name)) return SymbolData(*header, *symbol);
    }
  }
  return std::nullopt;
}

}  // namespace

LibraryMetadata ReadLibraryMetadata(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::optional<std::string_view> text = ElfFile(file.bytes()).FindData(kMetadataSymbol);
  if (!text) {
    throw Error("{}: not a library that Carat compiled (no symbol {}); compile the model again",
                path.string(), kMetadataSymbol);
  }
  // A C string: it ends at the first zero.
  return ParseMetadata(text->substr(0, text->find('\0')), path.string());
}

}  // namespace carat::library
