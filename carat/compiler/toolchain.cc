#include "carat/compiler/toolchain.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/compiler/subprocess.h"

namespace carat::compiler {
namespace {

std::vector<std::string> SplitWords(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool CxxIsSet() {
  const char* cxx = std::getenv("CXX");
  return cxx != nullptr && !SplitWords(cxx).empty();
}

// The Python that Carat was started from, which need not be the first on PATH (a virtual
// environment that is not activated); empty if the program was started by itself.
std::string HostPython() {
  const char* python = std::getenv("CARAT_PYTHON");
  return python == nullptr ? "" : python;
}

std::vector<std::vector<std::string>> Candidates() {
  std::vector<std::vector<std::string>> candidates;
  if (CxxIsSet()) candidates.push_back(SplitWords(std::getenv("CXX")));
  candidates.push_back({"g++"});
  candidates.push_back({"clang++"});
  candidates.push_back({"zig", "c++"});
  if (const std::string python = HostPython(); !python.empty()) {
    candidates.push_back({python, "-m", "ziglang", "c++"});
  }
  candidates.push_back({"python3", "-m", "ziglang", "c++"});
  return candidates;
}

std::vector<std::string> Join(std::vector<std::string> command,
                              const std::vector<std::string>& arguments) {
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// The line that says what is wrong: the first with the word "error", else the last.
std::string Complaint(const std::string& output) {
  std::istringstream stream(output);
  std::string complaint = "it printed nothing";
  for (std::string line; std::getline(stream, line);) {
    if (line.empty()) continue;
    complaint = line;
    if (line.find("error") != std::string::npos) break;
  }
  return complaint;
}

// A folder for one trial compilation, removed in the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) {
      const char* tmpdir = std::getenv("TMPDIR");
      throw Error("TMPDIR is '{}', which is no folder; set it to a writable one or unset it",
                  tmpdir == nullptr ? "/tmp" : tmpdir);
    }
    std::string pattern = (parent / "carat-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw Error("{}: cannot make a temporary folder here; set TMPDIR to a writable one",
                  parent.string());
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What generated code needs of a compiler, in small: C++20 and the standard headers.
constexpr std::string_view kTrial = R"(
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
template <class T> concept Number = requires(T a) { a + a; };
auto Twice(Number auto x) { return x + x; }
extern "C" uint32_t Trial(float x) { return std::bit_cast<uint32_t>(Twice(std::sqrt(x))); }
)";

ToolchainCandidate Try(const std::vector<std::string>& command) {
  ToolchainCandidate candidate{{command, ""}, ""};
  const ProcessResult version = RunProcess(Join(command, {"--version"}));
  if (version.exit_code != 0) {
    candidate.problem = version.exit_code == 127 ? "not found" : FirstLine(version.output);
    return candidate;
  }
  candidate.toolchain.version = FirstLine(version.output);
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "trial.cc";
  WriteFileAtomically(source, kTrial);
  const std::filesystem::path library = folder.path() / "trial.so";
  // zig brings its linker, and would build its C++ library first (a minute) to link the trial.
  const std::string step = candidate.toolchain.IsZig() ? "-c" : "-shared";
  const ProcessResult trial = RunProcess(
      Join(command, {"-std=c++20", step, "-fPIC", source.string(), "-o", library.string()}));
  if (trial.exit_code != 0) {
    candidate.problem = "does not compile C++20: " + Complaint(trial.output);
  } else if (!std::filesystem::exists(library)) {
    candidate.problem = "compiles without an error and without a result";
  }
  return candidate;
}

}  // namespace

std::string ZigInstallation() {
  const std::string python = HostPython();
  return (python.empty() ? "" : python + " -m ") + "pip install ziglang";
}

std::string Toolchain::name() const {
  std::string name;
  for (const std::string& word : command) name += (name.empty() ? "" : " ") + word;
  return name;
}

bool Toolchain::IsZig() const {
  return std::ranges::any_of(command, [](const std::filesystem::path word) {
    return word.filename() == "zig" || word.filename() == "ziglang";
  });
}

std::vector<ToolchainCandidate> ListToolchains() {
  std::vector<ToolchainCandidate> list;
  for (const std::vector<std::string>& command : Candidates()) list.push_back(Try(command));
  return list;
}

Toolchain FindToolchain() {
  std::string tried;
  for (const std::vector<std::string>& command : Candidates()) {
    const ToolchainCandidate candidate = Try(command);
    if (candidate.problem.empty()) return candidate.toolchain;
    if (tried.empty() && CxxIsSet()) {
      throw Error("CXX is '{}', which is no C++20 compiler here: {}; set it to one or unset it",
                  candidate.toolchain.name(), candidate.problem);
    }
    tried += (tried.empty() ? "" : "; ") + candidate.toolchain.name() + ": " + candidate.problem;
  }
  throw Error(
      "no C++20 compiler found ({}). Compiling a model needs one: install g++ "
      "(apt-get install g++), or run '{}', or set CXX to yours",
      tried, ZigInstallation());
}

void CompileSharedLibrary(const Toolchain& toolchain, const CompileJob& job) {
  std::vector<std::string> command =
      Join(toolchain.command, {"-std=c++20", "-O3", "-fPIC", "-shared", "-fvisibility=hidden",
                               // Every fma is written as one; the compiler may not make others.
                               "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"});
  command = Join(command, SplitWords(job.target_flags));
  command = Join(command, {"-I" + job.include_directory.string(), job.source.string(), "-o",
                           job.output.string(), job.tvm_ffi_library.string()});
  const ProcessResult result = RunProcess(command);
  if (result.exit_code != 0) {
    throw Error(
        "{} failed (exit code {}) on the generated code for --target {}: {}; if it cannot compile "
        "for that target, set CXX to a compiler that can",
        toolchain.name(), result.exit_code, job.target_name, Complaint(result.output));
  }
}

}  // namespace carat::compiler
