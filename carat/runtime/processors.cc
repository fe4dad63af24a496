#include "carat/runtime/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <thread>

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

// The control group's quota in whole processors (rounded up), or `none`. Threads beyond it would be
// stopped for most of each period while the others spin at a barrier.
int QuotaCores(int none) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");  // "200000 100000": microseconds, period
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || period <= 0) return none;  // "max 100000", or no such file
  return static_cast<int>((quota + period - 1) / period);
}

}  // namespace

int UsableCores() {
  const int cores = CoresInAffinityMask();
  return std::max(1, std::min(cores, QuotaCores(cores)));
}

}  // namespace carat::runtime
