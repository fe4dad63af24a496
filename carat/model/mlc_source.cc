#include "carat/model/mlc_source.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/checkpoint/tensor_cache.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/model/mlc_parameters.h"

namespace carat::model {
namespace {

using checkpoint::DType;
using checkpoint::ShapeText;
using checkpoint::TensorCache;
using checkpoint::TensorInfo;
using checkpoint::TensorSpec;

// What MLC stores float32 as is bfloat16.
bool IsStoredAs(DType stored, DType expected) {
  return stored == expected || (stored == DType::kBF16 && expected == DType::kF32);
}

const TensorInfo& RequireParameter(const TensorCache& cache, const TensorSpec& expected) {
  const TensorInfo* tensor = cache.Find(expected.name);
  if (tensor == nullptr) {
    throw Error(
        "{}: tensor '{}' is missing; the folder is incomplete, or {} belongs to another model",
        cache.index_name(), expected.name, kMlcChatConfigFile);
  }
  if (tensor->shape != expected.shape || !IsStoredAs(tensor->dtype, expected.dtype)) {
    throw Error("{}: tensor '{}' is {} {}, but {} gives {} {}; the two do not belong together",
                cache.index_name(), expected.name, Name(tensor->dtype), ShapeText(tensor->shape),
                kMlcChatConfigFile, Name(expected.dtype), ShapeText(expected.shape));
  }
  return *tensor;
}

DType GroupQuantizedDType(const TensorInfo& scales) {
  if (scales.dtype == DType::kF16) return DType::kQ4F16_1;
  return scales.dtype == DType::kBF16 ? DType::kQ4BF16_1 : DType::kQ4F32_1;
}

// The tensors of Hugging Face that MLC's parameter is made of, as views of its rows.
class TensorViews {
 public:
  TensorViews(const TensorCache& cache, const MlcQuantization& quantization)
      : cache_(cache), quantization_(quantization) {}

  std::vector<TensorInfo> Of(const MlcWeight& weight) const {
    const std::vector<TensorSpec> parameters = MlcParameters(weight, quantization_);
    const TensorInfo& values = RequireParameter(cache_, parameters[0]);
    const TensorInfo* scales =
        parameters.size() > 1 ? &RequireParameter(cache_, parameters[1]) : nullptr;
    std::vector<TensorInfo> views;
    int64_t first_row = 0;
    for (const graph::SourceTensor& part : weight.parts) {
      TensorInfo& view = views.emplace_back();
      view.name = part.name;
      view.shape = part.is_vector ? std::vector{part.cols} : std::vector{part.rows, part.cols};
      view.dtype = scales ? GroupQuantizedDType(*scales) : values.dtype;
      view.bytes = Rows(values, first_row, part.rows);
      view.file = values.file;
      if (scales != nullptr) {
        view.scales = Rows(*scales, first_row, part.rows);
        view.scales_file = scales->file;
      }
      first_row += part.rows;
    }
    return views;
  }

 private:
  static std::span<const std::byte> Rows(const TensorInfo& tensor, int64_t first_row,
                                         int64_t num_rows) {
    const size_t row_bytes = tensor.bytes.size() / static_cast<size_t>(tensor.rows());
    return tensor.bytes.subspan(static_cast<size_t>(first_row) * row_bytes,
                                static_cast<size_t>(num_rows) * row_bytes);
  }

  const TensorCache& cache_;
  const MlcQuantization& quantization_;
};

// MLC keeps how to sample in mlc-chat-config.json; it has no top_k.
Json GenerationConfig(const Json& chat_config) {
  Json config = {{"do_sample", true}, {"top_k", 0}};
  for (const char* name : {"temperature", "top_p", "repetition_penalty", "bos_token_id",
                           "eos_token_id", "pad_token_id"}) {
    if (chat_config.contains(name)) config[name] = chat_config[name];
  }
  return config;
}

}  // namespace

MlcSource::MlcSource(const std::filesystem::path& folder)
    : ModelSource(folder), chat_config_(ParseJsonFile(folder / kMlcChatConfigFile)) {}

std::string MlcSource::NamedQuantization() const {
  return JsonObject(chat_config_, ConfigFile()).String("quantization");
}

std::string MlcSource::ConfigFile() const { return std::string(kMlcChatConfigFile); }

Json MlcSource::Config() const { return HuggingFaceConfig(chat_config_, kMlcChatConfigFile); }

std::optional<int64_t> MlcSource::ContextWindowSize() const {
  // -1 is MLC's for none.
  const auto size = JsonObject(chat_config_, ConfigFile()).OptionalInt("context_window_size");
  return size.value_or(-1) > 0 ? size : std::nullopt;
}

std::optional<std::string> MlcSource::ReadFile(std::string_view name) const {
  if (name == "generation_config.json") return GenerationConfig(chat_config_).dump(2);
  if (!checkpoint::Has(path(), name)) return std::nullopt;
  return ReadTextFile(path() / name, kMaxModelFileBytes);
}

checkpoint::Checkpoint MlcSource::OpenWeights(const ModelConfig& config,
                                              const ProgressCallback& progress) const {
  const MlcQuantization& quantization = FindMlcQuantization(NamedQuantization());
  TensorCache cache = TensorCache::Open(path());
  const TensorViews views(cache, quantization);
  checkpoint::Checkpoint checkpoint(path(), ConfigFile());
  for (const MlcWeight& weight : MlcWeights(config)) {
    for (TensorInfo& tensor : views.Of(weight)) checkpoint.Add(std::move(tensor));
  }
  cache.CheckMd5(progress);
  for (MappedFile& file : std::move(cache).TakeFiles()) checkpoint.AddFile(std::move(file));
  return checkpoint;
}

}  // namespace carat::model
