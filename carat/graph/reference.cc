#include "carat/graph/reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>
#include <variant>

#include "carat/base/error.h"

namespace carat::graph {
namespace {

using Row = std::span<const float>;

// Several sums at a time, so that the compiler can use vectors.
double Dot(Row a, Row b) {
  constexpr size_t kSums = 8;
  std::array<double, kSums> sums{};
  size_t i = 0;
  for (; i + kSums <= a.size(); i += kSums) {
    for (size_t j = 0; j < kSums; ++j) {
      sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
    }
  }
  double sum = 0;
  for (; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (const double partial : sums) sum += partial;
  return sum;
}

// gelu_tanh(x) = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
float GeluTanhOf(float value) {
  const auto x = static_cast<double>(value);
  const double inner = std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x);
  return static_cast<float>(0.5 * x * (1 + std::tanh(inner)));
}

double SoftcapOf(double x, float cap) { return cap * std::tanh(x / cap); }

// Where in an interleaved weight the gate's row i and the up's row i stand. Groups of
// kInterleaveRows alternate; the last pair of groups may be shorter.
struct GatedRows {
  int64_t gate;
  int64_t up;
};
GatedRows GatedRowsOf(int64_t i, int64_t rows_of_a_part) {
  const int64_t group_begin = i / kInterleaveRows * kInterleaveRows;
  const int64_t group_rows = std::min(kInterleaveRows, rows_of_a_part - group_begin);
  const int64_t gate = group_begin + i;
  return {gate, gate + group_rows};
}

std::vector<float> LoadWeight(const Weight& weight, const WeightSource& source) {
  const int64_t cols = weight.cols();
  std::vector<float> values(static_cast<size_t>(weight.rows() * cols));
  int64_t first_row = 0;
  for (size_t p = 0; p < weight.parts.size(); ++p) {
    const SourceTensor& part = weight.parts[p];
    const std::vector<float> loaded = source(part);
    if (static_cast<int64_t>(loaded.size()) != part.rows * part.cols) {
      throw Error("tensor '{}' has {} values; the graph needs [{}, {}]", part.name, loaded.size(),
                  part.rows, part.cols);
    }
    for (int64_t i = 0; i < part.rows; ++i) {
      int64_t row = first_row + i;
      if (weight.arrangement == Arrangement::kInterleave) {
        const GatedRows rows = GatedRowsOf(i, part.rows);
        row = p == 0 ? rows.gate : rows.up;
      }
      std::copy_n(loaded.begin() + i * cols, cols, values.begin() + row * cols);
    }
    first_row += part.rows;
  }
  for (float& value : values) value += weight.offset;
  return values;
}

}  // namespace

// One call of Forward: what each op makes of its inputs.
class Reference::Step {
 public:
  Step(Reference& reference, std::span<const TokenId> tokens, std::span<const int32_t> logit_rows)
      : reference_(reference),
        graph_(reference.graph_),
        tokens_(tokens),
        logit_rows_(logit_rows),
        values_(graph_.values.size()) {}

  Matrix Run() {
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      values_[node.output] = std::visit([this](const auto& op) { return Compute(op); }, node.op);
    }
    return std::move(values_[graph_.output]);
  }

 private:
  // Token ids are read where they are used, by Embed.
  Matrix Compute(const Tokens&) { return {}; }

  Matrix Compute(const Embed& op) {
    const int64_t vocab_size = graph_.weights[op.table].rows();
    Matrix y = NewOutput();
    for (int64_t i = 0; i < OutputRows(); ++i) {
      if (tokens_[i] < 0 || tokens_[i] >= vocab_size) {
        throw Error("token {} at position {} is not in the vocabulary of {}", tokens_[i],
                    reference_.num_tokens_ + i, vocab_size);
      }
      const Row embedding = WeightRow(op.table, tokens_[i]);
      std::transform(embedding.begin(), embedding.end(), RowOf(y, i).begin(),
                     [&](float x) { return x * op.scale; });
    }
    return y;
  }

  Matrix Compute(const RmsNorm& op) {
    const Matrix& x = Input(0);
    const Row weight = reference_.weights_[op.weight];
    const size_t width = weight.size();
    Matrix y(x.size());
    for (size_t begin = 0; begin < x.size(); begin += width) {
      const Row group = Row(x).subspan(begin, width);
      const double mean_square = Dot(group, group) / static_cast<double>(width);
      const double scale = 1 / std::sqrt(mean_square + static_cast<double>(op.eps));
      for (size_t j = 0; j < width; ++j) {
        const double w = static_cast<double>(weight[j]) + static_cast<double>(op.weight_offset);
        y[begin + j] = static_cast<float>(static_cast<double>(group[j]) * scale * w);
      }
    }
    return y;
  }

  Matrix Compute(const Linear& op) {
    const Weight& weight = graph_.weights[op.weight];
    Matrix y = NewOutput();
    for (int64_t out = 0; out < OutputWidth(); ++out) {
      for (int64_t i = 0; i < OutputRows(); ++i) {
        const Row x = InputRow(0, i);
        if (op.epilogue == Epilogue::kStore) {
          RowOf(y, i)[out] = static_cast<float>(Dot(x, WeightRow(op.weight, out)));
        } else {
          const GatedRows rows = GatedRowsOf(out, weight.rows() / 2);
          const auto gate = static_cast<float>(Dot(x, WeightRow(op.weight, rows.gate)));
          const auto up = static_cast<float>(Dot(x, WeightRow(op.weight, rows.up)));
          RowOf(y, i)[out] = GeluTanhOf(gate) * up;
        }
      }
    }
    return y;
  }

  Matrix Compute(const Rope& op) {
    Matrix y = Input(0);
    const int64_t head_dim = OutputWidth() / op.num_heads;
    const int64_t half = head_dim / 2;
    for (int64_t i = 0; i < OutputRows(); ++i) {
      const auto position = static_cast<double>(reference_.num_tokens_ + i);
      for (int64_t pair = 0; pair < half; ++pair) {
        const double exponent = -2.0 * static_cast<double>(pair) / static_cast<double>(head_dim);
        const double angle =
            position / op.angles.linear_factor * std::pow(op.angles.theta, exponent);
        const auto cosine = static_cast<float>(std::cos(angle));
        const auto sine = static_cast<float>(std::sin(angle));
        for (int64_t head = 0; head < op.num_heads; ++head) {
          float& a = RowOf(y, i)[head * head_dim + pair];
          float& b = RowOf(y, i)[head * head_dim + pair + half];
          const float rotated = a * cosine - b * sine;
          b = b * cosine + a * sine;
          a = rotated;
        }
      }
    }
    return y;
  }

  Matrix Compute(const Attention& op) {
    LayerCache& cache = reference_.layers_[op.layer];
    cache.keys.insert(cache.keys.end(), Input(1).begin(), Input(1).end());
    cache.values.insert(cache.values.end(), Input(2).begin(), Input(2).end());
    Matrix y = NewOutput();
    for (int64_t i = 0; i < OutputRows(); ++i) {
      for (int64_t head = 0; head < op.num_heads; ++head) {
        const auto slice_begin = static_cast<size_t>(head * op.head_dim);
        const auto slice_width = static_cast<size_t>(op.head_dim);
        AttendHead(op, cache, i, head, InputRow(0, i).subspan(slice_begin, slice_width),
                   RowOf(y, i).subspan(slice_begin, slice_width));
      }
    }
    return y;
  }

  // out = softmax(q @ keys^T * scale) @ values over the positions that token i of this step sees.
  void AttendHead(const Attention& op, const LayerCache& cache, int64_t i, int64_t head, Row q,
                  std::span<float> out) const {
    const int64_t kv_head = head / (op.num_heads / op.num_kv_heads);
    const int64_t stride = op.num_kv_heads * op.head_dim;
    const auto at = [&](const Matrix& matrix, int64_t position) {
      return Row(matrix).subspan(static_cast<size_t>(position * stride + kv_head * op.head_dim),
                                 static_cast<size_t>(op.head_dim));
    };
    const int64_t last = reference_.num_tokens_ + i;
    const int64_t first =
        op.sliding_window == 0 ? 0 : std::max<int64_t>(0, last - op.sliding_window + 1);

    std::vector<double> weights;
    for (int64_t j = first; j <= last; ++j) {
      const double score = Dot(q, at(cache.keys, j)) * static_cast<double>(op.scale);
      weights.push_back(op.softcap ? SoftcapOf(score, *op.softcap) : score);
    }
    const double max = *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - max);

    std::vector<double> mix(out.size(), 0.0);
    for (int64_t j = first; j <= last; ++j) {
      const double weight = weights[static_cast<size_t>(j - first)] / sum;
      const Row value = at(cache.values, j);
      for (size_t d = 0; d < mix.size(); ++d) mix[d] += weight * static_cast<double>(value[d]);
    }
    std::transform(mix.begin(), mix.end(), out.begin(),
                   [](double x) { return static_cast<float>(x); });
  }

  Matrix Compute(const Add&) {
    Matrix y = Input(0);
    std::transform(y.begin(), y.end(), Input(1).begin(), y.begin(), std::plus<>());
    return y;
  }

  Matrix Compute(const Mul&) {
    Matrix y = Input(0);
    std::transform(y.begin(), y.end(), Input(1).begin(), y.begin(), std::multiplies<>());
    return y;
  }

  Matrix Compute(const GeluTanh&) {
    Matrix y = Input(0);
    std::transform(y.begin(), y.end(), y.begin(), GeluTanhOf);
    return y;
  }

  Matrix Compute(const Softcap& op) {
    Matrix y = Input(0);
    for (float& x : y) x = static_cast<float>(SoftcapOf(static_cast<double>(x), op.cap));
    return y;
  }

  Matrix Compute(const SelectRows&) {
    Matrix y = NewOutput();
    for (int64_t i = 0; i < OutputRows(); ++i) {
      const Row x = InputRow(0, logit_rows_[i]);
      std::copy(x.begin(), x.end(), RowOf(y, i).begin());
    }
    return y;
  }

  Matrix Compute(const Slice& op) {
    Matrix y = NewOutput();
    for (int64_t i = 0; i < OutputRows(); ++i) {
      std::copy_n(InputRow(0, i).begin() + op.offset, OutputWidth(), RowOf(y, i).begin());
    }
    return y;
  }

  Matrix Compute(const Quantize&) { return Input(0); }

  // --- Access to the current node's operands ---

  int64_t OutputWidth() const { return graph_.TypeOf(node_->output).width; }
  int64_t OutputRows() const {
    const bool all = graph_.TypeOf(node_->output).rows == RowSpace::kTokens;
    return static_cast<int64_t>(all ? tokens_.size() : logit_rows_.size());
  }
  Matrix NewOutput() const { return Matrix(static_cast<size_t>(OutputRows() * OutputWidth())); }
  std::span<float> RowOf(Matrix& y, int64_t row) const {
    const auto width = static_cast<size_t>(OutputWidth());
    return std::span(y).subspan(static_cast<size_t>(row) * width, width);
  }

  const Matrix& Input(size_t index) const { return values_[node_->inputs[index]]; }
  Row InputRow(size_t index, int64_t row) const {
    const auto width = static_cast<size_t>(graph_.TypeOf(node_->inputs[index]).width);
    return Row(Input(index)).subspan(static_cast<size_t>(row) * width, width);
  }

  Row WeightRow(WeightId id, int64_t row) const {
    const auto cols = static_cast<size_t>(graph_.weights[id].cols());
    return Row(reference_.weights_[id]).subspan(static_cast<size_t>(row) * cols, cols);
  }

  Reference& reference_;
  const Graph& graph_;
  std::span<const TokenId> tokens_;
  std::span<const int32_t> logit_rows_;
  std::vector<Matrix> values_;  // by ValueId
  const Node* node_ = nullptr;  // under computation
};

Reference::Reference(const Graph& graph, const WeightSource& source) : graph_(graph) {
  for (const Weight& weight : graph.weights) weights_.push_back(LoadWeight(weight, source));
}

std::vector<float> Reference::Forward(std::span<const TokenId> tokens,
                                      std::span<const int32_t> logit_rows) {
  for (const int32_t row : logit_rows) {
    if (row < 0 || row >= static_cast<int64_t>(tokens.size())) {
      throw Error("logits of position {} are asked for, of {} tokens", row, tokens.size());
    }
  }
  Matrix logits = Step(*this, tokens, logit_rows).Run();
  num_tokens_ += static_cast<int64_t>(tokens.size());
  return logits;
}

void Reference::Reset() {
  layers_.clear();
  num_tokens_ = 0;
}

}  // namespace carat::graph
