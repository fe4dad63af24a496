#include "carat/quantization/quantization_error.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace carat::quantization {

void QuantizationErrorSum::AddRow(std::span<const float> row) {
  std::vector<std::byte> bytes(RowBytes(format_, static_cast<int64_t>(row.size())));
  std::vector<float> restored(row.size());
  QuantizeRow(format_, row, bytes.data());
  DequantizeRow(format_, bytes.data(), restored);
  for (size_t i = 0; i < row.size(); ++i) {
    const double difference = static_cast<double>(restored[i]) - static_cast<double>(row[i]);
    squared_differences_ += difference * difference;
    squared_values_ += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    max_absolute_ = std::max(max_absolute_, std::fabs(difference));
  }
  count_ += static_cast<int64_t>(row.size());
}

QuantizationError QuantizationErrorSum::Result() const {
  QuantizationError error;
  error.max_absolute = max_absolute_;
  if (count_ > 0) {
    error.root_mean_square = std::sqrt(squared_differences_ / static_cast<double>(count_));
  }
  if (squared_values_ > 0) {
    error.relative_root_mean_square = std::sqrt(squared_differences_ / squared_values_);
  }
  return error;
}

}  // namespace carat::quantization
