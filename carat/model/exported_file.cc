#include "carat/model/exported_file.h"

#include <algorithm>
#include <system_error>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"

namespace carat::model {
namespace {

constexpr int64_t kChunkValues = int64_t{1} << 18;

}  // namespace

ExportedFile::ExportedFile(const std::filesystem::path& target)
    : target_(ResolveFileTarget(target)), temporary_(target_, TemporaryPath::Kind::kFile) {}

void ExportedFile::Commit() {
  ThrowIfInterrupted();
  std::error_code error;
  std::filesystem::rename(path(), target_, error);
  if (error) throw Error("{}: cannot write: {}", target_.string(), error.message());
}

void WriteTensors(const checkpoint::Checkpoint& checkpoint,
                  const std::vector<ExportedTensor>& tensors,
                  const std::function<void(std::span<const std::byte>)>& write,
                  const ProgressCallback& progress) {
  int64_t total = 0;
  for (const ExportedTensor& tensor : tensors) total += tensor.num_bytes();
  int64_t done = 0;
  std::vector<float> values;
  std::vector<std::byte> bytes;
  for (const ExportedTensor& tensor : tensors) {
    const auto& [name, rows, cols, is_vector] = tensor.source;
    const checkpoint::TensorInfo& stored = checkpoint.Require(name, rows, cols);
    const int64_t chunk_rows = std::max<int64_t>(1, kChunkValues / cols);
    for (int64_t first = 0; first < rows; first += chunk_rows) {
      ThrowIfInterrupted();
      const int64_t num_rows = std::min(chunk_rows, rows - first);
      values.resize(static_cast<size_t>(num_rows * cols));
      bytes.resize(static_cast<size_t>(num_rows) * quantization::RowBytes(tensor.format, cols));
      checkpoint.ReadRowsAs(tensor.format, stored, first, num_rows, tensor.offset, values,
                            bytes.data());
      write(bytes);
      done += static_cast<int64_t>(bytes.size());
      if (progress) progress(done, total);
    }
  }
}

}  // namespace carat::model
