#include "carat/base/npy.h"

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/error.h"

namespace carat {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kHeaderAlignment = 64;

struct Array {
  std::string type;  // '<f4'
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
};

// The text after "'key':" in the header's Python dict, or nothing.
std::optional<std::string_view> FindField(std::string_view header, std::string_view key) {
  const size_t start = header.find(fmt::format("'{}':", key));
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view rest = header.substr(start + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

// "(3, 4), ..." as numbers.
std::optional<std::vector<int64_t>> ParseShape(std::string_view text) {
  const size_t end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) return std::nullopt;
  text = text.substr(1, end - 1);
  std::vector<int64_t> shape;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
    if (text.empty()) return shape;
    int64_t dimension = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), dimension);
    if (error != std::errc() || dimension < 0) return std::nullopt;
    shape.push_back(dimension);
    text.remove_prefix(static_cast<size_t>(rest - text.data()));
  }
}

// The header's length and where it starts, after magic and version.
std::pair<size_t, size_t> HeaderRange(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 12 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    throw Error("{}: is not a NumPy file; write one with numpy.save", name);
  }
  const bool version_1 = bytes[6] == std::byte{1};
  const size_t start = version_1 ? 10 : 12;
  size_t length = 0;
  for (size_t i = 0; i < start - 8; ++i) {
    length |= std::to_integer<size_t>(bytes[8 + i]) << (8 * i);
  }
  if (length > bytes.size() - start) throw Error("{}: ends inside its header", name);
  return {start, length};
}

Array Parse(std::span<const std::byte> bytes, const std::string& name) {
  const auto [start, length] = HeaderRange(bytes, name);
  std::string text(length, '\0');
  std::memcpy(text.data(), bytes.data() + start, length);
  const auto type = FindField(text, "descr");
  const auto order = FindField(text, "fortran_order");
  const auto shape_text = FindField(text, "shape");
  const auto shape = shape_text ? ParseShape(*shape_text) : std::nullopt;
  if (!type || type->size() < 5 || !order || !shape) {
    throw Error("{}: has a header that NumPy would not write: {}", name, text);
  }
  if (!order->starts_with("False")) {
    throw Error("{}: is in Fortran order; save numpy.ascontiguousarray(array)", name);
  }
  return {std::string(type->substr(1, 3)), *shape, bytes.subspan(start + length)};
}

// The number of elements, after checking that the file holds as many.
size_t CountElements(const Array& array, size_t element_bytes, const std::string& name) {
  size_t count = 1;
  for (const int64_t dimension : array.shape) {
    const auto extent = static_cast<size_t>(dimension);
    if (extent != 0 && count > std::numeric_limits<size_t>::max() / element_bytes / extent) {
      throw Error("{}: has an impossible shape", name);
    }
    count *= extent;
  }
  if (array.data.size() < count * element_bytes) {
    throw Error("{}: holds {} bytes of values, its shape needs {}", name, array.data.size(),
                count * element_bytes);
  }
  return count;
}

std::vector<int32_t> NarrowFromInt64(const Array& array, const std::string& name) {
  std::vector<int64_t> wide(CountElements(array, sizeof(int64_t), name));
  std::memcpy(wide.data(), array.data.data(), wide.size() * sizeof(int64_t));
  std::vector<int32_t> values;
  for (const int64_t value : wide) {
    if (value != static_cast<int32_t>(value)) {
      throw Error("{}: value {} does not fit int32", name, value);
    }
    values.push_back(static_cast<int32_t>(value));
  }
  return values;
}

std::string Header(int64_t rows, int64_t cols) {
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, cols);
  const size_t unpadded = kMagic.size() + 4 + text.size() + 1;
  text.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header +=
      {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace

std::vector<int32_t> ReadNpyInt32(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string name = path.filename().string();
  const Array array = Parse(file.bytes(), name);
  if (array.shape.size() != 1 || (array.type != "<i4" && array.type != "<i8")) {
    throw Error("{}: has type '{}' and {} dimensions, expected int32 in one dimension", name,
                array.type, array.shape.size());
  }
  if (array.type == "<i8") return NarrowFromInt64(array, name);
  std::vector<int32_t> values(CountElements(array, sizeof(int32_t), name));
  if (!values.empty()) {
    std::memcpy(values.data(), array.data.data(), values.size() * sizeof(int32_t));
  }
  return values;
}

NpyWriter::NpyWriter(const std::filesystem::path& path, int64_t rows, int64_t cols)
    : path_(path), file_(path), cols_(cols), missing_rows_(rows) {
  file_.writer().Write(Header(rows, cols));
}

void NpyWriter::Append(std::span<const float> rows) {
  const auto count = static_cast<int64_t>(rows.size()) / cols_;
  if (count * cols_ != static_cast<int64_t>(rows.size()) || count > missing_rows_) {
    throw Error("{}: {} values are not whole rows of {} that are still missing", path_.string(),
                rows.size(), cols_);
  }
  file_.writer().Write(std::as_bytes(rows));
  missing_rows_ -= count;
}

void NpyWriter::Finish() {
  if (missing_rows_ != 0) throw Error("{}: {} rows are missing", path_.string(), missing_rows_);
  file_.Commit();
}

}  // namespace carat
