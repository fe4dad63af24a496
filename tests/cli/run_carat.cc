#include "tests/cli/run_carat.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat::tests {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// True if the process has a handler for the signal.
bool Catches(pid_t process, int signal) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string name; status >> name;) {
    uint64_t mask = 0;
    if (name == "SigCgt:" && status >> std::hex >> mask) return (mask >> (signal - 1) & 1) != 0;
  }
  return false;
}

// Gives up after a minute: the test then fails by what carat did without the signal.
void WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Redirect(const std::filesystem::path& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
  close(file);
}

// In the child process: becomes carat, or ends.
[[noreturn]] void BecomeCarat(const std::vector<std::string>& arguments,
                              const CaratOptions& options, const TemporaryFolder& streams) {
  Redirect(options.input_file.empty() ? streams / "input" : options.input_file, O_RDONLY,
           STDIN_FILENO);
  Redirect(options.output_file.empty() ? streams / "output" : options.output_file,
           O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  Redirect(streams / "errors", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  for (const int stream : options.closed_streams) close(stream);
  if (options.max_file_bytes) {
    const rlimit limit = {*options.max_file_bytes, *options.max_file_bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);  // writes then fail with EFBIG, much as ENOSPC
  }
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  if (chdir(options.folder.c_str()) != 0) _exit(126);
  std::vector<std::string> words = {CARAT_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(CARAT_PROGRAM, argv.data());
  _exit(127);
}

}  // namespace

CaratResult RunCarat(const std::vector<std::string>& arguments, const CaratOptions& options) {
  const TemporaryFolder streams;
  std::ofstream(streams / "input", std::ios::binary) << options.input;
  const pid_t child = fork();
  if (child < 0) throw Error("fork failed");
  if (child == 0) BecomeCarat(arguments, options, streams);
  if (options.signal) {
    WaitUntil([&] {
      return options.signal_when.empty() ? Catches(child, *options.signal)
                                         : std::filesystem::exists(options.signal_when);
    });
    kill(child, *options.signal);
  }
  int status = 0;
  rusage usage = {};
  wait4(child, &status, 0, &usage);
  CaratResult result;
  result.peak_bytes = usage.ru_maxrss * 1024;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (options.output_file.empty()) result.output = ReadAll(streams / "output");
  result.errors = ReadAll(streams / "errors");
  return result;
}

std::filesystem::path CompiledDemo() { return CARAT_COMPILED_DEMO; }

std::filesystem::path DemoCheckpoint() {
  return std::filesystem::path(CARAT_SOURCE_DIR) / "models/demo";
}

bool IsOneLine(const std::string& text) {
  return text.size() > 1 && text.back() == '\n' && std::count(text.begin(), text.end(), '\n') == 1;
}

void ExpectRefused(const CaratResult& result, const std::string& reason, int exit_code) {
  EXPECT_EQ(result.exit_code, exit_code);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_TRUE(result.errors.starts_with("carat: ")) << result.errors;
  EXPECT_NE(result.errors.find(reason), std::string::npos) << result.errors << "lacks " << reason;
}

}  // namespace carat::tests
