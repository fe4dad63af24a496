#include "carat/checkpoint/tensor_cache.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/md5.h"
#include "carat/checkpoint/folder.h"

namespace carat::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOldIndexName = "ndarray-cache.json";
constexpr std::string_view kDownloadFolderAgain = "download the folder again";

// TVM's names of element types.
constexpr std::array<std::pair<std::string_view, DType>, 14> kTvmDTypes = {{
    {"float16", DType::kF16},
    {"float32", DType::kF32},
    {"bfloat16", DType::kBF16},
    {"uint32", DType::kU32},
    {"float64", DType::kF64},
    {"float8_e4m3fn", DType::kF8E4M3},
    {"float8_e5m2", DType::kF8E5M2},
    {"bool", DType::kBool},
    {"int8", DType::kI8},
    {"uint8", DType::kU8},
    {"int16", DType::kI16},
    {"uint16", DType::kU16},
    {"int32", DType::kI32},
    {"int64", DType::kI64},
}};

const Json& List(const JsonObject& object, std::string_view name) {
  const Json* list = object.Find(name);
  if (list == nullptr || !list->is_array()) throw object.Wrong(name, "a list");
  return *list;
}

uint64_t ByteCount(const JsonObject& object, std::string_view name) {
  const int64_t count = object.Int(name);
  if (count < 0) throw object.Wrong(name, "a number of bytes");
  return static_cast<uint64_t>(count);
}

// What the tensor's bytes are: its dtype, but bfloat16 where float32 was encoded so.
DType StoredDType(const JsonObject& record) {
  const std::string name = record.String("dtype");
  const auto* found = std::find_if(kTvmDTypes.begin(), kTvmDTypes.end(),
                                   [&](const auto& row) { return row.first == name; });
  if (found == kTvmDTypes.end())
    throw record.Wrong("dtype", "a type like \"float16\" or \"uint32\"");
  const std::string format = record.String("format");
  if (format == "raw") return found->second;
  if (format != "f32-to-bf16") throw record.Wrong("format", "\"raw\" or \"f32-to-bf16\"");
  return found->second == DType::kF32 ? DType::kBF16 : found->second;
}

std::vector<int64_t> ParseShape(const JsonObject& record) {
  List(record, "shape");
  std::vector<int64_t> shape = record.Ints("shape");
  if (shape.size() > kMaxDimensions) {
    throw record.Wrong("shape", fmt::format("at most {} dimensions", kMaxDimensions));
  }
  return shape;
}

// The bytes a tensor of this shape takes. Refuses dimensions that are negative or whose product,
// zeros left out, is too large.
uint64_t ExpectedBytes(const TensorInfo& tensor, const JsonObject& record) {
  constexpr auto kMaxBytes = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  uint64_t bytes = ElementBytes(tensor.dtype);
  bool is_empty = false;
  for (const int64_t dimension : tensor.shape) {
    const auto extent = static_cast<uint64_t>(std::max(dimension, int64_t{1}));
    if (dimension < 0 || bytes > kMaxBytes / extent) {
      throw Error("{}: has the impossible shape {}", record.file(), ShapeText(tensor.shape));
    }
    bytes *= extent;
    is_empty |= dimension == 0;
  }
  return is_empty ? 0 : bytes;
}

// Adds a tensor that lies inside the shard.
void ParseRecord(const Json& json, std::string_view where, TensorCacheShard& shard) {
  const std::string name =
      JsonObject(json, fmt::format("{}: a tensor of {}", where, shard.data_path)).String("name");
  const JsonObject record(json, fmt::format("{}: tensor '{}'", where, name));
  TensorInfo tensor{.name = name, .dtype = StoredDType(record), .shape = ParseShape(record)};
  const uint64_t offset = ByteCount(record, "byteOffset");
  const uint64_t nbytes = ByteCount(record, "nbytes");
  const uint64_t expected = ExpectedBytes(tensor, record);
  if (nbytes != expected) {
    throw Error("{}: is {} {} and should take {} bytes, its nbytes are {}; {}", record.file(),
                record.String("dtype"), ShapeText(tensor.shape), expected, nbytes,
                kDownloadFolderAgain);
  }
  if (offset > shard.nbytes || nbytes > shard.nbytes - offset) {
    throw Error("{}: takes {} bytes from byte {} on, but {} has {}; {}", record.file(), nbytes,
                offset, shard.data_path, shard.nbytes, kDownloadFolderAgain);
  }
  shard.tensors.push_back(std::move(tensor));
  shard.offsets.push_back(offset);
}

void CheckApart(const TensorCacheShard& shard, std::string_view where) {
  std::vector<size_t> order;
  for (size_t i = 0; i < shard.tensors.size(); ++i) order.push_back(i);
  const auto end_of = [&](size_t i) {
    const TensorInfo& tensor = shard.tensors[i];
    return shard.offsets[i] +
           static_cast<uint64_t>(tensor.rows() * tensor.cols()) * ElementBytes(tensor.dtype);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(shard.offsets[a], end_of(a)) < std::pair(shard.offsets[b], end_of(b));
  });
  for (size_t i = 1; i < order.size(); ++i) {
    if (shard.offsets[order[i]] >= end_of(order[i - 1])) continue;
    throw Error("{}: tensors '{}' and '{}' overlap in {}; {}", where,
                shard.tensors[order[i - 1]].name, shard.tensors[order[i]].name, shard.data_path,
                kDownloadFolderAgain);
  }
}

TensorCacheShard ParseShard(const Json& json, size_t index, std::string_view where) {
  const JsonObject object(json, fmt::format("{}: shard {}", where, index));
  TensorCacheShard shard;
  shard.data_path = object.String("dataPath");
  if (!IsPlainFileName(shard.data_path)) {
    throw object.Wrong("dataPath", "the name of a file in the same folder");
  }
  if (object.String("format") != "raw-shard") throw object.Wrong("format", "\"raw-shard\"");
  shard.nbytes = ByteCount(object, "nbytes");
  shard.md5sum = object.OptionalString("md5sum").value_or("");
  for (const Json& record : List(object, "records")) ParseRecord(record, where, shard);
  CheckApart(shard, where);
  return shard;
}

MappedFile MapShard(const fs::path& folder, const TensorCacheShard& shard,
                    const std::string& index_name) {
  const fs::path path = folder / shard.data_path;
  if (!fs::exists(path)) {
    throw Error("{}: names the file {}, which is not in {}; the download is incomplete", index_name,
                shard.data_path, folder.string());
  }
  MappedFile file(path);
  if (file.bytes().size() != shard.nbytes) {
    throw Error("{}: is {} bytes long, but {} says {}; {}", shard.data_path, file.bytes().size(),
                index_name, shard.nbytes, kDownloadFolderAgain);
  }
  return file;
}

}  // namespace

std::vector<TensorCacheShard> ParseTensorCache(const Json& json, std::string_view where) {
  const JsonObject index(json, std::string(where));
  std::vector<TensorCacheShard> shards;
  std::set<std::string> files;
  std::set<std::string> names;
  for (const Json& record : List(index, "records")) {
    const TensorCacheShard& shard = shards.emplace_back(ParseShard(record, shards.size(), where));
    if (!files.insert(shard.data_path).second) {
      throw Error("{}: names the shard {} twice; {}", where, shard.data_path, kDownloadFolderAgain);
    }
    for (const TensorInfo& tensor : shard.tensors) {
      if (names.insert(tensor.name).second) continue;
      throw Error("{}: names the tensor '{}' twice; {}", where, tensor.name, kDownloadFolderAgain);
    }
  }
  return shards;
}

std::optional<fs::path> FindTensorCacheIndex(const fs::path& folder) {
  for (const std::string_view name : {kTensorCacheFile, kOldIndexName}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  return std::nullopt;
}

TensorCache TensorCache::Open(const fs::path& folder) {
  const std::optional<fs::path> index = FindTensorCacheIndex(folder);
  if (!index) {
    throw Error("{}: has no {}; is it a folder that MLC's convert_weight wrote?", folder.string(),
                kTensorCacheFile);
  }
  TensorCache cache;
  cache.index_name_ = index->filename().string();
  for (TensorCacheShard& shard : ParseTensorCache(ParseJsonFile(*index), cache.index_name_)) {
    const MappedFile& file = cache.files_.emplace_back(MapShard(folder, shard, cache.index_name_));
    cache.md5sums_.push_back(std::move(shard.md5sum));
    for (size_t i = 0; i < shard.tensors.size(); ++i) {
      TensorInfo& tensor = shard.tensors[i];
      const auto num_elements = static_cast<size_t>(tensor.rows() * tensor.cols());
      tensor.bytes =
          file.bytes().subspan(shard.offsets[i], num_elements * ElementBytes(tensor.dtype));
      tensor.file = cache.files_.size() - 1;
      std::string name = tensor.name;
      cache.tensors_.emplace(std::move(name), std::move(tensor));
    }
  }
  return cache;
}

void TensorCache::CheckMd5(const ProgressCallback& progress) const {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  int64_t total = 0;
  for (const MappedFile& file : files_) total += static_cast<int64_t>(file.bytes().size());
  int64_t done = 0;
  for (size_t i = 0; i < files_.size(); ++i) {
    Md5 md5;
    const std::span<const std::byte> bytes = files_[i].bytes();
    for (size_t begin = 0; begin < bytes.size(); begin += kPieceBytes) {
      ThrowIfInterrupted();
      const auto piece = bytes.subspan(begin, std::min(kPieceBytes, bytes.size() - begin));
      md5.Append(piece);
      files_[i].DropPages(piece);
      done += static_cast<int64_t>(piece.size());
      if (progress) progress(done, total);
    }
    const std::string digest = md5.HexDigest();
    if (md5sums_[i].empty() || md5sums_[i] == digest) continue;
    throw Error("{}: has the md5sum {}, but {} says {}; it is damaged, {}",
                files_[i].path().filename().string(), digest, index_name_, md5sums_[i],
                kDownloadFolderAgain);
  }
}

const TensorInfo* TensorCache::Find(std::string_view name) const {
  const auto tensor = tensors_.find(name);
  return tensor == tensors_.end() ? nullptr : &tensor->second;
}

}  // namespace carat::checkpoint
