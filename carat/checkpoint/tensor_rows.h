// Rows of a tensor as floats, and as the bytes of a weight format where the tensor holds exactly
// those.

#ifndef CARAT_CHECKPOINT_TENSOR_ROWS_H_
#define CARAT_CHECKPOINT_TENSOR_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carat/checkpoint/tensor.h"
#include "carat/quantization/ggml_blocks.h"
#include "carat/quantization/weight_format.h"

namespace carat::checkpoint {

DType FromGgml(quantization::GgmlType type);

bool IsReadable(DType dtype);

// Rows [first_row, first_row + num_rows) as [num_rows, cols] floats. The type must be readable, the
// rows inside the tensor.
void ReadRowsAsFloat(const TensorInfo& tensor, int64_t first_row, int64_t num_rows,
                     std::span<float> out);

// The weight format that keeps the tensor's values without another rounding and no larger. (Of
// q4f32_1 the scales become f16, which holds every bfloat16 from 2^-17 to 65504 exactly; smaller
// ones are off by 2^-25 at most.)
std::optional<quantization::WeightFormat> StoredFormat(DType dtype);

// The same rows in StoredFormat's bytes.
void CopyRows(const TensorInfo& tensor, int64_t first_row, int64_t num_rows, std::byte* out);

// The parts of the file that hold the rows.
std::span<const std::byte> RowBytes(const TensorInfo& tensor, int64_t first_row, int64_t num_rows);
std::span<const std::byte> RowScales(const TensorInfo& tensor, int64_t first_row, int64_t num_rows);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_TENSOR_ROWS_H_
