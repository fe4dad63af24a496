// Reads a two-dimensional .npy file of float32, as NumPy and NpyWriter write it: goldens, and what
// `carat logits` wrote. The program itself only writes these.

#ifndef CARAT_TESTS_SUPPORT_NPY_MATRIX_H_
#define CARAT_TESTS_SUPPORT_NPY_MATRIX_H_

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"

namespace carat::tests {

struct FloatMatrix {
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<float> values;

  std::span<const float> Row(int64_t row) const {
    return std::span(values).subspan(static_cast<size_t>(row * cols), static_cast<size_t>(cols));
  }
};

inline FloatMatrix ReadNpyFloat32(const std::filesystem::path& path) {
  constexpr size_t kHeaderStart = 10;  // after the magic, the version and the header's length
  const MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  const size_t header_end = bytes.find('\n', kHeaderStart) + 1;  // 0 if there is none
  const std::string header(bytes.substr(0, header_end));
  const size_t shape = header.find("'shape': (");
  long long rows = 0;
  long long cols = 0;
  if (header.find("'descr': '<f4'") == std::string::npos || shape == std::string::npos ||
      std::sscanf(header.c_str() + shape, "'shape': (%lld, %lld)", &rows, &cols) != 2) {
    throw Error("{}: is not a matrix of float32", path.string());
  }
  FloatMatrix matrix{rows, cols, std::vector<float>(static_cast<size_t>(rows * cols))};
  const std::string_view data = bytes.substr(header_end);
  if (data.size() != matrix.values.size() * sizeof(float)) {
    throw Error("{}: holds {} bytes of values, not [{}, {}]", path.string(), data.size(), rows,
                cols);
  }
  std::memcpy(matrix.values.data(), data.data(), data.size());
  return matrix;
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_SUPPORT_NPY_MATRIX_H_
