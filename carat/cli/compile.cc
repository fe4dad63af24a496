// `carat compile`: a model -> dist/<model>-<quantization>-<device>/.

#include "carat/compiler/compile.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/compile_progress.h"
#include "carat/cli/shell_quoted.h"
#include "carat/library/cpu_features.h"

namespace carat::cli {
namespace {

struct CompileArguments {
  compiler::CompileOptions options;
  std::string level = "O3";
  std::string model_type;  // MLC's; config.json says it
  int64_t context_window_size = 0;
  int64_t sliding_window_size = 0;
};

std::string_view NextCommand(const compiler::CompileOptions& options,
                             const compiler::CompileResult& result) {
  if (options.device == "webgpu") return "web";
  return std::filesystem::exists(result.output / "tokenizer.json") ? "chat" : "bench";
}

void RunCompile(CompileArguments& arguments) {
  compiler::CompileOptions& options = arguments.options;
  options.level = compiler::ParseOptLevel(arguments.level);
  if (arguments.context_window_size > 0) {
    options.context_window_size = arguments.context_window_size;
  }
  if (arguments.sliding_window_size > 0) {
    options.sliding_window_size = arguments.sliding_window_size;
  }
  const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
  compiler::CompileResult result;
  {
    CompileProgressBar bar;
    result = compiler::Compile(options, std::ref(bar));
  }
  std::cout << fmt::format("{}: {:.1f} MB of weights, {:.0f} KB library, in {:.1f} s\n",
                           Printable(result.output.string()),
                           static_cast<double>(result.weights_bytes) / 1e6,
                           static_cast<double>(result.library_bytes) / 1e3, result.seconds);
  std::cout << fmt::format("Next: carat {} {}\n", NextCommand(options, result),
                           ShellQuoted(result.output));
}

std::string TargetNames() {
  std::string names;
  for (const library::CpuTarget& target : library::CpuTargets()) {
    names.append(", ").append(target.name);
  }
  return names;
}

}  // namespace

void AddCompile(CLI::App& app) {
  const auto arguments = std::make_shared<CompileArguments>();
  compiler::CompileOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("compile", "Compile a model for this machine or for browsers");
  command
      ->add_option("MODEL", options.model,
                   "Gemma 3 model: a Hugging Face folder, a GGUF file, or a folder of MLC-LLM's")
      ->required()
      ->check(NotEmpty());
  command
      ->add_option("--quantization", options.quantization,
                   "Weight format: q4_0, q8_0, q0f16, q0bf16 or q0f32 (default: q4_0 for a Hugging "
                   "Face folder; others keep theirs); for webgpu q4f16_1 (default) or q4f32_1")
      ->check(NotEmpty());
  command
      ->add_option("--embedding-quantization", options.embedding_quantization,
                   "Weight format of the embedding and the tied head (default: --quantization)")
      ->check(NotEmpty());
  command
      ->add_option("--device", options.device,
                   "What to compile for: cpu, or webgpu for browsers (carat web)")
      ->capture_default_str();
  command->add_option("--target", options.target, "Instruction set: native" + TargetNames())
      ->capture_default_str();
  command
      ->add_option("-o,--output", options.output,
                   "Folder to write (default: dist/<model>-<quantization>-<device>), or FILE.so, "
                   "beside which the weights are put")
      ->check(NotEmpty());
  command
      ->add_option("--context-window-size", arguments->context_window_size,
                   "Longest sequence, in tokens (default: the model's)")
      ->check(CLI::Range(1, 1 << 30));
  command
      ->add_option("--sliding-window-size", arguments->sliding_window_size,
                   "Window of the sliding layers, in tokens (default: the model's)")
      ->check(CLI::Range(1, 1 << 30));
  command
      ->add_option("--prefill-chunk-size", options.prefill_chunk_size,
                   "Most tokens in one forward call")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 30));
  command
      ->add_option("--max-batch-size", options.max_batch_size, "Most sequences in one forward call")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 30));
  command->add_option("--overrides", options.overrides,
                      "\"key=value;...\": other values for fields of config.json or these sizes");
  command
      ->add_option(
          "--opt", arguments->level,
          "Optimization level: O0, O1, O2 or O3 (MLC's \"name=value;...\" are switches of GPUs)")
      ->capture_default_str();
  command->add_option("--model-type", arguments->model_type, "Architecture, as config.json says it")
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "gemma3", "gemma3_text"}));
  command->add_option("--debug-dump", options.debug_dump,
                      "Folder for the graph after each pass, the program and the generated code");
  command->callback([arguments] { RunCompile(*arguments); });
}

}  // namespace carat::cli
