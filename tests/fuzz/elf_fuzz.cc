// Of any bytes, taken for a library, the symbol lies inside them or is not found.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "carat/library/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto found =
      carat::library::FindElfData(std::as_bytes(std::span(data, size)), "carat_library_metadata");
  if (!found) return 0;
  const auto* begin = reinterpret_cast<const uint8_t*>(found->data());
  if (begin < data || begin + found->size() > data + size) std::abort();
  return 0;
}
