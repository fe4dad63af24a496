#include "carat/compiler/codegen/cpu/emit_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "carat/base/error.h"
#include "carat/compiler/codegen/cpu/names.h"

namespace carat::compiler {
namespace {

class StageEmitter {
 public:
  StageEmitter(const CpuCode& code, const Dimensions& dimensions, const Stage& stage)
      : code_(code), dimensions_(dimensions), stage_(stage) {}

  std::string Emit() {
    if (stage_.barrier_before == Barrier::kAlways) Line("step.Sync();");
    if (stage_.barrier_before == Barrier::kUnlessReplicated) Line("step.SyncRows();");
    std::visit([&](const auto& work) { EmitWork(work); }, stage_.work);
    return std::move(text_);
  }

 private:
  // --- Stages ---

  void EmitWork(const RowLoop& loop) {
    const std::string_view rows = NumRows(loop.rows);
    rows_ = rows;
    if (loop.replicated) {
      Line("ForEachRow(step.team, {}, [&](int64_t i) {{", rows);
    } else {
      Line("step.ForOwnedRows({}, [&](int64_t i) {{", rows);
    }
    indent_ += 2;
    for (const RowOp& op : loop.ops) {
      std::visit([&](const auto& work) { EmitRowOp(op, work); }, op.work);
    }
    indent_ -= 2;
    Line("}});");
  }

  void EmitWork(const MatMul& matmul) {
    const graph::Weight& weight = code_.program.weights[matmul.linear.weight];
    const bool gelu_mul = matmul.linear.epilogue == graph::Epilogue::kGeluMul;
    const Buffer& x = BufferOf(matmul.x);
    const std::string input =
        x.type.element == graph::ElementType::kI8Blocks
            ? fmt::format("QuantizedRows{{b.{}.data()}}", x.name)
            : fmt::format("FloatRows{{{}, b.{}.stride()}}", Base(matmul.x), x.name);
    Line("MatMul<S, {}, {}, {}>(", FormatTag(weight.format), Width(matmul.y), Width(matmul.x));
    Line("    step.team, {}, {}, {},", Matrix(matmul.linear.weight), input, NumRows(matmul.rows));
    Line("    {}{{{}, b.{}.stride()}});", gelu_mul ? "GeluMulStore" : "Store", Base(matmul.y),
         BufferOf(matmul.y).name);
  }

  void EmitWork(const Attend& attend) {
    Line("Attention<S, KvElement, kAttention>(");
    Line("    step.team, step.in.sequences, {}, {},", KvOf(attend.attention),
         attend.attention.sliding_window > 0 ? "kSlidingAttention" : "kFullAttention");
    Line("    {}, b.{}.stride(), {}, b.{}.stride(), b.attention_scratch);", Base(attend.q),
         BufferOf(attend.q).name, Base(attend.out), BufferOf(attend.out).name);
  }

  // --- Row operations ---

  void EmitRowOp(const RowOp& op, const ComputeAngles& work) {
    const std::vector<graph::RopeAngles> bases = RopeBases(code_.program);
    const auto index = std::ranges::find(bases, work.angles) - bases.begin();
    Line("RopeAngles<kHeadDim>(kRope{}, step.Position(i), {});", index, Row(op.output));
  }

  void EmitRowOp(const RowOp& op, const graph::Embed& work) {
    const graph::Weight& table = code_.program.weights[work.table];
    Line("EmbedRow<S, {}, kVocabSize, {}>({}, step.in.tokens[i], {}, {});", FormatTag(table.format),
         Width(op.output), Matrix(work.table), FloatText(work.scale), Row(op.output));
  }

  void EmitRowOp(const RowOp& op, const graph::RmsNorm& work) {
    const std::string offset = work.weight_offset == 0 ? "" : ", " + FloatText(work.weight_offset);
    const std::string arguments =
        fmt::format("({}, {}, {}, {}{})", Row(op.inputs[0]), Vector(work.weight),
                    FloatText(work.eps), Row(op.output), offset);
    if (work.groups == 1) {
      Line("RmsNorm<S, {}>{};", Width(op.output), arguments);
    } else {
      Line("RmsNormHeads<S, {}, {}>{};", work.groups,
           dimensions_.GroupWidth(op.output, work.groups), arguments);
    }
  }

  void EmitRowOp(const RowOp& op, const graph::Rope& work) {
    if (op.inputs[0] != op.output) {
      Line("Copy<{}>({}, {});", Width(op.output), Row(op.inputs[0]), Row(op.output));
    }
    Line("Rope<S, {}, kHeadDim>({}, {});", work.num_heads, Row(op.output), Row(op.inputs[1]));
  }

  void EmitRowOp(const RowOp& op, const StoreKv& work) {
    Line("if (step.Owns(i, {})) {{", rows_);
    Line("  StoreKv<S, KvElement, kNumKvHeads, kHeadDim>({}, step.in.sequences, i,",
         KvOf(work.attention));
    Line("      {}, {});", Row(op.inputs[0]), Row(op.inputs[1]));
    Line("}}");
  }

  void EmitRowOp(const RowOp& op, const graph::Add&) { EmitBinary("Add", op); }
  void EmitRowOp(const RowOp& op, const graph::Mul&) { EmitBinary("Mul", op); }

  void EmitRowOp(const RowOp& op, const graph::GeluTanh&) {
    Line("GeluTanhRow<S, {}>({}, {});", Width(op.output), Row(op.inputs[0]), Row(op.output));
  }

  void EmitRowOp(const RowOp& op, const graph::Softcap& work) {
    Line("Softcap<S, {}>({}, {}, {});", Width(op.output), Row(op.inputs[0]), FloatText(work.cap),
         Row(op.output));
  }

  void EmitRowOp(const RowOp& op, const graph::SelectRows&) {
    const Operand& x = op.inputs[0];
    Line("Copy<{}>(b.{}[step.in.output_rows[i]]{}, {});", Width(op.output), BufferOf(x).name,
         Column(x), Row(op.output));
  }

  void EmitRowOp(const RowOp& op, const graph::Quantize&) {
    Line("QuantizeRow<S>({}, {}, {});", Row(op.inputs[0]), Width(op.inputs[0]), Row(op.output));
  }

  void EmitBinary(std::string_view kernel, const RowOp& op) {
    Line("{}<S, {}>({}, {}, {});", kernel, Width(op.output), Row(op.inputs[0]), Row(op.inputs[1]),
         Row(op.output));
  }

  // --- Pieces of text ---

  const Buffer& BufferOf(const Operand& operand) const {
    return code_.program.buffers[operand.buffer];
  }
  static std::string Column(const Operand& operand) {
    return operand.column == 0 ? "" : fmt::format(" + {}", operand.column);
  }
  std::string Row(const Operand& operand) const {
    return fmt::format("b.{}[i]{}", BufferOf(operand).name, Column(operand));
  }
  std::string Base(const Operand& operand) const {
    return fmt::format("b.{}.data(){}", BufferOf(operand).name, Column(operand));
  }
  std::string Width(const Operand& operand) const { return dimensions_.Width(operand); }

  static std::string_view NumRows(graph::RowSpace rows) {
    return rows == graph::RowSpace::kTokens ? "step.num_tokens()" : "step.num_outputs()";
  }

  // Where a weight's offset stands in the generated code.
  std::string Offset(graph::WeightId id) const {
    const LayerName name = ParseLayerName(code_.program.weights[id].name);
    if (name.layer < 0) return ConstantName(name.field);
    if (stage_.layer < 0) return fmt::format("kLayers[{}].{}", name.layer, name.field);
    const int distance = name.layer - stage_.layer;
    if (distance == 0) return "w." + name.field;
    if (distance == 1) return "next." + name.field;
    throw Error("a stage of layer {} uses weight '{}'", stage_.layer,
                code_.program.weights[id].name);
  }
  std::string Matrix(graph::WeightId id) const {
    return fmt::format("step.Matrix({})", Offset(id));
  }
  std::string Vector(graph::WeightId id) const {
    return fmt::format("step.Vector({})", Offset(id));
  }

  std::string KvOf(const graph::Attention& attention) const {
    if (stage_.layer != attention.layer) {
      throw Error("the cache of layer {} is used in layer {}", attention.layer, stage_.layer);
    }
    return attention.sliding_window > 0 ? "SlidingKv(step, w.kv_index)"
                                        : "FullKv(step, w.kv_index)";
  }

  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += std::string(indent_, ' ');
    text_ += fmt::format(format, std::forward<Args>(args)...);
    text_ += "\n";
  }

  const CpuCode& code_;
  const Dimensions& dimensions_;
  const Stage& stage_;
  std::string text_;
  std::string rows_;
  int indent_ = 2;
};

}  // namespace

std::vector<graph::RopeAngles> RopeBases(const Program& program) {
  std::vector<graph::RopeAngles> bases;
  for (const Stage& stage : program.stages) {
    const auto* loop = std::get_if<RowLoop>(&stage.work);
    if (loop == nullptr) continue;
    for (const RowOp& op : loop->ops) {
      if (const auto* angles = std::get_if<ComputeAngles>(&op.work)) {
        bases.push_back(angles->angles);
      }
    }
  }
  return bases;
}

std::string EmitStage(const CpuCode& code, const Dimensions& dimensions, const Stage& stage) {
  return StageEmitter(code, dimensions, stage).Emit();
}

}  // namespace carat::compiler
