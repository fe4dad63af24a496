// The GGUF format, version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
//
//     | "GGUF" | u32 version | u64 tensor count | u64 key count
//     | keys: name, u32 value type, value
//     | tensor infos: name, u32 dimensions, u64 extents (innermost first), u32 type, u64 offset
//     | padding to the alignment | data: each tensor at its offset, a multiple of the alignment |
//
// Text is a u64 length and that many bytes; an array is a u32 element type, a u64 count and the
// elements. All numbers are little-endian.

#ifndef CARAT_CHECKPOINT_GGUF_H_
#define CARAT_CHECKPOINT_GGUF_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/quantization/ggml_blocks.h"

namespace carat::checkpoint {

inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint64_t kGgufDefaultAlignment = 32;

enum class GgufValueType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

// Of a number or truth value; 0 for text and arrays.
size_t ElementBytes(GgufValueType type);

struct GgufTensor {
  std::string_view name;
  quantization::GgmlType type = quantization::GgmlType::kF32;
  std::vector<int64_t> shape;        // outermost first: [rows, cols]
  std::span<const std::byte> bytes;  // rows one after the other
};

// A file's metadata, read through typed getters whose errors name the file and the key, and its
// tensors. Names, text and data are views of the file, which must outlive it.
//
//     const Gguf gguf = Gguf::Parse(file.bytes(), "model.gguf");
//     const int64_t block_count = gguf.PositiveInt("gemma3.block_count");
class Gguf {
 public:
  // Any sequence of bytes is either a valid file or an Error. `where` names the file in errors.
  static Gguf Parse(std::span<const std::byte> file, std::string_view where);

  bool Has(std::string_view key) const { return values_.find(key) != values_.end(); }

  // An integer of any width, a number of any type. Text is UTF-8, numbers are finite.
  int64_t Int(std::string_view key) const;
  int64_t PositiveInt(std::string_view key) const;
  double Float(std::string_view key) const;
  bool Bool(std::string_view key) const;
  std::string_view String(std::string_view key) const;
  std::vector<int64_t> Ints(std::string_view key) const;
  std::vector<double> Floats(std::string_view key) const;
  std::vector<bool> Bools(std::string_view key) const;
  std::vector<std::string_view> Strings(std::string_view key) const;

  std::optional<int64_t> OptionalInt(std::string_view key) const;
  std::optional<int64_t> OptionalPositiveInt(std::string_view key) const;
  std::optional<double> OptionalFloat(std::string_view key) const;
  std::optional<bool> OptionalBool(std::string_view key) const;
  std::optional<std::string_view> OptionalString(std::string_view key) const;

  bool IsArray(std::string_view key) const;
  uint64_t Count(
      std::string_view key) const;  // of an array's elements; 0 if there is no such array

  const std::vector<GgufTensor>& tensors() const { return tensors_; }  // as the file lists them
  const GgufTensor* FindTensor(std::string_view name) const;           // nullptr if there is none

  const std::string& where() const { return where_; }

  // "model.gguf: key 'gemma3.block_count'", to begin a message with.
  std::string Where(std::string_view key) const;

  // "model.gguf: key 'gemma3.block_count' is -1, expected <expected>".
  Error Wrong(std::string_view key, std::string_view expected) const;

 private:
  class Parser;

  // A value, or the elements of an array: `count` of them in `bytes`.
  struct Value {
    GgufValueType type = GgufValueType::kUint8;
    bool is_array = false;
    uint64_t count = 1;
    std::span<const std::byte> bytes;
  };

  explicit Gguf(std::string_view where) : where_(where) {}

  const Value& Required(std::string_view key) const;
  const Value& Scalar(std::string_view key, std::string_view expected) const;
  const Value& Array(std::string_view key, std::string_view expected) const;

  std::string where_;
  std::map<std::string_view, Value, std::less<>> values_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string_view, size_t, std::less<>> tensor_indices_;
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_H_
