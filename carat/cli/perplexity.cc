// `carat perplexity`: how well a model predicts a text file.

#include "carat/engine/perplexity.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/ascii_json.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/engine/text_generator.h"

namespace carat::cli {
namespace {

using engine::PerplexityMethod;

struct PerplexityArguments {
  std::filesystem::path model;
  std::filesystem::path file;
  std::string method = "sliding";
  std::optional<int64_t> context;
  std::optional<int64_t> stride;
  int num_threads = 0;
  bool json = false;
};

// What was measured, and the result.
struct PerplexityReport {
  std::filesystem::path folder;
  std::string quantization;
  int num_threads = 0;
  int64_t num_bytes = 0;
  int64_t num_tokens = 0;
  engine::PerplexityOptions options;
  engine::Perplexity perplexity;
};

engine::PerplexityOptions ToOptions(const PerplexityArguments& arguments,
                                    int64_t context_window_size) {
  engine::PerplexityOptions options;
  if (arguments.method == "llama.cpp") options.method = PerplexityMethod::kLlamaCpp;
  if (arguments.stride && options.method == PerplexityMethod::kLlamaCpp) {
    throw Error("--stride belongs to --method sliding; llama.cpp's chunks do not overlap");
  }
  options.context = arguments.context.value_or(
      engine::DefaultPerplexityContext(options.method, context_window_size));
  options.stride = arguments.stride.value_or(options.context / 2);
  return options;
}

void PrintPerplexityText(const PerplexityArguments& arguments, const PerplexityReport& report) {
  const auto row = [](std::string_view name, const std::string& value) {
    std::cout << fmt::format("{:<10} {}\n", name, Printable(value));
  };
  const engine::Perplexity& perplexity = report.perplexity;
  const bool is_sliding = report.options.method == PerplexityMethod::kSliding;
  row("model", fmt::format("{}: {}, {} threads", report.folder.filename().string(),
                           report.quantization, report.num_threads));
  row("text", fmt::format("{}: {} bytes, {} tokens", arguments.file.string(), report.num_bytes,
                          report.num_tokens));
  row("scored",
      fmt::format("{} tokens, in {} {} of {}{}", perplexity.num_scored, perplexity.num_windows,
                  is_sliding ? "windows" : "chunks", report.options.context,
                  is_sliding ? fmt::format(", {} apart", report.options.stride)
                             : " as llama-perplexity does"));
  row("nll", fmt::format("{:.4f} +/- {:.4f} nats a token", perplexity.mean_nll,
                         perplexity.mean_nll_standard_error));
  row("bits/byte", fmt::format("{:.4f}", perplexity.bits_per_byte));
  row("perplexity",
      fmt::format("{:.4f} +/- {:.4f}", perplexity.value(), perplexity.standard_error()));
}

void PrintPerplexityJson(const PerplexityArguments& arguments, const PerplexityReport& report) {
  const engine::Perplexity& perplexity = report.perplexity;
  nlohmann::ordered_json json = {
      {"model", report.folder.string()},
      {"quantization", report.quantization},
      {"num_threads", report.num_threads},
      {"file", arguments.file.string()},
      {"bytes", report.num_bytes},
      {"tokens", report.num_tokens},
      {"method", arguments.method},
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
  if (report.options.method == PerplexityMethod::kLlamaCpp) json.erase("stride");
  std::cout << AsciiJson(json);
}

void RunPerplexity(const PerplexityArguments& arguments) {
  const std::string text = ReadTextFile(arguments.file);
  const engine::TextModel model = engine::LoadTextModel(ResolveTextModel(arguments.model),
                                                        {.num_threads = arguments.num_threads});
  PerplexityReport report;
  report.options = ToOptions(arguments, model.model->context_window_size());
  const engine::PerplexityText encoded =
      engine::EncodePerplexityText(model, text, arguments.file.string(), report.options.method);
  {
    const InterruptGuard guard;
    Progress progress("perplexity");
    report.options.on_progress = progress.Callback();
    report.options.is_interrupted = Interrupted;
    report.perplexity = engine::MeasurePerplexity(model.model, encoded, report.options);
  }
  report.folder = model.model->folder();
  report.quantization = model.model->metadata().quantization;
  report.num_threads = model.model->num_threads();
  report.num_bytes = encoded.num_bytes;
  report.num_tokens = std::ssize(encoded.tokens);
  arguments.json ? PrintPerplexityJson(arguments, report) : PrintPerplexityText(arguments, report);
}

}  // namespace

void AddPerplexity(CLI::App& app) {
  const auto arguments = std::make_shared<PerplexityArguments>();
  CLI::App* command = app.add_subcommand("perplexity", "Measure how well a model predicts a text");
  AddModelArgument(*command, arguments->model);
  command->add_option("--file", arguments->file, "The text, UTF-8")->required()->check(NotEmpty());
  command
      ->add_option("--method", arguments->method,
                   "sliding (Hugging Face's windows) or llama.cpp (llama-perplexity's chunks)")
      ->capture_default_str()
      ->check(CLI::IsMember({"sliding", "llama.cpp"}));
  command
      ->add_option("--context", arguments->context,
                   "Tokens a window (default: the model's, at most 2048; llama.cpp: 512)")
      ->check(WholeNumber(2, kMaxCount));
  command
      ->add_option("--stride", arguments->stride,
                   "Tokens from one window to the next (default: half a window)")
      ->check(WholeNumber(1, kMaxCount));
  AddThreadsFlag(*command, arguments->num_threads);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->callback([arguments] { RunPerplexity(*arguments); });
}

}  // namespace carat::cli
