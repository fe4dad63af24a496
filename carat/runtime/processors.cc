#include "carat/runtime/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "carat/runtime/cpu_quota.h"

namespace carat::runtime {

namespace {

// Names a logical processor's core by the list of hyper-threads that share it ("0,8").
std::string CoreOf(int processor) {
  std::ifstream file(
      fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", processor));
  std::string siblings;
  std::getline(file, siblings);
  return siblings.empty() ? std::to_string(processor) : siblings;
}

int CoresInAffinityMask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) {  // more processors than the mask holds
    return static_cast<int>(std::thread::hardware_concurrency());
  }
  std::set<std::string> cores;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &mask)) cores.insert(CoreOf(processor));
  }
  return static_cast<int>(cores.size());
}

}  // namespace

int UsableCores() {
  const int cores = CoresInAffinityMask();
  // Threads beyond the quota would be stopped for most of each period while the others spin at a
  // barrier.
  const double quota = std::ceil(CpuQuota().value_or(cores));
  return static_cast<int>(std::clamp<double>(quota, 1, cores));
}

}  // namespace carat::runtime
