#include "carat/quantization/ggml_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "carat/base/error.h"
#include "carat/base/numeric.h"

namespace carat::quantization {
namespace {

constexpr int kGgmlBlock = 32;
constexpr int kSuperBlock = 256;  // of the K types

float ReadF16(const uint8_t* bytes) {
  return F16ToFloat(static_cast<uint16_t>(bytes[0] | bytes[1] << 8));
}

// q[j] of the types with blocks of 32 and their 4 low bits in 16 bytes.
int LowBits(const uint8_t* low, int j) {
  return j < kGgmlBlock / 2 ? low[j] & 15 : low[j - kGgmlBlock / 2] >> 4;
}

// The same with a fifth bit.
int FiveBits(const uint8_t* high, const uint8_t* low, int j) {
  return LowBits(low, j) | (high[j / 8] >> (j % 8) & 1) << 4;
}

void DequantizeQ4_1(const uint8_t* block, float* x) {
  const float d = ReadF16(block);
  const float m = ReadF16(block + 2);
  for (int j = 0; j < kGgmlBlock; ++j) x[j] = d * static_cast<float>(LowBits(block + 4, j)) + m;
}

void DequantizeQ5_0(const uint8_t* block, float* x) {
  const float d = ReadF16(block);
  for (int j = 0; j < kGgmlBlock; ++j) {
    x[j] = d * static_cast<float>(FiveBits(block + 2, block + 6, j) - 16);
  }
}

void DequantizeQ5_1(const uint8_t* block, float* x) {
  const float d = ReadF16(block);
  const float m = ReadF16(block + 2);
  for (int j = 0; j < kGgmlBlock; ++j) {
    x[j] = d * static_cast<float>(FiveBits(block + 4, block + 8, j)) + m;
  }
}

struct ScaleAndMin {
  int scale;
  int min;
};

// Those of group g of Q4_K and Q5_K. Groups 0 to 3 have their 6 bits in a byte each, whose upper
// two bits belong to groups 4 to 7:
//     bytes 0-3   s[4 + i] bits 4-5 | s[i]          bytes 4-7   t[4 + i] bits 4-5 | t[i]
//     bytes 8-11  t[4 + i] bits 0-3 | s[4 + i] bits 0-3
ScaleAndMin GroupScale(const uint8_t* scales, int g) {
  if (g < 4) return {scales[g] & 63, scales[g + 4] & 63};
  return {(scales[g + 4] & 15) | (scales[g - 4] >> 6) << 4, scales[g + 4] >> 4 | (scales[g] >> 6)
                                                                                     << 4};
}

// Q4_K, and Q5_K with `high`.
void DequantizeGroups(const uint8_t* block, const uint8_t* high, const uint8_t* low, float* x) {
  const float d = ReadF16(block);
  const float dmin = ReadF16(block + 2);
  for (int g = 0; g < kSuperBlock / kGgmlBlock; ++g, x += kGgmlBlock) {
    const ScaleAndMin group = GroupScale(block + 4, g);
    const float scale = d * static_cast<float>(group.scale);
    const float min = dmin * static_cast<float>(group.min);
    for (int j = 0; j < kGgmlBlock; ++j) {
      int q = low[g / 2 * kGgmlBlock + j] >> (g % 2 * 4) & 15;
      if (high != nullptr) q |= (high[j] >> g & 1) << 4;
      x[j] = scale * static_cast<float>(q) - min;
    }
  }
}

void DequantizeQ4_K(const uint8_t* block, float* x) {
  DequantizeGroups(block, nullptr, block + 16, x);
}

void DequantizeQ5_K(const uint8_t* block, float* x) {
  DequantizeGroups(block, block + 16, block + 48, x);
}

// Either half of the values has 64 bytes of low bits, values 64 to 127 in their upper nibbles, and
// 32 bytes of high bits: those of the values j, j + 32, j + 64 and j + 96 are in byte j.
void DequantizeQ6_K(const uint8_t* block, float* x) {
  const uint8_t* scales = block + 192;
  const float d = ReadF16(block + 208);
  for (int i = 0; i < kSuperBlock; ++i) {
    const int half = i / 128;
    const int j = i % 128;
    const int low = block[half * 64 + j % 64] >> (j / 64 * 4) & 15;
    const int high = block[128 + half * 32 + j % 32] >> (j / 32 * 2) & 3;
    const float scale = d * static_cast<float>(static_cast<int8_t>(scales[i / 16]));
    x[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

// A decoded type: as a weight format, or by a function for one block.
struct TypeInfo {
  GgmlType type;
  std::optional<WeightFormat> format;
  int64_t block_values = 0;
  size_t block_bytes = 0;
  void (*dequantize)(const uint8_t* block, float* x) = nullptr;
};

constexpr std::array<TypeInfo, 11> kTypes = {{
    {GgmlType::kF32, WeightFormat::kF32},
    {GgmlType::kF16, WeightFormat::kF16},
    {GgmlType::kBF16, WeightFormat::kBF16},
    {GgmlType::kQ4_0, WeightFormat::kQ4_0},
    {GgmlType::kQ4_1, std::nullopt, kGgmlBlock, 20, DequantizeQ4_1},
    {GgmlType::kQ5_0, std::nullopt, kGgmlBlock, 22, DequantizeQ5_0},
    {GgmlType::kQ5_1, std::nullopt, kGgmlBlock, 24, DequantizeQ5_1},
    {GgmlType::kQ8_0, WeightFormat::kQ8_0},
    {GgmlType::kQ4_K, std::nullopt, kSuperBlock, 144, DequantizeQ4_K},
    {GgmlType::kQ5_K, std::nullopt, kSuperBlock, 176, DequantizeQ5_K},
    {GgmlType::kQ6_K, std::nullopt, kSuperBlock, 210, DequantizeQ6_K},
}};

const TypeInfo* FindInfo(uint32_t id) {
  const auto* info = std::find_if(kTypes.begin(), kTypes.end(), [id](const TypeInfo& candidate) {
    return static_cast<uint32_t>(candidate.type) == id;
  });
  return info == kTypes.end() ? nullptr : info;
}

const TypeInfo& Info(GgmlType type) { return *FindInfo(static_cast<uint32_t>(type)); }

}  // namespace

std::optional<GgmlType> FindGgmlType(uint32_t id) {
  const TypeInfo* info = FindInfo(id);
  return info == nullptr ? std::nullopt : std::optional(info->type);
}

std::string_view GgmlTypeName(uint32_t id) {
  // Numbers without a name were given to types that ggml has removed.
  static constexpr std::array<std::string_view, 42> kNames = {
      "F32",     "F16",   "Q4_0",   "Q4_1",  "",      "",       "Q5_0", "Q5_1",    "Q8_0",
      "Q8_1",    "Q2_K",  "Q3_K",   "Q4_K",  "Q5_K",  "Q6_K",   "Q8_K", "IQ2_XXS", "IQ2_XS",
      "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",   "I16",     "I32",
      "I64",     "F64",   "IQ1_M",  "BF16",  "",      "",       "",     "TQ1_0",   "TQ2_0",
      "",        "",      "",       "MXFP4", "NVFP4", "Q1_0"};
  return id < kNames.size() ? kNames[id] : "";
}

std::string_view Name(GgmlType type) { return GgmlTypeName(static_cast<uint32_t>(type)); }

std::string_view GgmlTypeNames() {
  return "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K";
}

int64_t BlockValues(GgmlType type) {
  const TypeInfo& info = Info(type);
  return info.format ? BlockValues(*info.format) : info.block_values;
}

size_t BlockBytes(GgmlType type) {
  const TypeInfo& info = Info(type);
  return info.format ? BlockBytes(*info.format) : info.block_bytes;
}

std::optional<WeightFormat> ToWeightFormat(GgmlType type) { return Info(type).format; }

GgmlType ToGgmlType(WeightFormat format) {
  return std::find_if(kTypes.begin(), kTypes.end(),
                      [format](const TypeInfo& info) { return info.format == format; })
      ->type;
}

void DequantizeGgmlRow(GgmlType type, const std::byte* row, std::span<float> out) {
  const TypeInfo& info = Info(type);
  if (info.format) return DequantizeRow(*info.format, row, out);
  const auto block_values = static_cast<size_t>(info.block_values);
  if (out.size() % block_values != 0) {
    throw Error("a row of {} values is not a multiple of {}, the block of {}", out.size(),
                block_values, Name(type));
  }
  const auto* block = reinterpret_cast<const uint8_t*>(row);
  for (size_t i = 0; i < out.size(); i += block_values, block += info.block_bytes) {
    info.dequantize(block, out.data() + i);
  }
}

}  // namespace carat::quantization
