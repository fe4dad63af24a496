#ifndef CARAT_MODEL_HUGGING_FACE_SOURCE_H_
#define CARAT_MODEL_HUGGING_FACE_SOURCE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "carat/checkpoint/folder.h"
#include "carat/model/model_source.h"

namespace carat::model {

// A Hugging Face folder: config.json, model.safetensors, tokenizer.json and others.
class HuggingFaceSource : public ModelSource {
 public:
  explicit HuggingFaceSource(std::filesystem::path folder) : ModelSource(std::move(folder)) {}

  std::string_view Description() const override { return "Hugging Face folder"; }
  bool IsQuantized() const override { return false; }
  std::string ConfigFile() const override { return "config.json"; }
  Json Config() const override;
  std::optional<std::string> ReadFile(std::string_view name) const override;
  std::string GenerationConfigFile() const override { return "generation_config.json"; }
  bool HasTokenizer() const override { return checkpoint::Has(path(), "tokenizer.json"); }

 private:
  float NormOffset() const override { return 1; }
  checkpoint::Checkpoint OpenWeights(const ModelConfig& config,
                                     const ProgressCallback& progress) const override;
};

}  // namespace carat::model

#endif  // CARAT_MODEL_HUGGING_FACE_SOURCE_H_
