// Products with quantized matrices: one row, and tiles of many.

#include <fmt/format.h>

#include <cmath>

#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/random_values.h"
#include "tests/compiler/codegen/webgpu/stage_case.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {
namespace {

// x [n, cols] @ weight^T, in double.
std::vector<double> Product(const std::vector<float>& x, const std::vector<float>& weight,
                            int64_t cols) {
  const auto width = static_cast<size_t>(cols);
  std::vector<double> y;
  for (size_t row = 0; row < x.size(); row += width) {
    for (size_t r = 0; r < weight.size(); r += width) {
      double sum = 0;
      for (size_t k = 0; k < width; ++k) {
        sum += static_cast<double>(x[row + k]) * weight[r + k];
      }
      y.push_back(sum);
    }
  }
  return y;
}

struct Shape {
  int64_t tokens;
  int64_t rows;
  int64_t cols;
};

std::string NameOf(std::string_view kind, const Shape& shape, std::string_view quantization) {
  return fmt::format("{}: {} x {} by {}, {}", kind, shape.rows, shape.cols, shape.tokens,
                     quantization);
}

// The embedding table, which may have any number of rows.
KernelCase ProductCase(const Shape& shape, std::string_view quantization) {
  model::ModelConfig config = SmallConfig();
  config.vocab_size = shape.rows;
  config.hidden_size = shape.cols;
  const Step step = shape.tokens == 1 ? Step::kOneToken : Step::kManyTokens;
  StageCase stage(NameOf(step == Step::kOneToken ? "gemv" : "gemm", shape, quantization), config,
                  quantization, shape.tokens);
  graph::Weight weight;
  weight.name = "embed_tokens";
  weight.parts = {{config.weight_prefix + "embed_tokens.weight", shape.rows, shape.cols}};
  const std::vector<float> x = RandomValues(shape.tokens * shape.cols, 9);
  const auto product = Product(x, stage.weights().Values(weight.parts.front()), shape.cols);
  const BufferId input = stage.Input("x", shape.cols, x);
  const BufferId output = stage.Buffer("y", shape.rows);
  stage.AddStage(MatMul{graph::RowSpace::kTokens,
                        {stage.AddWeight(std::move(weight))},
                        stage.Whole(input),
                        stage.Whole(output)});
  stage.Expect(output, {product.begin(), product.end()}, 2e-5, 1e-5);
  return std::move(stage).Take(step);
}

// gelu_tanh(gate) * up, of a matrix that holds both.
KernelCase GatedCase(const Shape& shape, std::string_view quantization) {
  model::ModelConfig config = SmallConfig();
  config.intermediate_size = shape.rows;
  config.hidden_size = shape.cols;
  const Step step = shape.tokens == 1 ? Step::kOneToken : Step::kManyTokens;
  StageCase stage(
      NameOf(step == Step::kOneToken ? "gated gemv" : "gated gemm", shape, quantization), config,
      quantization, shape.tokens);
  const std::string prefix = config.weight_prefix + "layers.0.mlp.";
  graph::Weight weight;
  weight.name = "layers.0.mlp.gate_up_proj";
  weight.parts = {{prefix + "gate_proj.weight", shape.rows, shape.cols},
                  {prefix + "up_proj.weight", shape.rows, shape.cols}};
  weight.arrangement = graph::Arrangement::kInterleave;
  const std::vector<float> x = RandomValues(shape.tokens * shape.cols, 10);
  const auto gate = Product(x, stage.weights().Values(weight.parts[0]), shape.cols);
  const auto up = Product(x, stage.weights().Values(weight.parts[1]), shape.cols);
  std::vector<float> expected;
  for (size_t i = 0; i < gate.size(); ++i) {
    const double g = gate[i];
    const double gelu = 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g)));
    expected.push_back(static_cast<float>(gelu * up[i]));
  }
  const BufferId input = stage.Input("x", shape.cols, x);
  const BufferId output = stage.Buffer("y", shape.rows);
  stage.AddStage(MatMul{graph::RowSpace::kTokens,
                        {stage.AddWeight(std::move(weight)), graph::Epilogue::kGeluMul},
                        stage.Whole(input),
                        stage.Whole(output)});
  stage.Expect(output, expected, 1e-4, 2e-5);
  return std::move(stage).Take(step);
}

}  // namespace

std::vector<KernelCase> MatMulKernelCases() {
  std::vector<KernelCase> cases;
  for (const std::string_view quantization : {"q4f16_1", "q4f32_1"}) {
    // Rows that do not fill a block or a tile; more rows than workgroups; 270M's shapes.
    for (const Shape& shape : {Shape{1, 2, 32},
                               {1, 50, 64},
                               {1, 640, 2048},
                               {1, 1536, 640},
                               {1, 140'000, 32},
                               {2, 50, 64},
                               {33, 130, 96},
                               {64, 640, 640}}) {
      cases.push_back(ProductCase(shape, quantization));
    }
    for (const Shape& shape : {Shape{1, 96, 64}, {1, 2048, 640}, {5, 96, 64}, {40, 32, 640}}) {
      cases.push_back(GatedCase(shape, quantization));
    }
  }
  return cases;
}

}  // namespace carat::compiler::webgpu
