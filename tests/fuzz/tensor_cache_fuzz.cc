// Any text is a tensor-cache.json whose tensors lie inside their shards and apart from each other,
// or an Error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/tensor_cache.h"

namespace {

using carat::checkpoint::TensorCacheShard;
using carat::checkpoint::TensorInfo;

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckShard(const TensorCacheShard& shard) {
  Check(shard.data_path.find('/') == std::string::npos && shard.data_path != "..");
  Check(shard.tensors.size() == shard.offsets.size());
  uint64_t total_bytes = 0;
  for (size_t i = 0; i < shard.tensors.size(); ++i) {
    const TensorInfo& tensor = shard.tensors[i];
    const auto bytes =
        static_cast<uint64_t>(tensor.rows() * tensor.cols()) * ElementBytes(tensor.dtype);
    Check(shard.offsets[i] <= shard.nbytes && bytes <= shard.nbytes - shard.offsets[i]);
    total_bytes += bytes;
  }
  Check(total_bytes <= shard.nbytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const carat::Json json =
        carat::ParseJson({reinterpret_cast<const char*>(data), size}, "tensor-cache.json");
    const auto shards = carat::checkpoint::ParseTensorCache(json, "tensor-cache.json");
    std::for_each(shards.begin(), shards.end(), CheckShard);
  } catch (const carat::Error&) {
  }
  return 0;
}
