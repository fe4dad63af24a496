// `carat doctor`: what Carat finds on this machine, what is missing and how to mend it.

#include <fmt/format.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/ascii_json.h"
#include "carat/base/error.h"
#include "carat/base/printable.h"
#include "carat/cli/commands.h"
#include "carat/compiler/toolchain.h"
#include "carat/library/cpu_features.h"
#include "carat/runtime/memory_roof.h"
#include "carat/runtime/thread_pool.h"

namespace carat::cli {
namespace {

struct Problem {
  std::string what;
  std::string mend;
};

struct Version {
  int major, minor, patch;
  auto operator<=>(const Version&) const = default;
};

std::string ToString(const Version& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

struct Diagnosis {
  std::string cpu_name;
  std::vector<std::string> cpu_features;
  std::string best_target;
  std::vector<compiler::ToolchainCandidate> compilers;
  Version tvm_ffi_built, tvm_ffi_loaded;
  int num_threads = 0;
  double bandwidth_one_thread = 0;  // bytes a second
  double bandwidth_all_threads = 0;
  uint64_t memory_bytes = 0;
  uint64_t free_disk_bytes = 0;  // where the current folder is
  std::vector<Problem> problems;
};

constexpr uint64_t kGiB = uint64_t{1} << 30;

uint64_t PhysicalMemoryBytes() {
  const auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
}

Version LoadedTvmFfi() {
  TVMFFIVersion version;
  TVMFFIGetVersion(&version);
  return {static_cast<int>(version.major), static_cast<int>(version.minor),
          static_cast<int>(version.patch)};
}

// $CXX, if it is set, is the first candidate, and then the only one that compiling tries.
bool CxxIsSet() {
  const char* cxx = std::getenv("CXX");
  return cxx != nullptr && std::string_view(cxx).find_first_not_of(" \t\n") != std::string::npos;
}

bool CanCompile(const Diagnosis& diagnosis) {
  const auto works = [](const auto& candidate) { return candidate.problem.empty(); };
  return CxxIsSet() ? works(diagnosis.compilers.front())
                    : std::ranges::any_of(diagnosis.compilers, works);
}

Problem CompilerProblem(const Diagnosis& diagnosis) {
  if (CxxIsSet()) {
    const auto& [toolchain, problem] = diagnosis.compilers.front();
    return {
        fmt::format("CXX is '{}', which is no C++20 compiler here: {}", toolchain.name(), problem),
        "set CXX to a compiler that works, or unset it"};
  }
  return {"no C++ compiler: models that are compiled can run, none can be compiled",
          "install one: apt-get install g++, or without root: " + compiler::ZigInstallation()};
}

std::vector<Problem> FindProblems(const Diagnosis& diagnosis) {
  std::vector<Problem> problems;
  if (!CanCompile(diagnosis)) problems.push_back(CompilerProblem(diagnosis));
  if (diagnosis.best_target == library::CpuTargets().back().name) {
    problems.push_back(
        {"this processor has none of the vector instructions that Carat has kernels for",
         "models run on plain C++ kernels, slowly"});
  }
  if (diagnosis.tvm_ffi_loaded < diagnosis.tvm_ffi_built) {
    problems.push_back(
        {fmt::format("TVM FFI {} was loaded, {} was built with", ToString(diagnosis.tvm_ffi_loaded),
                     ToString(diagnosis.tvm_ffi_built)),
         ".venv/bin/pip install -r requirements.txt, and look for another libtvm_ffi.so in "
         "LD_LIBRARY_PATH"});
  }
  if (diagnosis.free_disk_bytes < kGiB) {
    problems.push_back(
        {"less than 1 GiB of disk is free here", "a compiled 1B model takes 0.6 GiB"});
  }
  return problems;
}

Diagnosis Diagnose() {
  Diagnosis diagnosis;
  diagnosis.cpu_name = library::CpuName();
  diagnosis.cpu_features = library::DetectCpuFeatures();
  diagnosis.best_target = library::BestTarget().name;
  diagnosis.compilers = compiler::ListToolchains();
  diagnosis.tvm_ffi_built = {TVM_FFI_VERSION_MAJOR, TVM_FFI_VERSION_MINOR, TVM_FFI_VERSION_PATCH};
  diagnosis.tvm_ffi_loaded = LoadedTvmFfi();
  diagnosis.memory_bytes = PhysicalMemoryBytes();
  diagnosis.free_disk_bytes = std::filesystem::space(".").available;

  const size_t buffer_bytes =
      std::min<uint64_t>(runtime::kMemoryRoofBytes, diagnosis.memory_bytes / 8);
  runtime::ThreadPool one_thread(1);
  diagnosis.bandwidth_one_thread = runtime::MeasureReadBandwidth(one_thread, buffer_bytes);
  runtime::ThreadPool all_threads;
  diagnosis.num_threads = all_threads.num_threads();
  diagnosis.bandwidth_all_threads = runtime::MeasureReadBandwidth(all_threads, buffer_bytes);

  diagnosis.problems = FindProblems(diagnosis);
  return diagnosis;
}

void PrintText(const Diagnosis& diagnosis, std::ostream& out) {
  const auto row = [&out](std::string_view name, const std::string& value) {
    out << fmt::format("{:<12} {}\n", name, Printable(value));
  };
  row("carat", CARAT_VERSION);
  row("TVM FFI", ToString(diagnosis.tvm_ffi_loaded));
  row("processor", diagnosis.cpu_name.empty() ? "unknown" : diagnosis.cpu_name);
  row("features", fmt::format("{}", fmt::join(diagnosis.cpu_features, " ")));
  row("target", fmt::format("{} (what --target native means here)", diagnosis.best_target));
  for (const auto& [toolchain, problem] : diagnosis.compilers) {
    row("compiler",
        fmt::format("{}: {}", toolchain.name(), problem.empty() ? toolchain.version : problem));
  }
  row("threads", fmt::format("{}", diagnosis.num_threads));
  row("bandwidth", fmt::format("{:.1f} GB/s by 1 thread, {:.1f} GB/s by {}",
                               diagnosis.bandwidth_one_thread * 1e-9,
                               diagnosis.bandwidth_all_threads * 1e-9, diagnosis.num_threads));
  row("memory", fmt::format("{:.1f} GiB", static_cast<double>(diagnosis.memory_bytes) / kGiB));
  row("disk",
      fmt::format("{:.1f} GiB free here", static_cast<double>(diagnosis.free_disk_bytes) / kGiB));
  out << '\n';
  for (const Problem& problem : diagnosis.problems) {
    out << "problem: " << Printable(problem.what) << "\n   mend: " << problem.mend << '\n';
  }
  if (diagnosis.problems.empty()) out << "Nothing is missing.\n";
}

void PrintJson(const Diagnosis& diagnosis, std::ostream& out) {
  nlohmann::ordered_json compilers = nlohmann::ordered_json::array();
  for (const auto& [toolchain, problem] : diagnosis.compilers) {
    compilers.push_back(
        {{"command", toolchain.command}, {"version", toolchain.version}, {"problem", problem}});
  }
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const Problem& problem : diagnosis.problems) {
    problems.push_back({{"what", problem.what}, {"mend", problem.mend}});
  }
  const nlohmann::ordered_json json = {
      {"carat", CARAT_VERSION},
      {"tvm_ffi", ToString(diagnosis.tvm_ffi_loaded)},
      {"cpu", {{"name", diagnosis.cpu_name}, {"features", diagnosis.cpu_features}}},
      {"target", diagnosis.best_target},
      {"compilers", compilers},
      {"num_threads", diagnosis.num_threads},
      {"read_bytes_per_second",
       {{"one_thread", diagnosis.bandwidth_one_thread},
        {"all_threads", diagnosis.bandwidth_all_threads}}},
      {"memory_bytes", diagnosis.memory_bytes},
      {"free_disk_bytes", diagnosis.free_disk_bytes},
      {"problems", problems},
  };
  out << AsciiJson(json);
}

}  // namespace

void AddDoctor(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("doctor", "Say what Carat finds on this machine and what is missing");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([as_json] {
    const Diagnosis diagnosis = Diagnose();
    if (*as_json) {
      PrintJson(diagnosis, std::cout);
    } else {
      PrintText(diagnosis, std::cout);
    }
    if (!CanCompile(diagnosis)) throw Error("something is missing: see the problems above");
  });
}

}  // namespace carat::cli
