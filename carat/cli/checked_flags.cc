#include "carat/cli/checked_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>

namespace carat::cli {
namespace {

constexpr int kMaxThreads = 1024;  // as many as a ThreadPool has

template <typename Value>
std::optional<Value> Parse(std::string_view text) {
  Value value = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// CLI11 prints "--flag: " before what is wrong; an empty text means that nothing is. The empty
// name keeps the range out of --help, where it would stand in the column of the flags.
CLI::Validator Require(std::function<bool(const std::string&)> holds, std::string expected) {
  const auto problem = [holds = std::move(holds),
                        expected = std::move(expected)](const std::string& text) -> std::string {
    return holds(text) ? "" : fmt::format("is '{}', expected {}", text, expected);
  };
  return {problem, ""};
}

}  // namespace

CLI::Validator WholeNumber(int64_t min, int64_t max) {
  const auto holds = [min, max](const std::string& text) {
    const std::optional<int64_t> value = Parse<int64_t>(text);
    return value && *value >= min && *value <= max;
  };
  return Require(holds, fmt::format("a whole number from {} to {}", min, max));
}

CLI::Validator SeedNumber() {
  return Require([](const std::string& text) { return Parse<uint64_t>(text).has_value(); },
                 "a whole number from 0 to 18446744073709551615");
}

CLI::Validator Number(bool (*accepts)(double), const std::string& expected) {
  const auto holds = [accepts](const std::string& text) {
    const std::optional<double> value = Parse<double>(text);
    return value && std::isfinite(*value) && accepts(*value);
  };
  return Require(holds, expected);
}

CLI::Validator NotEmpty() {
  return Require([](const std::string& text) { return !text.empty(); }, "a text");
}

CLI::Validator OutputFile() {
  return Require([](const std::string& text) { return !text.empty() && text != "-"; },
                 "the path of a file to write; standard output is none");
}

void AddThreadsFlag(CLI::App& command, int& num_threads) {
  command
      .add_option("--threads", num_threads,
                  "Threads (default: one a physical core that Carat may use)")
      ->check(WholeNumber(1, kMaxThreads));
}

}  // namespace carat::cli
