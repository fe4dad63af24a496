#include "carat/model/export_safetensors.h"

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

}  // namespace

void ExportSafetensors(const ModelSource& source, WeightFormat format,
                       const std::filesystem::path& file, const ProgressCallback& progress) {
  const checkpoint::DType dtype = SafetensorsDType(format);
  ModelConfig config = source.LoadConfig();
  const checkpoint::Checkpoint checkpoint = source.OpenCheckpoint(config);
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
}

}  // namespace carat::model
