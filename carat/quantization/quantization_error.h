// How far values move when a weight format holds them.

#ifndef CARAT_QUANTIZATION_QUANTIZATION_ERROR_H_
#define CARAT_QUANTIZATION_QUANTIZATION_ERROR_H_

#include <cstdint>
#include <span>

#include "carat/quantization/weight_format.h"

namespace carat::quantization {

struct QuantizationError {
  double root_mean_square = 0;           // of the differences
  double relative_root_mean_square = 0;  // that, over the root mean square of the values
  double max_absolute = 0;
};

// Adds up rows; Result may be asked for at any time.
class QuantizationErrorSum {
 public:
  explicit QuantizationErrorSum(WeightFormat format) : format_(format) {}

  void AddRow(std::span<const float> row);
  QuantizationError Result() const;

 private:
  WeightFormat format_;
  double squared_differences_ = 0;
  double squared_values_ = 0;
  double max_absolute_ = 0;
  int64_t count_ = 0;
};

}  // namespace carat::quantization

#endif  // CARAT_QUANTIZATION_QUANTIZATION_ERROR_H_
