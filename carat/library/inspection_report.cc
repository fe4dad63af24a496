// Inspection as text and as JSON.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "carat/base/json.h"
#include "carat/library/dist_folder.h"
#include "carat/library/inspection.h"

namespace carat::library {
namespace {

using model::LayerKind;

std::string_view KindText(const Inspection& inspection) {
  switch (inspection.kind) {
    case InspectedKind::kModel:
      return inspection.source;
    case InspectedKind::kDistFolder:
      return "compiled folder";
    case InspectedKind::kLibrary:
      return "compiled library";
  }
  return "";
}

std::string Size(int64_t num_bytes) {
  const auto bytes = static_cast<double>(num_bytes);
  return num_bytes < (1 << 20) ? fmt::format("{:.1f} KiB", bytes / (1 << 10))
                               : fmt::format("{:.1f} MiB", bytes / (1 << 20));
}

std::string Percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

std::string AgainstBF16(const WeightUse& weights) {
  const double saving = weights.saving_against_bf16();
  if (saving > 0.01) return Percent(saving) + " less than bf16";
  if (saving < -0.01) return Percent(-saving) + " more than bf16";
  return "as much as bf16";
}

std::string Count(int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Lines of text, appended with a format string.
class Report {
 public:
  template <typename... Values>
  void Line(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
    text_ += '\n';
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string RopeText(const model::RopeParameters& rope) {
  return rope.linear_factor == 1
             ? fmt::format("theta {}", rope.theta)
             : fmt::format("theta {}, positions / {}", rope.theta, rope.linear_factor);
}

void AddModel(const Inspection& inspection, Report& report) {
  const model::ModelConfig& config = inspection.config;
  report.Line("  architecture   {}, trained in {}", config.architecture, config.torch_dtype);
  report.Line("  parameters     {:.1f} million",
              static_cast<double>(inspection.weights.num_values()) / 1e6);
  report.Line("  shape          hidden {}, intermediate {}, {} and {} of {}", config.hidden_size,
              config.intermediate_size, Count(config.num_attention_heads, "query head"),
              Count(config.num_key_value_heads, "KV head"), config.head_dim);
  report.Line("  vocabulary     {} tokens, {} head", config.vocab_size,
              config.tie_word_embeddings ? "tied" : "separate");
  report.Line("  layers         {}: {}", config.num_hidden_layers,
              LayerKindsText(config.layer_types));
  report.Line("  sliding        window {}, RoPE {}", config.sliding_window,
              RopeText(config.rope_sliding));
  report.Line("  full           context {}, RoPE {}", config.max_position_embeddings,
              RopeText(config.rope_full));
}

void AddCompilation(const LibraryMetadata& metadata, Report& report) {
  report.Line("  compiled       by carat {} with {} for {}, target {}", metadata.carat_version,
              metadata.quantization, metadata.device, metadata.target);
  if (!metadata.cpu_features.empty()) {
    report.Line("  needs          {}", fmt::join(metadata.cpu_features, " "));
  }
  report.Line("  limits         context {}, prefill chunk {}, batch {}",
              metadata.context_window_size, metadata.prefill_chunk_size, metadata.max_batch_size);
}

void AddState(const std::vector<std::string>& problems, Report& report) {
  if (problems.empty()) {
    report.Line("  files          complete and undamaged, {} verified", kWeightsFile);
  }
  for (const std::string& problem : problems) report.Line("  cannot run     {}", problem);
}

void AddFormatLine(const FormatUse& use, Report& report) {
  WeightUse one;
  one.formats = {use};
  report.Line("  {:<6} {:>8} {:>14} {:>13} {:>14.2f}", use.format, use.num_weights, use.num_values,
              Size(use.num_bytes), one.bits_per_value());
}

void AddWeights(const Inspection& inspection, Report& report) {
  const WeightUse& weights = inspection.weights;
  report.Line("\nWeights");
  report.Line("  {:<6} {:>8} {:>14} {:>13} {:>14}", "format", "tensors", "values", "memory",
              "bits a weight");
  FormatUse total{"all", 0, weights.num_values(), weights.num_bytes()};
  for (const FormatUse& use : weights.formats) {
    AddFormatLine(use, report);
    total.num_weights += use.num_weights;
  }
  if (weights.formats.size() > 1) AddFormatLine(total, report);
  if (inspection.metadata) {
    report.Line("  {}", AgainstBF16(weights));
  }
  if (inspection.unused_bytes > 0) {
    report.Line("  and {} of tensors that the language model does not use",
                Size(inspection.unused_bytes));
  }
}

void AddSchemes(const std::vector<SchemeUse>& schemes, Report& report) {
  report.Line("\nWeights after carat compile --quantization ...");
  for (const SchemeUse& scheme : schemes) {
    if (scheme.weights) {
      report.Line("  {:<7} {:>12} {:>7.2f} bits a weight, {}", scheme.name,
                  Size(scheme.weights->num_bytes()), scheme.weights->bits_per_value(),
                  AgainstBF16(*scheme.weights));
    } else {
      report.Line("  {:<7} cannot hold this model: {}", scheme.name, scheme.problem);
    }
  }
}

void AddKv(const Inspection& inspection, Report& report) {
  report.Line("\nKV cache of one sequence ({})", inspection.kv_format);
  report.Line("  {:>8} {:>13} {:>15} {:>12} {:>16} {:>7}", "tokens", "full layers",
              "sliding layers", "together", "if all were full", "saved");
  for (const KvUse& use : inspection.kv) {
    report.Line("  {:>8} {:>13} {:>15} {:>12} {:>16} {:>7}", use.tokens, Size(use.full_layer_bytes),
                Size(use.sliding_layer_bytes), Size(use.num_bytes()), Size(use.all_full_bytes),
                Percent(use.saving()));
  }
}

Json WeightsJson(const WeightUse& weights) {
  Json formats = Json::array();
  for (const FormatUse& use : weights.formats) {
    formats.push_back({{"format", use.format},
                       {"tensors", use.num_weights},
                       {"values", use.num_values},
                       {"bytes", use.num_bytes}});
  }
  return {{"formats", std::move(formats)},
          {"bytes", weights.num_bytes()},
          {"bits_per_weight", weights.bits_per_value()},
          {"saving_against_bf16", weights.saving_against_bf16()}};
}

Json SchemesJson(const std::vector<SchemeUse>& schemes) {
  Json result = Json::object();
  for (const SchemeUse& scheme : schemes) {
    result[scheme.name] =
        scheme.weights ? WeightsJson(*scheme.weights) : Json{{"problem", scheme.problem}};
  }
  return result;
}

Json ConfigJson(const model::ModelConfig& config) {
  Json layer_types = Json::array();
  for (const LayerKind kind : config.layer_types) layer_types.push_back(model::Name(kind));
  return {{"architecture", config.architecture},
          {"torch_dtype", config.torch_dtype},
          {"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_hidden_layers},
          {"num_attention_heads", config.num_attention_heads},
          {"num_key_value_heads", config.num_key_value_heads},
          {"head_dim", config.head_dim},
          {"max_position_embeddings", config.max_position_embeddings},
          {"sliding_window", config.sliding_window},
          {"layer_types", std::move(layer_types)},
          {"tie_word_embeddings", config.tie_word_embeddings}};
}

Json KvJson(const std::vector<KvUse>& rows) {
  Json result = Json::array();
  for (const KvUse& use : rows) {
    result.push_back({{"tokens", use.tokens},
                      {"full_layer_bytes", use.full_layer_bytes},
                      {"sliding_layer_bytes", use.sliding_layer_bytes},
                      {"bytes", use.num_bytes()},
                      {"all_full_bytes", use.all_full_bytes},
                      {"saving", use.saving()}});
  }
  return result;
}

}  // namespace

std::string LayerKindsText(const std::vector<LayerKind>& kinds) {
  std::vector<std::string> runs;
  for (size_t begin = 0, end = 0; begin < kinds.size(); begin = end) {
    while (end < kinds.size() && kinds[end] == kinds[begin]) ++end;
    runs.push_back(fmt::format("{} {}", end - begin,
                               kinds[begin] == LayerKind::kFullAttention ? "full" : "sliding"));
  }
  return fmt::format("{}", fmt::join(runs, ", "));
}

std::string ToText(const Inspection& inspection) {
  Report report;
  report.Line("{}: {}", inspection.path.string(), KindText(inspection));
  AddModel(inspection, report);
  if (inspection.metadata) AddCompilation(*inspection.metadata, report);
  if (inspection.kind == InspectedKind::kDistFolder) AddState(inspection.problems, report);
  AddWeights(inspection, report);
  if (!inspection.schemes.empty()) AddSchemes(inspection.schemes, report);
  AddKv(inspection, report);
  return report.text();
}

Json ToJson(const Inspection& inspection) {
  Json result = {{"path", inspection.path.string()},
                 {"kind", KindText(inspection)},
                 {"config", ConfigJson(inspection.config)},
                 {"parameters", inspection.weights.num_values()},
                 {"weights", WeightsJson(inspection.weights)},
                 {"kv_format", inspection.kv_format},
                 {"kv", KvJson(inspection.kv)}};
  if (inspection.kind == InspectedKind::kModel) {
    result["unused_bytes"] = inspection.unused_bytes;
    result["quantizations"] = SchemesJson(inspection.schemes);
  }
  if (inspection.kind == InspectedKind::kDistFolder) result["problems"] = inspection.problems;
  if (inspection.metadata) {
    result["quantization"] = inspection.metadata->quantization;
    result["library"] = ToJson(*inspection.metadata);
  }
  return result;
}

}  // namespace carat::library
