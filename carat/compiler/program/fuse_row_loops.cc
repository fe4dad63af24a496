// Neighbouring loops over the same rows become one, so that a row stays in the first-level cache
// from one operation to the next:
//
//   RowLoop  x <- rms_norm h                    RowLoop  x <- rms_norm h
//   RowLoop  x_q8 <- quantize x         ->               x_q8 <- quantize x
//
// No operation reads a row other than its own that the same loop makes: SelectRows, the one that
// gathers rows, reads them from [n] and stands in loops over [r].

#include <utility>

#include "carat/compiler/program/program.h"

namespace carat::compiler {

void FuseRowLoops(Program& program) {
  std::vector<Stage> fused;
  for (Stage& stage : program.stages) {
    auto* loop = std::get_if<RowLoop>(&stage.work);
    auto* previous = fused.empty() ? nullptr : std::get_if<RowLoop>(&fused.back().work);
    if (loop != nullptr && previous != nullptr && loop->rows == previous->rows) {
      previous->ops.insert(previous->ops.end(), loop->ops.begin(), loop->ops.end());
    } else {
      fused.push_back(std::move(stage));
    }
  }
  program.stages = std::move(fused);
}

}  // namespace carat::compiler
