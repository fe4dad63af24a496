#include "carat/checkpoint/tensor_cache_writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/interrupt.h"
#include "carat/base/md5.h"
#include "carat/base/numeric.h"
#include "carat/base/temporary_path.h"
#include "carat/checkpoint/tensor_cache.h"

namespace carat::checkpoint {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kBF16IndexName = "tensor-cache-b16.json";

std::string_view TvmName(const TensorSpec& tensor) {
  switch (tensor.dtype) {
    case DType::kF16:
      return "float16";
    case DType::kF32:
      return "float32";
    case DType::kU32:
      return "uint32";
    default:
      throw Error("tensor '{}': no {} can be written to a tensor cache", tensor.name,
                  Name(tensor.dtype));
  }
}

uint64_t StoredBytes(const TensorSpec& tensor) {
  return tensor.num_elements() *
         (tensor.dtype == DType::kF32 ? sizeof(uint16_t) : ElementBytes(tensor.dtype));
}

std::string ShardName(size_t index) { return fmt::format("params_shard_{}.bin", index); }

// Rounded to even, but what would become infinity is cut off: tvmjs keeps values finite.
uint16_t EncodeBF16(float value) {
  constexpr float kMaxBF16 = 0x1.fep127F;
  if (value < kMaxBF16 && value > -kMaxBF16) return FloatToBF16(value);
  return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
}

std::vector<uint16_t> EncodeBF16(std::span<const std::byte> bytes) {
  std::vector<uint16_t> encoded(bytes.size() / sizeof(float));
  for (size_t i = 0; i < encoded.size(); ++i) {
    float value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    encoded[i] = EncodeBF16(value);
  }
  return encoded;
}

// Counts what has been written, and lets Ctrl-C end it.
class ProgressCount {
 public:
  ProgressCount(const ProgressCallback& callback, std::span<const TensorSpec> tensors)
      : callback_(callback) {
    for (const TensorSpec& tensor : tensors) total_ += static_cast<int64_t>(tensor.num_bytes());
  }

  void Add(size_t bytes) {
    ThrowIfInterrupted();
    done_ += static_cast<int64_t>(bytes);
    if (callback_) callback_(done_, total_);
  }

 private:
  const ProgressCallback& callback_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

// Writes one shard, and returns its entry of the index.
OrderedJson WriteShard(const fs::path& path, std::span<const size_t> indices,
                       std::span<const TensorSpec> tensors, const TensorSource& source,
                       ProgressCount& progress) {
  FileWriter file(path);
  Md5 md5;
  OrderedJson records = OrderedJson::array();
  for (const size_t index : indices) {
    const TensorSpec& tensor = tensors[index];
    const uint64_t offset = file.bytes_written();
    source(index, [&](std::span<const std::byte> elements) {
      std::vector<uint16_t> encoded;
      std::span<const std::byte> stored = elements;
      if (tensor.dtype == DType::kF32) {
        encoded = EncodeBF16(elements);
        stored = std::as_bytes(std::span(encoded));
      }
      md5.Append(stored);
      file.Write(stored);
      progress.Add(elements.size());
    });
    if (file.bytes_written() - offset != StoredBytes(tensor)) {
      throw Error("tensor '{}': {} bytes were written, its shape {} takes {}", tensor.name,
                  file.bytes_written() - offset, ShapeText(tensor.shape), StoredBytes(tensor));
    }
    records.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"dtype", TvmName(tensor)},
                       {"format", "f32-to-bf16"},
                       {"nbytes", StoredBytes(tensor)},
                       {"byteOffset", offset}});
  }
  const uint64_t nbytes = file.bytes_written();
  file.Close();
  return {{"dataPath", path.filename().string()},
          {"format", "raw-shard"},
          {"nbytes", nbytes},
          {"records", std::move(records)},
          {"md5sum", md5.HexDigest()}};
}

// ParamBytes counts float32 as 4 bytes although 2 are stored, as MLC does.
OrderedJson Metadata(const TensorCacheContents& contents) {
  double bytes = 0;
  for (const TensorSpec& tensor : contents.tensors)
    bytes += static_cast<double>(tensor.num_bytes());
  return {{"ParamSize", contents.tensors.size()},
          {"ParamBytes", bytes},
          {"BitsPerParam", bytes * 8 / static_cast<double>(contents.num_parameters)}};
}

// As Python's json.dump(..., indent=4) writes it.
std::string Dump(const OrderedJson& index) { return index.dump(4, ' ', /*ensure_ascii=*/true); }

// The same index with what is stored as bfloat16 called so; false if nothing is.
bool NameBF16(OrderedJson& index) {
  bool has_bf16 = false;
  for (OrderedJson& shard : index["records"]) {
    for (OrderedJson& record : shard["records"]) {
      if (record["dtype"] != "float32") continue;
      record["format"] = "raw";
      record["dtype"] = "bfloat16";
      has_bf16 = true;
    }
  }
  return has_bf16;
}

void Move(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return;
  throw Error("{}: cannot write: {}", to.string(), std::generic_category().message(errno));
}

}  // namespace

std::vector<std::vector<size_t>> PlanShards(std::span<const TensorSpec> tensors,
                                            uint64_t max_shard_bytes) {
  std::vector<std::vector<size_t>> shards;
  std::vector<size_t> pending;
  uint64_t pending_bytes = 0;
  const auto commit = [&] {
    if (pending_bytes > 0) shards.push_back(std::exchange(pending, {}));
    pending_bytes = 0;
  };
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint64_t bytes = StoredBytes(tensors[i]);
    if (pending_bytes + bytes >= max_shard_bytes) {
      if (bytes * 2 >= max_shard_bytes) {
        shards.push_back({i});
        continue;
      }
      commit();
    }
    pending.push_back(i);
    pending_bytes += bytes;
  }
  commit();
  return shards;
}

void WriteTensorCache(const fs::path& folder, const TensorCacheContents& contents,
                      const TensorSource& source, const ProgressCallback& progress,
                      uint64_t max_shard_bytes) {
  const fs::path target = ResolveTarget(folder);
  const TemporaryPath temporary(target / kTensorCacheFile, TemporaryPath::Kind::kFolder);
  const auto shards = PlanShards(contents.tensors, max_shard_bytes);
  ProgressCount count(progress, contents.tensors);
  OrderedJson index = {{"metadata", Metadata(contents)}, {"records", OrderedJson::array()}};
  for (size_t i = 0; i < shards.size(); ++i) {
    index["records"].push_back(
        WriteShard(temporary.path() / ShardName(i), shards[i], contents.tensors, source, count));
  }
  // From here on the folder's old index, if any, does not describe its shards.
  fs::remove(target / kTensorCacheFile);
  fs::remove(target / kBF16IndexName);
  for (size_t i = 0; i < shards.size(); ++i) {
    Move(temporary.path() / ShardName(i), target / ShardName(i));
  }
  // Those of a larger model that was there.
  for (size_t i = shards.size(); fs::remove(target / ShardName(i)); ++i) {
  }
  const std::string text = Dump(index);
  if (NameBF16(index)) WriteFileAtomically(target / kBF16IndexName, Dump(index));
  WriteFileAtomically(target / kTensorCacheFile, text);
}

}  // namespace carat::checkpoint
