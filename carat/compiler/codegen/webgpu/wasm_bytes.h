// Reads and writes the bytes of WebAssembly modules
// (https://webassembly.github.io/spec/core/binary): LEB128 numbers, names, sections.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_WASM_BYTES_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_WASM_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace carat::compiler {

// Reads from the front of `bytes`; what is cut off or out of range is an Error.
class WasmReader {
 public:
  explicit WasmReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool AtEnd() const { return bytes_.empty(); }
  std::span<const std::byte> Rest() const { return bytes_; }

  uint8_t ReadByte();
  uint32_t ReadUnsigned();  // LEB128
  int32_t ReadSigned();     // LEB128
  std::span<const std::byte> ReadBytes(size_t count);
  std::string_view ReadName();

 private:
  std::span<const std::byte> bytes_;
};

class WasmWriter {
 public:
  void Byte(uint8_t byte) { bytes_.push_back(std::byte{byte}); }
  void Unsigned(uint32_t value);  // LEB128
  void Signed(int32_t value);     // LEB128
  void Bytes(std::span<const std::byte> bytes);

  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_WASM_BYTES_H_
