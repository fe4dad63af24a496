#include "carat/model/hugging_face_source.h"

#include <nlohmann/json.hpp>

#include "carat/base/file.h"

namespace carat::model {

Json HuggingFaceSource::Config() const { return ParseJsonFile(path() / "config.json"); }

std::optional<std::string> HuggingFaceSource::ReadFile(std::string_view name) const {
  if (!checkpoint::Has(path(), name)) return std::nullopt;
  return ReadTextFile(path() / name, kMaxModelFileBytes);
}

checkpoint::Checkpoint HuggingFaceSource::OpenWeights(const ModelConfig& /*config*/,
                                                      const ProgressCallback& /*progress*/) const {
  return checkpoint::Checkpoint::Open(path());
}

}  // namespace carat::model
