// `carat gen_config`: mlc-chat-config.json and the tokenizer's files, with the flags of MLC's
// command.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/cli/commands.h"
#include "carat/cli/mlc_arguments.h"
#include "carat/compiler/mlc_folder.h"
#include "carat/model/mlc_chat_config.h"

namespace carat::cli {
namespace {

struct GenConfigArguments {
  MlcArguments mlc;
  model::MlcChatOptions options;
  int64_t attention_sink_size = -1;
  int64_t tensor_parallel_shards = 1;
  int64_t pipeline_parallel_stages = 1;
  bool disaggregation = false;
};

// What spreads a model over several GPUs, or is not part of Gemma 3.
void CheckGenConfigArguments(const GenConfigArguments& arguments) {
  const auto must_be_one = [](const char* flag, int64_t value) {
    if (value != 1) throw Error("{} {} is not supported: Carat runs on one device", flag, value);
  };
  must_be_one("--tensor-parallel-shards", arguments.tensor_parallel_shards);
  must_be_one("--pipeline-parallel-stages", arguments.pipeline_parallel_stages);
  if (arguments.disaggregation) {
    throw Error("--disaggregation is not supported: Carat runs on one device");
  }
  if (arguments.attention_sink_size > 0) {
    throw Error("--attention-sink-size {} is not supported: Gemma 3 has no attention sinks",
                arguments.attention_sink_size);
  }
}

void RunGenConfig(const GenConfigArguments& arguments) {
  CheckGenConfigArguments(arguments);
  model::MlcChatOptions options = arguments.options;
  if (arguments.mlc.model_type != "auto") options.model_type = arguments.mlc.model_type;
  std::cout << compiler::GenConfig(ToFolderOptions(arguments.mlc), options).string() << '\n';
}

}  // namespace

void AddGenConfig(CLI::App& app) {
  const auto arguments = std::make_shared<GenConfigArguments>();
  model::MlcChatOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("gen_config", "Write mlc-chat-config.json, for MLC and WebLLM");
  AddMlcArguments(*command, arguments->mlc);
  const auto templates = model::ConversationTemplates();
  command->add_option("--conv-template", options.conv_template, "How a conversation is written")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(templates.begin(), templates.end())));
  const auto size = CLI::Range(1, 1 << 30);
  command
      ->add_option("--context-window-size", options.context_window_size,
                   "Longest sequence, in tokens (default: the model's, at most 8192)")
      ->check(size);
  command
      ->add_option("--sliding-window-size", options.sliding_window_size,
                   "Window of the sliding layers, in tokens (default: the model's)")
      ->check(size);
  command
      ->add_option("--prefill-chunk-size", options.prefill_chunk_size,
                   "Most tokens in one forward call (default: the context window, at most 8192)")
      ->check(size);
  command
      ->add_option("--max-batch-size", options.max_batch_size, "Most sequences in one forward call")
      ->capture_default_str()
      ->check(size);
  command->add_option("--attention-sink-size", arguments->attention_sink_size,
                      "Only 0 and -1: Gemma 3 has no attention sinks");
  command->add_option("--tensor-parallel-shards", arguments->tensor_parallel_shards, "Only 1");
  command->add_option("--pipeline-parallel-stages", arguments->pipeline_parallel_stages, "Only 1");
  command->add_option("--disaggregation", arguments->disaggregation, "Only false");
  command->callback([arguments] { RunGenConfig(*arguments); });
}

}  // namespace carat::cli
