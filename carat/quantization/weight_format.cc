#include "carat/quantization/weight_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "carat/base/error.h"
#include "carat/base/numeric.h"

namespace carat::quantization {
namespace {

constexpr int64_t kBlock = 32;
constexpr float kMaxF16 = 65504;

struct Q4_0Block {
  uint16_t d;
  std::array<uint8_t, kBlock / 2> q;
};

struct Q8_0Block {
  uint16_t d;
  std::array<int8_t, kBlock> q;
};

struct FormatInfo {
  std::string_view name;
  int64_t block_values;
  size_t block_bytes;
  float max_value;
};

const FormatInfo& Info(WeightFormat format) {
  static constexpr float kMaxF32 = std::numeric_limits<float>::max();
  static constexpr float kMaxBF16 = 0x1.fep127F;
  static constexpr std::array<FormatInfo, 5> kInfos = {{
      {"f32", 1, sizeof(float), kMaxF32},
      {"f16", 1, sizeof(uint16_t), kMaxF16},
      {"bf16", 1, sizeof(uint16_t), kMaxBF16},
      {"q4_0", kBlock, sizeof(Q4_0Block), 8 * kMaxF16},
      {"q8_0", kBlock, sizeof(Q8_0Block), 127 * kMaxF16},
  }};
  return kInfos.at(static_cast<size_t>(format));
}

// The scale is chosen so that the value of largest magnitude becomes level 0, exactly -8 * d.
Q4_0Block QuantizeQ4_0(const float* x) {
  float largest = 0;
  for (int64_t j = 0; j < kBlock; ++j) {
    if (std::fabs(x[j]) > std::fabs(largest)) largest = x[j];
  }
  const float d = largest / -8;
  float inverse = d != 0 ? 1 / d : 0;
  // Blocks of values near 1e-38: the scale is 0 in f16, so the levels do not matter.
  if (std::isinf(inverse)) inverse = 0;
  const auto level = [inverse](float value) {
    return static_cast<uint8_t>(std::min(15, static_cast<int>(value * inverse + 8.5F)));
  };
  Q4_0Block block;
  block.d = FloatToF16(d);
  for (int64_t j = 0; j < kBlock / 2; ++j) {
    block.q[j] = static_cast<uint8_t>(level(x[j]) | level(x[j + kBlock / 2]) << 4);
  }
  return block;
}

void DequantizeQ4_0(const Q4_0Block& block, float* x) {
  const float d = F16ToFloat(block.d);
  for (int64_t j = 0; j < kBlock / 2; ++j) {
    x[j] = d * static_cast<float>((block.q[j] & 15) - 8);
    x[j + kBlock / 2] = d * static_cast<float>((block.q[j] >> 4) - 8);
  }
}

Q8_0Block QuantizeQ8_0(const float* x) {
  float largest = 0;
  for (int64_t j = 0; j < kBlock; ++j) largest = std::max(largest, std::fabs(x[j]));
  const float d = largest / 127;
  float inverse = d != 0 ? 1 / d : 0;
  if (std::isinf(inverse)) inverse = 0;  // as in QuantizeQ4_0
  Q8_0Block block;
  block.d = FloatToF16(d);
  for (int64_t j = 0; j < kBlock; ++j) {
    block.q[j] = static_cast<int8_t>(std::roundf(x[j] * inverse));
  }
  return block;
}

void DequantizeQ8_0(const Q8_0Block& block, float* x) {
  const float d = F16ToFloat(block.d);
  for (int64_t j = 0; j < kBlock; ++j) x[j] = d * static_cast<float>(block.q[j]);
}

// Element is what one value (floats) or one block of values (q4_0, q8_0) is stored as.
template <typename Element, typename Encode>
void EncodeRow(std::span<const float> in, size_t stride, std::byte* out, Encode encode) {
  for (size_t i = 0; i < in.size(); i += stride, out += sizeof(Element)) {
    const Element element = encode(in.data() + i);
    std::memcpy(out, &element, sizeof element);
  }
}

template <typename Element, typename Decode>
void DecodeRow(const std::byte* in, size_t stride, std::span<float> out, Decode decode) {
  for (size_t i = 0; i < out.size(); i += stride, in += sizeof(Element)) {
    Element element;
    std::memcpy(&element, in, sizeof element);
    decode(element, out.data() + i);
  }
}

void CheckWholeBlocks(WeightFormat format, int64_t cols) {
  if (cols < 0 || cols % BlockValues(format) != 0) {
    throw Error(
        "a row of {} values is not a multiple of {}, the block of {}; choose f16, bf16 or f32",
        cols, BlockValues(format), FormatName(format));
  }
}

}  // namespace

std::string_view FormatName(WeightFormat format) { return Info(format).name; }

WeightFormat FindFormat(std::string_view name) {
  using enum WeightFormat;
  std::string known;
  for (const WeightFormat format : {kF32, kF16, kBF16, kQ4_0, kQ8_0}) {
    if (FormatName(format) == name) return format;
    known += (known.empty() ? "" : ", ") + std::string(FormatName(format));
  }
  throw Error("no weight format is called '{}'; there are {}", name, known);
}

int64_t BlockValues(WeightFormat format) { return Info(format).block_values; }

size_t BlockBytes(WeightFormat format) { return Info(format).block_bytes; }

size_t RowBytes(WeightFormat format, int64_t cols) {
  CheckWholeBlocks(format, cols);
  return static_cast<size_t>(cols / BlockValues(format)) * BlockBytes(format);
}

void QuantizeRow(WeightFormat format, std::span<const float> in, std::byte* out) {
  CheckWholeBlocks(format, static_cast<int64_t>(in.size()));
  switch (format) {
    case WeightFormat::kF32:
      std::memcpy(out, in.data(), in.size_bytes());
      return;
    case WeightFormat::kF16:
      return EncodeRow<uint16_t>(in, 1, out, [](const float* x) { return FloatToF16(*x); });
    case WeightFormat::kBF16:
      return EncodeRow<uint16_t>(in, 1, out, [](const float* x) { return FloatToBF16(*x); });
    case WeightFormat::kQ4_0:
      return EncodeRow<Q4_0Block>(in, kBlock, out, QuantizeQ4_0);
    case WeightFormat::kQ8_0:
      return EncodeRow<Q8_0Block>(in, kBlock, out, QuantizeQ8_0);
  }
}

void DequantizeRow(WeightFormat format, const std::byte* in, std::span<float> out) {
  CheckWholeBlocks(format, static_cast<int64_t>(out.size()));
  switch (format) {
    case WeightFormat::kF32:
      std::memcpy(out.data(), in, out.size_bytes());
      return;
    case WeightFormat::kF16:
      return DecodeRow<uint16_t>(in, 1, out,
                                 [](uint16_t bits, float* x) { *x = F16ToFloat(bits); });
    case WeightFormat::kBF16:
      return DecodeRow<uint16_t>(in, 1, out,
                                 [](uint16_t bits, float* x) { *x = BF16ToFloat(bits); });
    case WeightFormat::kQ4_0:
      return DecodeRow<Q4_0Block>(in, kBlock, out, DequantizeQ4_0);
    case WeightFormat::kQ8_0:
      return DecodeRow<Q8_0Block>(in, kBlock, out, DequantizeQ8_0);
  }
}

bool CanHold(WeightFormat format, std::span<const float> values) {
  const float max = Info(format).max_value;
  return std::all_of(values.begin(), values.end(),
                     [max](float x) { return std::fabs(x) <= max; });  // false for NaN
}

}  // namespace carat::quantization
