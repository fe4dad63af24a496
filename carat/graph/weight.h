// A weight of a Graph: which tensors of the checkpoint it is made of, and in which format it is
// kept.

#ifndef CARAT_GRAPH_WEIGHT_H_
#define CARAT_GRAPH_WEIGHT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "carat/quantization/weight_format.h"

namespace carat::graph {

using WeightId = int32_t;

// A tensor of the checkpoint: [rows, cols], or a vector [cols], which counts as one row.
struct SourceTensor {
  std::string name;
  int64_t rows = 0;
  int64_t cols = 0;
  bool is_vector = false;  // kept as f32 always
};

// How the rows of several source tensors make one matrix.
enum class Arrangement {
  kConcatenate,  // one after the other: q, k, v
  kInterleave,   // two parts take turns in groups of kInterleaveRows rows: gate, up
};

inline constexpr int64_t kInterleaveRows = 16;  // the height of a weight tile

struct Weight {
  std::string name;
  std::vector<SourceTensor> parts;
  Arrangement arrangement = Arrangement::kConcatenate;
  quantization::WeightFormat format = quantization::WeightFormat::kF32;
  float offset = 0;  // added to every element when the weight is packed

  int64_t cols() const { return parts.front().cols; }
  int64_t rows() const {
    int64_t sum = 0;
    for (const SourceTensor& part : parts) sum += part.rows;
    return sum;
  }
  bool is_vector() const { return parts.size() == 1 && parts.front().is_vector; }
};

}  // namespace carat::graph

#endif  // CARAT_GRAPH_WEIGHT_H_
