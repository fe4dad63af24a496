#include "carat/checkpoint/tensor_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/numeric.h"
#include "carat/quantization/group_quantization.h"

namespace carat::checkpoint {
namespace {

using quantization::GgmlType;
using quantization::ModelDType;
using quantization::WeightFormat;

std::optional<GgmlType> ToGgml(DType dtype) {
  switch (dtype) {
    case DType::kBF16:
      return GgmlType::kBF16;
    case DType::kF16:
      return GgmlType::kF16;
    case DType::kF32:
      return GgmlType::kF32;
    case DType::kQ4_0:
      return GgmlType::kQ4_0;
    case DType::kQ4_1:
      return GgmlType::kQ4_1;
    case DType::kQ5_0:
      return GgmlType::kQ5_0;
    case DType::kQ5_1:
      return GgmlType::kQ5_1;
    case DType::kQ8_0:
      return GgmlType::kQ8_0;
    case DType::kQ4_K:
      return GgmlType::kQ4_K;
    case DType::kQ5_K:
      return GgmlType::kQ5_K;
    case DType::kQ6_K:
      return GgmlType::kQ6_K;
    default:
      return std::nullopt;
  }
}

bool IsGroupQuantized(DType dtype) {
  return dtype == DType::kQ4F16_1 || dtype == DType::kQ4F32_1 || dtype == DType::kQ4BF16_1;
}

std::vector<uint16_t> HalfScales(std::span<const std::byte> bytes) {
  std::vector<uint16_t> scales(bytes.size() / sizeof(uint16_t));
  std::memcpy(scales.data(), bytes.data(), bytes.size());
  return scales;
}

// Of a row.
void GroupDequantize(DType dtype, std::span<const uint32_t> words,
                     std::span<const std::byte> scales, std::span<float> row) {
  if (dtype != DType::kQ4BF16_1) {
    const ModelDType model_dtype = dtype == DType::kQ4F16_1 ? ModelDType::kF16 : ModelDType::kF32;
    return quantization::GroupDequantizeRow(model_dtype, words, scales, row);
  }
  const std::vector<uint16_t> halves = HalfScales(scales);
  std::vector<float> floats(halves.size());
  std::ranges::transform(halves, floats.begin(), BF16ToFloat);
  quantization::GroupDequantizeRow(ModelDType::kF32, words, std::as_bytes(std::span(floats)), row);
}

// A row's words, copied to where they are aligned.
std::vector<uint32_t> Words(std::span<const std::byte> bytes) {
  std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

uint16_t F16Scale(const TensorInfo& tensor, uint16_t bf16_scale) {
  const uint16_t scale = FloatToF16(BF16ToFloat(bf16_scale));
  if (std::isfinite(F16ToFloat(scale))) return scale;
  throw Error(
      "tensor '{}': has a scale of {}, too large for the f16 of q4_0; use --quantization "
      "q0f32 or q0bf16",
      tensor.name, BF16ToFloat(bf16_scale));
}

std::span<const std::byte> Rows(const TensorInfo& tensor, std::span<const std::byte> all,
                                int64_t first_row, int64_t num_rows) {
  const size_t row_bytes = all.size() / static_cast<size_t>(tensor.rows());
  return all.subspan(static_cast<size_t>(first_row) * row_bytes,
                     static_cast<size_t>(num_rows) * row_bytes);
}

}  // namespace

DType FromGgml(GgmlType type) {
  switch (type) {
    case GgmlType::kF32:
      return DType::kF32;
    case GgmlType::kF16:
      return DType::kF16;
    case GgmlType::kBF16:
      return DType::kBF16;
    case GgmlType::kQ4_0:
      return DType::kQ4_0;
    case GgmlType::kQ4_1:
      return DType::kQ4_1;
    case GgmlType::kQ5_0:
      return DType::kQ5_0;
    case GgmlType::kQ5_1:
      return DType::kQ5_1;
    case GgmlType::kQ8_0:
      return DType::kQ8_0;
    case GgmlType::kQ4_K:
      return DType::kQ4_K;
    case GgmlType::kQ5_K:
      return DType::kQ5_K;
    case GgmlType::kQ6_K:
      return DType::kQ6_K;
  }
  throw Error("unknown ggml type");
}

bool IsReadable(DType dtype) { return ToGgml(dtype) || IsGroupQuantized(dtype); }

std::span<const std::byte> RowBytes(const TensorInfo& tensor, int64_t first_row, int64_t num_rows) {
  return Rows(tensor, tensor.bytes, first_row, num_rows);
}

std::span<const std::byte> RowScales(const TensorInfo& tensor, int64_t first_row,
                                     int64_t num_rows) {
  return Rows(tensor, tensor.scales, first_row, num_rows);
}

void ReadRowsAsFloat(const TensorInfo& tensor, int64_t first_row, int64_t num_rows,
                     std::span<float> out) {
  const auto cols = static_cast<size_t>(tensor.cols());
  for (int64_t i = 0; i < num_rows; ++i) {
    const std::span<float> row = out.subspan(static_cast<size_t>(i) * cols, cols);
    const std::span<const std::byte> bytes = RowBytes(tensor, first_row + i, 1);
    if (const auto type = ToGgml(tensor.dtype)) {
      quantization::DequantizeGgmlRow(*type, bytes.data(), row);
    } else {
      GroupDequantize(tensor.dtype, Words(bytes), RowScales(tensor, first_row + i, 1), row);
    }
  }
}

std::optional<WeightFormat> StoredFormat(DType dtype) {
  if (dtype == DType::kQ4F16_1 || dtype == DType::kQ4BF16_1) return WeightFormat::kQ4_0;
  if (const auto type = ToGgml(dtype)) return quantization::ToWeightFormat(*type);
  return std::nullopt;
}

void CopyRows(const TensorInfo& tensor, int64_t first_row, int64_t num_rows, std::byte* out) {
  const std::span<const std::byte> bytes = RowBytes(tensor, first_row, num_rows);
  if (!IsGroupQuantized(tensor.dtype)) {
    std::memcpy(out, bytes.data(), bytes.size());
    return;
  }
  const std::vector<uint32_t> words = Words(bytes);
  if (!quantization::HoldsLevels(words)) {
    throw Error("tensor '{}': holds the level 15, which {} has not; the file is damaged",
                tensor.name, Name(tensor.dtype));
  }
  std::vector<uint16_t> scales = HalfScales(RowScales(tensor, first_row, num_rows));
  if (tensor.dtype == DType::kQ4BF16_1) {
    for (uint16_t& scale : scales) scale = F16Scale(tensor, scale);
  }
  const size_t block_bytes = quantization::BlockBytes(WeightFormat::kQ4_0);
  for (size_t group = 0; group * quantization::kWordsPerGroup < words.size(); ++group) {
    quantization::GroupToQ4_0(
        std::span<const uint32_t, quantization::kWordsPerGroup>(
            words.data() + group * quantization::kWordsPerGroup, quantization::kWordsPerGroup),
        scales[group], out + group * block_bytes);
  }
}

}  // namespace carat::checkpoint
