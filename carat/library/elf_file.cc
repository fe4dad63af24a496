#include "carat/library/elf_file.h"

#include <elf.h>

#include <cstdint>
#include <cstring>

namespace carat::library {

namespace {

class ElfFile {
 public:
  explicit ElfFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

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
  std::optional<Elf64_Shdr> ReadSection(const Elf64_Ehdr& header, uint64_t index) const {
    return Read<Elf64_Shdr>(header.e_shoff + index * sizeof(Elf64_Shdr));
  }
  std::optional<Elf64_Shdr> FindSymbolTable(const Elf64_Ehdr& header) const;
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

std::optional<Elf64_Shdr> ElfFile::FindSymbolTable(const Elf64_Ehdr& header) const {
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto section = ReadSection(header, i);
    if (!section || section->sh_type == SHT_DYNSYM) return section;  // there is only one
  }
  return std::nullopt;
}

std::optional<std::string_view> ElfFile::FindData(std::string_view name) const {
  const auto header = ReadHeader();
  if (!header) return std::nullopt;
  const auto table = FindSymbolTable(*header);
  if (!table) return std::nullopt;
  const auto strings = ReadSection(*header, table->sh_link);
  if (!strings) return std::nullopt;
  for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); ++i) {
    const auto symbol = Read<Elf64_Sym>(table->sh_offset + i * sizeof(Elf64_Sym));
    if (!symbol) return std::nullopt;
    if (SymbolNamed(*symbol, *strings, name)) return SymbolData(*header, *symbol);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> FindElfData(std::span<const std::byte> elf, std::string_view name) {
  return ElfFile(elf).FindData(name);
}

}  // namespace carat::library
