// What a stage reads and writes: the one place that knows, for every analysis of a Program.

#ifndef CARAT_COMPILER_PROGRAM_WALK_H_
#define CARAT_COMPILER_PROGRAM_WALK_H_

#include <functional>

#include "carat/compiler/program/program.h"

namespace carat::compiler {

struct Access {
  Operand* operand;
  bool is_write;
  int op;  // index in a RowLoop, 0 elsewhere
};

// Calls visit for every operand of the stage, an operation's inputs before its output.
inline void ForEachAccess(Stage& stage, const std::function<void(const Access&)>& visit) {
  if (auto* loop = std::get_if<RowLoop>(&stage.work)) {
    for (int i = 0; i < static_cast<int>(loop->ops.size()); ++i) {
      RowOp& op = loop->ops[i];
      for (Operand& input : op.inputs) visit({&input, false, i});
      if (op.output.buffer >= 0) visit({&op.output, true, i});
    }
  } else if (auto* matmul = std::get_if<MatMul>(&stage.work)) {
    visit({&matmul->x, false, 0});
    visit({&matmul->y, true, 0});
  } else if (auto* attend = std::get_if<Attend>(&stage.work)) {
    visit({&attend->q, false, 0});
    visit({&attend->out, true, 0});
  }
}

inline graph::RowSpace RowsOf(const Stage& stage) {
  if (const auto* loop = std::get_if<RowLoop>(&stage.work)) return loop->rows;
  if (const auto* matmul = std::get_if<MatMul>(&stage.work)) return matmul->rows;
  return graph::RowSpace::kTokens;
}

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_PROGRAM_WALK_H_
