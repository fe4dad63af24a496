#include "carat/runtime/cpu_quota.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string_view>

#include "tests/support/temporary_folder.h"

namespace carat::runtime {
namespace {

class CpuQuotaTest : public ::testing::Test {
 protected:
  void Write(const std::filesystem::path& path, std::string_view text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
  }
  std::optional<double> Quota() const { return CpuQuota(root_.path()); }

  tests::TemporaryFolder root_;
};

TEST_F(CpuQuotaTest, IsNoneWhereNothingLimits) {
  EXPECT_EQ(Quota(), std::nullopt);
  Write("proc/self/cgroup", "0::/a");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/a/cpu.max", "max 100000");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, IsThatOfTheGroup) {
  Write("proc/self/cgroup", "0::/a/b");
  Write("sys/fs/cgroup/a/b/cpu.max", "150000 100000");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, IsTheSmallestOfTheGroupsAround) {
  Write("proc/self/cgroup", "0::/a/b/c");
  Write("sys/fs/cgroup/a/cpu.max", "200000 100000");
  Write("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  Write("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000");
  EXPECT_EQ(Quota(), 2);
}

TEST_F(CpuQuotaTest, IsFoundInAContainerThatSeesItsGroupAsTheRoot) {
  Write("proc/self/cgroup", "0::/docker/0123");
  Write("sys/fs/cgroup/cpu.max", "300000 100000");
  EXPECT_EQ(Quota(), 3);
}

TEST_F(CpuQuotaTest, IsReadFromVersion1Too) {
  Write("proc/self/cgroup", "5:cpuset:/z\n3:cpu,cpuacct:/a/b\n0::/");
  Write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "50000");
  Write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000");
  Write("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1");
  Write("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CpuQuotaTest, IgnoresWhatIsNoQuota) {
  Write("proc/self/cgroup", "nonsense\n0::/a");
  for (const char* text : {"", "0 100000", "100000 0", "100000", "-5 100000"}) {
    Write("sys/fs/cgroup/a/cpu.max", text);
    EXPECT_EQ(Quota(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace carat::runtime
