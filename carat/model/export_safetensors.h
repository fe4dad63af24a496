// A model -> model.safetensors, with Hugging Face's names.

#ifndef CARAT_MODEL_EXPORT_SAFETENSORS_H_
#define CARAT_MODEL_EXPORT_SAFETENSORS_H_

#include <filesystem>

#include "carat/base/progress.h"
#include "carat/model/model_source.h"
#include "carat/quantization/weight_format.h"

namespace carat::model {

// `format` is kF32, kF16 or kBF16; quantized weights are written as the values they stand for.
// `file` is there in the end or, if anything goes wrong, as it was before.
void ExportSafetensors(const ModelSource& source, quantization::WeightFormat format,
                       const std::filesystem::path& file, const ProgressCallback& progress = {});

}  // namespace carat::model

#endif  // CARAT_MODEL_EXPORT_SAFETENSORS_H_
