#include "carat/quantization/group_quantization.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "carat/base/error.h"
#include "carat/base/numeric.h"

namespace carat::quantization {
namespace {

constexpr int kLevelsPerWord = 8;
constexpr int kLevelBits = 4;
constexpr float kMaxInt = 7;

// Arithmetic in f16: computed in f32 and rounded after each operation, which for one operation on
// f16 values is the correctly rounded result.
struct F16 {
  using Bits = uint16_t;
  static float Round(float value) { return F16ToFloat(FloatToF16(value)); }
  static Bits ToBits(float value) { return FloatToF16(value); }
  static float FromBits(Bits bits) { return F16ToFloat(bits); }
};

struct F32 {
  using Bits = float;
  static float Round(float value) { return value; }
  static Bits ToBits(float value) { return value; }
  static float FromBits(Bits bits) { return bits; }
};

// NaN, which 0 / 0 is, becomes 0 because it is not greater.
template <typename Type>
uint32_t Level(float value, float scale) {
  const float shifted = Type::Round(Type::Round(value / scale) + kMaxInt);
  const float rounded = std::nearbyint(shifted);  // halves to even
  return static_cast<uint32_t>(std::min(rounded > 0 ? rounded : 0, 2 * kMaxInt));
}

template <typename Type>
void QuantizeRow(std::span<const float> row, uint32_t* words, std::byte* scales) {
  for (size_t begin = 0; begin < row.size(); begin += kGroupSize) {
    const auto group = row.subspan(begin, std::min(row.size() - begin, size_t{kGroupSize}));
    float largest = 0;
    for (const float value : group) largest = std::max(largest, std::fabs(Type::Round(value)));
    const float scale = Type::Round(largest / kMaxInt);
    const typename Type::Bits bits = Type::ToBits(scale);
    std::memcpy(scales, &bits, sizeof bits);
    scales += sizeof bits;

    std::fill_n(words, kWordsPerGroup, 0);
    for (size_t j = 0; j < group.size(); ++j) {
      words[j / kLevelsPerWord] |= Level<Type>(Type::Round(group[j]), scale)
                                   << (j % kLevelsPerWord * kLevelBits);
    }
    words += kWordsPerGroup;
  }
}

uint32_t LevelAt(const uint32_t* words, size_t j) {
  return words[j / kLevelsPerWord] >> (j % kLevelsPerWord * kLevelBits) & 15;
}

template <typename Type>
void DequantizeRow(const uint32_t* words, const std::byte* scales, std::span<float> row) {
  for (size_t j = 0; j < row.size(); ++j) {
    typename Type::Bits bits;
    std::memcpy(&bits, scales + j / kGroupSize * sizeof bits, sizeof bits);
    row[j] = (static_cast<float>(LevelAt(words, j)) - kMaxInt) * Type::FromBits(bits);
  }
}

void CheckSizes(ModelDType dtype, size_t cols, size_t words, size_t scale_bytes) {
  const auto groups = static_cast<size_t>(NumGroups(static_cast<int64_t>(cols)));
  if (words == groups * kWordsPerGroup && scale_bytes == groups * ElementBytes(dtype)) return;
  throw Error("a row of {} values has {} groups of {}, not {} words and {} bytes of scales", cols,
              groups, kGroupSize, words, scale_bytes);
}

}  // namespace

void GroupQuantizeRow(ModelDType dtype, std::span<const float> row, std::span<uint32_t> words,
                      std::span<std::byte> scales) {
  CheckSizes(dtype, row.size(), words.size(), scales.size());
  const auto quantize = dtype == ModelDType::kF16 ? QuantizeRow<F16> : QuantizeRow<F32>;
  quantize(row, words.data(), scales.data());
}

void GroupDequantizeRow(ModelDType dtype, std::span<const uint32_t> words,
                        std::span<const std::byte> scales, std::span<float> row) {
  CheckSizes(dtype, row.size(), words.size(), scales.size());
  const auto dequantize = dtype == ModelDType::kF16 ? DequantizeRow<F16> : DequantizeRow<F32>;
  dequantize(words.data(), scales.data(), row);
}

bool HoldsLevels(std::span<const uint32_t> words) {
  // A nibble is 15 where all four of its bits are set.
  return std::none_of(words.begin(), words.end(), [](uint32_t word) {
    const uint32_t pairs = word & word >> 1;
    return (pairs & pairs >> 2 & 0x11111111) != 0;
  });
}

void GroupToQ4_0(std::span<const uint32_t, kWordsPerGroup> words, uint16_t f16_scale,
                 std::byte* block) {
  std::memcpy(block, &f16_scale, sizeof f16_scale);
  constexpr size_t kHalf = kGroupSize / 2;
  for (size_t j = 0; j < kHalf; ++j) {
    const uint32_t low = LevelAt(words.data(), j) + 1;
    const uint32_t high = LevelAt(words.data(), j + kHalf) + 1;
    block[sizeof f16_scale + j] = static_cast<std::byte>(low | high << kLevelBits);
  }
}

}  // namespace carat::quantization
