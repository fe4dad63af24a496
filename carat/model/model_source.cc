#include "carat/model/model_source.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/checkpoint/folder.h"
#include "carat/checkpoint/tensor_rows.h"
#include "carat/model/gguf_source.h"
#include "carat/model/hugging_face_source.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/model/mlc_parameters.h"
#include "carat/model/mlc_source.h"
#include "carat/quantization/scheme.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;

using quantization::WeightFormat;

constexpr std::string_view kGgufEnding = ".gguf";
constexpr std::string_view kHuggingFaceConfigFile = "config.json";

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

std::unique_ptr<ModelSource> OpenFile(const fs::path& path) {
  if (path.extension() == kGgufEnding) return std::make_unique<GgufSource>(path);
  if (path.filename() == kMlcChatConfigFile) return std::make_unique<MlcSource>(FolderOf(path));
  if (path.filename() == kHuggingFaceConfigFile) {
    return std::make_unique<HuggingFaceSource>(FolderOf(path));
  }
  throw Error("{}: not a model; give {}", path.string(), kModelSources);
}

// The GGUF files of a folder, without those that hold a vision tower ("mmproj-...gguf").
std::vector<fs::path> GgufFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == kGgufEnding && !name.starts_with("mmproj")) {
      files.push_back(entry.path());
    }
  }
  return files;
}

std::unique_ptr<ModelSource> OpenFolder(const fs::path& path) {
  if (checkpoint::Has(path, kHuggingFaceConfigFile)) {
    return std::make_unique<HuggingFaceSource>(path);
  }
  if (checkpoint::Has(path, kMlcChatConfigFile)) return std::make_unique<MlcSource>(path);
  if (const fs::path web = path / kWebModelFolder; checkpoint::Has(web, kMlcChatConfigFile)) {
    return std::make_unique<MlcSource>(web);
  }
  const std::vector<fs::path> files = GgufFiles(path);
  if (files.size() == 1) return std::make_unique<GgufSource>(files.front());
  if (files.size() > 1) {
    throw Error("{}: has {} GGUF files; give the path of one", path.string(), files.size());
  }
  throw Error("{}: holds no model, neither a {} nor a {} nor a GGUF file; give {}", path.string(),
              kHuggingFaceConfigFile, kMlcChatConfigFile, kModelSources);
}

// What Carat keeps a tensor as that it cannot keep as it is.
WeightFormat Kept(checkpoint::DType dtype) {
  if (const auto stored = checkpoint::StoredFormat(dtype)) return *stored;
  return dtype == checkpoint::DType::kQ4F32_1 ? WeightFormat::kF32 : WeightFormat::kQ8_0;
}

}  // namespace

std::unique_ptr<ModelSource> ModelSource::Open(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return OpenFile(path);
  checkpoint::CheckIsFolder(path, kModelSources);
  return OpenFolder(path);
}

bool ModelSource::IsModelFile(const fs::path& file) {
  return file.extension() == kGgufEnding || file.filename() == kMlcChatConfigFile ||
         file.filename() == kHuggingFaceConfigFile;
}

bool ModelSource::HoldsWeights(const fs::path& folder) {
  for (const std::string_view name :
       {"model.safetensors", "model.safetensors.index.json", "tensor-cache.json"}) {
    if (checkpoint::Has(folder, name)) return true;
  }
  return GgufFiles(folder).size() == 1;
}

std::string ModelSource::Name() const {
  std::error_code error;
  fs::path path = fs::weakly_canonical(path_, error);
  if (error) path = path_;
  if (!path.has_filename()) path = path.parent_path();  // "models/demo/" has a name too
  if (path.filename() == "main" && path.parent_path().filename() == "resolve") {
    path = path.parent_path().parent_path();
  }
  return path.extension() == kGgufEnding ? path.stem().string() : path.filename().string();
}

ModelConfig ModelSource::ParseConfig(const Json& config) const {
  ModelConfig parsed = ParseModelConfig(config, ConfigFile());
  parsed.norm_offset = NormOffset();
  return parsed;
}

ModelConfig ModelSource::LoadConfig() const { return ParseConfig(Config()); }

checkpoint::Checkpoint ModelSource::OpenCheckpoint(ModelConfig& config,
                                                   const ProgressCallback& progress) const {
  checkpoint::Checkpoint checkpoint = OpenWeights(config, progress);
  ResolveWeightNames(checkpoint, config);
  return checkpoint;
}

GenerationDefaults ModelSource::ReadGenerationDefaults(const ModelConfig& config) const {
  const std::optional<std::string> text = ReadFile("generation_config.json");
  const std::string file = GenerationConfigFile();
  return ParseGenerationDefaults(text ? ParseJson(*text, file) : Json::object(), file, config);
}

std::string StoredScheme(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config) {
  const std::string embedding_name = fmt::format("{}embed_tokens.weight", config.weight_prefix);
  std::optional<WeightFormat> embedding;
  std::map<WeightFormat, int64_t> matrices;  // and how many values they have
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (tensor.shape.size() != 2 || !name.starts_with(config.weight_prefix)) continue;
    if (name == embedding_name) {
      embedding = Kept(tensor.dtype);
    } else {
      matrices[Kept(tensor.dtype)] += tensor.rows() * tensor.cols();
    }
  }
  if (!embedding || matrices.empty()) {
    throw Error("{}: holds no weights of a Gemma 3", checkpoint.path().string());
  }
  // Mixed layouts (llama.cpp's Q4_K_M) keep their more precise matrices.
  WeightFormat matrix = matrices.begin()->first;
  for (const auto& [format, num_values] : matrices) {
    if (quantization::RowBytes(format, 32) > quantization::RowBytes(matrix, 32)) matrix = format;
  }
  return quantization::MixedSchemeName(quantization::SchemeName(matrix),
                                       quantization::SchemeName(*embedding));
}

}  // namespace carat::model
