#include "carat/checkpoint/fixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/base/numeric.h"
#include "carat/base/output_directory.h"
#include "carat/checkpoint/fixture_tokenizer.h"
#include "carat/checkpoint/safetensors_writer.h"

namespace carat::checkpoint {
namespace {

constexpr std::string_view kFixtureMarker = "carat-fixture.json";
constexpr std::array<std::string_view, 6> kFixtureFiles = {
    kFixtureMarker,   "config.json",           "generation_config.json",
    "tokenizer.json", "tokenizer_config.json", "model.safetensors",
};

constexpr int64_t kSlidingWindowPattern = 6;  // every sixth layer is full

// Norm weights enter as 1 + w: this spread keeps activations near their usual size.
constexpr double kNormStddev = 0.3;

// Elements made at a time: small enough to stay in the cache's reach, large enough that starting
// threads costs nothing beside them.
constexpr size_t kChunkElements = size_t{1} << 22;

// --- Names and shapes ---

std::vector<TensorSpec> LayerTensors(const FixtureModel& model, int64_t layer) {
  const int64_t hidden = model.hidden_size;
  const int64_t q_width = model.num_attention_heads * model.head_dim;
  const int64_t kv_width = model.num_key_value_heads * model.head_dim;
  const auto tensor = [&](std::string_view name, std::vector<int64_t> shape) {
    return TensorSpec{fmt::format("model.layers.{}.{}.weight", layer, name), DType::kBF16,
                      std::move(shape)};
  };
  return {tensor("input_layernorm", {hidden}),
          tensor("mlp.down_proj", {hidden, model.intermediate_size}),
          tensor("mlp.gate_proj", {model.intermediate_size, hidden}),
          tensor("mlp.up_proj", {model.intermediate_size, hidden}),
          tensor("post_attention_layernorm", {hidden}),
          tensor("post_feedforward_layernorm", {hidden}),
          tensor("pre_feedforward_layernorm", {hidden}),
          tensor("self_attn.k_norm", {model.head_dim}),
          tensor("self_attn.k_proj", {kv_width, hidden}),
          tensor("self_attn.o_proj", {hidden, q_width}),
          tensor("self_attn.q_norm", {model.head_dim}),
          tensor("self_attn.q_proj", {q_width, hidden}),
          tensor("self_attn.v_proj", {kv_width, hidden})};
}

std::vector<TensorSpec> ModelTensors(const FixtureModel& model) {
  std::vector<TensorSpec> tensors = {
      {"model.embed_tokens.weight", DType::kBF16, {model.vocab_size, model.hidden_size}}};
  for (int64_t layer = 0; layer < model.num_hidden_layers; ++layer) {
    std::ranges::move(LayerTensors(model, layer), std::back_inserter(tensors));
  }
  tensors.push_back({"model.norm.weight", DType::kBF16, {model.hidden_size}});
  return tensors;
}

// --- Random weights ---

// SplitMix64's output function: element i of a stream is Mix(stream + i), so any part of a tensor
// can be made by any thread. (Steele, Lea, Flood: Fast splittable pseudorandom number generators.)
uint64_t Mix(uint64_t x) {
  x *= 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The standard normal distribution's quantile at p in (0, 1/2], by Abramowitz and Stegun 26.2.23.
double LowerQuantile(double p) {
  const double t = std::sqrt(-2 * std::log(p));
  return (2.515517 + t * (0.802853 + t * 0.010328)) /
             (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
         t;
}

// bf16 values of a normal distribution, equally likely: a random index is a random value.
class NormalTable {
 public:
  static constexpr size_t kSize = size_t{1} << 16;

  explicit NormalTable(double stddev) : values_(kSize) {
    for (size_t i = 0; i < kSize / 2; ++i) {
      const double p = (static_cast<double>(i) + 0.5) / kSize;
      const auto value = static_cast<float>(stddev * LowerQuantile(p));
      values_[i] = FloatToBF16(value);
      values_[kSize - 1 - i] = FloatToBF16(-value);
    }
  }

  // Elements [first, first + out.size()) of a stream, four from each random word.
  void Fill(uint64_t stream, size_t first, std::span<uint16_t> out) const {
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t element = first + i;
      const uint64_t word = Mix(stream + element / 4);
      out[i] = values_[word >> (element % 4 * 16) & 0xffff];
    }
  }

 private:
  std::vector<uint16_t> values_;
};

double StddevOf(const TensorSpec& tensor) {
  return tensor.shape.size() == 1 ? kNormStddev
                                  : 1 / std::sqrt(static_cast<double>(tensor.shape.back()));
}

// Fills `out` with all processors.
void FillInParallel(const NormalTable& table, uint64_t stream, size_t first,
                    std::span<uint16_t> out) {
  const size_t num_threads = std::max(1u, std::thread::hardware_concurrency());
  const size_t share = (out.size() + num_threads - 1) / num_threads;
  std::vector<std::jthread> threads;
  for (size_t begin = 0; begin < out.size(); begin += share) {
    const std::span<uint16_t> part = out.subspan(begin, std::min(share, out.size() - begin));
    threads.emplace_back(
        [&table, stream, at = first + begin, part] { table.Fill(stream, at, part); });
  }
}

void WriteTensor(const TensorSpec& tensor, uint64_t stream, std::vector<uint16_t>& chunk,
                 SafetensorsWriter& writer) {
  const NormalTable table(StddevOf(tensor));
  const size_t num_elements = tensor.num_elements();
  for (size_t first = 0; first < num_elements; first += chunk.size()) {
    ThrowIfInterrupted();
    const auto part = std::span(chunk).first(std::min(chunk.size(), num_elements - first));
    FillInParallel(table, stream, first, part);
    writer.Write(std::as_bytes(part));
  }
}

void WriteWeights(const FixtureModel& model, uint64_t seed, const std::filesystem::path& path,
                  const ProgressCallback& progress) {
  const std::vector<TensorSpec> tensors = ModelTensors(model);
  int64_t total = 0;
  for (const TensorSpec& tensor : tensors) total += static_cast<int64_t>(tensor.num_elements());

  SafetensorsWriter writer(path, tensors);
  std::vector<uint16_t> chunk(kChunkElements);
  int64_t done = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    WriteTensor(tensors[i], Mix(Mix(seed) + i), chunk, writer);
    done += static_cast<int64_t>(tensors[i].num_elements());
    if (progress) progress(done, total);
  }
  writer.Close();
}

// --- The other files ---

std::string ConfigJson(const FixtureModel& model) {
  Json config = {{"architectures", {"Gemma3ForCausalLM"}},
                 {"attention_bias", false},
                 {"attention_dropout", 0.0},
                 {"attn_logit_softcapping", nullptr},
                 {"bos_token_id", 2},
                 {"eos_token_id", 1},
                 {"final_logit_softcapping", nullptr},
                 {"head_dim", model.head_dim},
                 {"hidden_activation", "gelu_pytorch_tanh"},
                 {"hidden_size", model.hidden_size},
                 {"initializer_range", 0.02},
                 {"intermediate_size", model.intermediate_size},
                 {"max_position_embeddings", model.max_position_embeddings},
                 {"model_type", "gemma3_text"},
                 {"num_attention_heads", model.num_attention_heads},
                 {"num_hidden_layers", model.num_hidden_layers},
                 {"num_key_value_heads", model.num_key_value_heads},
                 {"pad_token_id", 0},
                 {"query_pre_attn_scalar", model.query_pre_attn_scalar},
                 {"rms_norm_eps", 1e-6},
                 {"rope_local_base_freq", 10000.0},
                 {"rope_scaling", nullptr},
                 {"rope_theta", 1000000.0},
                 {"sliding_window", model.sliding_window},
                 {"torch_dtype", "bfloat16"},
                 {"use_cache", true},
                 {"vocab_size", model.vocab_size}};
  if (model.spelling == LayerSpelling::kSlidingWindowPattern) {
    config["cache_implementation"] = "hybrid";
    config["eos_token_id"] = {1, 106};
    config["sliding_window_pattern"] = kSlidingWindowPattern;
  } else {
    config["_sliding_window_pattern"] = kSlidingWindowPattern;
    config["use_bidirectional_attention"] = false;
    for (int64_t layer = 1; layer <= model.num_hidden_layers; ++layer) {
      config["layer_types"].push_back(layer % kSlidingWindowPattern == 0 ? "full_attention"
                                                                         : "sliding_attention");
    }
  }
  return config.dump(2) + "\n";
}

std::string GenerationConfigJson() {
  const Json config = {{"bos_token_id", 2}, {"cache_implementation", "hybrid"},
                       {"do_sample", true}, {"eos_token_id", {1, 106}},
                       {"pad_token_id", 0}, {"top_k", 64},
                       {"top_p", 0.95}};
  return config.dump(2) + "\n";
}

std::string MarkerJson(const FixtureModel& model, uint64_t seed) {
  const Json marker = {{"carat_version", CARAT_VERSION}, {"model", model.name}, {"seed", seed}};
  return marker.dump(2) + "\n";
}

void WriteTextFile(const std::filesystem::path& path, std::string_view text) {
  FileWriter writer(path);
  writer.Write(text);
  writer.Close();
}

}  // namespace

std::span<const FixtureModel> FixtureModels() {
  static const std::array<FixtureModel, 2> kModels = {{
      {.name = "gemma-3-270m",
       .hidden_size = 640,
       .intermediate_size = 2048,
       .num_hidden_layers = 18},
      {.name = "gemma-3-1b",
       .hidden_size = 1152,
       .intermediate_size = 6912,
       .num_hidden_layers = 26,
       .spelling = LayerSpelling::kSlidingWindowPattern},
  }};
  return kModels;
}

const FixtureModel& FindFixtureModel(std::string_view name) {
  std::string known;
  for (const FixtureModel& model : FixtureModels()) {
    if (model.name == name) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  throw Error("there is no fixture '{}'; there are {}", name, known);
}

void WriteFixture(const FixtureModel& model, uint64_t seed, const std::filesystem::path& folder,
                  const ProgressCallback& progress) {
  OutputDirectory output(folder, kFixtureFiles);
  WriteTextFile(output.path() / "config.json", ConfigJson(model));
  WriteTextFile(output.path() / "generation_config.json", GenerationConfigJson());
  WriteTextFile(output.path() / "tokenizer.json", FixtureTokenizerJson(model.vocab_size));
  WriteTextFile(output.path() / "tokenizer_config.json",
                FixtureTokenizerConfigJson(model.max_position_embeddings));
  WriteWeights(model, seed, output.path() / "model.safetensors", progress);
  WriteTextFile(output.path() / kFixtureMarker, MarkerJson(model, seed));
  output.Commit();
}

}  // namespace carat::checkpoint
