// How much processor time the control groups (containers, systemd's limits) leave to this process.

#ifndef CARAT_RUNTIME_CPU_QUOTA_H_
#define CARAT_RUNTIME_CPU_QUOTA_H_

#include <filesystem>
#include <optional>

namespace carat::runtime {

// The smallest quota of the process's control group and of the groups around it, in processors:
// 1.5 is 150 ms in every 100 ms. Nothing if there is no limit. Reads
//
//     proc/self/cgroup                     which groups: "0::/a/b" (version 2),
//     "3:cpu,cpuacct:/a/b" sys/fs/cgroup/a/b/cpu.max            version 2: "150000 100000", or "max
//     100000" sys/fs/cgroup/cpu/a/b/cpu.cfs_*_us   version 1: quota, or -1, and period
//
// below `root`, which tests set. Where a container sees its own group as the root of the file
// system, the group's path does not exist in it, but the paths above do.
std::optional<double> CpuQuota(const std::filesystem::path& root = "/");

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_CPU_QUOTA_H_
