// The formats weights are kept in, row by row, in ggml's canonical bytes.
//
//     f32, f16, bf16   one value after the other
//     q4_0             blocks of 32 values in 18 bytes: w[j] = d * (q[j] - 8)
//                        | f16 d | 16 bytes: q[j] | q[j + 16] << 4 |
//     q8_0             blocks of 32 values in 34 bytes: w[j] = d * q[j]
//                        | f16 d | 32 bytes: int8 q[j] |
//
// Kernels read the same values in an order of their own (kernels/cpu/tile_layout.h).

#ifndef CARAT_QUANTIZATION_WEIGHT_FORMAT_H_
#define CARAT_QUANTIZATION_WEIGHT_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace carat::quantization {

enum class WeightFormat { kF32, kF16, kBF16, kQ4_0, kQ8_0 };

// "f32", "f16", "bf16", "q4_0", "q8_0".
std::string_view FormatName(WeightFormat format);

// The format of that name; throws Error listing the names there are.
WeightFormat FindFormat(std::string_view name);

// Values that share a scale: 1 or 32. A row's length must be a multiple of it.
int64_t BlockValues(WeightFormat format);
size_t BlockBytes(WeightFormat format);

// Bytes of a row of `cols` values; throws Error unless cols is a multiple of BlockValues.
size_t RowBytes(WeightFormat format, int64_t cols);

// Writes RowBytes(format, in.size()) bytes. The input must satisfy CanHold.
void QuantizeRow(WeightFormat format, std::span<const float> in, std::byte* out);

// Reads RowBytes(format, out.size()) bytes.
void DequantizeRow(WeightFormat format, const std::byte* in, std::span<float> out);

// Finite, and no larger than the format's largest value (65504 for f16, 8 * 65504 for q4_0).
bool CanHold(WeightFormat format, std::span<const float> values);

}  // namespace carat::quantization

#endif  // CARAT_QUANTIZATION_WEIGHT_FORMAT_H_
