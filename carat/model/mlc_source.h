#ifndef CARAT_MODEL_MLC_SOURCE_H_
#define CARAT_MODEL_MLC_SOURCE_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/json.h"
#include "carat/checkpoint/folder.h"
#include "carat/model/model_source.h"

namespace carat::model {

// A folder that MLC's gen_config and convert_weight wrote: mlc-chat-config.json, tensor-cache.json
// with its shards, and the tokenizer's files.
class MlcSource : public ModelSource {
 public:
  explicit MlcSource(const std::filesystem::path& folder);

  std::string_view Description() const override { return "MLC-LLM folder"; }
  bool IsQuantized() const override { return true; }
  std::string NamedQuantization() const override;
  std::string ConfigFile() const override;
  Json Config() const override;
  std::optional<int64_t> ContextWindowSize() const override;
  std::optional<std::string> ReadFile(std::string_view name) const override;
  bool HasTokenizer() const override { return checkpoint::Has(path(), "tokenizer.json"); }

 private:
  float NormOffset() const override { return 0; }
  checkpoint::Checkpoint OpenWeights(const ModelConfig& config,
                                     const ProgressCallback& progress) const override;

  Json chat_config_;
};

}  // namespace carat::model

#endif  // CARAT_MODEL_MLC_SOURCE_H_
