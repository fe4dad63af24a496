// `carat perplexity`: how well a model predicts a text file.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "carat/base/ascii_json.h"
#include "carat/base/file.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/engine/perplexity_report.h"
#include "carat/engine/text_generator.h"

namespace carat::cli {
namespace {

struct PerplexityArguments {
  std::filesystem::path model;
  std::filesystem::path file;
  std::string method = "sliding";
  std::optional<int64_t> context;
  std::optional<int64_t> stride;
  int num_threads = 0;
  bool json = false;
};

void PrintPerplexityText(const engine::PerplexityReport& report) {
  const auto row = [](std::string_view name, const std::string& value) {
    std::cout << fmt::format("{:<10} {}\n", name, Printable(value));
  };
  const engine::Perplexity& perplexity = report.perplexity;
  const bool is_sliding = report.options.method == engine::PerplexityMethod::kSliding;
  row("model", fmt::format("{}: {}, {} threads", report.folder.filename().string(),
                           report.quantization, report.num_threads));
  row("text",
      fmt::format("{}: {} bytes, {} tokens", report.file, report.num_bytes, report.num_tokens));
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

engine::PerplexityReport Measure(const PerplexityArguments& arguments) {
  std::string text = ReadTextFile(arguments.file);
  const engine::TextModel model = engine::LoadTextModel(ResolveTextModel(arguments.model),
                                                        {.num_threads = arguments.num_threads});
  const InterruptGuard guard;
  Progress progress("perplexity");
  return engine::ReportPerplexity(model, {.text = std::move(text),
                                          .file = arguments.file.string(),
                                          .method = arguments.method,
                                          .context = arguments.context,
                                          .stride = arguments.stride,
                                          .on_progress = progress.Callback()});
}

void RunPerplexity(const PerplexityArguments& arguments) {
  const engine::PerplexityReport report = Measure(arguments);
  if (arguments.json) {
    std::cout << AsciiJson(engine::ToJson(report));
  } else {
    PrintPerplexityText(report);
  }
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
