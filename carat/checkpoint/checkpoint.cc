#include "carat/checkpoint/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/folder.h"
#include "carat/checkpoint/safetensors.h"
#include "carat/checkpoint/tensor_rows.h"

namespace carat::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::string_view kCompiledFile = "model.so";  // of `carat compile`

// What to say about a folder without safetensors.
Error NoWeights(const fs::path& folder) {
  if (Has(folder, kCompiledFile)) {
    return Error(
        "{}: an incomplete compiled folder: it has {}, but neither carat-config.json nor {}; "
        "compile "
        "the model again",
        folder.string(), kCompiledFile, kSingleFile);
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth")) {
      return Error(
          "{}: holds PyTorch weights ({}) but no {}; save the model with "
          "save_pretrained(..., safe_serialization=True)",
          folder.string(), name, kSingleFile);
    }
  }
  return Error("{}: has neither {} nor {}; is it a Hugging Face model folder, fully downloaded?",
               folder.string(), kSingleFile, kIndexFile);
}

std::map<std::string, std::string> ReadWeightMap(const fs::path& index) {
  const Json json = ParseJsonFile(index);
  const JsonObject weight_map = JsonObject(json, index.filename().string()).Object("weight_map");
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : weight_map.json().items()) {
    if (!file.is_string() || !IsPlainFileName(file.get<std::string>())) {
      throw weight_map.Wrong(tensor, "the name of a file in the same folder");
    }
    files.emplace(tensor, file.get<std::string>());
  }
  if (files.empty()) throw Error("{}: names no tensors", index.filename().string());
  return files;
}

// The bits of NaN and infinity, without the sign, are 0x7f800000 and above: an integer maximum,
// which the compiler vectorises.
bool AllFinite(std::span<const float> values) {
  uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7fffffff);
  }
  return largest < 0x7f800000;
}

}  // namespace

Checkpoint Checkpoint::Open(const fs::path& folder) {
  CheckIsFolder(folder, "a Hugging Face model folder");
  Checkpoint checkpoint(folder, "config.json");
  if (Has(folder, kSingleFile)) {
    checkpoint.AddSafetensors(std::string(kSingleFile), nullptr);
  } else if (Has(folder, kIndexFile)) {
    checkpoint.AddIndexedSafetensors(folder / kIndexFile);
  } else {
    throw NoWeights(folder);
  }
  return checkpoint;
}

void Checkpoint::AddIndexedSafetensors(const fs::path& index) {
  const std::map<std::string, std::string> weight_map = ReadWeightMap(index);
  std::set<std::string> names;
  for (const auto& [tensor, file] : weight_map) names.insert(file);
  for (const std::string& name : names) {
    if (!Has(path_, name)) {
      throw Error("{}: names the file {}, which is not in {}; the download is incomplete",
                  index.filename().string(), name, path_.string());
    }
    AddSafetensors(name, &weight_map);
  }
  for (const auto& [tensor, file] : weight_map) {
    if (Find(tensor) == nullptr) {
      throw Error(
          "{}: says that tensor '{}' is in {}, where it is not; the files do not belong "
          "together",
          index.filename().string(), tensor, file);
    }
  }
}

// Adds the tensors of a file; with a weight map, those that the map says are there.
void Checkpoint::AddSafetensors(const std::string& name,
                                const std::map<std::string, std::string>* weight_map) {
  const size_t file = AddFile(MappedFile(path_ / name));
  for (TensorInfo& tensor : ParseSafetensors(files_[file].bytes(), name)) {
    if (weight_map != nullptr) {
      const auto entry = weight_map->find(tensor.name);
      if (entry == weight_map->end() || entry->second != name) continue;
    }
    tensor.file = file;
    Add(std::move(tensor));
  }
}

size_t Checkpoint::AddFile(MappedFile file) {
  files_.push_back(std::move(file));
  return files_.size() - 1;
}

void Checkpoint::Add(TensorInfo tensor) {
  std::string key = tensor.name;
  tensors_.emplace(std::move(key), std::move(tensor));
}

const TensorInfo* Checkpoint::Find(std::string_view name) const {
  const auto tensor = tensors_.find(name);
  return tensor == tensors_.end() ? nullptr : &tensor->second;
}

const TensorInfo& Checkpoint::Require(std::string_view name, int64_t rows, int64_t cols) const {
  const TensorInfo* tensor = Find(name);
  if (tensor == nullptr) {
    throw Error(
        "{}: tensor '{}' is missing; the checkpoint is incomplete, or {} belongs to another "
        "model",
        path_.string(), name, config_file_);
  }
  if (tensor->rows() != rows || tensor->cols() != cols) {
    const std::vector<int64_t> expected =
        tensor->shape.size() < 2 ? std::vector{cols} : std::vector{rows, cols};
    throw Error("{}: tensor '{}' says {} but {} gives {}; the two do not belong together",
                FileName(*tensor), name, ShapeText(tensor->shape), config_file_,
                ShapeText(expected));
  }
  if (!IsReadable(tensor->dtype)) {
    throw Error(
        "{}: tensor '{}' has dtype {}, expected BF16, F16 or F32; start from the "
        "unquantized checkpoint",
        FileName(*tensor), name, Name(tensor->dtype));
  }
  return *tensor;
}

void Checkpoint::ReadRows(const TensorInfo& tensor, int64_t first_row, int64_t num_rows,
                          std::span<float> out) const {
  const auto cols = static_cast<size_t>(tensor.cols());
  if (first_row < 0 || num_rows < 0 || first_row > tensor.rows() - num_rows ||
      out.size() != static_cast<size_t>(num_rows) * cols || !IsReadable(tensor.dtype)) {
    throw Error("tensor '{}' {} {}: cannot read rows {} to {} into {} floats", tensor.name,
                Name(tensor.dtype), ShapeText(tensor.shape), first_row, first_row + num_rows,
                out.size());
  }
  if (out.empty()) return;
  ReadRowsAsFloat(tensor, first_row, num_rows, out);
  DropPages(tensor, first_row, num_rows);
  if (AllFinite(out)) return;
  for (size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i])) {
      throw Error(
          "{}: tensor '{}' holds {} in row {}; the checkpoint is damaged, or its training "
          "diverged",
          FileName(tensor), tensor.name, std::isnan(out[i]) ? "NaN" : "infinity",
          first_row + static_cast<int64_t>(i / cols));
    }
  }
}

void Checkpoint::ReadRowsAs(quantization::WeightFormat format, const TensorInfo& tensor,
                            int64_t first_row, int64_t num_rows, float offset,
                            std::span<float> values, std::byte* out) const {
  ReadRows(tensor, first_row, num_rows, values);
  if (offset == 0 && StoredFormat(tensor.dtype) == format) {
    CopyRows(tensor, first_row, num_rows, out);
    DropPages(tensor, first_row, num_rows);
    return;
  }
  for (float& value : values) value += offset;
  const auto cols = static_cast<size_t>(tensor.cols());
  const size_t row_bytes = quantization::RowBytes(format, tensor.cols());
  for (size_t begin = 0; begin < values.size(); begin += cols, out += row_bytes) {
    const std::span<const float> row = values.subspan(begin, cols);
    if (!quantization::CanHold(format, row)) {
      throw Error(
          "tensor '{}', row {}: holds values too large for {}; use --quantization q0f32 or q0bf16",
          tensor.name, first_row + static_cast<int64_t>(begin / cols),
          quantization::FormatName(format));
    }
    quantization::QuantizeRow(format, row, out);
  }
}

void Checkpoint::DropPages(const TensorInfo& tensor, int64_t first_row, int64_t num_rows) const {
  files_[tensor.file].DropPages(RowBytes(tensor, first_row, num_rows));
  if (!tensor.scales.empty()) {
    files_[tensor.scales_file].DropPages(RowScales(tensor, first_row, num_rows));
  }
}

std::vector<float> Checkpoint::Read(const TensorInfo& tensor) const {
  std::vector<float> values(static_cast<size_t>(tensor.rows() * tensor.cols()));
  ReadRows(tensor, 0, tensor.rows(), values);
  return values;
}

std::string Checkpoint::FileName(const TensorInfo& tensor) const {
  return files_[tensor.file].path().filename().string();
}

}  // namespace carat::checkpoint
