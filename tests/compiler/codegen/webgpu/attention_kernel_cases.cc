// Attention of one query and of many, to caches that hold all tokens or the window.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "carat/base/numeric.h"
#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/random_values.h"
#include "tests/compiler/codegen/webgpu/stage_case.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {
namespace {

struct AttentionShape {
  int64_t tokens;  // of the step; their keys and values are in the cache
  int64_t position;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t window;  // 0: none
  float softcap = 0;
};

// Keys or values of tokens [0, position + tokens), in f16.
std::vector<float> History(const AttentionShape& shape, uint32_t seed) {
  std::vector<float> values =
      RandomValues((shape.position + shape.tokens) * shape.kv_heads * shape.head_dim, seed);
  for (float& value : values) value = F16ToFloat(FloatToF16(value));
  return values;
}

// What the cache holds of it: the last `slots` tokens, each in its slot.
std::vector<uint16_t> Cache(const AttentionShape& shape, const std::vector<float>& history,
                            int64_t slots) {
  const int64_t width = shape.kv_heads * shape.head_dim;
  std::vector<uint16_t> cache(static_cast<size_t>(slots * width), 0x7c00);  // infinity: never read
  for (int64_t token = 0; token < shape.position + shape.tokens; ++token) {
    for (int64_t i = 0; i < width; ++i) {
      cache[static_cast<size_t>(token % slots * width + i)] =
          FloatToF16(history[static_cast<size_t>(token * width + i)]);
    }
  }
  return cache;
}

// softmax(mask(q @ k^T * scale)) @ v of one head of one query, in double.
void AttendTo(const AttentionShape& shape, int64_t row, int64_t head, double scale,
              const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
              std::vector<float>& y) {
  const int64_t d = shape.head_dim;
  const int64_t query = shape.position + row;
  const int64_t kv_head = head / (shape.heads / shape.kv_heads);
  const auto at = static_cast<size_t>((row * shape.heads + head) * d);
  const int64_t first = shape.window > 0 ? std::max<int64_t>(0, query - shape.window + 1) : 0;
  std::vector<double> sums(static_cast<size_t>(d));
  double total = 0;
  for (int64_t key = first; key <= query; ++key) {
    const auto kv_at = static_cast<size_t>((key * shape.kv_heads + kv_head) * d);
    double score = 0;
    for (size_t i = 0; i < sums.size(); ++i) {
      score += static_cast<double>(q[at + i]) * k[kv_at + i];
    }
    score *= scale;
    if (shape.softcap > 0) score = shape.softcap * std::tanh(score / shape.softcap);
    const double share = std::exp(score);
    total += share;
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += share * v[kv_at + i];
  }
  for (size_t i = 0; i < sums.size(); ++i) y[at + i] = static_cast<float>(sums[i] / total);
}

KernelCase AttentionCase(const AttentionShape& shape) {
  model::ModelConfig config = SmallConfig();
  config.num_attention_heads = shape.heads;
  config.num_key_value_heads = shape.kv_heads;
  config.head_dim = shape.head_dim;
  if (shape.window > 0) config.sliding_window = shape.window;
  config.max_position_embeddings = shape.position + shape.tokens;
  StageCase stage(
      fmt::format("attention: {} queries after {}, {} heads to {} of {}, window {}, softcap {}",
                  shape.tokens, shape.position, shape.heads, shape.kv_heads, shape.head_dim,
                  shape.window, shape.softcap),
      config, "q4f16_1", shape.tokens, shape.position);
  graph::Attention attention{};
  attention.num_heads = shape.heads;
  attention.num_kv_heads = shape.kv_heads;
  attention.head_dim = shape.head_dim;
  attention.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
  attention.sliding_window = shape.window;
  if (shape.softcap > 0) attention.softcap = shape.softcap;

  const int64_t width = shape.heads * shape.head_dim;
  const std::vector<float> q = RandomValues(shape.tokens * width, 11);
  const std::vector<float> k = History(shape, 12);
  const std::vector<float> v = History(shape, 13);
  const int64_t slots =
      shape.window > 0 ? shape.window + shape.tokens : config.max_position_embeddings;
  stage.SetCache(Cache(shape, k, slots), Cache(shape, v, slots));
  std::vector<float> expected(q.size());
  for (int64_t row = 0; row < shape.tokens; ++row) {
    for (int64_t head = 0; head < shape.heads; ++head) {
      AttendTo(shape, row, head, attention.scale, q, k, v, expected);
    }
  }
  const BufferId input = stage.Input("q", width, q);
  const BufferId mixed = stage.Buffer("attention", width);
  stage.AddStage(Attend{attention, stage.Whole(input), stage.Whole(mixed)});
  // Attention of one query leaves parts, which whoever reads it puts together.
  const BufferId copy = stage.Buffer("copy", width);
  const BufferId zeros = stage.Input("zeros", width, std::vector<float>(q.size()));
  stage.AddStage(
      RowLoop{graph::RowSpace::kTokens,
              true,
              {{graph::Add{}, {stage.Whole(mixed), stage.Whole(zeros)}, stage.Whole(copy)}}});
  stage.Expect(copy, expected, 1e-5, 1e-5);
  return std::move(stage).Take(shape.tokens == 1 ? Step::kOneToken : Step::kManyTokens);
}

}  // namespace

std::vector<KernelCase> AttentionKernelCases() {
  std::vector<KernelCase> cases;
  for (const AttentionShape& shape : {
           // One query: the first of all, one tile, parts of the whole, the window's edge.
           AttentionShape{1, 0, 4, 1, 32, 0},
           {1, 31, 4, 2, 16, 0},
           {1, 700, 4, 1, 256, 0},
           {1, 5000, 2, 2, 16, 0},
           {1, 3, 4, 1, 32, 8},
           {1, 8, 4, 1, 32, 8},
           {1, 700, 4, 1, 256, 512},
           {1, 100, 2, 1, 96, 0, 5},
           // Many: less than a tile, tiles after others, windows shorter and longer than a tile.
           {2, 0, 4, 1, 32, 0},
           {16, 0, 4, 2, 16, 0},
           {37, 50, 4, 1, 256, 0},
           {37, 50, 4, 1, 32, 8},
           {20, 600, 2, 1, 64, 512},
           {18, 7, 2, 1, 96, 0, 5},
       }) {
    cases.push_back(AttentionCase(shape));
  }
  return cases;
}

}  // namespace carat::compiler::webgpu
