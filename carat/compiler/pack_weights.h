// Writes a Program's weights as the kernels read them: quantized, in tiles of 16 rows.

#ifndef CARAT_COMPILER_PACK_WEIGHTS_H_
#define CARAT_COMPILER_PACK_WEIGHTS_H_

#include <span>
#include <vector>

#include "carat/base/progress.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/weight.h"
#include "carat/library/metadata.h"
#include "carat/library/weights_file.h"

namespace carat::compiler {

// Bytes of a packed weight, without the padding that follows it in weights.bin.
int64_t PackedBytes(const graph::Weight& weight);

// Where each weight will lie in weights.bin, in order: what generated code needs before they are
// packed.
std::vector<library::PackedWeight> PlanWeights(std::span<const graph::Weight> weights);

// Appends them in that order. Reads the checkpoint at most 1024 rows at a time on all cores, so
// memory stays far below its size; interruptible. Throws Error naming a tensor that is missing,
// misshapen, or holds values its format cannot.
void PackWeights(const checkpoint::Checkpoint& checkpoint,
                 std::span<const library::PackedWeight> plan, library::WeightsWriter& writer,
                 const ProgressCallback& progress);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_PACK_WEIGHTS_H_
