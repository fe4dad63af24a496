// `carat convert_weight`: Hugging Face's weights -> MLC's, with the flags of MLC's command.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/progress.h"
#include "carat/cli/commands.h"
#include "carat/cli/mlc_arguments.h"
#include "carat/compiler/mlc_folder.h"

namespace carat::cli {
namespace {

struct ConvertWeightArguments {
  MlcArguments mlc;
  std::string device = "auto";
  std::string source = "auto";
  std::string source_format = "auto";
  std::string lora_adapter;
};

void CheckConvertWeightArguments(const ConvertWeightArguments& arguments) {
  if (!arguments.lora_adapter.empty()) {
    throw Error(
        "--lora-adapter is not supported; merge the adapter into the model first (peft's "
        "merge_and_unload and save_pretrained) and convert the merged model");
  }
  if (arguments.source_format == "huggingface-torch" || arguments.source_format == "awq") {
    throw Error(
        "--source-format {} is not supported; save the model with "
        "save_pretrained(..., safe_serialization=True)",
        arguments.source_format);
  }
}

void RunConvertWeight(const ConvertWeightArguments& arguments) {
  CheckConvertWeightArguments(arguments);
  std::optional<std::filesystem::path> source;
  if (arguments.source != "auto") source = arguments.source;
  model::ConvertedWeights result;
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    Progress progress(fmt::format("writing {}", arguments.mlc.output.string()));
    result = compiler::ConvertWeight(ToFolderOptions(arguments.mlc), source, progress.Callback());
  }
  const auto bytes = static_cast<double>(result.num_bytes);
  std::cout << fmt::format("{}: {:.1f} MB of parameters, {:.3f} bits each\n",
                           arguments.mlc.output.string(), bytes / 1e6,
                           bytes * 8 / static_cast<double>(result.num_parameters));
}

}  // namespace

void AddConvertWeight(CLI::App& app) {
  const auto arguments = std::make_shared<ConvertWeightArguments>();
  CLI::App* command =
      app.add_subcommand("convert_weight", "Write a model's weights as MLC and WebLLM read them");
  AddMlcArguments(*command, arguments->mlc);
  command->add_option("--device", arguments->device, "Where to quantize: always this CPU")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "cpu", "cpu:0"}));
  command->add_option("--source", arguments->source, "Folder of the weights (auto: CONFIG's)")
      ->capture_default_str();
  command->add_option("--source-format", arguments->source_format, "What the weights are")
      ->capture_default_str()
      ->check(CLI::IsMember(
          std::vector<std::string>{"auto", "huggingface-safetensor", "huggingface-torch", "awq"}));
  command->add_option("--lora-adapter", arguments->lora_adapter,
                      "Not supported: merge the adapter into the model first");
  command->callback([arguments] { RunConvertWeight(*arguments); });
}

}  // namespace carat::cli
