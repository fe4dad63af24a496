// Runs the program `carat` as a user would, for tests of what they see: output, errors, exit code.

#ifndef CARAT_TESTS_CLI_RUN_CARAT_H_
#define CARAT_TESTS_CLI_RUN_CARAT_H_

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace carat::tests {

struct CaratOptions {
  std::string input = {};                               // what stdin holds
  std::filesystem::path input_file = {};                // what stdin is, instead
  std::vector<int> closed_streams = {};                 // {STDIN_FILENO}
  std::filesystem::path folder = ".";                   // where it runs
  std::map<std::string, std::string> environment = {};  // added to the test's own
  std::optional<int> signal = {};                       // sent as soon as signal_when exists,
  std::filesystem::path signal_when = {};               // or carat catches it, if that is empty
  std::filesystem::path output_file = {};     // stdout goes there instead of into `output`
  std::optional<size_t> max_file_bytes = {};  // RLIMIT_FSIZE: a disk that is full
};

struct CaratResult {
  int exit_code = 0;  // 128 + n: ended by signal n
  std::string output;
  std::string errors;
  int64_t peak_bytes = 0;  // most memory resident in one process: carat's, or a compiler's it ran
};

// carat <arguments>, to its end.
CaratResult RunCarat(const std::vector<std::string>& arguments, const CaratOptions& options = {});

// The demo model, compiled once for all tests (CTest's fixture CompiledDemo).
std::filesystem::path CompiledDemo();
std::filesystem::path DemoCheckpoint();

// Expects that the command failed with one line of explanation, in which `reason` stands.
void ExpectRefused(const CaratResult& result, const std::string& reason, int exit_code = 1);

// True for exactly one non-empty line.
bool IsOneLine(const std::string& text);

}  // namespace carat::tests

#endif  // CARAT_TESTS_CLI_RUN_CARAT_H_
