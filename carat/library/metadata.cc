#include "carat/library/metadata.h"

#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/library/metadata_check.h"
#include "carat/quantization/scheme.h"

namespace carat::library {

namespace {

using graph::Arrangement;

std::string_view ArrangementName(Arrangement arrangement) {
  return arrangement == Arrangement::kInterleave ? "interleave" : "concatenate";
}

Json WeightToJson(const PackedWeight& packed) {
  const graph::Weight& weight = packed.weight;
  Json parts = Json::array();
  for (const graph::SourceTensor& part : weight.parts) {
    parts.push_back({{"name", part.name}, {"rows", part.rows}, {"cols", part.cols}});
  }
  return {
      {"name", weight.name},
      {"format", quantization::FormatName(weight.format)},
      {"shape", {weight.rows(), weight.cols()}},
      {"arrangement", ArrangementName(weight.arrangement)},
      {"added", weight.offset},
      {"parts", std::move(parts)},
      {"layout", packed.layout},
      {"offset", packed.offset},
      {"bytes", packed.num_bytes},
  };
}

int64_t NonNegativeInt(const JsonObject& object, std::string_view name) {
  const int64_t value = object.Int(name);
  if (value < 0) throw object.Wrong(name, "an integer of at least 0");
  return value;
}

// What `find` knows by the field's name; it throws Error for a name that it does not know.
template <typename Find>
auto Named(const JsonObject& object, std::string_view field, const Find& find) {
  const std::string name = object.String(field);
  try {
    return find(name);
  } catch (const Error& error) {
    throw Error("{}: {}", object.Where(field), error.what());
  }
}

graph::SourceTensor SourceFromJson(const JsonObject& object, bool is_vector) {
  return {object.String("name"), object.PositiveInt("rows"), object.PositiveInt("cols"), is_vector};
}

// The elements of the list `name`, each an object, errors naming "weights[3]".
std::vector<JsonObject> Objects(const JsonObject& object, std::string_view name) {
  const Json* list = object.Find(name);
  if (list == nullptr || !list->is_array()) throw object.Wrong(name, "a list of objects");
  std::vector<JsonObject> objects;
  for (size_t i = 0; i < list->size(); ++i) {
    objects.emplace_back((*list)[i], fmt::format("{}: {}[{}]", object.file(), name, i));
  }
  return objects;
}

PackedWeight WeightFromJson(const JsonObject& object) {
  PackedWeight packed;
  packed.weight.name = object.String("name");
  packed.weight.format = Named(
      object, "format", [](const std::string& name) { return quantization::FindFormat(name); });
  const std::string arrangement = object.String("arrangement");
  if (arrangement == ArrangementName(Arrangement::kInterleave)) {
    packed.weight.arrangement = Arrangement::kInterleave;
  } else if (arrangement != ArrangementName(Arrangement::kConcatenate)) {
    throw object.Wrong("arrangement", "\"concatenate\" or \"interleave\"");
  }
  packed.weight.offset = static_cast<float>(object.Float("added"));
  packed.layout = object.String("layout");
  for (const JsonObject& part : Objects(object, "parts")) {
    packed.weight.parts.push_back(SourceFromJson(part, packed.layout == "vector"));
  }
  if (packed.weight.parts.empty()) throw object.Wrong("parts", "at least one source tensor");
  packed.offset = NonNegativeInt(object, "offset");
  packed.num_bytes = object.PositiveInt("bytes");
  return packed;
}

}  // namespace

Json ToJson(const LibraryMetadata& metadata) {
  Json weights = Json::array();
  for (const PackedWeight& packed : metadata.weights) weights.push_back(WeightToJson(packed));
  return {
      {"carat_version", metadata.carat_version},
      {"tvm_ffi_abi", metadata.tvm_ffi_abi},
      {"architecture", metadata.architecture},
      {"model_config", ParseJson(metadata.model_config, "model_config")},
      {"vocab_size", metadata.vocab_size},
      {"quantization", metadata.quantization},
      {"device", metadata.device},
      {"target", metadata.target},
      {"cpu_features", metadata.cpu_features},
      {"kernels", metadata.kernels},
      {"context_window_size", metadata.context_window_size},
      {"prefill_chunk_size", metadata.prefill_chunk_size},
      {"max_batch_size", metadata.max_batch_size},
      {"sliding_window", metadata.sliding_window},
      {"page_tokens", metadata.page_tokens},
      {"page_bytes", metadata.page_bytes},
      {"ring_tokens", metadata.ring_tokens},
      {"ring_bytes", metadata.ring_bytes},
      {"scratch_shared_bytes", metadata.scratch_shared_bytes},
      {"scratch_thread_bytes", metadata.scratch_thread_bytes},
      {"weights_bytes", metadata.weights_bytes},
      {"decode_weight_bytes", metadata.decode_weight_bytes},
      {"weights_hash", metadata.weights_hash},
      {"weights", std::move(weights)},
  };
}

LibraryMetadata MetadataFromJson(const Json& json, std::string_view where) {
  const JsonObject object(json, std::string(where));
  LibraryMetadata metadata;
  metadata.carat_version = object.String("carat_version");
  if (metadata.carat_version != CARAT_VERSION) {
    throw VersionMismatchError(
        "{}: compiled by Carat {}, but this is Carat {}; run 'carat compile MODEL' again", where,
        metadata.carat_version, CARAT_VERSION);
  }
  metadata.tvm_ffi_abi = object.String("tvm_ffi_abi");
  metadata.architecture = object.String("architecture");
  metadata.model_config = object.Object("model_config").json().dump();
  metadata.vocab_size = object.PositiveInt("vocab_size");
  metadata.quantization = Named(object, "quantization", [](const std::string& name) {
    return quantization::FindScheme(name).name;
  });
  metadata.device = object.String("device");
  metadata.target = object.String("target");
  metadata.cpu_features = object.Strings("cpu_features");
  metadata.kernels = object.Strings("kernels");
  metadata.context_window_size = object.PositiveInt("context_window_size");
  metadata.prefill_chunk_size = object.PositiveInt("prefill_chunk_size");
  metadata.max_batch_size = object.PositiveInt("max_batch_size");
  metadata.sliding_window = NonNegativeInt(object, "sliding_window");
  metadata.page_tokens = object.PositiveInt("page_tokens");
  metadata.page_bytes = NonNegativeInt(object, "page_bytes");
  metadata.ring_tokens = NonNegativeInt(object, "ring_tokens");
  metadata.ring_bytes = NonNegativeInt(object, "ring_bytes");
  metadata.scratch_shared_bytes = NonNegativeInt(object, "scratch_shared_bytes");
  metadata.scratch_thread_bytes = NonNegativeInt(object, "scratch_thread_bytes");
  metadata.weights_bytes = object.PositiveInt("weights_bytes");
  metadata.decode_weight_bytes = NonNegativeInt(object, "decode_weight_bytes");
  metadata.weights_hash = object.String("weights_hash");
  for (const JsonObject& weight : Objects(object, "weights")) {
    metadata.weights.push_back(WeightFromJson(weight));
  }
  CheckMetadata(metadata, where);
  return metadata;
}

LibraryMetadata ParseMetadata(std::string_view json_text, std::string_view where) {
  return MetadataFromJson(ParseJson(json_text, where), where);
}

std::string FirstDifference(const LibraryMetadata& a, const LibraryMetadata& b) {
  const Json json_a = ToJson(a);
  const Json json_b = ToJson(b);
  const bool hash_unknown = a.weights_hash.empty() || b.weights_hash.empty();
  for (const auto& [name, value] : json_a.items()) {
    if (name == "weights_hash" && hash_unknown) continue;
    if (json_b.at(name) != value) return name;
  }
  return "";
}

}  // namespace carat::library
