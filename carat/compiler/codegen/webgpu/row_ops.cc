#include "carat/compiler/codegen/webgpu/row_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/wgsl.h"

namespace carat::compiler::webgpu {
namespace {

std::string Text(int64_t value) { return std::to_string(value); }

// The frequencies of dimension pairs in turns a position, as rope_angle reads them: fractions of
// 2^64.
std::string FrequencyTable(const graph::RopeAngles& angles, int64_t head_dim) {
  std::string text;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const long double radians =
        std::pow(static_cast<long double>(angles.theta),
                 -2.0L * static_cast<long double>(i) / static_cast<long double>(head_dim)) /
        static_cast<long double>(angles.linear_factor);
    const long double all_turns = radians / (2 * std::numbers::pi_v<long double>);
    const long double turns = all_turns - std::floor(all_turns);  // the same angles
    const long double high = std::floor(turns * 0x1p32L);
    const long double low = std::floor((turns * 0x1p32L - high) * 0x1p32L);
    text += fmt::format("{}vec2<u32>({}u, {}u)", i == 0 ? "" : ", ", static_cast<uint32_t>(high),
                        static_cast<uint32_t>(low));
  }
  return fmt::format("array<vec2<u32>, {}>({})", head_dim / 2, text);
}

}  // namespace

void RowOps::Append(const std::vector<RowOp>& ops, const std::set<BufferId>& read_by_kernel,
                    const std::set<BufferId>& read_later) {
  std::map<BufferId, size_t> last_use;
  for (size_t i = 0; i < ops.size(); ++i) {
    for (const Operand& input : ops[i].inputs) last_use[input.buffer] = i;
    if (ops[i].output.buffer >= 0) last_use[ops[i].output.buffer] = i;
  }
  for (const BufferId buffer : read_by_kernel) last_use[buffer] = ops.size();
  for (const BufferId buffer : read_later) last_use[buffer] = ops.size();
  for (size_t i = 0; i < ops.size(); ++i) {
    // Attention in parts is put together by whoever reads it.
    for (const Operand& input : ops[i].inputs) {
      if (buffers_.SplitOf(input.buffer) != nullptr && !IsLocal(input)) {
        AppendMergedAttention(input);
      }
    }
    std::visit([&](const auto& work) { Emit(ops[i], work); }, ops[i].work);
    text_ += "  workgroupBarrier();\n";
    for (const auto& [buffer, last] : last_use) {
      if (last == i) local_.erase(buffer);
    }
  }
  for (const BufferId buffer : read_later) {
    if (local_.contains(buffer)) WriteOut(buffer);
  }
}

void RowOps::AppendMergedAttention(const Operand& attention) {
  const graph::Attention& of = *buffers_.SplitOf(attention.buffer);
  kernel_.Scalar("splits", ModelBuffers::NumSplits(of.sliding_window));
  const std::string parts = kernel_.Bind("parts", buffers_.Splits(), "f32");
  for (const std::string_view name : {"split_max", "split_total", "split_share"}) {
    kernel_.Declare(
        fmt::format("var<workgroup> {}: array<f32, {}>;\n", name, of.num_heads * kMaxSplits));
  }
  text_ += Fill("merge_splits.wgsl", {{"name", RoleOf(attention.buffer)},
                                      {"parts", parts},
                                      {"width", Text(attention.width)},
                                      {"threads", Text(kRowThreads)},
                                      {"heads", Text(of.num_heads)},
                                      {"head_dim", Text(of.head_dim)},
                                      {"stride", Text(of.head_dim + 2)},
                                      {"y", Make(attention, "i")}});
  text_ += "  workgroupBarrier();\n";
}

std::string RowOps::Read(const Operand& operand, std::string_view index) {
  if (const auto local = local_.find(operand.buffer); local != local_.end()) {
    return fmt::format("rows[{} + {}]", local->second + operand.column, index);
  }
  read_from_storage_.insert(operand.buffer);
  const std::string name =
      kernel_.Bind(RoleOf(operand.buffer), buffers_.Current(operand.buffer), "f32");
  return fmt::format("{}[row * {}u + {} + {}]", name, WidthOf(operand.buffer), operand.column,
                     index);
}

std::string RowOps::Make(const Operand& operand, std::string_view index) {
  if (!local_.contains(operand.buffer)) Allocate(operand.buffer);
  return fmt::format("rows[{} + {}]", local_.at(operand.buffer) + operand.column, index);
}

std::string RowOps::Finish() {
  if (local_size_ > 0) {
    kernel_.Declare(fmt::format("var<workgroup> rows: array<f32, {}>;\n", local_size_));
  }
  return std::move(text_);
}

// --- The kinds of work ---

void RowOps::Emit(const RowOp& op, const ComputeAngles& work) {
  const int64_t half = op.output.width / 2;
  const std::string table = program_.buffers[op.output.buffer].name + "_frequencies";
  kernel_.Declare(
      fmt::format("const {} = {};\n", table, FrequencyTable(work.angles, op.output.width)));
  kernel_.Declare(std::string(Fill("rope_angles.wgsl", {})));
  kernel_.Scalar("position", Of(Variable::kPosition));
  text_ += Fill("compute_angles.wgsl", {{"name", RoleOf(op.output.buffer)},
                                        {"half", Text(half)},
                                        {"threads", Text(kRowThreads)},
                                        {"table", table},
                                        {"cosine", Make(op.output, "i")},
                                        {"sine", Make(op.output, fmt::format("{} + i", half))}});
}

void RowOps::Emit(const RowOp& op, const graph::RmsNorm& work) {
  const int64_t width = op.output.width / work.groups;
  const graph::Weight& weight = program_.weights[work.weight];
  const std::string x = Read(op.inputs[0], "i");
  const std::string index = work.groups == 1 ? "i" : fmt::format("i % {}u", width);
  const std::string w =
      weights_.VectorElement(kernel_, weight.name.substr(weight.name.rfind('.') + 1) + "_weight",
                             weight, work.weight_offset, index);
  if (features_.subgroups) kernel_.Enable("subgroups");
  kernel_.Declare(Fill(features_.subgroups ? "workgroup_sum_subgroups.wgsl" : "workgroup_sum.wgsl",
                       {{"threads", Text(kRowThreads)}}));
  text_ += Fill("rms_norm.wgsl", {{"name", RoleOf(op.output.buffer)},
                                  {"groups", Text(work.groups)},
                                  {"width", Text(width)},
                                  {"threads", Text(kRowThreads)},
                                  {"eps", FloatLiteral(work.eps)},
                                  {"x", x},
                                  {"weight", w},
                                  {"y", Make(op.output, "i")}});
}

void RowOps::Emit(const RowOp& op, const graph::Rope& work) {
  const int64_t head_dim = op.output.width / work.num_heads;
  const std::string second = fmt::format("i + {}u", head_dim / 2);
  const std::string a = Read(op.inputs[0], "i");
  const std::string b = Read(op.inputs[0], second);
  const std::string cosine = Read(op.inputs[1], "pair");
  const std::string sine = Read(op.inputs[1], fmt::format("{}u + pair", head_dim / 2));
  text_ += Fill("rope.wgsl", {{"name", RoleOf(op.output.buffer)},
                              {"pairs", Text(op.output.width / 2)},
                              {"half", Text(head_dim / 2)},
                              {"head_dim", Text(head_dim)},
                              {"threads", Text(kRowThreads)},
                              {"a", a},
                              {"b", b},
                              {"cosine", cosine},
                              {"sine", sine},
                              {"y_a", Make(op.output, "i")},
                              {"y_b", Make(op.output, second)}});
}

void RowOps::Emit(const RowOp& op, const StoreKv& work) {
  const graph::Attention& attention = work.attention;
  const Operand& k = op.inputs[0];
  const Operand& v = op.inputs[1];
  kernel_.Scalar("position", Of(Variable::kPosition));
  kernel_.Scalar("slots", Constant(buffers_.SlotsOf(attention)));
  text_ +=
      Fill("store_kv.wgsl",
           {{"pairs", Text(k.width / 2)},
            {"threads", Text(kRowThreads)},
            {"k_cache",
             kernel_.Bind("k_cache", buffers_.KeyCache(attention.layer), "u32", Access::kWrite)},
            {"v_cache",
             kernel_.Bind("v_cache", buffers_.ValueCache(attention.layer), "u32", Access::kWrite)},
            {"k_low", Read(k, "2u * j")},
            {"k_high", Read(k, "2u * j + 1u")},
            {"v_low", Read(v, "2u * j")},
            {"v_high", Read(v, "2u * j + 1u")}});
}

void RowOps::Emit(const RowOp& op, const graph::Add&) {
  EmitElementwise(op, fmt::format("{} + {}", Read(op.inputs[0], "i"), Read(op.inputs[1], "i")));
}

void RowOps::Emit(const RowOp& op, const graph::Mul&) {
  EmitElementwise(op, fmt::format("{} * {}", Read(op.inputs[0], "i"), Read(op.inputs[1], "i")));
}

void RowOps::Emit(const RowOp& op, const graph::GeluTanh&) {
  kernel_.Declare(Fill("gelu_tanh.wgsl", {}));
  EmitElementwise(op, fmt::format("gelu_tanh({})", Read(op.inputs[0], "i")));
}

void RowOps::Emit(const RowOp& op, const graph::SelectRows&) {
  const Operand& x = op.inputs[0];
  if (IsLocal(x) || buffers_.step() == Step::kOneToken) {
    EmitElementwise(op, Read(x, "i"));
    return;
  }
  // Logits are asked for of the last token.
  kernel_.Scalar("tokens", Of(Variable::kTokens));
  read_from_storage_.insert(x.buffer);
  const std::string name = kernel_.Bind(RoleOf(x.buffer), buffers_.Current(x.buffer), "f32");
  EmitElementwise(op, fmt::format("{}[(scalars.tokens - 1u) * {}u + {} + i]", name,
                                  WidthOf(x.buffer), x.column));
}

void RowOps::Emit(const RowOp& op, const graph::Softcap& work) {
  EmitElementwise(op, SoftcapText(Read(op.inputs[0], "i"), work.cap));
}

template <typename Other>
void RowOps::Emit(const RowOp& op, const Other&) {
  throw Error("WebGPU has no kernel for what makes '{}'", RoleOf(op.output.buffer));
}

void RowOps::EmitElementwise(const RowOp& op, const std::string& value) {
  text_ += Fill("elementwise.wgsl", {{"name", RoleOf(op.output.buffer)},
                                     {"width", Text(op.output.width)},
                                     {"threads", Text(kRowThreads)},
                                     {"value", value},
                                     {"y", Make(op.output, "i")}});
}

void RowOps::WriteOut(BufferId buffer) {
  const Operand whole{buffer, 0, WidthOf(buffer)};
  const std::string value = Read(whole, "i");
  // Another workgroup of a kernel in which all make the row may still read the old one.
  const Reference target = buffers_.Write(buffer, ReadsFromStorage(buffer));
  const std::string name = kernel_.Bind(RoleOf(buffer) + "_out", target, "f32", Access::kWrite);
  text_ += Fill("write_row.wgsl", {{"name", RoleOf(buffer)},
                                   {"width", Text(whole.width)},
                                   {"threads", Text(kRowThreads)},
                                   {"target", name},
                                   {"value", value}});
}

// First fit among the rows that lie there.
void RowOps::Allocate(BufferId buffer) {
  const int64_t width = WidthOf(buffer);
  std::vector<std::pair<int64_t, int64_t>> taken;
  for (const auto& [other, offset] : local_) taken.emplace_back(offset, offset + WidthOf(other));
  std::ranges::sort(taken);
  int64_t offset = 0;
  for (const auto& [begin, end] : taken) {
    if (offset + width <= begin) break;
    offset = std::max(offset, end);
  }
  local_[buffer] = offset;
  local_size_ = std::max(local_size_, offset + width);
}

}  // namespace carat::compiler::webgpu
