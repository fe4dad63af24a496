#include "carat/checkpoint/gguf_writer.h"

#include <algorithm>
#include <array>

#include "carat/base/error.h"

namespace carat::checkpoint {
namespace {

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendText(std::string& out, std::string_view text) {
  Append(out, static_cast<uint64_t>(text.size()));
  out += text;
}

uint64_t Aligned(uint64_t size) {
  return (size + kGgufDefaultAlignment - 1) / kGgufDefaultAlignment * kGgufDefaultAlignment;
}

// The header up to its padding.
std::string HeaderBytes(const GgufMetadata& metadata, const std::vector<GgufTensorSpec>& tensors) {
  std::string header = "GGUF";
  Append(header, kGgufVersion);
  Append(header, static_cast<uint64_t>(tensors.size()));
  Append(header, metadata.count());
  header += metadata.bytes();
  uint64_t offset = 0;
  for (const GgufTensorSpec& tensor : tensors) {
    AppendText(header, tensor.name);
    Append(header, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      Append(header, static_cast<uint64_t>(tensor.shape[i]));
    }
    Append(header, static_cast<uint32_t>(tensor.type));
    Append(header, offset);
    offset += Aligned(tensor.num_bytes());
  }
  return header;
}

}  // namespace

void GgufMetadata::AddKey(std::string_view key, GgufValueType type) {
  ++count_;
  AppendText(bytes_, key);
  Append(bytes_, type);
}

void GgufMetadata::AddArray(std::string_view key, GgufValueType element_type, uint64_t count) {
  AddKey(key, GgufValueType::kArray);
  Append(bytes_, element_type);
  Append(bytes_, count);
}

void GgufMetadata::AddUint32(std::string_view key, uint32_t value) {
  AddKey(key, GgufValueType::kUint32);
  Append(bytes_, value);
}

void GgufMetadata::AddFloat32(std::string_view key, float value) {
  AddKey(key, GgufValueType::kFloat32);
  Append(bytes_, value);
}

void GgufMetadata::AddBool(std::string_view key, bool value) {
  AddKey(key, GgufValueType::kBool);
  Append(bytes_, static_cast<uint8_t>(value ? 1 : 0));
}

void GgufMetadata::AddString(std::string_view key, std::string_view value) {
  AddKey(key, GgufValueType::kString);
  AppendText(bytes_, value);
}

void GgufMetadata::AddBools(std::string_view key, const std::vector<bool>& values) {
  AddArray(key, GgufValueType::kBool, values.size());
  for (const bool value : values) Append(bytes_, static_cast<uint8_t>(value ? 1 : 0));
}

void GgufMetadata::AddInt32s(std::string_view key, std::span<const int32_t> values) {
  AddArray(key, GgufValueType::kInt32, values.size());
  for (const int32_t value : values) Append(bytes_, value);
}

void GgufMetadata::AddFloat32s(std::string_view key, std::span<const float> values) {
  AddArray(key, GgufValueType::kFloat32, values.size());
  for (const float value : values) Append(bytes_, value);
}

void GgufMetadata::AddStrings(std::string_view key, std::span<const std::string> values) {
  AddArray(key, GgufValueType::kString, values.size());
  for (const std::string& value : values) AppendText(bytes_, value);
}

size_t GgufTensorSpec::num_bytes() const {
  size_t num_values = 1;
  for (const int64_t extent : shape) num_values *= static_cast<size_t>(extent);
  const auto block_values = static_cast<size_t>(quantization::BlockValues(type));
  return num_values / block_values * quantization::BlockBytes(type);
}

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
                       const std::vector<GgufTensorSpec>& tensors)
    : file_(path), name_(path.filename().string()) {
  for (const GgufTensorSpec& tensor : tensors) sizes_.push_back(tensor.num_bytes());
  file_.Write(HeaderBytes(metadata, tensors));
  Pad();
}

void GgufWriter::Pad() {
  static constexpr std::array<std::byte, kGgufDefaultAlignment> kZeros{};
  const uint64_t size = file_.bytes_written();
  file_.Write(std::span(kZeros).first(static_cast<size_t>(Aligned(size) - size)));
}

void GgufWriter::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (tensor_ == sizes_.size()) {
      throw Error("{}: {} more bytes than the header announces", name_, bytes.size());
    }
    const auto piece = bytes.first(std::min(bytes.size(), sizes_[tensor_] - tensor_bytes_));
    file_.Write(piece);
    tensor_bytes_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (tensor_bytes_ < sizes_[tensor_]) continue;
    Pad();
    ++tensor_;
    tensor_bytes_ = 0;
  }
}

void GgufWriter::Close() {
  // Tensors without values have no data to wait for.
  while (tensor_ < sizes_.size() && sizes_[tensor_] == tensor_bytes_) {
    ++tensor_;
    tensor_bytes_ = 0;
  }
  if (tensor_ < sizes_.size()) {
    throw Error("{}: the data of {} tensors was written where the header announces {}", name_,
                tensor_, sizes_.size());
  }
  file_.Close();
}

}  // namespace carat::checkpoint
