#include "carat/cli/chat_settings.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "carat/base/error.h"

namespace carat::cli {
namespace {

using engine::ChatOptions;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <typename Number>
Number Parse(std::string_view name, std::string_view text) {
  Number value = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  throw Error("{} is '{}', expected a number", name, text);
}

struct Setting {
  std::string_view name;
  void (*set)(ChatOptions&, std::string_view name, std::string_view value);
  std::string (*show)(const ChatOptions&);
};

template <double engine::SamplingParameters::*kField>
constexpr Setting FloatSetting(std::string_view name) {
  return {name,
          [](ChatOptions& options, std::string_view name, std::string_view value) {
            options.sampling.*kField = Parse<double>(name, value);
          },
          [](const ChatOptions& options) { return fmt::format("{}", options.sampling.*kField); }};
}

void SetSeed(ChatOptions& options, std::string_view name, std::string_view value) {
  options.sampling.seed.reset();
  if (value != "random") options.sampling.seed = Parse<uint64_t>(name, value);
}

std::string ShowSeed(const ChatOptions& options) {
  return options.sampling.seed ? fmt::format("{}", *options.sampling.seed) : "random";
}

void SetMaxTokens(ChatOptions& options, std::string_view name, std::string_view value) {
  options.max_tokens = value == "unlimited" ? -1 : Parse<int64_t>(name, value);
  if (options.max_tokens == 0 || options.max_tokens < -1) {
    throw Error("{} is {}, expected 1 or more, or unlimited", name, value);
  }
}

std::string ShowMaxTokens(const ChatOptions& options) {
  return options.max_tokens < 0 ? "unlimited" : fmt::format("{}", options.max_tokens);
}

constexpr std::array kSettings = {
    FloatSetting<&engine::SamplingParameters::temperature>("temperature"),
    Setting{"top_k",
            [](ChatOptions& options, std::string_view name, std::string_view value) {
              options.sampling.top_k = Parse<int64_t>(name, value);
            },
            [](const ChatOptions& options) { return fmt::format("{}", options.sampling.top_k); }},
    FloatSetting<&engine::SamplingParameters::top_p>("top_p"),
    FloatSetting<&engine::SamplingParameters::min_p>("min_p"),
    FloatSetting<&engine::SamplingParameters::repetition_penalty>("repetition_penalty"),
    FloatSetting<&engine::SamplingParameters::presence_penalty>("presence_penalty"),
    FloatSetting<&engine::SamplingParameters::frequency_penalty>("frequency_penalty"),
    Setting{"seed", SetSeed, ShowSeed},
    Setting{"max_tokens", SetMaxTokens, ShowMaxTokens},
    Setting{"system",
            [](ChatOptions& options, std::string_view, std::string_view value) {
              options.system_prompt = value;
            },
            [](const ChatOptions& options) { return options.system_prompt; }},
};

std::string Names() {
  std::string names;
  for (const Setting& setting : kSettings) {
    names += names.empty() ? "" : ", ";
    names += setting.name;
  }
  return names;
}

}  // namespace

void ChangeChatSetting(std::string_view assignment, ChatOptions& options) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    throw Error("/set {}: expected KEY=VALUE, where KEY is one of {}", assignment, Names());
  }
  const std::string_view name = Trim(assignment.substr(0, equals));
  const std::string_view value = Trim(assignment.substr(equals + 1));
  for (const Setting& setting : kSettings) {
    if (setting.name != name) continue;
    ChatOptions changed = options;
    setting.set(changed, name, value);
    engine::CheckSamplingParameters(changed.sampling);
    options = std::move(changed);
    return;
  }
  throw Error("there is no setting '{}'; there are {}", name, Names());
}

std::string DescribeChatSettings(const ChatOptions& options) {
  std::string text;
  for (const Setting& setting : kSettings) {
    text += fmt::format("{} = {}\n", setting.name, setting.show(options));
  }
  return text;
}

}  // namespace carat::cli
