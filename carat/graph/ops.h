// The operations of a Graph: one struct each, with its constants. Inputs and outputs are the
// Node's.

#ifndef CARAT_GRAPH_OPS_H_
#define CARAT_GRAPH_OPS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "carat/graph/weight.h"

namespace carat::graph {

struct Tokens {};

struct Embed {
  WeightId table;
  float scale;
};

struct RmsNorm {
  WeightId weight;
  float eps;
  int64_t groups;
  float weight_offset;  // Gemma stores w and multiplies by 1 + w
};

// What a Linear does with its rows before it stores them.
enum class Epilogue {
  kStore,
  kGeluMul,  // the weight interleaves gate and up: y = gelu_tanh(gate) * up
};

struct Linear {
  WeightId weight;
  Epilogue epilogue = Epilogue::kStore;
};

// Angle of dimension pair i at position p: p / linear_factor * theta^(-2i / head_dim).
struct RopeAngles {
  double theta;
  double linear_factor = 1.0;

  bool operator==(const RopeAngles&) const = default;
};

struct Rope {
  int64_t num_heads;
  RopeAngles angles;
};

struct Attention {
  int64_t layer;
  int64_t num_heads;
  int64_t num_kv_heads;
  int64_t head_dim;
  float scale;
  int64_t
      sliding_window;  // key j is visible to query i iff j <= i and i - j < window; 0: no window
  std::optional<float> softcap;
};

struct Add {};
struct Mul {};
struct GeluTanh {};

struct Softcap {
  float cap;
};

struct SelectRows {};

struct Slice {
  int64_t offset;
};

struct Quantize {};

using Op = std::variant<Tokens, Embed, RmsNorm, Linear, Rope, Attention, Add, Mul, GeluTanh,
                        Softcap, SelectRows, Slice, Quantize>;

// "rms_norm", for dumps and messages.
std::string_view OpName(const Op& op);

}  // namespace carat::graph

#endif  // CARAT_GRAPH_OPS_H_
