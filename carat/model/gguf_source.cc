#include "carat/model/gguf_source.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "carat/base/error.h"
#include "carat/checkpoint/gguf_config.h"
#include "carat/checkpoint/gguf_names.h"
#include "carat/checkpoint/gguf_tokenizer.h"
#include "carat/checkpoint/tensor_rows.h"

namespace carat::model {

GgufSource::GgufSource(const std::filesystem::path& file)
    : ModelSource(file),
      file_(file),
      gguf_(checkpoint::Gguf::Parse(file_.bytes(), file.filename().string())) {}

Json GgufSource::Config() const { return checkpoint::ConfigFromGguf(gguf_); }

std::optional<std::string> GgufSource::ReadFile(std::string_view name) const {
  if (name == "generation_config.json") return checkpoint::GenerationConfigFromGguf(gguf_).dump(2);
  if (!HasTokenizer()) return std::nullopt;
  if (name == "tokenizer.json") return checkpoint::TokenizerJsonFromGguf(gguf_);
  if (name == "tokenizer_config.json") return checkpoint::TokenizerConfigJsonFromGguf(gguf_);
  return std::nullopt;
}

checkpoint::Checkpoint GgufSource::OpenWeights(const ModelConfig& /*config*/,
                                               const ProgressCallback& /*progress*/) const {
  checkpoint::Checkpoint checkpoint(path(), ConfigFile());
  MappedFile file(path());
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() != file_.bytes().size()) {
    throw Error("{}: has changed while it was read", path().string());
  }
  const size_t file_index = checkpoint.AddFile(std::move(file));
  for (const checkpoint::GgufTensor& tensor : gguf_.tensors()) {
    const std::optional<std::string> name = checkpoint::HuggingFaceName(tensor.name);
    if (!name || tensor.bytes.empty()) continue;
    const auto offset = static_cast<size_t>(tensor.bytes.data() - file_.bytes().data());
    checkpoint.Add({.name = *name,
                    .dtype = checkpoint::FromGgml(tensor.type),
                    .shape = tensor.shape,
                    .bytes = bytes.subspan(offset, tensor.bytes.size()),
                    .file = file_index});
  }
  return checkpoint;
}

}  // namespace carat::model
