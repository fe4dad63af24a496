// Writes a safetensors file (see safetensors.h) front to back, so that a file of any size takes no
// memory.

#ifndef CARAT_CHECKPOINT_SAFETENSORS_WRITER_H_
#define CARAT_CHECKPOINT_SAFETENSORS_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "carat/checkpoint/tensor.h"

namespace carat::checkpoint {

struct TensorSpec {
  std::string name;
  DType dtype = DType::kBF16;
  std::vector<int64_t> shape;

  size_t num_elements() const;
  size_t num_bytes() const { return num_elements() * ElementBytes(dtype); }
};

class SafetensorsWriter {
 public:
  // Writes the header; the tensors' data is expected in this order.
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorSpec>& tensors);

  void Write(std::span<const std::byte> bytes);

  // Throws if the data written is not what the header announced.
  void Close();

 private:
  FileWriter file_;
  std::string name_;
  uint64_t expected_bytes_ = 0;  // of the whole file
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_SAFETENSORS_WRITER_H_
