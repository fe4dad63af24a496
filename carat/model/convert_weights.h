// Hugging Face's weights -> the tensor cache that MLC's convert_weight writes: the same parameters
// in the same order, bit for bit, but for the norms. MLC adds their 1 in the checkpoint's type,
// which leaves bfloat16's 8 bits; here the sum is rounded once, to the model dtype.

#ifndef CARAT_MODEL_CONVERT_WEIGHTS_H_
#define CARAT_MODEL_CONVERT_WEIGHTS_H_

#include <cstdint>
#include <filesystem>

#include "carat/base/progress.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/model/config.h"
#include "carat/model/mlc_parameters.h"

namespace carat::model {

struct ConvertedWeights {
  int64_t num_bytes = 0;       // of all parameters; float32 counts as 4 although 2 are stored
  int64_t num_parameters = 0;  // in the checkpoint
};

// Writes into `folder`, which exists; see WriteTensorCache for what an early end leaves. `config`
// has the checkpoint's names (ResolveWeightNames). Everything that can be wrong with the shapes is
// found before anything is written.
ConvertedWeights ConvertWeights(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config,
                                const MlcQuantization& quantization,
                                const std::filesystem::path& folder,
                                const ProgressCallback& progress = {});

}  // namespace carat::model

#endif  // CARAT_MODEL_CONVERT_WEIGHTS_H_
