// The tensor cache in which MLC-LLM and WebLLM keep weights: shards of raw bytes and an index,
//
//     tensor-cache.json (before TVM 0.22: ndarray-cache.json)
//       {"metadata": {...}, "records": [
//         {"dataPath": "params_shard_0.bin", "format": "raw-shard", "nbytes": n, "md5sum": "...",
//          "records": [{"name": ..., "shape": [...], "dtype": "float16", "format": "f32-to-bf16",
//                       "byteOffset": ..., "nbytes": ...}, ...]}, ...]}
//
// The format "f32-to-bf16" changes float32 alone: such a tensor is stored as bfloat16. In
// TensorInfo it is what it is stored as, BF16.

#ifndef CARAT_CHECKPOINT_TENSOR_CACHE_H_
#define CARAT_CHECKPOINT_TENSOR_CACHE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/base/progress.h"
#include "carat/checkpoint/tensor.h"

namespace carat::checkpoint {

inline constexpr std::string_view kTensorCacheFile = "tensor-cache.json";

// What the index says of one shard. The tensors' bytes are not set yet: they begin at `offsets`.
struct TensorCacheShard {
  std::string data_path;  // a plain file name
  uint64_t nbytes = 0;
  std::string md5sum;  // "" if the index gives none
  std::vector<TensorInfo> tensors;
  std::vector<uint64_t> offsets;
};

// The shards of an index, every field checked; `where` names it in errors. Any JSON is either a
// valid index, whose tensors lie inside their shards and apart from each other, or an Error.
std::vector<TensorCacheShard> ParseTensorCache(const Json& json, std::string_view where);

// The index of a folder, or nothing if it has none.
std::optional<std::filesystem::path> FindTensorCacheIndex(const std::filesystem::path& folder);

// A folder's cache. Shards are mapped, and nothing of them is read before it is asked for.
class TensorCache {
 public:
  static TensorCache Open(const std::filesystem::path& folder);

  // Throws Error if a shard does not have the md5sum that the index gives it. Reads everything
  // once; `progress` counts bytes, and Ctrl-C ends it with InterruptedError.
  void CheckMd5(const ProgressCallback& progress = {}) const;

  const TensorInfo* Find(std::string_view name) const;  // nullptr if there is none
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const { return tensors_; }

  // TensorInfo::file counts these.
  const std::vector<MappedFile>& files() const { return files_; }
  std::vector<MappedFile> TakeFiles() && { return std::move(files_); }

  const std::string& index_name() const { return index_name_; }  // "tensor-cache.json"

 private:
  std::string index_name_;
  std::vector<MappedFile> files_;
  std::vector<std::string> md5sums_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_TENSOR_CACHE_H_
