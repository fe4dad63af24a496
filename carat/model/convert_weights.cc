#include "carat/model/convert_weights.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/numeric.h"
#include "carat/checkpoint/tensor_cache_writer.h"
#include "carat/quantization/weight_format.h"

namespace carat::model {
namespace {

using checkpoint::Checkpoint;
using checkpoint::TensorInfo;
using checkpoint::TensorSink;
using quantization::ModelDType;

constexpr int64_t kChunkElements = int64_t{1} << 18;

// MLC goes through the checkpoint file by file and name by name, and writes a weight when it meets
// the first of its tensors.
std::vector<MlcWeight> InLoadingOrder(const Checkpoint& checkpoint,
                                      const std::vector<MlcWeight>& weights) {
  std::map<std::string, const MlcWeight*> weight_of;
  for (const MlcWeight& weight : weights) {
    for (const graph::SourceTensor& part : weight.parts) weight_of[part.name] = &weight;
  }
  std::vector<size_t> files;  // in the order of their first names
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (std::ranges::find(files, tensor.file) == files.end()) files.push_back(tensor.file);
  }
  std::vector<MlcWeight> ordered;
  std::set<const MlcWeight*> seen;
  for (const size_t file : files) {
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      const auto found = weight_of.find(name);
      if (tensor.file != file || found == weight_of.end()) continue;
      if (seen.insert(found->second).second) ordered.push_back(*found->second);
    }
  }
  return ordered;
}

void CheckShapes(const Checkpoint& checkpoint, const std::vector<MlcWeight>& weights) {
  for (const MlcWeight& weight : weights) {
    for (const graph::SourceTensor& part : weight.parts) {
      checkpoint.Require(part.name, part.rows, part.cols);
    }
  }
}

// Produces the elements of the parameters of one checkpoint.
class Converter {
 public:
  Converter(const Checkpoint& checkpoint, const MlcQuantization& quantization)
      : checkpoint_(checkpoint),
        dtype_(quantization.model_dtype),
        must_fit_f16_(dtype_ == ModelDType::kF16) {}

  void WriteValues(const MlcWeight& weight, const TensorSink& sink) const {
    ForEachChunk(weight, [&](std::span<const float> values) {
      if (dtype_ == ModelDType::kF32) return sink(std::as_bytes(values));
      std::vector<uint16_t> rounded(values.size());
      std::ranges::transform(values, rounded.begin(), FloatToF16);
      sink(std::as_bytes(std::span(rounded)));
    });
  }

  // The scales come out of the same pass as the words, and are kept until they are asked for.
  void WriteWords(const MlcWeight& weight, const TensorSink& sink) {
    std::vector<std::byte>& scales = scales_[weight.name];
    const auto cols = static_cast<size_t>(weight.cols());
    const auto row_words = static_cast<size_t>(quantization::NumWords(weight.cols()));
    const size_t row_scale_bytes = static_cast<size_t>(quantization::NumGroups(weight.cols())) *
                                   quantization::ElementBytes(dtype_);
    ForEachChunk(weight, [&](std::span<const float> values) {
      const size_t rows = values.size() / cols;
      std::vector<uint32_t> words(rows * row_words);
      const size_t scales_before = scales.size();
      scales.resize(scales_before + rows * row_scale_bytes);
      const auto chunk_scales = std::span(scales).subspan(scales_before);
      for (size_t row = 0; row < rows; ++row) {
        quantization::GroupQuantizeRow(
            dtype_, values.subspan(row * cols, cols),
            std::span(words).subspan(row * row_words, row_words),
            chunk_scales.subspan(row * row_scale_bytes, row_scale_bytes));
      }
      sink(std::as_bytes(std::span(words)));
    });
  }

  void WriteScales(const MlcWeight& weight, const TensorSink& sink) {
    sink(scales_.at(weight.name));
    scales_.erase(weight.name);
  }

 private:
  // Whole rows at a time, the offset added.
  void ForEachChunk(const MlcWeight& weight,
                    const std::function<void(std::span<const float>)>& use) const {
    const int64_t chunk_rows = std::max<int64_t>(1, kChunkElements / weight.cols());
    std::vector<float> values;
    for (const graph::SourceTensor& part : weight.parts) {
      const TensorInfo& tensor = *checkpoint_.Find(part.name);
      for (int64_t first = 0; first < part.rows; first += chunk_rows) {
        const int64_t rows = std::min(chunk_rows, part.rows - first);
        values.resize(static_cast<size_t>(rows * part.cols));
        checkpoint_.ReadRows(tensor, first, rows, values);
        for (float& value : values) value += weight.offset;
        CheckRange(tensor, values);
        use(values);
      }
    }
  }

  void CheckRange(const TensorInfo& tensor, std::span<const float> values) const {
    using quantization::WeightFormat;
    if (!must_fit_f16_ || quantization::CanHold(WeightFormat::kF16, values)) return;
    throw Error("{}: tensor '{}' has values too large for f16; use q4f32_1 or q0f32",
                checkpoint_.FileName(tensor), tensor.name);
  }

  const Checkpoint& checkpoint_;
  ModelDType dtype_;
  bool must_fit_f16_;
  std::map<std::string, std::vector<std::byte>> scales_;
};

int64_t CountParameters(const Checkpoint& checkpoint) {
  int64_t count = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) count += tensor.rows() * tensor.cols();
  return count;
}

}  // namespace

ConvertedWeights ConvertWeights(const Checkpoint& checkpoint, const ModelConfig& config,
                                const MlcQuantization& quantization,
                                const std::filesystem::path& folder,
                                const ProgressCallback& progress) {
  const std::vector<MlcWeight> unordered = MlcWeights(config);
  CheckShapes(checkpoint, unordered);
  const std::vector<MlcWeight> weights = InLoadingOrder(checkpoint, unordered);

  Converter converter(checkpoint, quantization);
  checkpoint::TensorCacheContents contents;
  std::vector<std::function<void(const TensorSink&)>> writers;
  for (const MlcWeight& weight : weights) {
    std::ranges::move(MlcParameters(weight, quantization), std::back_inserter(contents.tensors));
    if (weight.IsQuantized(quantization)) {
      writers.emplace_back([&](const TensorSink& sink) { converter.WriteWords(weight, sink); });
      writers.emplace_back([&](const TensorSink& sink) { converter.WriteScales(weight, sink); });
    } else {
      writers.emplace_back([&](const TensorSink& sink) { converter.WriteValues(weight, sink); });
    }
  }
  contents.num_parameters = CountParameters(checkpoint);
  WriteTensorCache(
      folder, contents, [&](size_t index, const TensorSink& sink) { writers[index](sink); },
      progress);

  ConvertedWeights result{0, contents.num_parameters};
  for (const checkpoint::TensorSpec& tensor : contents.tensors) {
    result.num_bytes += static_cast<int64_t>(tensor.num_bytes());
  }
  return result;
}

}  // namespace carat::model
