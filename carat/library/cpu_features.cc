#include "carat/library/cpu_features.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "carat/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace carat::library {

namespace {

// Each list names what the target's compiler flags allow the compiler to use, so a machine that has
// them all runs the code.
constexpr std::array<std::string_view, 14> kAvx512VnniFeatures = {
    "avx",   "avx2",    "fma",      "f16c",     "bmi1",     "bmi2",     "lzcnt",
    "movbe", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512vnni"};
constexpr std::array<std::string_view, 8> kAvx2Features = {"avx",  "avx2", "fma",   "f16c",
                                                           "bmi1", "bmi2", "lzcnt", "movbe"};
constexpr std::array<std::string_view, 4> kDotProdFeatures = {"asimd", "atomics", "asimdhp",
                                                              "asimddp"};

// zig compiles for the processor it runs on unless -mcpu names another, by LLVM's names: these
// levels of x86-64 add nothing to the other compilers' flags that some AVX2 processor lacks.
constexpr std::array<CpuTarget, 4> kTargets = {{
    {"x86-64-avx512vnni", kAvx512VnniFeatures,
     "-mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mmovbe "
     "-mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx512vnni",
     "-mcpu=x86_64_v4+avx512vnni", "x86-64"},
    {"x86-64-v3", kAvx2Features, "-mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mmovbe",
     "-mcpu=x86_64_v3", "x86-64"},
    {"armv8.2-a+dotprod", kDotProdFeatures, "-march=armv8.2-a+dotprod+fp16",
     "-mcpu=generic+v8_2a+dotprod+fullfp16", "aarch64"},
    {"generic", {}, "", "-mcpu=baseline", ""},
}};

#if defined(__x86_64__)

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r = {};
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // stays zero if not there
  return r;
}

// XCR0: which registers the operating system saves. 0 if it does not say.
uint64_t SavedRegisters() {
  constexpr uint32_t kOsXsave = 1u << 27;
  if ((Cpuid(1).ecx & kOsXsave) == 0) return 0;
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

std::vector<std::string> Detect() {
  constexpr uint64_t kYmmState = 0x6;   // XMM and YMM
  constexpr uint64_t kZmmState = 0xe6;  // and mask registers, upper ZMM halves, ZMM16..31
  const uint64_t saved = SavedRegisters();
  const bool ymm = (saved & kYmmState) == kYmmState;
  const bool zmm = (saved & kZmmState) == kZmmState;
  const Registers basic = Cpuid(1);
  const Registers extended = Cpuid(7);
  const Registers extended1 = Cpuid(7, 1);
  const Registers amd = Cpuid(0x80000001);

  std::vector<std::string> found;
  const auto add = [&found](const char* name, bool usable, uint32_t reg, int bit) {
    if (usable && (reg >> bit & 1) != 0) found.emplace_back(name);
  };
  add("sse4.2", true, basic.ecx, 20);
  add("movbe", true, basic.ecx, 22);
  add("popcnt", true, basic.ecx, 23);
  add("bmi1", true, extended.ebx, 3);
  add("bmi2", true, extended.ebx, 8);
  add("lzcnt", true, amd.ecx, 5);
  add("avx", ymm, basic.ecx, 28);
  add("f16c", ymm, basic.ecx, 29);
  add("fma", ymm, basic.ecx, 12);
  add("avx2", ymm, extended.ebx, 5);
  add("avxvnni", ymm, extended1.eax, 4);
  add("avx512f", zmm, extended.ebx, 16);
  add("avx512dq", zmm, extended.ebx, 17);
  add("avx512cd", zmm, extended.ebx, 28);
  add("avx512bw", zmm, extended.ebx, 30);
  add("avx512vl", zmm, extended.ebx, 31);
  add("avx512vnni", zmm, extended.ecx, 11);
  add("avx512bf16", zmm, extended1.eax, 5);
  return found;
}

constexpr std::string_view kArchitecture = "x86-64";

#elif defined(__aarch64__) && defined(__linux__)

std::vector<std::string> Detect() {
  const unsigned long capabilities = getauxval(AT_HWCAP);
  std::vector<std::string> found;
  const auto add = [&](const char* name, unsigned long bit) {
    if ((capabilities & bit) != 0) found.emplace_back(name);
  };
  add("asimd", HWCAP_ASIMD);
  add("atomics", HWCAP_ATOMICS);
  add("asimdhp", HWCAP_ASIMDHP);
  add("asimddp", HWCAP_ASIMDDP);
  return found;
}

constexpr std::string_view kArchitecture = "aarch64";

#else

std::vector<std::string> Detect() { return {}; }

constexpr std::string_view kArchitecture = "";

#endif

bool Runs(const CpuTarget& target) {
  const std::vector<std::string>& found = DetectCpuFeatures();
  return (target.architecture.empty() || target.architecture == kArchitecture) &&
         std::ranges::all_of(target.features, [&found](std::string_view feature) {
           return std::ranges::find(found, feature) != found.end();
         });
}

}  // namespace

std::span<const CpuTarget> CpuTargets() { return kTargets; }

const CpuTarget& BestTarget() { return *std::ranges::find_if(kTargets, Runs); }

const CpuTarget& FindTarget(std::string_view name) {
  if (name == "native") return BestTarget();
  const auto found = std::ranges::find(kTargets, name, &CpuTarget::name);
  if (found != kTargets.end()) return *found;
  std::string known = "native";
  for (const CpuTarget& target : kTargets) known.append(", ").append(target.name);
  throw Error("unknown target '{}'; known: {}", name, known);
}

const std::vector<std::string>& DetectCpuFeatures() {
  static const std::vector<std::string> kFound = Detect();
  return kFound;
}

std::vector<std::string> MissingFeatures(std::span<const std::string> required) {
  const std::vector<std::string>& found = DetectCpuFeatures();
  std::vector<std::string> missing;
  for (const std::string& feature : required) {
    if (std::ranges::find(found, feature) == found.end()) missing.push_back(feature);
  }
  return missing;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(std::min(colon + 2, line.size()));
    }
  }
  return "";
}

}  // namespace carat::library
