// The weights of a model by their Hugging Face names: of a Hugging Face folder (model.safetensors,
// or the files that model.safetensors.index.json names), or of another format whose reader adds
// them.
//
// Nothing is read when a checkpoint is opened but the headers, which are checked as a whole; rows
// are converted to float when they are asked for, and the pages they came from are given back, so a
// checkpoint of any size takes little memory.

#ifndef CARAT_CHECKPOINT_CHECKPOINT_H_
#define CARAT_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/file.h"
#include "carat/checkpoint/tensor.h"
#include "carat/quantization/weight_format.h"

namespace carat::checkpoint {

class Checkpoint {
 public:
  // A Hugging Face folder.
  static Checkpoint Open(const std::filesystem::path& folder);

  // An empty one, for readers of other formats. `path` names it in messages, and `config_file` who
  // gives the shapes of its tensors.
  Checkpoint(std::filesystem::path path, std::string config_file)
      : path_(std::move(path)), config_file_(std::move(config_file)) {}
  size_t AddFile(MappedFile file);  // gives TensorInfo::file
  void Add(TensorInfo tensor);

  const TensorInfo* Find(std::string_view name) const;  // nullptr if there is none

  // The tensor, which must be [rows, cols] (a vector: one row) and of a type that ReadRows
  // converts.
  const TensorInfo& Require(std::string_view name, int64_t rows, int64_t cols) const;

  // Rows [first_row, first_row + num_rows) as float. Throws if one of them is not finite. Threads
  // may read at the same time.
  void ReadRows(const TensorInfo& tensor, int64_t first_row, int64_t num_rows,
                std::span<float> out) const;

  // The same rows in a weight format, `offset` added to every value: bit for bit as they are stored
  // where that is the format (tensor_rows.h). `values` is as large as the rows, and overwritten.
  void ReadRowsAs(quantization::WeightFormat format, const TensorInfo& tensor, int64_t first_row,
                  int64_t num_rows, float offset, std::span<float> values, std::byte* out) const;

  // Every row.
  std::vector<float> Read(const TensorInfo& tensor) const;

  const std::map<std::string, TensorInfo, std::less<>>& tensors() const { return tensors_; }
  const std::filesystem::path& path() const { return path_; }

  // The name of the file that holds the tensor, for messages.
  std::string FileName(const TensorInfo& tensor) const;

 private:
  void AddSafetensors(const std::string& name,
                      const std::map<std::string, std::string>* weight_map);
  void AddIndexedSafetensors(const std::filesystem::path& index);
  void DropPages(const TensorInfo& tensor, int64_t first_row, int64_t num_rows) const;

  std::filesystem::path path_;
  std::string config_file_;
  std::vector<MappedFile> files_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_CHECKPOINT_H_
