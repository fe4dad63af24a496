// A tensor as it lies in a checkpoint file.

#ifndef CARAT_CHECKPOINT_TENSOR_H_
#define CARAT_CHECKPOINT_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carat::checkpoint {

// What a tensor is made of: the element types of safetensors, then the block types of other files.
// A checkpoint may hold types that Carat cannot read (tensor_rows.h) as long as nobody reads them.
enum class DType {
  kBF16,
  kF16,
  kF32,
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kI16,
  kU16,
  kI32,
  kU32,
  kF64,
  kI64,
  kU64,
  kQ4_0,  // GGUF: quantization/ggml_blocks.h
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kQ4F16_1,  // MLC: quantization/group_quantization.h
  kQ4F32_1,
  kQ4BF16_1,  // q4f32_1 as MLC stores it, with its scales in bfloat16
};

std::optional<DType> FindDType(std::string_view name);  // "BF16"; those of safetensors
std::string_view Name(DType dtype);
size_t ElementBytes(DType dtype);  // of those of safetensors

inline constexpr size_t kMaxDimensions = 8;  // more than any checkpoint needs

struct TensorInfo {
  std::string name = {};
  DType dtype = DType::kBF16;
  std::vector<int64_t> shape = {};
  std::span<const std::byte> bytes = {};   // inside the mapped file
  std::span<const std::byte> scales = {};  // of MLC's types, whose bytes are words
  size_t file = 0;                         // which of the checkpoint's files
  size_t scales_file = 0;                  // and which has the scales

  // As a matrix: the last dimension are the columns; a vector is one row.
  int64_t cols() const { return shape.empty() ? 1 : shape.back(); }
  int64_t rows() const {
    int64_t product = 1;
    for (size_t i = 0; i + 1 < shape.size(); ++i) product *= shape[i];
    return product;
  }
};

// "[640, 2048]".
std::string ShapeText(std::span<const int64_t> shape);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_TENSOR_H_
