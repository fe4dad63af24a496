// Writes a GGUF file (see gguf.h) front to back, so that a file of any size takes no memory.
//
//     GgufMetadata metadata;
//     metadata.AddString("general.architecture", "gemma3");
//     GgufWriter writer(path, metadata, {{"output_norm.weight", GgmlType::kF32, {640}}});
//     writer.Write(bytes);
//     writer.Close();

#ifndef CARAT_CHECKPOINT_GGUF_WRITER_H_
#define CARAT_CHECKPOINT_GGUF_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/file.h"
#include "carat/checkpoint/gguf.h"
#include "carat/quantization/ggml_blocks.h"

namespace carat::checkpoint {

// Keys and values in the order of the file; each key is added once.
class GgufMetadata {
 public:
  void AddUint32(std::string_view key, uint32_t value);
  void AddFloat32(std::string_view key, float value);
  void AddBool(std::string_view key, bool value);
  void AddString(std::string_view key, std::string_view value);
  void AddBools(std::string_view key, const std::vector<bool>& values);
  void AddInt32s(std::string_view key, std::span<const int32_t> values);
  void AddFloat32s(std::string_view key, std::span<const float> values);
  void AddStrings(std::string_view key, std::span<const std::string> values);

  uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }  // as the file holds them

 private:
  void AddKey(std::string_view key, GgufValueType type);
  void AddArray(std::string_view key, GgufValueType element_type, uint64_t count);

  uint64_t count_ = 0;
  std::string bytes_;
};

struct GgufTensorSpec {
  std::string name;
  quantization::GgmlType type = quantization::GgmlType::kF32;
  std::vector<int64_t> shape;  // outermost first: [rows, cols]

  size_t num_bytes() const;
};

class GgufWriter {
 public:
  // Writes the header; the tensors' data is expected in this order.
  GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
             const std::vector<GgufTensorSpec>& tensors);

  // The data, in pieces of any size; the padding between tensors is not part of it.
  void Write(std::span<const std::byte> bytes);

  // Throws if the data written is not what the header announced.
  void Close();

 private:
  void Pad();

  FileWriter file_;
  std::string name_;
  std::vector<size_t> sizes_;  // of the tensors
  size_t tensor_ = 0;          // that is being written
  size_t tensor_bytes_ = 0;    // of it that are written
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_WRITER_H_
