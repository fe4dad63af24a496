#include "carat/runtime/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace carat::runtime {

namespace {

namespace fs = std::filesystem;

// Collects quotas; keeps the smallest.
class Smallest {
 public:
  void Add(double quota, double period) {
    if (!(quota > 0 && period > 0)) return;  // -1: no limit
    result_ = std::min(result_.value_or(quota / period), quota / period);
  }
  std::optional<double> result() const { return result_; }

 private:
  std::optional<double> result_;
};

double ReadNumber(const fs::path& path) {
  double value = -1;
  std::ifstream(path) >> value;
  return value;
}

void AddVersion2(const fs::path& group, Smallest& smallest) {
  double quota = -1;
  double period = -1;
  std::ifstream(group / "cpu.max") >> quota >> period;  // "max" is no number
  smallest.Add(quota, period);
}

void AddVersion1(const fs::path& group, Smallest& smallest) {
  smallest.Add(ReadNumber(group / "cpu.cfs_quota_us"), ReadNumber(group / "cpu.cfs_period_us"));
}

// Calls add(folder) for the group `path` below `mount` and for every group around it.
template <typename Add>
void ForEachLevel(const fs::path& mount, const fs::path& path, const Add& add) {
  fs::path group = mount;
  add(group);
  for (const fs::path& name : path.relative_path()) add(group /= name);
}

bool Names(const std::string& controllers, const std::string& wanted) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

std::optional<double> CpuQuota(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  Smallest smallest;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    std::istringstream fields(line);
    std::string id;
    std::string controllers;
    std::string path;
    std::getline(fields, id, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    if (controllers.empty()) {
      ForEachLevel(mount, path, [&](const fs::path& group) { AddVersion2(group, smallest); });
    } else if (Names(controllers, "cpu")) {
      ForEachLevel(mount / "cpu", path,
                   [&](const fs::path& group) { AddVersion1(group, smallest); });
    }
  }
  return smallest.result();
}

}  // namespace carat::runtime
