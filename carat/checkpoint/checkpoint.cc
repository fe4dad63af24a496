#include "carat/checkpoint/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/base/numeric.h"
#include "carat/checkpoint/folder.h"
#include "carat/checkpoint/safetensors.h"

namespace carat::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";

// What to say about a folder without safetensors.
Error NoWeights(const fs::path& folder) {
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

// A name in an index is a file of the same folder, nothing else.
bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos &&
         fs::path(name).filename() == name;
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

template <typename Element, typename Convert>
void ConvertElements(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Element element;
    std::memcpy(&element, bytes.data() + i * sizeof(Element), sizeof(Element));
    out[i] = convert(element);
  }
}

void Convert(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  if (dtype == DType::kBF16) {
    ConvertElements<uint16_t>(bytes, out, BF16ToFloat);
  } else if (dtype == DType::kF16) {
    ConvertElements<uint16_t>(bytes, out, F16ToFloat);
  } else {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  }
}

bool IsConvertible(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kF16 || dtype == DType::kF32;
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
  Checkpoint checkpoint(folder);
  if (Has(folder, kSingleFile)) {
    checkpoint.AddFile(std::string(kSingleFile), nullptr);
  } else if (Has(folder, kIndexFile)) {
    checkpoint.AddIndexedFiles(folder / kIndexFile);
  } else {
    throw NoWeights(folder);
  }
  return checkpoint;
}

void Checkpoint::AddIndexedFiles(const fs::path& index) {
  const std::map<std::string, std::string> weight_map = ReadWeightMap(index);
  std::set<std::string> names;
  for (const auto& [tensor, file] : weight_map) names.insert(file);
  for (const std::string& name : names) {
    if (!Has(folder_, name)) {
      throw Error("{}: names the file {}, which is not in {}; the download is incomplete",
                  index.filename().string(), name, folder_.string());
    }
    AddFile(name, &weight_map);
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
void Checkpoint::AddFile(const std::string& name,
                         const std::map<std::string, std::string>* weight_map) {
  const MappedFile& file = files_.emplace_back(folder_ / name);
  for (TensorInfo& tensor : ParseSafetensors(file.bytes(), name)) {
    if (weight_map != nullptr) {
      const auto entry = weight_map->find(tensor.name);
      if (entry == weight_map->end() || entry->second != name) continue;
    }
    tensor.file = files_.size() - 1;
    std::string key = tensor.name;
    tensors_.emplace(std::move(key), std::move(tensor));
  }
}

const TensorInfo* Checkpoint::Find(std::string_view name) const {
  const auto tensor = tensors_.find(name);
  return tensor == tensors_.end() ? nullptr : &tensor->second;
}

const TensorInfo& Checkpoint::Require(std::string_view name, int64_t rows, int64_t cols,
                                      std::string_view origin) const {
  const TensorInfo* tensor = Find(name);
  if (tensor == nullptr) {
    throw Error(
        "{}: tensor '{}' is missing; the checkpoint is incomplete, or {} belongs to another "
        "model",
        folder_.string(), name, origin);
  }
  if (tensor->rows() != rows || tensor->cols() != cols) {
    const std::vector<int64_t> expected =
        tensor->shape.size() < 2 ? std::vector{cols} : std::vector{rows, cols};
    throw Error("{}: tensor '{}' says {} but {} gives {}; the two do not belong together",
                FileName(*tensor), name, ShapeText(tensor->shape), origin, ShapeText(expected));
  }
  if (!IsConvertible(tensor->dtype)) {
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
  const size_t row_bytes = cols * ElementBytes(tensor.dtype);
  if (first_row < 0 || num_rows < 0 || first_row > tensor.rows() - num_rows ||
      out.size() != static_cast<size_t>(num_rows) * cols || !IsConvertible(tensor.dtype)) {
    throw Error("tensor '{}' {} {}: cannot read rows {} to {} into {} floats", tensor.name,
                Name(tensor.dtype), ShapeText(tensor.shape), first_row, first_row + num_rows,
                out.size());
  }
  if (out.empty()) return;
  const std::span<const std::byte> bytes = tensor.bytes.subspan(
      static_cast<size_t>(first_row) * row_bytes, static_cast<size_t>(num_rows) * row_bytes);
  Convert(tensor.dtype, bytes, out);
  files_[tensor.file].DropPages(bytes);
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

std::vector<float> Checkpoint::Read(const TensorInfo& tensor) const {
  std::vector<float> values(static_cast<size_t>(tensor.rows() * tensor.cols()));
  ReadRows(tensor, 0, tensor.rows(), values);
  return values;
}

std::string Checkpoint::FileName(const TensorInfo& tensor) const {
  return files_[tensor.file].path().filename().string();
}

}  // namespace carat::checkpoint
