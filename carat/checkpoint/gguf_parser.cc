#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "carat/checkpoint/downloaded.h"
#include "carat/checkpoint/gguf.h"
#include "carat/checkpoint/tensor.h"

namespace carat::checkpoint {
namespace {

using quantization::GgmlType;

static_assert(std::endian::native == std::endian::little, "GGUF files are little-endian");

constexpr std::string_view kMagic = "GGUF";
constexpr uint32_t kMaxGgufDimensions = 4;  // ggml's
// Beyond any name there is; names appear in messages.
constexpr size_t kMaxNameBytes = 255;

}  // namespace

// Reads the file front to back. Nothing is allocated for a count before the file has been seen to
// hold that much.
class Gguf::Parser {
 public:
  Parser(std::span<const std::byte> file, std::string_view where) : file_(file), gguf_(where) {}

  Gguf Parse() && {
    CheckMagic();
    const auto num_tensors = Read<uint64_t>("the header");
    const auto num_keys = Read<uint64_t>("the header");
    for (uint64_t i = 0; i < num_keys; ++i) ReadKey(i);
    for (uint64_t i = 0; i < num_tensors; ++i) ReadTensorInfo(i);
    PlaceTensors();
    CheckOverlaps();
    return std::move(gguf_);
  }

 private:
  std::string_view where() const { return gguf_.where_; }

  // `what` is being read.
  std::span<const std::byte> Take(uint64_t num_bytes, std::string_view what) {
    if (num_bytes > file_.size() - position_) {
      throw Error("{}: is {} bytes long and ends inside {}; it is truncated, {}", where(),
                  file_.size(), what, kDownloadAgain);
    }
    const auto bytes = file_.subspan(position_, static_cast<size_t>(num_bytes));
    position_ += bytes.size();
    return bytes;
  }

  template <typename T>
  T Read(std::string_view what) {
    T value;
    std::memcpy(&value, Take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  // Of a key or a tensor.
  std::string_view ReadName(const std::string& what) {
    const auto length = Read<uint64_t>(what);
    if (length > kMaxNameBytes) {
      throw Error("{}: the name of {} is {} bytes long, at most {} are supported", where(), what,
                  length, kMaxNameBytes);
    }
    const std::span<const std::byte> bytes = Take(length, what);
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
      throw Error("{}: the name of {} is not printable ASCII; the file is damaged, {}", where(),
                  what, kDownloadAgain);
    }
    return name;
  }

  void CheckMagic() {
    CheckIsNoGitLfsPointer(file_, where());
    const std::string_view text(reinterpret_cast<const char*>(file_.data()), file_.size());
    if (!text.starts_with(kMagic)) {
      throw Error("{}: does not begin with {}; it is not a GGUF file, or damaged", where(), kMagic);
    }
    position_ = kMagic.size();
    const auto version = Read<uint32_t>("the header");
    if (version == kGgufVersion) return;
    if (version == kGgufVersion << 24) {
      throw Error("{}: is big-endian GGUF; convert the model again without --bigendian", where());
    }
    throw Error("{}: is GGUF version {}, Carat reads version {}; convert the model again", where(),
                version, kGgufVersion);
  }

  void ReadKey(uint64_t index) {
    const std::string_view key = ReadName(fmt::format("key {}", index));
    const std::string what = fmt::format("key '{}'", key);
    Value value;
    value.type = ReadValueType(what);
    if (value.type == GgufValueType::kArray) {
      value.is_array = true;
      value.type = ReadValueType(what);
      value.count = Read<uint64_t>(what);
      if (value.type == GgufValueType::kArray) {
        throw Error("{}: {} is an array of arrays, which is not supported", where(), what);
      }
    }
    value.bytes = TakeElements(value.type, value.count, what);
    if (!gguf_.values_.emplace(key, value).second) {
      throw Error("{}: {} is given twice", where(), what);
    }
  }

  GgufValueType ReadValueType(const std::string& what) {
    const auto type = Read<uint32_t>(what);
    if (type > static_cast<uint32_t>(GgufValueType::kFloat64)) {
      throw Error("{}: {} has the unknown value type {}", where(), what, type);
    }
    return static_cast<GgufValueType>(type);
  }

  std::span<const std::byte> TakeElements(GgufValueType type, uint64_t count,
                                          const std::string& what) {
    if (type != GgufValueType::kString) {
      // More than the file has whatever the type, and no product of it overflows.
      return Take(std::min<uint64_t>(count, file_.size() + 1) * ElementBytes(type), what);
    }
    const size_t begin = position_;
    for (uint64_t i = 0; i < count; ++i) Take(Read<uint64_t>(what), what);
    return file_.subspan(begin, position_ - begin);
  }

  void ReadTensorInfo(uint64_t index) {
    GgufTensor tensor;
    tensor.name = ReadName(fmt::format("tensor {}", index));
    const std::string what = fmt::format("tensor '{}'", tensor.name);
    const auto num_dimensions = Read<uint32_t>(what);
    if (num_dimensions > kMaxGgufDimensions) {
      throw Error("{}: {} has {} dimensions, at most {} are supported", where(), what,
                  num_dimensions, kMaxGgufDimensions);
    }
    for (uint32_t i = 0; i < num_dimensions; ++i) {
      // Beyond int64 they become negative, which TensorBytes refuses.
      tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(Read<uint64_t>(what)));
    }
    const auto type = Read<uint32_t>(what);
    const std::optional<GgmlType> known_type = quantization::FindGgmlType(type);
    if (!known_type) {
      const std::string_view name = quantization::GgmlTypeName(type);
      throw Error("{}: {} has the type {}, Carat reads {}; take the model in one of these", where(),
                  what, name.empty() ? fmt::format("{}", type) : name,
                  quantization::GgmlTypeNames());
    }
    tensor.type = *known_type;
    offsets_.push_back(Read<uint64_t>(what));
    if (!gguf_.tensor_indices_.emplace(tensor.name, gguf_.tensors_.size()).second) {
      throw Error("{}: {} is given twice", where(), what);
    }
    gguf_.tensors_.push_back(std::move(tensor));
  }

  // Refuses rows that end inside a block, and extents whose product, zeros left out, is too large.
  size_t TensorBytes(const GgufTensor& tensor) const {
    const int64_t cols = tensor.shape.empty() ? 1 : tensor.shape.back();
    const int64_t block_values = quantization::BlockValues(tensor.type);
    if (cols % block_values != 0) {
      throw Error("{}: tensor '{}' is {} {}, whose rows are not a multiple of {}, the block of {}",
                  where(), tensor.name, Name(tensor.type), ShapeText(tensor.shape), block_values,
                  Name(tensor.type));
    }
    constexpr auto kMaxBytes = static_cast<size_t>(std::numeric_limits<int64_t>::max());
    size_t bytes = quantization::BlockBytes(tensor.type);
    bool is_empty = false;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      const int64_t extent =
          i + 1 == tensor.shape.size() ? tensor.shape[i] / block_values : tensor.shape[i];
      const size_t factor = std::max(static_cast<size_t>(extent), size_t{1});
      if (tensor.shape[i] < 0 || bytes > kMaxBytes / factor) {
        throw Error("{}: tensor '{}' has the impossible shape {}", where(), tensor.name,
                    ShapeText(tensor.shape));
      }
      bytes *= factor;
      is_empty |= extent == 0;
    }
    return is_empty ? 0 : bytes;
  }

  uint64_t Alignment() const {
    constexpr std::string_view kKey = "general.alignment";
    const int64_t alignment =
        gguf_.OptionalInt(kKey).value_or(static_cast<int64_t>(kGgufDefaultAlignment));
    if (alignment <= 0 || alignment > std::numeric_limits<uint32_t>::max() ||
        !std::has_single_bit(static_cast<uint64_t>(alignment))) {
      throw gguf_.Wrong(kKey, "a power of two");
    }
    return static_cast<uint64_t>(alignment);
  }

  void PlaceTensors() {
    const uint64_t alignment = Alignment();
    const uint64_t data_begin = (position_ + alignment - 1) / alignment * alignment;
    const uint64_t data_bytes = file_.size() > data_begin ? file_.size() - data_begin : 0;
    for (size_t i = 0; i < offsets_.size(); ++i) {
      GgufTensor& tensor = gguf_.tensors_[i];
      const size_t num_bytes = TensorBytes(tensor);
      if (offsets_[i] % alignment != 0) {
        throw Error("{}: tensor '{}' begins at byte {} of the data, no multiple of {}; {}", where(),
                    tensor.name, offsets_[i], alignment, kDownloadAgain);
      }
      if (num_bytes == 0) continue;
      if (offsets_[i] > data_bytes || num_bytes > data_bytes - offsets_[i]) {
        throw Error(
            "{}: tensor '{}' takes {} bytes from byte {} of the data, which has {}; the file is "
            "truncated, {}",
            where(), tensor.name, num_bytes, offsets_[i], data_bytes, kDownloadAgain);
      }
      tensor.bytes = file_.subspan(static_cast<size_t>(data_begin + offsets_[i]), num_bytes);
    }
  }

  void CheckOverlaps() const {
    std::vector<const GgufTensor*> tensors;
    for (const GgufTensor& tensor : gguf_.tensors_) {
      if (!tensor.bytes.empty()) tensors.push_back(&tensor);
    }
    std::sort(tensors.begin(), tensors.end(), [](const GgufTensor* a, const GgufTensor* b) {
      return a->bytes.data() < b->bytes.data();
    });
    for (size_t i = 1; i < tensors.size(); ++i) {
      const std::span<const std::byte> previous = tensors[i - 1]->bytes;
      if (previous.data() + previous.size() > tensors[i]->bytes.data()) {
        throw Error("{}: tensors '{}' and '{}' overlap; the file is damaged, {}", where(),
                    tensors[i - 1]->name, tensors[i]->name, kDownloadAgain);
      }
    }
  }

  std::span<const std::byte> file_;
  size_t position_ = 0;
  std::vector<uint64_t> offsets_;  // of the tensors, in the data
  Gguf gguf_;
};

Gguf Gguf::Parse(std::span<const std::byte> file, std::string_view where) {
  return Parser(file, where).Parse();
}

}  // namespace carat::checkpoint
