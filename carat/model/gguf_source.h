#ifndef CARAT_MODEL_GGUF_SOURCE_H_
#define CARAT_MODEL_GGUF_SOURCE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/file.h"
#include "carat/checkpoint/gguf.h"
#include "carat/model/model_source.h"

namespace carat::model {

// A GGUF file, which holds everything.
class GgufSource : public ModelSource {
 public:
  explicit GgufSource(const std::filesystem::path& file);

  std::string_view Description() const override { return "GGUF file"; }
  bool IsQuantized() const override { return true; }
  std::string ConfigFile() const override { return gguf_.where(); }
  Json Config() const override;
  std::optional<std::string> ReadFile(std::string_view name) const override;
  bool HasTokenizer() const override { return gguf_.Has("tokenizer.ggml.tokens"); }

 private:
  float NormOffset() const override { return 0; }
  checkpoint::Checkpoint OpenWeights(const ModelConfig& config,
                                     const ProgressCallback& progress) const override;

  MappedFile file_;
  checkpoint::Gguf gguf_;
};

}  // namespace carat::model

#endif  // CARAT_MODEL_GGUF_SOURCE_H_
