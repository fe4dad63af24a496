// The C++ compiler on the user's machine: finding one and running it.

#ifndef CARAT_COMPILER_TOOLCHAIN_H_
#define CARAT_COMPILER_TOOLCHAIN_H_

#include <filesystem>
#include <string>
#include <vector>

namespace carat::compiler {

struct Toolchain {
  std::vector<std::string> command;  // {"g++"} or {"python3", "-m", "ziglang", "c++"}
  std::string version;               // the first line of --version

  std::string name() const;  // "python3 -m ziglang c++"
  bool IsZig() const;        // whose flags for a processor are its own
};

// $CXX if it is set; else g++, clang++, zig, zig from `pip install ziglang` in the Python that
// $CARAT_PYTHON names (what starts Carat from Python sets it) and in python3: the first that
// compiles C++20. Throws Error naming what was tried and how to get one.
Toolchain FindToolchain();

// The command that brings a compiler without root: "pip install ziglang", of the Python that
// $CARAT_PYTHON names.
std::string ZigInstallation();

// Every candidate with what speaks against it, empty if it works: for `carat doctor`.
struct ToolchainCandidate {
  Toolchain toolchain;
  std::string problem;
};
std::vector<ToolchainCandidate> ListToolchains();

// Compiles one source file into a shared library. Ctrl-C stops the compiler and throws
// InterruptedError; a failure throws Error with what it complains of.
struct CompileJob {
  std::filesystem::path source;
  std::filesystem::path output;
  std::filesystem::path include_directory;
  std::string target_name;                // for messages
  std::string target_flags;               // "-mavx2 -mfma"
  std::filesystem::path tvm_ffi_library;  // linked by its file name
};
void CompileSharedLibrary(const Toolchain& toolchain, const CompileJob& job);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_TOOLCHAIN_H_
