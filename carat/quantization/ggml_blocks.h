// The block types that tensors of GGUF files come in, and their values in float, bit for bit as
// ggml computes them. A block is, with f16 scales d, dmin and m:
//
//     F32, F16, BF16   one value
//     Q4_0, Q8_0       32 values, see weight_format.h
//     Q4_1             32 values in 20 bytes: w[j] = d * q[j] + m
//                        | d | m | 16 bytes: q[j] | q[j + 16] << 4 |
//     Q5_0             32 values in 22 bytes: w[j] = d * (q[j] - 16), bit 4 of q[j] is bit j of h
//                        | d | u32 h | 16 bytes: the low bits, as above |
//     Q5_1             32 values in 24 bytes: w[j] = d * q[j] + m
//                        | d | m | u32 h | 16 bytes |
//     Q4_K             256 values in 144 bytes, a group g of 32 has a 6-bit scale s and minimum t:
//                      w[j] = (d * s[g]) * q[j] - dmin * t[g]
//                        | d | dmin | 12 bytes: s and t | 128 bytes: two groups in every 32 |
//     Q5_K             256 values in 176 bytes: the same, bit 4 of q[j] is bit g of h[j % 32]
//                        | d | dmin | 12 bytes: s and t | 32 bytes h | 128 bytes |
//     Q6_K             256 values in 210 bytes, a group of 16 has an int8 scale s:
//                      w[j] = (d * s[j / 16]) * (q[j] - 32)
//                        | 128 bytes: low 4 bits | 64 bytes: high 2 bits | 16 bytes s | d |

#ifndef CARAT_QUANTIZATION_GGML_BLOCKS_H_
#define CARAT_QUANTIZATION_GGML_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carat/quantization/weight_format.h"

namespace carat::quantization {

// The types that are decoded, by ggml's numbers for them.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

std::optional<GgmlType> FindGgmlType(uint32_t id);

// ggml's name of a type, decoded or not: "IQ4_XS" for 23. Empty if ggml has none of that number.
std::string_view GgmlTypeName(uint32_t id);
std::string_view Name(GgmlType type);

// "F32, F16, ...", for messages.
std::string_view GgmlTypeNames();

int64_t BlockValues(GgmlType type);
size_t BlockBytes(GgmlType type);

// The types that weights are also computed in are weight formats, with the same bytes.
std::optional<WeightFormat> ToWeightFormat(GgmlType type);
GgmlType ToGgmlType(WeightFormat format);

// Reads a row of out.size() values, a multiple of BlockValues(type).
void DequantizeGgmlRow(GgmlType type, const std::byte* row, std::span<float> out);

}  // namespace carat::quantization

#endif  // CARAT_QUANTIZATION_GGML_BLOCKS_H_
