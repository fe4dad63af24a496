// Makes GGUF files, right and wrong ones, byte by byte.

#ifndef CARAT_TESTS_CHECKPOINT_GGUF_BYTES_H_
#define CARAT_TESTS_CHECKPOINT_GGUF_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "carat/checkpoint/gguf.h"

namespace carat::checkpoint {

// The bytes of a number.
template <typename T>
std::string Raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

inline std::string Text(std::string_view text) { return Raw<uint64_t>(text.size()).append(text); }

struct GgufBytes {
  uint32_t version = kGgufVersion;
  std::string keys;
  uint64_t num_keys = 0;
  std::string infos;
  uint64_t num_tensors = 0;
  size_t alignment = kGgufDefaultAlignment;

  // `value` is what follows the value type.
  GgufBytes& Key(std::string_view key, GgufValueType type, std::string_view value) {
    ++num_keys;
    keys += Text(key) + Raw(type);
    keys += value;
    return *this;
  }

  GgufBytes& Array(std::string_view key, GgufValueType type, uint64_t count,
                   std::string_view elements) {
    return Key(key, GgufValueType::kArray, (Raw(type) + Raw(count)).append(elements));
  }

  // `extents` as the file has them, innermost first.
  GgufBytes& Tensor(std::string_view name, std::initializer_list<uint64_t> extents, uint32_t type,
                    uint64_t offset) {
    ++num_tensors;
    infos += Text(name) + Raw(static_cast<uint32_t>(extents.size()));
    for (const uint64_t extent : extents) infos += Raw(extent);
    infos += Raw(type) + Raw(offset);
    return *this;
  }

  std::string Build(std::string_view data = "") const {
    std::string file = "GGUF" + Raw(version) + Raw(num_tensors) + Raw(num_keys) + keys + infos;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file.append(data);
  }
};

}  // namespace carat::checkpoint

#endif  // CARAT_TESTS_CHECKPOINT_GGUF_BYTES_H_
