#include "carat/library/inspection.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/checkpoint/folder.h"
#include "carat/graph/graph.h"
#include "carat/graph/weight_formats.h"
#include "carat/kernels/cpu/kv_cache.h"
#include "carat/library/dist_folder.h"
#include "carat/library/library_file.h"
#include "carat/model/architecture.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::library {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kShortestKvRow = 512;
constexpr int64_t kLongestKvRow = 131'072;
constexpr double kBF16Bits = 16;

// Sums weights up by format, in the order of their names.
class WeightUseBuilder {
 public:
  void Add(std::string_view format, int64_t num_values, int64_t num_bytes) {
    FormatUse& use = uses_[std::string(format)];
    use.num_weights += 1;
    use.num_values += num_values;
    use.num_bytes += num_bytes;
  }

  WeightUse Result() const {
    WeightUse result;
    for (const auto& [format, use] : uses_) {
      result.formats.push_back(use);
      result.formats.back().format = format;
    }
    return result;
  }

 private:
  std::map<std::string, FormatUse> uses_;
};

// --- The KV cache ---

// How the layers of a sequence keep their tokens.
struct KvShape {
  int64_t num_full_layers = 0;
  int64_t num_sliding_layers = 0;
  int64_t page_tokens = 0;
  int64_t ring_pages = 0;
  int64_t layer_page_bytes = 0;
};

// Memory is taken when it is first written: a ring that the sequence has not filled counts in part.
KvUse KvAt(const KvShape& shape, int64_t tokens) {
  const int64_t num_pages = (tokens + shape.page_tokens - 1) / shape.page_tokens;
  const auto layers_bytes = [&](int64_t num_layers, int64_t pages) {
    return num_layers * pages * shape.layer_page_bytes;
  };
  return {tokens, layers_bytes(shape.num_full_layers, num_pages),
          layers_bytes(shape.num_sliding_layers, std::min(num_pages, shape.ring_pages)),
          layers_bytes(shape.num_full_layers + shape.num_sliding_layers, num_pages)};
}

// Powers of two up to the context, and the context.
std::vector<KvUse> KvTable(const KvShape& shape, int64_t context) {
  std::vector<KvUse> rows;
  for (int64_t tokens = kShortestKvRow; tokens < context && tokens <= kLongestKvRow; tokens *= 2) {
    rows.push_back(KvAt(shape, tokens));
  }
  rows.push_back(KvAt(shape, context));
  return rows;
}

// As the compiler lays the cache out.
KvShape KvShapeOf(const model::ModelConfig& config, quantization::KvFormat format) {
  return {config.CountLayers(model::LayerKind::kFullAttention),
          config.CountLayers(model::LayerKind::kSlidingAttention), cpu::kPageTokens,
          cpu::RingPages(config.sliding_window),
          cpu::KvPageBytes(config.num_key_value_heads, config.head_dim,
                           static_cast<int64_t>(quantization::KvElementBytes(format)))};
}

// As a library has it.
KvShape KvShapeOf(const model::ModelConfig& config, const LibraryMetadata& metadata) {
  KvShape shape;
  shape.num_full_layers = config.CountLayers(model::LayerKind::kFullAttention);
  shape.num_sliding_layers = config.CountLayers(model::LayerKind::kSlidingAttention);
  shape.page_tokens = metadata.page_tokens;
  shape.ring_pages = metadata.ring_tokens / metadata.page_tokens;
  shape.layer_page_bytes = shape.num_full_layers > 0
                               ? metadata.page_bytes / shape.num_full_layers
                               : metadata.ring_bytes / shape.ring_pages / shape.num_sliding_layers;
  return shape;
}

// --- What is to be compiled ---

// "BF16" as the other formats are spelled.
std::string LowerCase(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

int64_t NumBytes(const checkpoint::TensorInfo& tensor) {
  return static_cast<int64_t>(tensor.bytes.size() + tensor.scales.size());
}

WeightUse StoredWeights(const graph::Graph& graph, const checkpoint::Checkpoint& checkpoint,
                        int64_t& unused_bytes) {
  WeightUseBuilder builder;
  unused_bytes = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    unused_bytes += NumBytes(tensor);
  }
  for (const graph::Weight& weight : graph.weights) {
    for (const graph::SourceTensor& part : weight.parts) {
      const checkpoint::TensorInfo& tensor = checkpoint.Require(part.name, part.rows, part.cols);
      const int64_t num_bytes = NumBytes(tensor);
      builder.Add(LowerCase(checkpoint::Name(tensor.dtype)), part.rows * part.cols, num_bytes);
      unused_bytes -= num_bytes;
    }
  }
  return builder.Result();
}

SchemeUse UseOf(const quantization::QuantizationScheme& scheme, const graph::Graph& graph) {
  std::vector<quantization::WeightFormat> formats;
  try {
    formats = graph::WeightFormats(graph, scheme);
  } catch (const Error& error) {
    return {scheme.name, std::nullopt, error.what()};
  }
  WeightUseBuilder builder;
  for (size_t id = 0; id < formats.size(); ++id) {
    const graph::Weight& weight = graph.weights[id];
    const auto row_bytes = static_cast<int64_t>(quantization::RowBytes(formats[id], weight.cols()));
    builder.Add(quantization::FormatName(formats[id]), weight.rows() * weight.cols(),
                weight.rows() * row_bytes);
  }
  return {scheme.name, builder.Result(), ""};
}

Inspection InspectModel(const model::ModelSource& source) {
  Inspection result;
  result.kind = InspectedKind::kModel;
  result.source = source.Description();
  result.config = source.LoadConfig();
  const checkpoint::Checkpoint checkpoint = source.OpenCheckpoint(result.config);
  const graph::Graph graph = model::BuildGraph(result.config);
  result.weights = StoredWeights(graph, checkpoint, result.unused_bytes);
  for (const quantization::QuantizationScheme& scheme : quantization::AllSchemes()) {
    result.schemes.push_back(UseOf(scheme, graph));
  }
  const quantization::KvFormat kv_format = quantization::KvFormat::kF16;
  result.kv_format = quantization::KvFormatName(kv_format);
  result.kv = KvTable(KvShapeOf(result.config, kv_format), result.config.max_position_embeddings);
  return result;
}

// --- What was compiled ---

Inspection InspectCompiled(InspectedKind kind, LibraryMetadata metadata, std::string_view where) {
  Inspection result;
  result.kind = kind;
  result.config = model::ParseModelConfig(ParseJson(metadata.model_config, where), where);
  WeightUseBuilder builder;
  for (const PackedWeight& packed : metadata.weights) {
    builder.Add(quantization::FormatName(packed.weight.format),
                packed.weight.rows() * packed.weight.cols(), packed.num_bytes);
  }
  result.weights = builder.Result();
  const quantization::KvFormat kv_format = quantization::FindScheme(metadata.quantization).kv;
  result.kv_format = quantization::KvFormatName(kv_format);
  result.kv = KvTable(KvShapeOf(result.config, metadata), metadata.context_window_size);
  result.metadata = std::move(metadata);
  return result;
}

// Runs `read`; what is wrong becomes a problem, and there is no result.
template <typename Read>
auto Attempt(std::vector<std::string>& problems, const Read& read)
    -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error& error) {
    problems.emplace_back(error.what());
    return std::nullopt;
  }
}

// By carat-config.json, or where that is unreadable by the library, which says the same but for the
// weights' hash.
Inspection InspectDistFolder(const fs::path& path) {
  std::vector<std::string> problems;
  auto config = Attempt(problems, [&] { return ReadDistConfig(path); });
  std::optional<LibraryMetadata> metadata;
  if (config) {
    Attempt(problems, [&] { return ReadMatchingLibrary(path, *config); });
    metadata = std::move(config->metadata);
    Attempt(problems, [&] { return OpenWeights(path, *metadata).bytes().size(); });
  } else {
    metadata = Attempt(problems, [&] { return ReadLibraryMetadata(path / kLibraryFile); });
  }
  if (!metadata) throw Error("{}", problems.front());
  Inspection result =
      InspectCompiled(InspectedKind::kDistFolder, std::move(*metadata), path.string());
  result.problems = std::move(problems);
  return result;
}

}  // namespace

int64_t WeightUse::num_values() const {
  int64_t sum = 0;
  for (const FormatUse& use : formats) sum += use.num_values;
  return sum;
}

int64_t WeightUse::num_bytes() const {
  int64_t sum = 0;
  for (const FormatUse& use : formats) sum += use.num_bytes;
  return sum;
}

double WeightUse::bits_per_value() const {
  return 8 * static_cast<double>(num_bytes()) / static_cast<double>(num_values());
}

double WeightUse::saving_against_bf16() const { return 1 - bits_per_value() / kBF16Bits; }

double KvUse::saving() const {
  return 1 - static_cast<double>(num_bytes()) / static_cast<double>(all_full_bytes);
}

Inspection Inspect(const fs::path& path) {
  Inspection result;
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    result =
        model::ModelSource::IsModelFile(path)
            ? InspectModel(*model::ModelSource::Open(path))
            : InspectCompiled(InspectedKind::kLibrary, ReadLibraryMetadata(path), path.string());
  } else {
    checkpoint::CheckIsFolder(
        path, fmt::format("{}, a compiled folder or its {}", model::kModelSources, kLibraryFile));
    result = checkpoint::Has(path, kConfigFile) || checkpoint::Has(path, kLibraryFile)
                 ? InspectDistFolder(path)
                 : InspectModel(*model::ModelSource::Open(path));
  }
  result.path = path;
  return result;
}

}  // namespace carat::library
