// A model -> model.safetensors, with Hugging Face's names.

#ifndef CARAT_MODEL_EXPORT_SAFETENSORS_H_
#define CARAT_MODEL_EXPORT_SAFETENSORS_H_

#include <filesystem>
#include <string_view>

#include "carat/base/progress.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::model {

// `quantization` is q0f32, q0f16 or q0bf16; empty: as they are stored, and q0f32 for weights that
// are quantized, which are written as the values they stand for. Returns what was written. `file`
// is there in the end or, if anything goes wrong, as it was before.
quantization::QuantizationScheme ExportSafetensors(const ModelSource& source,
                                                   std::string_view quantization,
                                                   const std::filesystem::path& file,
                                                   const ProgressCallback& progress = {});

}  // namespace carat::model

#endif  // CARAT_MODEL_EXPORT_SAFETENSORS_H_
