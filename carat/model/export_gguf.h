// A model -> a GGUF file that llama.cpp runs, with the keys and names its converter writes.

#ifndef CARAT_MODEL_EXPORT_GGUF_H_
#define CARAT_MODEL_EXPORT_GGUF_H_

#include <filesystem>
#include <string_view>

#include "carat/base/progress.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::model {

// The quantizations are FindScheme's, of matrices and of the embedding; empty: as they are stored
// (StoredScheme). Matrices that are stored in these formats keep their bits; norms are f32. Returns
// what was written. Throws Error for a model that GGUF cannot say, and for one without a tokenizer,
// which llama.cpp does not load. `file` is there in the end or, if anything goes wrong, as it was
// before.
quantization::QuantizationScheme ExportGguf(const ModelSource& source,
                                            std::string_view quantization,
                                            std::string_view embedding_quantization,
                                            const std::filesystem::path& file,
                                            const ProgressCallback& progress = {});

}  // namespace carat::model

#endif  // CARAT_MODEL_EXPORT_GGUF_H_
