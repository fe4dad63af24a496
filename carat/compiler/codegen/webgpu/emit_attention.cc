// Attention: attention_row.wgsl and attention_rows.wgsl.

#include <fmt/format.h>

#include <string>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/step_emitter.h"
#include "carat/compiler/codegen/webgpu/wgsl.h"

namespace carat::compiler::webgpu {
namespace {

constexpr int64_t kThreads = 256;
constexpr int64_t kQueries = 16;      // of a tile of attention_rows.wgsl
constexpr int64_t kMaxHeadDim = 256;  // whose queries fill 16 KiB of workgroup memory

// What both kernels need of a layer's attention. Sliding and full layers share them: the window and
// the slots are scalars.
struct AttentionText {
  explicit AttentionText(const graph::Attention& a)
      : pairs(a.head_dim / 2),
        lanes(kThreads / pairs),
        group_heads(a.num_heads / a.num_kv_heads),
        capped_score(a.softcap ? SoftcapText("score", *a.softcap) : "score") {
    if (a.head_dim > kMaxHeadDim || a.head_dim % 2 != 0) {
      throw Error("config.json: head_dim {}: WebGPU kernels take even ones up to {}", a.head_dim,
                  kMaxHeadDim);
    }
  }

  int64_t pairs;
  int64_t lanes;  // threads that share a pair of values
  int64_t group_heads;
  std::string capped_score;
};

std::string Text(int64_t value) { return std::to_string(value); }

}  // namespace

void StepEmitter::EmitAttentionRow(const Attend& attend) {
  const graph::Attention& a = attend.attention;
  const AttentionText text(a);
  KernelBuilder kernel;
  kernel.Scalar("position", Of(Variable::kPosition));
  kernel.Scalar("window", Constant(buffers_.WindowOf(a)));
  kernel.Scalar("slots", Constant(buffers_.SlotsOf(a)));
  const Expression splits = ModelBuffers::NumSplits(a.sliding_window);
  kernel.Scalar("splits", splits);
  const std::string q = kernel.Bind("q", buffers_.Current(attend.q.buffer), "f32");
  const std::string k_cache = kernel.Bind("k_cache", buffers_.KeyCache(a.layer), "u32");
  const std::string v_cache = kernel.Bind("v_cache", buffers_.ValueCache(a.layer), "u32");
  const std::string parts =
      kernel.Bind("parts", buffers_.WriteSplits(attend.out.buffer, a), "f32", Access::kWrite);
  Add(kernel, "attention_row",
      Fill("attention_row.wgsl",
           {{"declarations", kernel.Declarations()},
            {"entry", kEntryPlaceholder},
            {"q_size", Text(text.group_heads * a.head_dim)},
            {"scores_size", Text(text.group_heads * 32)},
            {"group_heads", Text(text.group_heads)},
            {"head_dim", Text(a.head_dim)},
            {"heads", Text(a.num_heads)},
            {"kv_heads", Text(a.num_kv_heads)},
            {"pairs", Text(text.pairs)},
            {"lanes", Text(text.lanes)},
            {"acc_size", Text((text.group_heads + text.lanes - 1) / text.lanes)},
            {"part_stride", Text(a.head_dim + 2)},
            {"scale", FloatLiteral(a.scale)},
            {"capped_score", text.capped_score},
            {"q", q},
            {"q_column", Text(attend.q.column)},
            {"k_cache", k_cache},
            {"v_cache", v_cache},
            {"parts", parts}}),
      splits, Constant(a.num_kv_heads));
}

void StepEmitter::EmitAttentionRows(const Attend& attend) {
  const graph::Attention& a = attend.attention;
  const AttentionText text(a);
  KernelBuilder kernel;
  kernel.Scalar("tokens", Of(Variable::kTokens));
  kernel.Scalar("position", Of(Variable::kPosition));
  kernel.Scalar("window", Constant(buffers_.WindowOf(a)));
  kernel.Scalar("slots", Constant(buffers_.SlotsOf(a)));
  const std::string q = kernel.Bind("q", buffers_.Current(attend.q.buffer), "f32");
  const std::string k_cache = kernel.Bind("k_cache", buffers_.KeyCache(a.layer), "u32");
  const std::string v_cache = kernel.Bind("v_cache", buffers_.ValueCache(a.layer), "u32");
  const std::string y = kernel.Bind("y", buffers_.Write(attend.out.buffer), "f32", Access::kWrite);
  Add(kernel, "attention_rows",
      Fill("attention_rows.wgsl", {{"declarations", kernel.Declarations()},
                                   {"entry", kEntryPlaceholder},
                                   {"q_size", Text(kQueries * (a.head_dim + 1))},
                                   {"q_row_size", Text(a.head_dim + 1)},
                                   {"group_heads", Text(text.group_heads)},
                                   {"head_dim", Text(a.head_dim)},
                                   {"kv_heads", Text(a.num_kv_heads)},
                                   {"pairs", Text(text.pairs)},
                                   {"lanes", Text(text.lanes)},
                                   {"acc_size", Text((kQueries + text.lanes - 1) / text.lanes)},
                                   {"scale", FloatLiteral(a.scale)},
                                   {"capped_score", text.capped_score},
                                   {"q", q},
                                   {"q_stride", Text(program_.buffers[attend.q.buffer].type.width)},
                                   {"q_column", Text(attend.q.column)},
                                   {"k_cache", k_cache},
                                   {"v_cache", v_cache},
                                   {"y", y},
                                   {"y_stride", Text(attend.out.width)}}),
      Ratio(Variable::kTokens, 1, kQueries), Constant(a.num_heads));
}

}  // namespace carat::compiler::webgpu
