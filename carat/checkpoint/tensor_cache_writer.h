// Writes a tensor cache (see tensor_cache.h) byte for byte as TVM's tvmjs.dump_tensor_cache does
// for MLC's convert_weight: shards of at most 32 MB, a tensor of half that or more alone in one,
// float32 encoded as bfloat16.

#ifndef CARAT_CHECKPOINT_TENSOR_CACHE_WRITER_H_
#define CARAT_CHECKPOINT_TENSOR_CACHE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/progress.h"
#include "carat/checkpoint/safetensors_writer.h"

namespace carat::checkpoint {

// The tensors of a cache in its order, and what its metadata counts.
struct TensorCacheContents {
  std::vector<TensorSpec> tensors;  // F16, F32 or U32
  int64_t num_parameters = 0;       // of the model before quantization, for BitsPerParam
};

inline constexpr uint64_t kMaxShardBytes = uint64_t{32} << 20;

// Which tensors each params_shard_<i>.bin holds, as indices. Tensors are written in this order,
// which differs from the cache's own where a large one has a shard to itself.
std::vector<std::vector<size_t>> PlanShards(std::span<const TensorSpec> tensors,
                                            uint64_t max_shard_bytes = kMaxShardBytes);

// Takes a tensor's elements front to back, in pieces of whole elements.
using TensorSink = std::function<void(std::span<const std::byte>)>;

// Hands the elements of tensor `index` to the sink, all of them.
using TensorSource = std::function<void(size_t index, const TensorSink& sink)>;

// Writes the cache into `folder`, which exists and may hold other files. Shards are written aside
// and take their places together when all are complete, the index last: whatever ends this early
// leaves an older cache as it was. `progress` counts bytes of elements.
void WriteTensorCache(const std::filesystem::path& folder, const TensorCacheContents& contents,
                      const TensorSource& source, const ProgressCallback& progress = {},
                      uint64_t max_shard_bytes = kMaxShardBytes);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_TENSOR_CACHE_WRITER_H_
