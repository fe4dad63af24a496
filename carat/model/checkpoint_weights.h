// Weights for the reference interpreter, out of a checkpoint.

#ifndef CARAT_MODEL_CHECKPOINT_WEIGHTS_H_
#define CARAT_MODEL_CHECKPOINT_WEIGHTS_H_

#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/quantization/scheme.h"

namespace carat::model {

// The checkpoint's tensors in f32. `checkpoint` must outlive the source.
graph::WeightSource CheckpointWeights(const checkpoint::Checkpoint& checkpoint);

// With every matrix quantized as the scheme says and back, so that the reference computes with
// exactly the weights that a compiled library has; vectors stay as they are, as they do there.
graph::WeightSource CheckpointWeights(const checkpoint::Checkpoint& checkpoint,
                                      const quantization::QuantizationScheme& scheme);

}  // namespace carat::model

#endif  // CARAT_MODEL_CHECKPOINT_WEIGHTS_H_
