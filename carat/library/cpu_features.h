// What the processor can execute, and the targets a library can be compiled for.

#ifndef CARAT_LIBRARY_CPU_FEATURES_H_
#define CARAT_LIBRARY_CPU_FEATURES_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carat::library {

// A target: a set of instructions with a kernel set of its own (kernels/cpu/simd).
struct CpuTarget {
  std::string_view name;  // "x86-64-avx512vnni"
  std::span<const std::string_view>
      features;                     // must be there to run it, as DetectCpuFeatures names them
  std::string_view compiler_flags;  // "-mavx2 -mfma ...", the same for g++ and clang++
  std::string_view zig_flags;       // the same for zig: "-mcpu=x86_64_v3"
  std::string_view architecture;    // "x86-64", "aarch64", empty: any
};

// Best first; the last one, "generic", runs anywhere.
std::span<const CpuTarget> CpuTargets();

// By name; "native" is BestTarget(). Error lists the known names.
const CpuTarget& FindTarget(std::string_view name);

// The first target all of whose features this machine has.
const CpuTarget& BestTarget();

// Of the machine this runs on: "avx2", "fma", "f16c", "avx512f", ... Only what both the processor
// and the operating system (which must save the wide registers) support.
const std::vector<std::string>& DetectCpuFeatures();

// Those of `required` that this machine lacks.
std::vector<std::string> MissingFeatures(std::span<const std::string> required);

// "AMD EPYC", as the processor calls itself; empty if unknown.
std::string CpuName();

}  // namespace carat::library

#endif  // CARAT_LIBRARY_CPU_FEATURES_H_
