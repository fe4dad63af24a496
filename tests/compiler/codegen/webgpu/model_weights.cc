#include "tests/compiler/codegen/webgpu/model_weights.h"

#include <cstring>

#include "carat/base/numeric.h"
#include "carat/quantization/group_quantization.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {

ModelWeights::ModelWeights(const model::ModelConfig& config, std::string_view quantization)
    : quantization_(model::FindMlcQuantization(quantization)) {
  for (const model::MlcWeight& weight : model::MlcWeights(config)) {
    weight.is_vector() ? AddVector(weight) : AddMatrix(weight);
  }
}

void ModelWeights::AddMatrix(const model::MlcWeight& weight) {
  const quantization::ModelDType dtype = quantization_.model_dtype;
  const auto cols = static_cast<size_t>(weight.cols());
  std::vector<uint32_t> row_words(static_cast<size_t>(quantization::NumWords(weight.cols())));
  std::vector<std::byte> row_scales(static_cast<size_t>(quantization::NumGroups(weight.cols())) *
                                    quantization::ElementBytes(dtype));
  std::vector<uint32_t> words;
  BufferBytes scales;
  for (const graph::SourceTensor& part : weight.parts) {
    std::vector<float> values = RandomTensor(part);
    for (size_t at = 0; at < values.size(); at += cols) {
      const std::span row(values.data() + at, cols);
      quantization::GroupQuantizeRow(dtype, row, row_words, row_scales);
      quantization::GroupDequantizeRow(dtype, row_words, row_scales, row);
      words.insert(words.end(), row_words.begin(), row_words.end());
      scales.insert(scales.end(), row_scales.begin(), row_scales.end());
    }
    values_[part.name] = std::move(values);
  }
  parameters_.push_back(BytesOf(words));
  parameters_.push_back(std::move(scales));
}

void ModelWeights::AddVector(const model::MlcWeight& weight) {
  const graph::SourceTensor& tensor = weight.parts.front();
  std::vector<float> values = RandomTensor(tensor);
  std::vector<uint16_t> halves;
  std::vector<float> stored;
  for (float& value : values) {
    halves.push_back(FloatToF16(value + weight.offset));
    stored.push_back(value + weight.offset);
    const bool is_half = quantization_.model_dtype == quantization::ModelDType::kF16;
    value = (is_half ? F16ToFloat(halves.back()) : stored.back()) - weight.offset;
  }
  values_[tensor.name] = std::move(values);
  parameters_.push_back(quantization_.model_dtype == quantization::ModelDType::kF16
                            ? BytesOf(halves)
                            : BytesOf(stored));
}

}  // namespace carat::compiler::webgpu
