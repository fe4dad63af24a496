// Kernels of per-row work: norms, RoPE, the KV cache, element by element.

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "carat/base/numeric.h"
#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/random_values.h"
#include "tests/compiler/codegen/webgpu/stage_case.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {
namespace {

constexpr Step kSteps[] = {Step::kOneToken, Step::kManyTokens};

int64_t TokensOf(Step step) { return step == Step::kOneToken ? 1 : 5; }
std::string_view NameOf(Step step) { return step == Step::kOneToken ? "one row" : "rows"; }

graph::Weight VectorWeight(const std::string& name, int64_t size) {
  graph::Weight weight;
  weight.name = name;
  weight.parts = {{name + ".weight", 1, size, true}};
  return weight;
}

// y = x / sqrt(mean(x^2) + eps) * (w + 1), in double.
std::vector<float> NormedRows(const std::vector<float>& x, const std::vector<float>& weight,
                              double eps) {
  const size_t width = weight.size();
  std::vector<float> y(x.size());
  for (size_t first = 0; first < x.size(); first += width) {
    double square = 0;
    for (size_t i = 0; i < width; ++i) square += static_cast<double>(x[first + i]) * x[first + i];
    const double scale = 1 / std::sqrt(square / static_cast<double>(width) + eps);
    for (size_t i = 0; i < width; ++i) {
      y[first + i] = static_cast<float>(x[first + i] * scale * (1.0 + weight[i]));
    }
  }
  return y;
}

KernelCase NormCase(Step step, std::string_view quantization, int64_t width, int64_t groups,
                    const Features& features = {}) {
  model::ModelConfig config = SmallConfig();
  std::string weight_name = "layers.0.input_layernorm";
  if (groups == 1) {
    config.hidden_size = width;
  } else {
    config.head_dim = width;
    weight_name = "layers.0.self_attn.q_norm";
  }
  StageCase stage(
      fmt::format("rms_norm: {}, {} of {}, {}", NameOf(step), groups, width, quantization), config,
      quantization, TokensOf(step));
  stage.Use(features);
  graph::Weight weight = VectorWeight(config.weight_prefix + weight_name, width);
  const std::vector<float> x = RandomValues(TokensOf(step) * groups * width, 3);
  const auto expected =
      NormedRows(x, stage.weights().Values(weight.parts.front()), config.rms_norm_eps);
  const BufferId input = stage.Input("x", groups * width, x);
  const BufferId output = stage.Buffer("y", groups * width);
  const graph::RmsNorm norm{stage.AddWeight(std::move(weight)),
                            static_cast<float>(config.rms_norm_eps), groups, 1};
  stage.AddStage(
      RowLoop{graph::RowSpace::kTokens, true, {{norm, {stage.Whole(input)}, stage.Whole(output)}}});
  stage.Expect(output, expected, 1e-6, 1e-5);
  return std::move(stage).Take(step);
}

// RoPE of two heads at the last position of a long context, where sin() of a float has lost most
// of its digits.
KernelCase RopeCase(int64_t position, graph::RopeAngles angles) {
  constexpr int64_t kHeads = 2;
  constexpr int64_t kHeadDim = 64;
  constexpr int64_t kTokens = 3;
  StageCase stage(fmt::format("rope: position {}, theta {}, factor {}", position, angles.theta,
                              angles.linear_factor),
                  SmallConfig(), "q4f16_1", kTokens, position);
  const std::vector<float> x = RandomValues(kTokens * kHeads * kHeadDim, 4);
  std::vector<float> y(x.size());
  for (int64_t row = 0; row < kTokens; ++row) {
    for (int64_t i = 0; i < kHeads * kHeadDim / 2; ++i) {
      const int64_t head = i / (kHeadDim / 2);
      const int64_t pair = i % (kHeadDim / 2);
      const double angle = static_cast<double>(position + row) / angles.linear_factor *
                           std::pow(angles.theta, -2.0 * static_cast<double>(pair) / kHeadDim);
      const auto at = static_cast<size_t>((row * kHeads + head) * kHeadDim + pair);
      y[at] = static_cast<float>(x[at] * std::cos(angle) - x[at + 32] * std::sin(angle));
      y[at + 32] = static_cast<float>(x[at + 32] * std::cos(angle) + x[at] * std::sin(angle));
    }
  }
  const BufferId input = stage.Input("x", kHeads * kHeadDim, x);
  const BufferId table = stage.Buffer("angles", kHeadDim);
  const BufferId output = stage.Buffer("y", kHeads * kHeadDim);
  stage.AddStage(RowLoop{graph::RowSpace::kTokens,
                         true,
                         {{ComputeAngles{angles}, {}, stage.Whole(table)},
                          {graph::Rope{kHeads, angles},
                           {stage.Whole(input), stage.Whole(table)},
                           stage.Whole(output)}}});
  stage.Expect(output, y, 3e-6, 0);
  return std::move(stage).Take(Step::kManyTokens);
}

// Keys of `num_tokens` tokens after `position` others, in a ring of 8 + num_tokens or in order.
KernelCase StoreKvCase(bool sliding, int64_t num_tokens, int64_t position) {
  model::ModelConfig config = SmallConfig();
  const int64_t width = config.num_key_value_heads * config.head_dim;
  const int64_t slots =
      sliding ? config.sliding_window + num_tokens : config.max_position_embeddings;
  StageCase stage(fmt::format("store_kv: {} of {} tokens at {}", sliding ? "ring" : "all",
                              num_tokens, position),
                  config, "q4f16_1", num_tokens, position);
  const std::vector<float> k = RandomValues(num_tokens * width, 5);
  std::vector<uint16_t> cache(static_cast<size_t>(slots * width), 0x3c00);
  stage.SetCache(cache, cache);
  for (int64_t row = 0; row < num_tokens; ++row) {
    const int64_t slot = sliding ? (position + row) % slots : position + row;
    for (int64_t i = 0; i < width; ++i) {
      cache[static_cast<size_t>(slot * width + i)] =
          FloatToF16(k[static_cast<size_t>(row * width + i)]);
    }
  }
  const BufferId keys = stage.Input("k", width, k);
  const BufferId values = stage.Input("v", width, RandomValues(num_tokens * width, 6));
  graph::Attention attention{};
  attention.sliding_window = sliding ? config.sliding_window : 0;
  stage.AddStage(RowLoop{graph::RowSpace::kTokens,
                         false,
                         {{StoreKv{attention}, {stage.Whole(keys), stage.Whole(values)}, {}}}});
  stage.ExpectKeys(cache);
  return std::move(stage).Take(Step::kManyTokens);
}

KernelCase ElementwiseCase(std::string_view name, const RowWork& work, bool is_binary,
                           const std::function<double(double, double)>& f) {
  constexpr int64_t kWidth = 300;
  StageCase stage(fmt::format("{}: rows of {}", name, kWidth), SmallConfig(), "q4f16_1", 2);
  // Large ones too: tanh of them must not become NaN.
  const std::vector<float> a = RandomValues(2 * kWidth, 7, 40);
  const std::vector<float> b = RandomValues(2 * kWidth, 8);
  std::vector<float> y;
  for (size_t i = 0; i < a.size(); ++i) y.push_back(static_cast<float>(f(a[i], b[i])));
  std::vector<Operand> inputs = {stage.Whole(stage.Input("a", kWidth, a))};
  if (is_binary) inputs.push_back(stage.Whole(stage.Input("b", kWidth, b)));
  const BufferId output = stage.Buffer("y", kWidth);
  stage.AddStage(
      RowLoop{graph::RowSpace::kTokens, true, {{work, std::move(inputs), stage.Whole(output)}}});
  stage.Expect(output, y, 2e-6, 1e-5);
  return std::move(stage).Take(Step::kManyTokens);
}

double Gelu(double x, double) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

}  // namespace

std::vector<KernelCase> RowKernelCases() {
  std::vector<KernelCase> cases;
  for (const Step step : kSteps) {
    cases.push_back(NormCase(step, "q4f16_1", 64, 1));
    cases.push_back(NormCase(step, "q4f32_1", 640, 1));
    cases.push_back(NormCase(step, "q4f16_1", 256, 4));
    cases.push_back(NormCase(step, "q4f16_1", 256, 4, {.subgroups = true}));
    cases.push_back(NormCase(step, "q4f16_1", 640, 1, {.subgroups = true}));
  }
  for (const int64_t position : {0, 4095, 32766, 131069}) {
    cases.push_back(RopeCase(position, {10'000, 1}));
    cases.push_back(RopeCase(position, {1'000'000, 8}));
  }
  cases.push_back(StoreKvCase(false, 4, 0));
  cases.push_back(StoreKvCase(false, 4, 200));
  cases.push_back(StoreKvCase(true, 4, 9));
  cases.push_back(StoreKvCase(true, 1, 203));
  cases.push_back(ElementwiseCase("add", graph::Add{}, true, std::plus<>()));
  cases.push_back(ElementwiseCase("mul", graph::Mul{}, true, std::multiplies<>()));
  cases.push_back(ElementwiseCase("gelu_tanh", graph::GeluTanh{}, false, Gelu));
  cases.push_back(ElementwiseCase("softcap", graph::Softcap{30}, false,
                                  [](double x, double) { return 30 * std::tanh(x / 30); }));
  return cases;
}

}  // namespace carat::compiler::webgpu
