#include "carat/library/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "carat/base/error.h"

namespace carat::library {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

// The kernel's own list; it leaves out what the kernel does not support.
std::set<std::string> FlagsOfProcCpuinfo() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> flags;
    for (std::string word; words >> word;) flags.insert(word);
    return flags;
  }
  return {};
}

// Where the kernel's name is another one.
std::string KernelName(const std::string& feature) {
  if (feature == "lzcnt") return "abm";
  if (feature == "sse4.2") return "sse4_2";
  if (feature == "avxvnni") return "avx_vnni";
  if (feature.starts_with("avx512") && feature.size() > 8) {
    const std::string rest = feature.substr(6);
    if (rest == "vnni" || rest == "bf16") return "avx512_" + rest;
  }
  return feature;
}

TEST(CpuFeatures, AreThoseTheOperatingSystemReports) {
  const std::set<std::string> flags = FlagsOfProcCpuinfo();
  for (const std::string& feature : DetectCpuFeatures()) {
    EXPECT_TRUE(flags.contains(KernelName(feature))) << feature;
  }
  for (const CpuTarget& target : CpuTargets()) {
    for (const std::string_view feature : target.features) {
      const bool detected = MissingFeatures(std::vector{std::string(feature)}).empty();
      EXPECT_EQ(detected, flags.contains(KernelName(std::string(feature)))) << feature;
    }
  }
}

TEST(CpuFeatures, NamesWhatIsMissing) {
  const std::vector<std::string> required = {"flux", "capacitor"};
  EXPECT_EQ(MissingFeatures(required), required);
  EXPECT_THAT(MissingFeatures(DetectCpuFeatures()), IsEmpty());
}

TEST(CpuTargets, NativeIsTheBestOneThatRunsHere) {
  const CpuTarget& best = BestTarget();
  EXPECT_EQ(&FindTarget("native"), &best);
  const std::vector<std::string> features(best.features.begin(), best.features.end());
  EXPECT_THAT(MissingFeatures(features), IsEmpty());
}

TEST(CpuTargets, AreFoundByName) {
  for (const CpuTarget& target : CpuTargets()) EXPECT_EQ(&FindTarget(target.name), &target);
  EXPECT_THAT([] { FindTarget("pentium"); },
              ThrowsMessage<Error>(HasSubstr("unknown target 'pentium'; known: native, x86-64")));
}

// Without -mcpu zig compiles for the machine it runs on.
TEST(CpuTargets, EachNamesItsProcessorToZig) {
  for (const CpuTarget& target : CpuTargets()) {
    EXPECT_THAT(target.zig_flags, StartsWith("-mcpu=")) << target.name;
  }
}

TEST(CpuTargets, EndWithOneForAnyMachine) {
  EXPECT_EQ(CpuTargets().back().name, "generic");
  EXPECT_THAT(CpuTargets().back().features, IsEmpty());
}

}  // namespace
}  // namespace carat::library
