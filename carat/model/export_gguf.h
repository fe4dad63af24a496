// A model -> a GGUF file that llama.cpp runs, with the keys and names its converter writes.

#ifndef CARAT_MODEL_EXPORT_GGUF_H_
#define CARAT_MODEL_EXPORT_GGUF_H_

#include <filesystem>

#include "carat/base/progress.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::model {

// Matrices that are stored in the scheme's formats keep their bits; norms are f32. Throws Error for
// a model that GGUF cannot say, and for one without a tokenizer, which llama.cpp does not load.
// `file` is there in the end or, if anything goes wrong, as it was before.
void ExportGguf(const ModelSource& source, const quantization::QuantizationScheme& scheme,
                const std::filesystem::path& file, const ProgressCallback& progress = {});

}  // namespace carat::model

#endif  // CARAT_MODEL_EXPORT_GGUF_H_
