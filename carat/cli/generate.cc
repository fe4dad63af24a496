// `carat generate`: one answer, streamed; or with --json one object with all there is to know about
// it.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/cli/sampling_flags.h"
#include "carat/cli/standard_input.h"
#include "carat/engine/text_generator.h"
#include "carat/library/dist_folder.h"
#include "carat/text/chat_template.h"

namespace carat::cli {
namespace {

struct GenerateArguments {
  std::filesystem::path model;
  std::string prompt;
  std::string system_prompt;
  int64_t max_tokens = 1024;
  engine::SamplingOverrides sampling;
  int num_threads = 0;
  bool raw = false;
  bool json = false;
};

std::string ReadPrompt(const GenerateArguments& arguments, int64_t context_window_size) {
  const auto max_bytes = static_cast<size_t>(engine::MaxPromptBytes(context_window_size));
  std::string prompt =
      arguments.prompt == "-" ? ReadStandardInput(max_bytes + 1) : arguments.prompt;
  engine::CheckPromptBytes(prompt.size() + arguments.system_prompt.size(), context_window_size);
  return prompt;
}

std::vector<TokenId> EncodePrompt(const GenerateArguments& arguments, const std::string& prompt,
                                  const engine::TextGenerator& generator) {
  const text::Tokenizer& tokenizer = generator.tokenizer();
  if (arguments.raw) return tokenizer.Encode(prompt, text::SpecialTokens::kAdd);
  std::vector<text::ChatMessage> messages;
  if (!arguments.system_prompt.empty()) messages.push_back({"system", arguments.system_prompt});
  messages.push_back({"user", prompt});
  const text::ChatTemplate chat_template = text::ChatTemplate::Load(generator.model().folder());
  const std::string rendered = chat_template.Render(messages, text::GenerationPrompt::kAdd);
  engine::CheckPromptBytes(rendered.size(), generator.model().context_window_size());
  return tokenizer.Encode(rendered, text::SpecialTokens::kDoNotAdd);
}

nlohmann::ordered_json ToJson(const engine::TextResult& result,
                              const std::vector<TokenId>& prompt) {
  const engine::GenerationTimings& timings = result.generation.timings;
  return {
      {"text", result.text},
      {"prompt_tokens", prompt},
      {"tokens", result.generation.tokens},
      {"finish_reason", engine::FinishReasonName(result.generation.finish_reason)},
      {"timings",
       {{"prefill_s", timings.prefill_s},
        {"prefill_tokens_per_s", timings.prefill_tokens_per_s()},
        {"decode_s", timings.decode_s},
        {"decode_tokens_per_s", timings.decode_tokens_per_s()}}},
  };
}

void RunGenerate(const GenerateArguments& arguments) {
  const std::filesystem::path folder = ResolveTextModel(arguments.model);
  const std::string prompt =
      ReadPrompt(arguments, library::ReadDistFolder(folder).metadata.context_window_size);
  const InterruptGuard guard;
  runtime::ModelOptions options;
  options.num_threads = arguments.num_threads;
  engine::TextGenerator generator(engine::LoadTextModel(folder, options));
  const model::GenerationDefaults& defaults = generator.model().config().generation;

  engine::GenerationRequest request;
  request.prompt = EncodePrompt(arguments, prompt, generator);
  request.sampling = engine::ApplyOverrides(arguments.sampling, defaults);
  request.stop_tokens = defaults.eos_token_ids;
  request.max_tokens = arguments.max_tokens;
  request.is_interrupted = Interrupted;
  engine::TextCallback print = [](std::string_view piece) { std::cout << piece << std::flush; };
  if (arguments.json) print = nullptr;
  const engine::TextResult result = generator.Generate(request, print);

  if (arguments.json) {
    std::cout << ToJson(result, request.prompt).dump() << '\n';
  } else {
    std::cout << '\n';
  }
  if (result.generation.finish_reason == engine::FinishReason::kInterrupted) {
    throw Error("interrupted");
  }
}

}  // namespace

void AddGenerate(CLI::App& app) {
  const auto arguments = std::make_shared<GenerateArguments>();
  CLI::App* command = app.add_subcommand("generate", "Answer one prompt");
  AddModelArgument(*command, arguments->model);
  command->add_option("--prompt", arguments->prompt, "What to answer; -: read from standard input")
      ->required();
  CLI::Option* system = command->add_option("--system", arguments->system_prompt,
                                            "Instructions that precede the prompt");
  command->add_option("--max-tokens", arguments->max_tokens, "Length of the answer at most")
      ->capture_default_str()
      ->check(WholeNumber(1, kMaxCount));
  AddSamplingFlags(*command, arguments->sampling);
  AddThreadsFlag(*command, arguments->num_threads);
  command->add_flag("--raw", arguments->raw, "Continue the prompt as it is, without chat template")
      ->excludes(system);  // only a template has a place for it
  command->add_flag("--json", arguments->json, "Print token ids, finish reason and timings too");
  command->callback([arguments] { RunGenerate(*arguments); });
}

}  // namespace carat::cli
