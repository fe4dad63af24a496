// NumPy's .npy files: token ids in, logits out.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#ifndef CARAT_BASE_NPY_H_
#define CARAT_BASE_NPY_H_

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "carat/base/atomic_file.h"

namespace carat {

// A one-dimensional array of int32; int64 is taken too if every value fits.
std::vector<int32_t> ReadNpyInt32(const std::filesystem::path& path);

// Writes float32 [rows, cols] row by row into a file beside `path`; Finish puts it there.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, int64_t rows, int64_t cols);

  void Append(std::span<const float> rows);  // any number of whole rows
  void Finish();                             // throws if rows are missing

 private:
  std::filesystem::path path_;
  AtomicFile file_;
  int64_t cols_;
  int64_t missing_rows_;
};

}  // namespace carat

#endif  // CARAT_BASE_NPY_H_
