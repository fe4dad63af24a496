#include "carat/checkpoint/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace carat::checkpoint {
namespace {

struct DTypeRow {
  std::string_view name;
  size_t element_bytes;  // 0: comes in blocks
};

constexpr std::array<DTypeRow, 26> kDTypes = {
    {{"BF16", 2},    {"F16", 2},     {"F32", 4},  {"BOOL", 1}, {"U8", 1},   {"I8", 1},
     {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2},  {"U16", 2},  {"I32", 4},  {"U32", 4},
     {"F64", 8},     {"I64", 8},     {"U64", 8},  {"Q4_0", 0}, {"Q4_1", 0}, {"Q5_0", 0},
     {"Q5_1", 0},    {"Q8_0", 0},    {"Q4_K", 0}, {"Q5_K", 0}, {"Q6_K", 0}, {"q4f16_1", 0},
     {"q4f32_1", 0}, {"q4f32_1", 0}}};
static_assert(static_cast<size_t>(DType::kQ4BF16_1) + 1 == kDTypes.size());
constexpr size_t kNumElementTypes = static_cast<size_t>(DType::kU64) + 1;

}  // namespace

std::optional<DType> FindDType(std::string_view name) {
  for (size_t i = 0; i < kNumElementTypes; ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::string_view Name(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

size_t ElementBytes(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].element_bytes; }

std::string ShapeText(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace carat::checkpoint
