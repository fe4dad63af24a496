#include "carat/checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/downloaded.h"

namespace carat::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

// A tensor and where the header says its data is.
struct Entry {
  TensorInfo tensor;
  size_t begin = 0;
  size_t end = 0;
};

std::string_view HeaderText(std::span<const std::byte> file, std::string_view where) {
  uint64_t length = 0;
  if (file.size() < sizeof(length)) {
    throw Error("{}: is {} bytes long, too short for a safetensors file; {}", where, file.size(),
                kDownloadAgain);
  }
  std::memcpy(&length, file.data(), sizeof(length));
  CheckIsNoGitLfsPointer(file, where);
  if (length > kMaxSafetensorsHeaderBytes) {
    throw Error(
        "{}: gives its header {} bytes, at most {} are allowed; it is not a safetensors "
        "file, or damaged",
        where, length, kMaxSafetensorsHeaderBytes);
  }
  if (length > file.size() - sizeof(length)) {
    throw Error("{}: is {} bytes long and gives its header {}; it is truncated, {}", where,
                file.size(), length, kDownloadAgain);
  }
  const auto* text = reinterpret_cast<const char*>(file.data() + sizeof(length));
  return {text, static_cast<size_t>(length)};
}

// The bytes a tensor of this shape takes. Refuses dimensions that are negative or whose product,
// zeros left out, is too large.
size_t ExpectedBytes(const TensorInfo& tensor, std::string_view where) {
  constexpr auto kMaxBytes = static_cast<size_t>(std::numeric_limits<int64_t>::max());
  size_t bytes = ElementBytes(tensor.dtype);
  bool is_empty = false;
  for (const int64_t dimension : tensor.shape) {
    const auto extent = std::max(static_cast<size_t>(dimension), size_t{1});
    if (dimension < 0 || bytes > kMaxBytes / extent) {
      throw Error("{}: tensor '{}' has the impossible shape {}", where, tensor.name,
                  ShapeText(tensor.shape));
    }
    bytes *= extent;
    is_empty |= dimension == 0;
  }
  return is_empty ? 0 : bytes;
}

Entry ParseEntry(const std::string& name, const Json& json, std::string_view where) {
  const JsonObject object(json, fmt::format("{}: tensor '{}'", where, name));
  const std::string dtype_name = object.String("dtype");
  const std::optional<DType> dtype = FindDType(dtype_name);
  if (!dtype) throw Error("{}: tensor '{}' has the unknown dtype '{}'", where, name, dtype_name);

  if (!object.Has("shape") || !object.Find("shape")->is_array()) {
    throw object.Wrong("shape", "a list of integers");
  }
  Entry entry{{.name = name, .dtype = *dtype, .shape = object.Ints("shape")}, 0, 0};
  if (entry.tensor.shape.size() > kMaxDimensions) {
    throw Error("{}: tensor '{}' has {} dimensions, at most {} are supported", where, name,
                entry.tensor.shape.size(), kMaxDimensions);
  }
  const std::vector<int64_t> offsets = object.Ints("data_offsets");
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
    throw object.Wrong("data_offsets", "two offsets [begin, end]");
  }
  entry.begin = static_cast<size_t>(offsets[0]);
  entry.end = static_cast<size_t>(offsets[1]);

  const size_t expected = ExpectedBytes(entry.tensor, where);
  if (entry.end - entry.begin != expected) {
    throw Error(
        "{}: tensor '{}' is {} {} and should take {} bytes, its data_offsets give {}; the "
        "file is damaged, {}",
        where, name, dtype_name, ShapeText(entry.tensor.shape), expected, entry.end - entry.begin,
        kDownloadAgain);
  }
  return entry;
}

// Entries sorted by offset must follow each other without holes and end where the file does.
void CheckLayout(const std::vector<Entry>& entries, size_t data_bytes, std::string_view where) {
  size_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position) {
      throw Error(
          "{}: tensor '{}' begins at byte {} of the data, where {} was expected: tensors "
          "{}; the file is damaged, {}",
          where, entry.tensor.name, entry.begin, position,
          entry.begin < position ? "overlap" : "leave a hole", kDownloadAgain);
    }
    if (entry.end > data_bytes) {
      throw Error(
          "{}: tensor '{}' ends at byte {} of the data, the file ends at {}; it is "
          "truncated, {}",
          where, entry.tensor.name, entry.end, data_bytes, kDownloadAgain);
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    throw Error("{}: has {} bytes of data, its tensors take {}; the file is damaged, {}", where,
                data_bytes, position, kDownloadAgain);
  }
}

}  // namespace

std::vector<TensorInfo> ParseSafetensors(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text = HeaderText(file, where);
  const Json header = ParseJson(text, fmt::format("{}: header", where));
  if (!header.is_object()) throw Error("{}: the header is not a JSON object", where);

  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") entries.push_back(ParseEntry(name, json, where));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const std::span<const std::byte> data = file.subspan(sizeof(uint64_t) + text.size());
  CheckLayout(entries, data.size(), where);

  std::vector<TensorInfo> tensors;
  for (Entry& entry : entries) {
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    tensors.push_back(std::move(entry.tensor));
  }
  return tensors;
}

}  // namespace carat::checkpoint
