// Any bytes are a safetensors file whose tensors lie inside it, or an Error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "carat/base/error.h"
#include "carat/checkpoint/safetensors.h"

namespace {

using carat::checkpoint::TensorInfo;

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckTensors(std::span<const TensorInfo> tensors, std::span<const std::byte> file) {
  size_t total_bytes = 0;
  for (const TensorInfo& tensor : tensors) {
    Check(tensor.bytes.data() >= file.data());
    Check(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    const auto num_elements = static_cast<size_t>(tensor.rows() * tensor.cols());
    Check(num_elements * ElementBytes(tensor.dtype) == tensor.bytes.size());
    total_bytes += tensor.bytes.size();
  }
  Check(total_bytes <= file.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  try {
    CheckTensors(carat::checkpoint::ParseSafetensors(file, "fuzz.safetensors"), file);
  } catch (const carat::Error&) {
  }
  return 0;
}
