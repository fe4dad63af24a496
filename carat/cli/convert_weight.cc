// `carat convert_weight`: Hugging Face's weights -> MLC's, with the flags of MLC's command.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/base/progress.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/cli/commands.h"
#include "carat/cli/mlc_arguments.h"
#include "carat/model/config.h"
#include "carat/model/convert_weights.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

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

// The folder of the weights: of --source, which may name the file that lists them.
fs::path SourceFolder(const ConvertWeightArguments& arguments, const fs::path& config) {
  if (arguments.source == "auto") return config.parent_path();
  const fs::path source = arguments.source;
  if (!fs::exists(source)) throw Error("{}: does not exist", source.string());
  return fs::is_directory(source) ? source : fs::absolute(source).parent_path();
}

void RunConvertWeight(const ConvertWeightArguments& arguments) {
  CheckConvertWeightArguments(arguments);
  const fs::path config_path = ConfigPath(arguments.mlc);
  model::ModelConfig config =
      model::ParseModelConfig(ParseJsonFile(config_path), config_path.filename().string());
  const auto checkpoint = checkpoint::Checkpoint::Open(SourceFolder(arguments, config_path));
  model::ResolveWeightNames(checkpoint, config);
  PrepareOutput(arguments.mlc);

  model::ConvertedWeights result;
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    Progress progress(fmt::format("writing {}", arguments.mlc.output.string()));
    result = model::ConvertWeights(checkpoint, config,
                                   model::FindMlcQuantization(arguments.mlc.quantization),
                                   arguments.mlc.output, progress.Callback());
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
