// What the values of flags have to look like. Numbers are read strictly: the whole text is one, in
// its range; an empty text, a sign or a unit that does not belong there is refused and not guessed.

#ifndef CARAT_CLI_CHECKED_FLAGS_H_
#define CARAT_CLI_CHECKED_FLAGS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace carat::cli {

inline constexpr int64_t kMaxCount = int64_t{1} << 30;  // of tokens or repetitions

CLI::Validator WholeNumber(int64_t min, int64_t max);

// 0 to 2^64 - 1.
CLI::Validator SeedNumber();

// A finite number that `accepts` takes; `expected` says which these are: "a number from 0 to 1".
CLI::Validator Number(bool (*accepts)(double), const std::string& expected);

CLI::Validator NotEmpty();

// A file to write: neither empty nor -, which elsewhere means standard output.
CLI::Validator OutputFile();

// --threads, the same for every command that runs a model; 0: not given.
void AddThreadsFlag(CLI::App& command, int& num_threads);

}  // namespace carat::cli

#endif  // CARAT_CLI_CHECKED_FLAGS_H_
