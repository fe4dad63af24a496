// What the widths of values are called in generated code. A width is kHiddenSize because it is the
// hidden state's, not because it is the same number: in many models num_heads * head_dim is too.

#ifndef CARAT_COMPILER_CODEGEN_CPU_DIMENSIONS_H_
#define CARAT_COMPILER_CODEGEN_CPU_DIMENSIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "carat/compiler/program/program.h"
#include "carat/model/config.h"

namespace carat::compiler {

class Dimensions {
 public:
  // Roles begin where they are certain (the embedding, attention, the gated activation, the logits)
  // and spread through operations that keep the width.
  Dimensions(const Program& program, const model::ModelConfig& config);

  // "kNumHeads * kHeadDim" where the operand's role is known, "1536" elsewhere.
  std::string Width(const Operand& operand) const;

  // The width of each of `groups` equal parts: "kHeadDim" where they are heads.
  std::string GroupWidth(const Operand& operand, int64_t groups) const;

 private:
  using Key = std::tuple<BufferId, int64_t, int64_t>;  // an Operand

  void Learn(const Program& program, const Stage& stage);
  void Learn(const RowOp& op);
  void Learn(const Operand& operand, std::string_view name, int64_t width);
  bool Spread(const RowOp& op);
  bool Unite(const Operand& a, const Operand& b);

  const model::ModelConfig& config_;
  std::map<Key, std::string_view> names_;
};

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_CPU_DIMENSIONS_H_
