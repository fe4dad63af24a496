#include "carat/model/export_safetensors.h"

#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/checkpoint/safetensors_writer.h"
#include "carat/model/architecture.h"
#include "carat/model/exported_file.h"

namespace carat::model {
namespace {

using quantization::WeightFormat;

checkpoint::DType SafetensorsDType(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32:
      return checkpoint::DType::kF32;
    case WeightFormat::kF16:
      return checkpoint::DType::kF16;
    case WeightFormat::kBF16:
      return checkpoint::DType::kBF16;
    default:
      throw Error(
          "Hugging Face's safetensors files have no {}; use --quantization q0bf16, q0f16 or q0f32",
          quantization::FormatName(format));
  }
}

quantization::QuantizationScheme ChooseFloats(std::string_view quantization,
                                              const checkpoint::Checkpoint& checkpoint,
                                              const ModelConfig& config) {
  if (!quantization.empty()) return quantization::FindScheme(quantization);
  const auto stored = quantization::FindScheme(StoredScheme(checkpoint, config));
  const bool are_floats =
      stored.matrix == stored.embedding && quantization::BlockValues(stored.matrix) == 1;
  return are_floats ? stored
                    : quantization::FindScheme(quantization::SchemeName(WeightFormat::kF32));
}

}  // namespace

quantization::QuantizationScheme ExportSafetensors(const ModelSource& source,
                                                   std::string_view quantization,
                                                   const std::filesystem::path& file,
                                                   const ProgressCallback& progress) {
  ModelConfig config = source.LoadConfig();
  const checkpoint::Checkpoint checkpoint = source.OpenCheckpoint(config);
  const quantization::QuantizationScheme scheme = ChooseFloats(quantization, checkpoint, config);
  const WeightFormat format = scheme.matrix;
  const checkpoint::DType dtype = SafetensorsDType(format);
  const float hugging_face_offset = ModelConfig().norm_offset;
  std::vector<ExportedTensor> tensors;
  std::vector<checkpoint::TensorSpec> specs;
  for (const graph::Weight& weight : BuildGraph(config).weights) {
    for (const graph::SourceTensor& part : weight.parts) {
      tensors.push_back(
          {part, format, part.is_vector ? config.norm_offset - hugging_face_offset : 0});
      specs.push_back(
          {part.name, dtype,
           part.is_vector ? std::vector{part.cols} : std::vector{part.rows, part.cols}});
    }
  }
  ExportedFile target(file);
  checkpoint::SafetensorsWriter writer(target.path(), specs);
  WriteTensors(
      checkpoint, tensors, [&](std::span<const std::byte> bytes) { writer.Write(bytes); },
      progress);
  writer.Close();
  target.Commit();
  return scheme;
}

}  // namespace carat::model
