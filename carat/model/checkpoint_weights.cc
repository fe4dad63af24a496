#include "carat/model/checkpoint_weights.h"

#include <cstddef>
#include <span>
#include <vector>

#include "carat/base/error.h"

namespace carat::model {
namespace {

using graph::SourceTensor;
using quantization::WeightFormat;

void RoundRows(WeightFormat format, const SourceTensor& source, std::span<float> values) {
  const auto cols = static_cast<size_t>(source.cols);
  std::vector<std::byte> bytes(quantization::RowBytes(format, source.cols));
  for (size_t begin = 0; begin < values.size(); begin += cols) {
    const std::span<float> row = values.subspan(begin, cols);
    if (!quantization::CanHold(format, row)) {
      throw Error("tensor '{}': row {} has values too large for {}; use --quantization q0f32",
                  source.name, begin / cols, quantization::FormatName(format));
    }
    quantization::QuantizeRow(format, row, bytes.data());
    quantization::DequantizeRow(format, bytes.data(), row);
  }
}

}  // namespace

graph::WeightSource CheckpointWeights(const checkpoint::Checkpoint& checkpoint) {
  return CheckpointWeights(checkpoint,
                           quantization::FindScheme(quantization::SchemeName(WeightFormat::kF32)));
}

graph::WeightSource CheckpointWeights(const checkpoint::Checkpoint& checkpoint,
                                      const quantization::QuantizationScheme& scheme) {
  return [&checkpoint, scheme](const SourceTensor& source) {
    std::vector<float> values =
        checkpoint.Read(checkpoint.Require(source.name, source.rows, source.cols));
    const bool is_embedding = source.name.ends_with("embed_tokens.weight");
    const WeightFormat format = is_embedding ? scheme.embedding : scheme.matrix;
    if (!source.is_vector && format != WeightFormat::kF32) RoundRows(format, source, values);
    return values;
  };
}

}  // namespace carat::model
