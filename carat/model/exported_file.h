// What the writers of model files have in common: the model's tensors, row by row, into a file that
// appears when it is complete.

#ifndef CARAT_MODEL_EXPORTED_FILE_H_
#define CARAT_MODEL_EXPORTED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "carat/base/progress.h"
#include "carat/base/temporary_path.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/weight.h"
#include "carat/quantization/weight_format.h"

namespace carat::model {

struct ExportedTensor {
  graph::SourceTensor source;
  quantization::WeightFormat format = quantization::WeightFormat::kF32;
  float offset = 0;  // added to every value

  int64_t num_bytes() const {
    return source.rows * static_cast<int64_t>(quantization::RowBytes(format, source.cols));
  }
};

// A file beside `target` that takes its place in Commit.
class ExportedFile {
 public:
  explicit ExportedFile(const std::filesystem::path& target);

  const std::filesystem::path& path() const { return temporary_.path(); }
  void Commit();

 private:
  std::filesystem::path target_;
  TemporaryPath temporary_;
};

// Gives every tensor's rows to `write`, in order. `progress` counts bytes; Ctrl-C ends it with
// InterruptedError.
void WriteTensors(const checkpoint::Checkpoint& checkpoint,
                  const std::vector<ExportedTensor>& tensors,
                  const std::function<void(std::span<const std::byte>)>& write,
                  const ProgressCallback& progress);

}  // namespace carat::model

#endif  // CARAT_MODEL_EXPORTED_FILE_H_
