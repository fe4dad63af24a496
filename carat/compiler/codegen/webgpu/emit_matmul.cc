// Products with quantized matrices: gemv.wgsl, gemm.wgsl, and the embedding's rows.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/step_emitter.h"
#include "carat/compiler/codegen/webgpu/wgsl.h"

namespace carat::compiler::webgpu {
namespace {

// Threads that share a row of a matrix: more where there are fewer rows, so that enough workgroups
// keep a GPU busy, but never so many that a quarter of them has nothing to read.
int64_t GemvLanes(int64_t num_rows, int64_t num_groups) {
  const int64_t most = num_rows >= 8192 ? 4 : num_rows >= 1024 ? 8 : 16;
  int64_t lanes = 1;
  for (int64_t n = 2; n <= most; n *= 2) {
    const int64_t rounds = (num_groups + n - 1) / n;
    if (num_groups * 4 >= rounds * n * 3) lanes = n;
  }
  return lanes;
}

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

void StepEmitter::EmitGemv(const MatMul& matmul, const RowLoop* before, size_t index) {
  const graph::Weight& weight = program_.weights[matmul.linear.weight];
  const bool gelu_mul = matmul.linear.epilogue == graph::Epilogue::kGeluMul;
  const int64_t num_rows = matmul.y.width;
  KernelBuilder kernel;
  RowOps ops(program_, buffers_, weights_, features_, kernel);
  if (before != nullptr) {
    ops.Append(before->ops, {matmul.x.buffer}, ReadFrom(index + 1));
  } else if (buffers_.SplitOf(matmul.x.buffer) != nullptr) {
    ops.AppendMergedAttention(matmul.x);
  }

  std::string x;
  if (ops.IsLocal(matmul.x)) {
    x = fmt::format("vec4<f32>({}, {}, {}, {})", ops.Read(matmul.x, "k"),
                    ops.Read(matmul.x, "k + 1u"), ops.Read(matmul.x, "k + 2u"),
                    ops.Read(matmul.x, "k + 3u"));
  } else {
    const std::string name =
        kernel.Bind(RoleOf(matmul.x), buffers_.Current(matmul.x.buffer), "vec4<f32>");
    x = fmt::format("{}[(k + {}) / 4u]", name, matmul.x.column);
  }
  const MatrixBuffers matrix = weights_.Matrix(weight);
  const std::string words = kernel.Bind("words", matrix.words, "vec4<u32>");
  const std::string scale = weights_.Scale(kernel, matrix, "index");
  kernel.Declare(Fill("quantized_group.wgsl", {}));
  std::string dot;
  std::string result = "sum";
  if (gelu_mul) {
    kernel.Declare(Fill("gelu_tanh.wgsl", {}));
    dot = fmt::format("vec2<f32>(dot_group({}u + r, group), dot_group({}u + r, group))",
                      matrix.first_rows.at(0), matrix.first_rows.at(1));
    result = "gelu_tanh(sum.x) * sum.y";
  } else {
    dot = fmt::format("dot_group({}u + r, group)", matrix.first_rows.at(0));
    if (const float cap = SoftcapAfter(index); cap > 0) result = SoftcapText("sum", cap);
  }
  const std::string y = kernel.Bind(
      RoleOf(matmul.y), buffers_.Write(matmul.y.buffer, ops.ReadsFromStorage(matmul.y.buffer)),
      "f32", Access::kWrite);
  const std::string prologue = ops.Finish();

  const int64_t lanes = GemvLanes(num_rows, matrix.num_groups);
  const int64_t rows_per_workgroup = kRowThreads / lanes;
  Add(kernel, "gemv_" + RoleOf(matmul.y),
      Fill("gemv.wgsl", {{"declarations", kernel.Declarations()},
                         {"entry", kEntryPlaceholder},
                         {"threads", std::to_string(kRowThreads)},
                         {"sum_type", gelu_mul ? "vec2<f32>" : "f32"},
                         {"words", words},
                         {"scale", scale},
                         {"x", x},
                         {"prologue", prologue},
                         {"lanes", std::to_string(lanes)},
                         {"rows_per_workgroup", std::to_string(rows_per_workgroup)},
                         {"groups", std::to_string(matrix.num_groups)},
                         {"num_rows", std::to_string(num_rows)},
                         {"dot", dot},
                         {"y", y},
                         {"result", result}}),
      Constant(CeilDiv(num_rows, rows_per_workgroup)), Constant(1));
}

void StepEmitter::EmitGemm(const MatMul& matmul) {
  const bool gelu_mul = matmul.linear.epilogue == graph::Epilogue::kGeluMul;
  const MatrixBuffers matrix = weights_.Matrix(program_.weights[matmul.linear.weight]);
  const int64_t width = matmul.y.width;
  if (matmul.x.column != 0 || program_.buffers[matmul.x.buffer].type.width != matmul.x.width) {
    throw Error("'{}' multiplies a part of '{}'", RoleOf(matmul.y), RoleOf(matmul.x));
  }
  const int64_t up_row = gelu_mul ? matrix.first_rows.at(1) : 0;
  KernelBuilder kernel;
  kernel.Scalar("tokens", Of(Variable::kTokens));
  kernel.Scalar("groups", Constant(matrix.num_groups));
  kernel.Scalar("width", Constant(width));
  kernel.Scalar("first_row", Constant(matrix.first_rows.at(0)));
  kernel.Scalar("up_row", Constant(up_row));
  kernel.Scalar("last_row", Constant(std::max(matrix.first_rows.at(0), up_row) + width - 1));
  const std::string x = kernel.Bind("x", buffers_.Current(matmul.x.buffer), "vec4<f32>");
  const std::string words = kernel.Bind("words", matrix.words, "u32");
  const std::string scale = weights_.Scale(kernel, matrix, "index");
  const std::string y = kernel.Bind("y", buffers_.Write(matmul.y.buffer), "f32", Access::kWrite);
  kernel.Declare(Fill("quantized_group.wgsl", {}));
  kernel.Declare(Fill("gelu_tanh.wgsl", {}));
  if (features_.shader_f16) kernel.Enable("f16");
  kernel.Declare(fmt::format("alias tile_type = {};\n", features_.shader_f16 ? "f16" : "f32"));
  Add(kernel, "gemm",
      Fill("gemm.wgsl", {{"declarations", kernel.Declarations()},
                         {"entry", kEntryPlaceholder},
                         {"x", x},
                         {"words", words},
                         {"scale", scale},
                         {"y", y}}),
      Constant(CeilDiv(width, gelu_mul ? 32 : 64)), Ratio(Variable::kTokens, 1, 32));
}

PlanLaunch StepEmitter::EmitEmbed() {
  const RowOp* embed_op = nullptr;
  for (const Stage& stage : program_.stages) {
    const auto* loop = std::get_if<RowLoop>(&stage.work);
    if (loop == nullptr) continue;
    for (const RowOp& op : loop->ops) {
      if (std::holds_alternative<graph::Embed>(op.work)) embed_op = &op;
    }
  }
  if (embed_op == nullptr) throw Error("the model '{}' embeds no tokens", program_.name);
  const auto& embed = std::get<graph::Embed>(embed_op->work);
  const graph::Weight& weight = program_.weights[embed.table];
  KernelBuilder kernel;
  const std::string ids = kernel.Bind("ids", {Place::kArgument, 0}, "i32");
  const MatrixBuffers matrix = weights_.Matrix(weight);
  const std::string words = kernel.Bind("words", matrix.words, "u32");
  const std::string scale = weights_.Scale(kernel, matrix, "index");
  const std::string y =
      kernel.Bind(RoleOf(embed_op->output), {Place::kResult, 0}, "f32", Access::kWrite);
  kernel.Declare(Fill("quantized_group.wgsl", {}));
  launches_.clear();
  Add(kernel, "embed",
      Fill("embed.wgsl", {{"declarations", kernel.Declarations()},
                          {"entry", kEntryPlaceholder},
                          {"threads", std::to_string(kRowThreads)},
                          {"ids", ids},
                          {"last_id", std::to_string(weight.rows() - 1)},
                          {"groups", std::to_string(matrix.num_groups)},
                          {"words", words},
                          {"scale", scale},
                          {"factor", FloatLiteral(embed.scale)},
                          {"y", y}}),
      Of(Variable::kTokens), Constant(1));
  return std::move(launches_.front());
}

}  // namespace carat::compiler::webgpu
