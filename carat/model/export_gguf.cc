#include "carat/model/export_gguf.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/checkpoint/gguf_names.h"
#include "carat/checkpoint/gguf_tokenizer_writer.h"
#include "carat/checkpoint/gguf_writer.h"
#include "carat/graph/weight_formats.h"
#include "carat/model/architecture.h"
#include "carat/model/exported_file.h"

namespace carat::model {
namespace {

using checkpoint::GgufMetadata;

constexpr std::string_view kGgufArchitecture = "gemma3";
constexpr int64_t kNumLayersWithOtherScale = 62;  // of Gemma 3 27B, see llama.cpp's gemma3.cpp

// llama.cpp's file types (LLAMA_FTYPE_*): what most matrices are.
uint32_t FileType(quantization::WeightFormat format) {
  switch (format) {
    case quantization::WeightFormat::kF32:
      return 0;
    case quantization::WeightFormat::kF16:
      return 1;
    case quantization::WeightFormat::kQ4_0:
      return 2;
    case quantization::WeightFormat::kQ8_0:
      return 7;
    case quantization::WeightFormat::kBF16:
      return 32;
  }
  throw Error("unknown weight format");
}

// GGUF has no key for what attention scores are multiplied with, nor for scaled sliding layers.
void CheckGgufCanSay(const ModelConfig& config, std::string_view file) {
  const double assumed = config.num_hidden_layers == kNumLayersWithOtherScale
                             ? static_cast<double>(config.hidden_size / config.num_attention_heads)
                             : static_cast<double>(config.head_dim);
  if (config.query_pre_attn_scalar != assumed) {
    throw Error(
        "{}: field 'query_pre_attn_scalar' is {}, but GGUF has no place for it and llama.cpp takes "
        "{} for this shape; such a model has no GGUF form",
        file, config.query_pre_attn_scalar, assumed);
  }
  if (config.attn_logit_softcapping) {
    throw Error(
        "{}: field 'attn_logit_softcapping' is {}, which llama.cpp's Gemma 3 does not compute; "
        "such "
        "a model has no GGUF form",
        file, *config.attn_logit_softcapping);
  }
  if (config.rope_sliding.linear_factor != 1) {
    throw Error(
        "{}: the RoPE of sliding layers is scaled by {}, for which GGUF has no place; such a model "
        "has no GGUF form",
        file, config.rope_sliding.linear_factor);
  }
}

class GgufExporter {
 public:
  explicit GgufExporter(const ModelSource& source) : source_(source), config_(source.LoadConfig()) {
    CheckGgufCanSay(config_, source.ConfigFile());
  }

  quantization::QuantizationScheme Export(std::string_view quantization,
                                          std::string_view embedding_quantization,
                                          const std::filesystem::path& file,
                                          const ProgressCallback& progress) {
    const checkpoint::Checkpoint checkpoint = source_.OpenCheckpoint(config_);
    scheme_ = quantization::FindScheme(
        quantization.empty() ? StoredScheme(checkpoint, config_) : std::string(quantization),
        embedding_quantization);
    ListTensors();
    AddGeneral();
    AddShapes();
    AddAttention();
    AddTokenizer();
    ExportedFile target(file);
    checkpoint::GgufWriter writer(target.path(), metadata_, specs_);
    WriteTensors(
        checkpoint, tensors_, [&](std::span<const std::byte> bytes) { writer.Write(bytes); },
        progress);
    writer.Close();
    target.Commit();
    return scheme_;
  }

 private:
  static std::string Key(std::string_view name) {
    return fmt::format("{}.{}", kGgufArchitecture, name);
  }

  void AddCount(std::string_view name, int64_t value) {
    metadata_.AddUint32(Key(name), static_cast<uint32_t>(value));
  }

  void AddNumber(std::string_view name, double value) {
    metadata_.AddFloat32(Key(name), static_cast<float>(value));
  }

  void AddGeneral() {
    metadata_.AddString("general.architecture", kGgufArchitecture);
    metadata_.AddString("general.type", "model");
    metadata_.AddString("general.name", source_.Name());
    metadata_.AddUint32("general.file_type", FileType(scheme_.matrix));
    metadata_.AddUint32("general.quantization_version", 2);
  }

  void AddShapes() {
    AddCount("context_length", config_.max_position_embeddings);
    AddCount("embedding_length", config_.hidden_size);
    AddCount("block_count", config_.num_hidden_layers);
    AddCount("feed_forward_length", config_.intermediate_size);
    AddCount("attention.head_count", config_.num_attention_heads);
    AddCount("attention.head_count_kv", config_.num_key_value_heads);
    AddCount("attention.key_length", config_.head_dim);
    AddCount("attention.value_length", config_.head_dim);
    AddNumber("attention.layer_norm_rms_epsilon", config_.rms_norm_eps);
  }

  void AddAttention() {
    AddLayerPattern();
    AddNumber("rope.freq_base", config_.rope_full.theta);
    AddNumber("rope.freq_base_swa", config_.rope_sliding.theta);
    if (config_.rope_full.linear_factor != 1) {
      metadata_.AddString(Key("rope.scaling.type"), "linear");
      AddNumber("rope.scaling.factor", config_.rope_full.linear_factor);
    }
    if (const auto cap = config_.final_logit_softcapping) {
      AddNumber("final_logit_softcapping", *cap);
    }
  }

  // Every how manieth layer is full, or which layers slide.
  void AddLayerPattern() {
    if (config_.CountLayers(LayerKind::kSlidingAttention) == 0) return;
    AddCount("attention.sliding_window", config_.sliding_window);
    const std::string key = Key("attention.sliding_window_pattern");
    for (int64_t period = 2; period <= config_.num_hidden_layers + 1; ++period) {
      if (HasPeriod(period)) return metadata_.AddUint32(key, static_cast<uint32_t>(period));
    }
    std::vector<bool> slides;
    for (const LayerKind kind : config_.layer_types) {
      slides.push_back(kind == LayerKind::kSlidingAttention);
    }
    metadata_.AddBools(key, slides);
  }

  bool HasPeriod(int64_t period) const {
    for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer) {
      const bool is_full = config_.layer_types[layer] == LayerKind::kFullAttention;
      if (is_full != (layer % period == period - 1)) return false;
    }
    return true;
  }

  void AddTokenizer() {
    const std::optional<std::string> tokenizer_text = source_.ReadFile(kTokenizer);
    const std::optional<std::string> config_text = source_.ReadFile(kTokenizerConfig);
    if (!tokenizer_text || !config_text) {
      throw Error("{}: has no {}, and a GGUF file without a tokenizer is of no use to llama.cpp",
                  source_.path().string(), tokenizer_text ? kTokenizerConfig : kTokenizer);
    }
    const Json tokenizer = ParseJson(*tokenizer_text, kTokenizer);
    const Json tokenizer_config = ParseJson(*config_text, kTokenizerConfig);
    const JsonObject config_object(tokenizer_config, std::string(kTokenizerConfig));
    checkpoint::AddTokenizer(JsonObject(tokenizer, std::string(kTokenizer)), config_object,
                             config_.vocab_size, metadata_);
    if (auto chat_template = source_.ReadFile("chat_template.jinja")) {
      metadata_.AddString(kChatTemplateKey, *chat_template);
    } else if (const Json* field = config_object.Find("chat_template");
               field != nullptr && field->is_string()) {
      metadata_.AddString(kChatTemplateKey, field->get<std::string>());
    }
  }

  void ListTensors() {
    const graph::Graph graph = BuildGraph(config_);
    const std::vector<quantization::WeightFormat> formats = graph::WeightFormats(graph, scheme_);
    for (size_t id = 0; id < formats.size(); ++id) {
      for (const graph::SourceTensor& part : graph.weights[id].parts) {
        tensors_.push_back({part, formats[id], part.is_vector ? config_.norm_offset : 0});
        specs_.push_back(
            {GgufNameOf(part.name), quantization::ToGgmlType(formats[id]),
             part.is_vector ? std::vector{part.cols} : std::vector{part.rows, part.cols}});
      }
    }
  }

  // The checkpoint may spell "model." otherwise.
  std::string GgufNameOf(std::string_view name) const {
    std::string plain(name);
    if (name == config_.lm_head_weight) {
      plain = "lm_head.weight";
    } else if (name.starts_with(config_.weight_prefix)) {
      plain = fmt::format("model.{}", name.substr(config_.weight_prefix.size()));
    }
    if (auto gguf = checkpoint::GgufName(plain)) return *gguf;
    throw Error("tensor '{}' has no name in GGUF", name);
  }

  static constexpr std::string_view kTokenizer = "tokenizer.json";
  static constexpr std::string_view kTokenizerConfig = "tokenizer_config.json";
  static constexpr std::string_view kChatTemplateKey = "tokenizer.chat_template";

  const ModelSource& source_;
  ModelConfig config_;
  quantization::QuantizationScheme scheme_;
  GgufMetadata metadata_;
  std::vector<ExportedTensor> tensors_;
  std::vector<checkpoint::GgufTensorSpec> specs_;
};

}  // namespace

quantization::QuantizationScheme ExportGguf(const ModelSource& source,
                                            std::string_view quantization,
                                            std::string_view embedding_quantization,
                                            const std::filesystem::path& file,
                                            const ProgressCallback& progress) {
  return GgufExporter(source).Export(quantization, embedding_quantization, file, progress);
}

}  // namespace carat::model
