#include "carat/checkpoint/safetensors_writer.h"

#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "carat/base/json.h"

namespace carat::checkpoint {
namespace {

// The data begins at a multiple of this, as the reference implementation writes it.
constexpr size_t kHeaderAlignment = 8;

std::string HeaderText(const std::vector<TensorSpec>& tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  size_t position = 0;
  for (const TensorSpec& tensor : tensors) {
    const size_t end = position + tensor.num_bytes();
    header[tensor.name] = {
        {"dtype", Name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  return text;
}

}  // namespace

size_t TensorSpec::num_elements() const {
  size_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
  return count;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     const std::vector<TensorSpec>& tensors)
    : file_(path), name_(path.filename().string()) {
  const std::string header = HeaderText(tensors);
  const uint64_t length = header.size();
  file_.Write(std::as_bytes(std::span(&length, 1)));
  file_.Write(header);
  expected_bytes_ = file_.bytes_written();
  for (const TensorSpec& tensor : tensors) expected_bytes_ += tensor.num_bytes();
}

void SafetensorsWriter::Write(std::span<const std::byte> bytes) { file_.Write(bytes); }

void SafetensorsWriter::Close() {
  if (file_.bytes_written() != expected_bytes_) {
    throw Error("{}: {} bytes were written where the header announces {}", name_,
                file_.bytes_written(), expected_bytes_);
  }
  file_.Close();
}

}  // namespace carat::checkpoint
