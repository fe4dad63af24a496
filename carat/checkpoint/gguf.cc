#include "carat/checkpoint/gguf.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "carat/base/json.h"
#include "carat/base/utf8.h"

namespace carat::checkpoint {
namespace {

constexpr size_t kMaxQuotedBytes = 60;

template <typename T>
T Load(std::span<const std::byte> bytes, uint64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// Element `index` of `bytes`, if it is an integer that int64 holds.
std::optional<int64_t> LoadInt(GgufValueType type, std::span<const std::byte> bytes,
                               uint64_t index) {
  switch (type) {
    case GgufValueType::kUint8:
      return Load<uint8_t>(bytes, index);
    case GgufValueType::kInt8:
      return Load<int8_t>(bytes, index);
    case GgufValueType::kUint16:
      return Load<uint16_t>(bytes, index);
    case GgufValueType::kInt16:
      return Load<int16_t>(bytes, index);
    case GgufValueType::kUint32:
      return Load<uint32_t>(bytes, index);
    case GgufValueType::kInt32:
      return Load<int32_t>(bytes, index);
    case GgufValueType::kInt64:
      return Load<int64_t>(bytes, index);
    case GgufValueType::kUint64: {
      const auto value = Load<uint64_t>(bytes, index);
      constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      return value <= kMax ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// A number of any type, finite or not.
std::optional<double> LoadNumber(GgufValueType type, std::span<const std::byte> bytes,
                                 uint64_t index) {
  switch (type) {
    case GgufValueType::kFloat32:
      return Load<float>(bytes, index);
    case GgufValueType::kFloat64:
      return Load<double>(bytes, index);
    case GgufValueType::kUint64:
      return static_cast<double>(Load<uint64_t>(bytes, index));
    default: {
      const std::optional<int64_t> value = LoadInt(type, bytes, index);
      return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
    }
  }
}

// The text at the beginning of `bytes`, which is moved behind it.
std::string_view TakeText(std::span<const std::byte>& bytes) {
  const auto length = static_cast<size_t>(Load<uint64_t>(bytes, 0));
  const std::span<const std::byte> text = bytes.subspan(sizeof(uint64_t), length);
  bytes = bytes.subspan(sizeof(uint64_t) + length);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

// In quotes, on one line, shortened.
std::string Quoted(std::string_view text) {
  const bool is_long = text.size() > kMaxQuotedBytes;
  const Json json = std::string(text.substr(0, kMaxQuotedBytes));
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + (is_long ? "..." : "");
}

std::string_view TypeName(GgufValueType type) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
      "bool",  "string", "array",  "uint64", "int64",  "float64"};
  return kNames[static_cast<size_t>(type)];
}

}  // namespace

size_t ElementBytes(GgufValueType type) {
  static constexpr std::array<size_t, 13> kBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kBytes[static_cast<size_t>(type)];
}

std::string Gguf::Where(std::string_view key) const {
  return fmt::format("{}: key '{}'", where_, key);
}

Error Gguf::Wrong(std::string_view key, std::string_view expected) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return Error("{} is missing, expected {}", Where(key), expected);
  const Value& value = found->second;
  std::string text;
  if (value.is_array) {
    text = fmt::format("a list of {} elements", value.count);
  } else if (value.type == GgufValueType::kString) {
    std::span<const std::byte> bytes = value.bytes;
    text = Quoted(TakeText(bytes));
  } else if (value.type == GgufValueType::kBool) {
    text = Load<uint8_t>(value.bytes, 0) != 0 ? "true" : "false";
  } else if (const auto integer = LoadInt(value.type, value.bytes, 0)) {
    text = fmt::format("{}", *integer);
  } else {
    text = fmt::format("{}", *LoadNumber(value.type, value.bytes, 0));
  }
  return Error("{} is {} ({}), expected {}", Where(key), text, TypeName(value.type), expected);
}

const Gguf::Value& Gguf::Required(std::string_view key) const {
  const auto value = values_.find(key);
  if (value == values_.end()) {
    throw Error("{} is missing; the file is not a whole model, or its converter is too old",
                Where(key));
  }
  return value->second;
}

const Gguf::Value& Gguf::Scalar(std::string_view key, std::string_view expected) const {
  const Value& value = Required(key);
  if (value.is_array) throw Wrong(key, expected);
  return value;
}

const Gguf::Value& Gguf::Array(std::string_view key, std::string_view expected) const {
  const Value& value = Required(key);
  if (!value.is_array) throw Wrong(key, expected);
  return value;
}

int64_t Gguf::Int(std::string_view key) const {
  constexpr std::string_view kExpected = "an integer";
  const Value& value = Scalar(key, kExpected);
  const std::optional<int64_t> integer = LoadInt(value.type, value.bytes, 0);
  if (!integer) throw Wrong(key, kExpected);
  return *integer;
}

int64_t Gguf::PositiveInt(std::string_view key) const {
  const int64_t value = Int(key);
  if (value <= 0) throw Wrong(key, "a positive integer");
  return value;
}

double Gguf::Float(std::string_view key) const {
  constexpr std::string_view kExpected = "a number";
  const Value& value = Scalar(key, kExpected);
  const std::optional<double> number = LoadNumber(value.type, value.bytes, 0);
  if (!number || !std::isfinite(*number)) throw Wrong(key, kExpected);
  return *number;
}

bool Gguf::Bool(std::string_view key) const {
  constexpr std::string_view kExpected = "true or false";
  const Value& value = Scalar(key, kExpected);
  if (value.type != GgufValueType::kBool) throw Wrong(key, kExpected);
  return Load<uint8_t>(value.bytes, 0) != 0;
}

std::string_view Gguf::String(std::string_view key) const {
  constexpr std::string_view kExpected = "UTF-8 text";
  const Value& value = Scalar(key, kExpected);
  if (value.type != GgufValueType::kString) throw Wrong(key, kExpected);
  std::span<const std::byte> bytes = value.bytes;
  const std::string_view text = TakeText(bytes);
  if (!IsUtf8(text)) throw Wrong(key, kExpected);
  return text;
}

std::vector<int64_t> Gguf::Ints(std::string_view key) const {
  constexpr std::string_view kExpected = "a list of integers";
  const Value& value = Array(key, kExpected);
  std::vector<int64_t> integers;
  for (uint64_t i = 0; i < value.count; ++i) {
    const std::optional<int64_t> integer = LoadInt(value.type, value.bytes, i);
    if (!integer) throw Wrong(key, kExpected);
    integers.push_back(*integer);
  }
  return integers;
}

std::vector<double> Gguf::Floats(std::string_view key) const {
  constexpr std::string_view kExpected = "a list of numbers";
  const Value& value = Array(key, kExpected);
  std::vector<double> numbers;
  for (uint64_t i = 0; i < value.count; ++i) {
    const std::optional<double> number = LoadNumber(value.type, value.bytes, i);
    if (!number || !std::isfinite(*number)) throw Wrong(key, kExpected);
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<bool> Gguf::Bools(std::string_view key) const {
  constexpr std::string_view kExpected = "a list of truth values";
  const Value& value = Array(key, kExpected);
  if (value.type != GgufValueType::kBool) throw Wrong(key, kExpected);
  std::vector<bool> values;
  for (uint64_t i = 0; i < value.count; ++i) {
    values.push_back(Load<uint8_t>(value.bytes, i) != 0);
  }
  return values;
}

std::vector<std::string_view> Gguf::Strings(std::string_view key) const {
  constexpr std::string_view kExpected = "a list of strings";
  const Value& value = Array(key, kExpected);
  if (value.type != GgufValueType::kString) throw Wrong(key, kExpected);
  std::vector<std::string_view> strings;
  std::span<const std::byte> bytes = value.bytes;
  for (uint64_t i = 0; i < value.count; ++i) {
    strings.push_back(TakeText(bytes));
    if (!IsUtf8(strings.back())) throw Error("{} holds text {} that is not UTF-8", Where(key), i);
  }
  return strings;
}

std::optional<int64_t> Gguf::OptionalInt(std::string_view key) const {
  return Has(key) ? std::optional(Int(key)) : std::nullopt;
}

std::optional<int64_t> Gguf::OptionalPositiveInt(std::string_view key) const {
  return Has(key) ? std::optional(PositiveInt(key)) : std::nullopt;
}

std::optional<double> Gguf::OptionalFloat(std::string_view key) const {
  return Has(key) ? std::optional(Float(key)) : std::nullopt;
}

std::optional<bool> Gguf::OptionalBool(std::string_view key) const {
  return Has(key) ? std::optional(Bool(key)) : std::nullopt;
}

std::optional<std::string_view> Gguf::OptionalString(std::string_view key) const {
  return Has(key) ? std::optional(String(key)) : std::nullopt;
}

bool Gguf::IsArray(std::string_view key) const {
  const auto value = values_.find(key);
  return value != values_.end() && value->second.is_array;
}

const GgufTensor* Gguf::FindTensor(std::string_view name) const {
  const auto index = tensor_indices_.find(name);
  return index == tensor_indices_.end() ? nullptr : &tensors_[index->second];
}

}  // namespace carat::checkpoint
