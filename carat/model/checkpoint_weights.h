// Weights for the reference interpreter, out of a checkpoint.

#ifndef CARAT_MODEL_CHECKPOINT_WEIGHTS_H_
#define CARAT_MODEL_CHECKPOINT_WEIGHTS_H_

#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/quantization/weight_format.h"

namespace carat::model {

// The checkpoint's tensors in f32. With another `matrix_format` every matrix is quantized to it and
// back, so that the reference computes with exactly the weights that a compiled library has;
// vectors stay as they are, as they do there. `checkpoint` must outlive the source.
graph::WeightSource CheckpointWeights(
    const checkpoint::Checkpoint& checkpoint,
    quantization::WeightFormat matrix_format = quantization::WeightFormat::kF32);

}  // namespace carat::model

#endif  // CARAT_MODEL_CHECKPOINT_WEIGHTS_H_
