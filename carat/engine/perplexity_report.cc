#include "carat/engine/perplexity_report.h"

#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"

namespace carat::engine {
namespace {

PerplexityOptions OptionsOf(const PerplexityRequest& request, int64_t context_window_size) {
  PerplexityOptions options;
  options.method = ParsePerplexityMethod(request.method);
  if (request.stride && options.method == PerplexityMethod::kLlamaCpp) {
    throw InvalidArgumentError(
        "--stride belongs to --method sliding; llama.cpp's chunks do not overlap");
  }
  options.context =
      request.context.value_or(DefaultPerplexityContext(options.method, context_window_size));
  options.stride = request.stride.value_or(options.context / 2);
  return options;
}

}  // namespace

PerplexityMethod ParsePerplexityMethod(std::string_view name) {
  if (name == "sliding") return PerplexityMethod::kSliding;
  if (name == "llama.cpp") return PerplexityMethod::kLlamaCpp;
  throw InvalidArgumentError("method is '{}', expected 'sliding' or 'llama.cpp'", name);
}

PerplexityReport ReportPerplexity(const TextModel& model, const PerplexityRequest& request) {
  PerplexityReport report;
  report.folder = model.model->folder();
  report.quantization = model.model->metadata().quantization;
  report.num_threads = model.model->num_threads();
  report.file = request.file;
  report.method = request.method;
  report.options = OptionsOf(request, model.model->context_window_size());
  const PerplexityText text = EncodePerplexityText(
      model, request.text, request.file.empty() ? "the text" : request.file, report.options.method);
  report.num_bytes = text.num_bytes;
  report.num_tokens = std::ssize(text.tokens);
  PerplexityOptions options = report.options;
  options.on_progress = request.on_progress;
  options.is_interrupted = Interrupted;
  report.perplexity = MeasurePerplexity(model.model, text, options);
  return report;
}

nlohmann::ordered_json ToJson(const PerplexityReport& report) {
  const Perplexity& perplexity = report.perplexity;
  nlohmann::ordered_json json = {
      {"model", report.folder.string()},
      {"quantization", report.quantization},
      {"num_threads", report.num_threads},
      {"file", report.file},
      {"bytes", report.num_bytes},
      {"tokens", report.num_tokens},
      {"method", report.method},
      {"context", report.options.context},
      {"stride", report.options.stride},
      {"windows", perplexity.num_windows},
      {"scored_tokens", perplexity.num_scored},
      {"mean_nll", perplexity.mean_nll},
      {"mean_nll_standard_error", perplexity.mean_nll_standard_error},
      {"bits_per_byte", perplexity.bits_per_byte},
      {"perplexity", perplexity.value()},
      {"perplexity_standard_error", perplexity.standard_error()},
  };
  if (report.file.empty()) json.erase("file");
  if (report.options.method == PerplexityMethod::kLlamaCpp) json.erase("stride");
  return json;
}

}  // namespace carat::engine
