// MLC-LLM's group quantization, q4f16_1 and q4f32_1, whose files WebLLM and MLC read.
//
// A row is cut into groups of 32 values with one scale each; the last group may be shorter:
//
//     s    = max |w| / 7                            in the model dtype, f16 or f32
//     n[j] = min(max(round(w[j] / s + 7), 0), 14)   every step rounded to the model dtype
//     w[j] = (n[j] - 7) * s
//
// The levels n lie in words of 32 bits, eight a word, the first in the lowest four bits. As TVM
// computes it on a CPU, halves are rounded to even; where s is zero, zeros become level 0 and other
// values level 0 or 14, which all mean zero.

#ifndef CARAT_QUANTIZATION_GROUP_QUANTIZATION_H_
#define CARAT_QUANTIZATION_GROUP_QUANTIZATION_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace carat::quantization {

inline constexpr int64_t kGroupSize = 32;
inline constexpr int64_t kWordsPerGroup = 4;

// What MLC calls model_dtype: the type of scales, and of weights that are not quantized.
enum class ModelDType { kF16, kF32 };

constexpr size_t ElementBytes(ModelDType dtype) {
  return dtype == ModelDType::kF16 ? sizeof(uint16_t) : sizeof(float);
}

// Of a row of `cols` values.
constexpr int64_t NumGroups(int64_t cols) { return (cols + kGroupSize - 1) / kGroupSize; }
constexpr int64_t NumWords(int64_t cols) { return NumGroups(cols) * kWordsPerGroup; }

// Writes NumWords words and NumGroups scales of the model dtype. The values must be finite in the
// model dtype, to which they are rounded first: at most 65504 for f16.
void GroupQuantizeRow(ModelDType dtype, std::span<const float> row, std::span<uint32_t> words,
                      std::span<std::byte> scales);

// The reverse; the products (n - 7) * s are f32, in which those of f16 scales are exact.
void GroupDequantizeRow(ModelDType dtype, std::span<const uint32_t> words,
                        std::span<const std::byte> scales, std::span<float> row);

// True unless a word holds 15, which is no level: GroupQuantizeRow never writes it, and q4_0 has no
// place for it.
bool HoldsLevels(std::span<const uint32_t> words);

// The same weights as one block of ggml's q4_0 (18 bytes, see weight_format.h), exactly:
// (n - 7) * s == ((n + 1) - 8) * s. The words must satisfy HoldsLevels.
void GroupToQ4_0(std::span<const uint32_t, kWordsPerGroup> words, uint16_t f16_scale,
                 std::byte* block);

}  // namespace carat::quantization

#endif  // CARAT_QUANTIZATION_GROUP_QUANTIZATION_H_
