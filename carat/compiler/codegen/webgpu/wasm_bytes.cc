#include "carat/compiler/codegen/webgpu/wasm_bytes.h"

#include "carat/base/error.h"

namespace carat::compiler {

uint8_t WasmReader::ReadByte() { return std::to_integer<uint8_t>(ReadBytes(1)[0]); }

uint32_t WasmReader::ReadUnsigned() {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = ReadByte();
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) {
      if (value > UINT32_MAX) break;
      return static_cast<uint32_t>(value);
    }
  }
  throw Error("the WebAssembly module is damaged: a number has more than 32 bits");
}

int32_t WasmReader::ReadSigned() {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = ReadByte();
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) {
      const int unused_bits = 64 - (shift + 7);  // to carry the sign of the last 7 bits upwards
      const int64_t extended = static_cast<int64_t>(value << unused_bits) >> unused_bits;
      if (extended < INT32_MIN || extended > INT32_MAX) break;
      return static_cast<int32_t>(extended);
    }
  }
  throw Error("the WebAssembly module is damaged: a number has more than 32 bits");
}

std::span<const std::byte> WasmReader::ReadBytes(size_t count) {
  if (count > bytes_.size()) {
    throw Error("the WebAssembly module is damaged: {} bytes are missing", count - bytes_.size());
  }
  const auto read = bytes_.first(count);
  bytes_ = bytes_.subspan(count);
  return read;
}

std::string_view WasmReader::ReadName() {
  const auto bytes = ReadBytes(ReadUnsigned());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void WasmWriter::Unsigned(uint32_t value) {
  for (; value >= 0x80; value >>= 7) Byte(static_cast<uint8_t>(value | 0x80));
  Byte(static_cast<uint8_t>(value));
}

void WasmWriter::Signed(int32_t value) {
  for (; value < -0x40 || value >= 0x40; value >>= 7) {
    Byte(static_cast<uint8_t>((value & 0x7f) | 0x80));
  }
  Byte(static_cast<uint8_t>(value & 0x7f));
}

void WasmWriter::Bytes(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace carat::compiler
