// `carat chat`: a conversation in the terminal.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/cli/chat_settings.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/cli/sampling_flags.h"
#include "carat/cli/terminal.h"
#include "carat/engine/chat_session.h"
#include "carat/text/chat_template.h"

namespace carat::cli {
namespace {

constexpr std::string_view kHelp =
    "Type a message and press Enter. Ctrl-C stops an answer. Commands:\n"
    "  /stats              speed of the last answer, memory, room in the context window\n"
    "  /reset              begin a new conversation\n"
    "  /set                show the settings\n"
    "  /set KEY=VALUE      change one, as in: /set temperature=0.7\n"
    "  /help               this text\n"
    "  /exit               leave (Ctrl-D, or Ctrl-C twice, do too)\n";

struct ChatArguments {
  std::string device = "cpu";
  std::filesystem::path model_lib;  // MLC's: the library to use
  std::filesystem::path model;
  std::string system_prompt;
  engine::SamplingOverrides sampling;
  int num_threads = 0;
};

class Chat {
 public:
  Chat(engine::ChatSession session, engine::ChatOptions options)
      : session_(std::move(session)),
        options_(std::move(options)),
        terminal_("> ", StateFile("chat_history"),
                  engine::MaxPromptBytes(session_.model().context_window_size())) {}

  // Until the user leaves or the input ends.
  void Run() {
    // Where nobody types, Ctrl-C between two answers ends the program.
    std::optional<InterruptGuard> guard;
    if (terminal_.is_interactive()) {
      guard.emplace();
      Greet();
    }
    bool was_interrupted = false;
    while (!is_over_) {
      const InputLine line = terminal_.ReadLine();
      if (line.kind == InputLine::Kind::kEnd) return;
      if (line.kind == InputLine::Kind::kInterrupted) {
        if (was_interrupted) return;
        std::cout << "(Ctrl-C again, or /exit, to leave)\n";
        was_interrupted = true;
        continue;
      }
      was_interrupted = false;
      Handle(line.text);
      ClearInterrupt();  // it meant the answer
    }
  }

 private:
  void Greet() const {
    const library::LibraryMetadata& metadata = session_.model().metadata();
    std::cout << fmt::format(
        "{}, context window of {} tokens, {} threads. /help lists the commands.\n",
        Printable(session_.model().folder().filename().string()), metadata.context_window_size,
        session_.model().num_threads());
  }

  // What fails in a conversation with a person is said, and the conversation goes on; in a script
  // it ends the program.
  void Handle(const std::string& line) {
    try {
      if (line.starts_with('/')) {
        RunCommand(line);
      } else if (line.find_first_not_of(" \t") != std::string::npos) {
        Ask(line);
      }
    } catch (const Error& error) {
      if (!terminal_.is_interactive()) throw;
      std::cout << Printable(error.what()) << '\n';
    }
  }

  void RunCommand(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
    if (name == "/stats") {
      PrintStatistics();
    } else if (name == "/reset") {
      session_.Reset();
      last_ = {};
    } else if (name == "/set" && argument.empty()) {
      std::cout << DescribeChatSettings(options_);
    } else if (name == "/set") {
      ChangeChatSetting(argument, options_);
    } else if (name == "/help") {
      std::cout << kHelp;
    } else if (name == "/exit") {
      is_over_ = true;
    } else {
      throw Error("there is no command {}; /help lists the commands", name);
    }
  }

  void Ask(const std::string& message) {
    std::optional<InterruptGuard> guard;
    if (!terminal_.is_interactive()) guard.emplace();
    const auto print = [](std::string_view piece) { std::cout << piece << std::flush; };
    const engine::TextResult result = AskSession(message, print);
    last_ = result.generation.timings;
    std::cout << '\n';
    if (!terminal_.is_interactive()) return;
    if (result.generation.finish_reason == engine::FinishReason::kInterrupted) {
      std::cout << "(stopped)\n";
    } else if (session_.num_cached_tokens() == session_.model().context_window_size()) {
      std::cout << "(the context window is full; /reset begins a new conversation)\n";
    } else if (result.generation.finish_reason == engine::FinishReason::kLength) {
      std::cout << "(max_tokens reached)\n";
    }
  }

  // What is refused in a conversation may well be answered in a new one.
  engine::TextResult AskSession(const std::string& message, const engine::TextCallback& print) {
    try {
      return session_.Ask(message, options_, print, Interrupted);
    } catch (const Error& error) {
      if (session_.messages().empty()) throw;
      throw Error("{}; /reset begins a new conversation", error.what());
    }
  }

  void PrintStatistics() const {
    const int64_t context = session_.model().context_window_size();
    const int64_t used = session_.num_cached_tokens();
    std::cout << fmt::format(
        "prompt: {} tokens, {} of them read before; {:.0f} tokens/s\n"
        "answer: {} tokens; {:.1f} tokens/s\n"
        "context: {} of {} tokens ({:.0f}%), {:.1f} MB of keys and values\n",
        last_.prompt_tokens, last_.reused_tokens, last_.prefill_tokens_per_s(),
        last_.generated_tokens, last_.decode_tokens_per_s(), used, context,
        100.0 * static_cast<double>(used) / static_cast<double>(context),
        static_cast<double>(session_.model().kv_bytes_in_use()) / 1e6);
  }

  engine::ChatSession session_;
  engine::ChatOptions options_;
  Terminal terminal_;
  engine::GenerationTimings last_;
  bool is_over_ = false;
};

void RunChat(const ChatArguments& arguments) {
  const std::filesystem::path folder =
      ResolveTextModel(arguments.model_lib.empty() ? arguments.model : arguments.model_lib);
  runtime::ModelOptions model_options;
  model_options.num_threads = arguments.num_threads;
  text::ChatTemplate chat_template = text::ChatTemplate::Load(folder);
  engine::TextModel model = engine::LoadTextModel(folder, model_options);

  engine::ChatOptions options;
  options.system_prompt = arguments.system_prompt;
  options.sampling = engine::ApplyOverrides(arguments.sampling, model.model->config().generation);
  Chat(engine::ChatSession(std::move(model), std::move(chat_template)), std::move(options)).Run();
}

}  // namespace

void AddChat(CLI::App& app) {
  const auto arguments = std::make_shared<ChatArguments>();
  CLI::App* command = app.add_subcommand("chat", "Talk with a model in the terminal");
  AddModelArgument(*command, arguments->model);
  command->add_option("--system", arguments->system_prompt,
                      "Instructions that precede the conversation");
  command->add_option("--device", arguments->device, "Where to run: cpu")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "cpu", "cpu:0"}));
  command
      ->add_option("--model-lib", arguments->model_lib,
                   "Compiled library to use instead of MODEL's own, in its compiled folder")
      ->check(NotEmpty());
  AddSamplingFlags(*command, arguments->sampling);
  AddThreadsFlag(*command, arguments->num_threads);
  command->callback([arguments] { RunChat(*arguments); });
}

}  // namespace carat::cli
