#include "core/machine.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

namespace bw = breakwater;

/// A made-up /proc and /sys.
class made_up_root : public ::testing::Test {
 protected:
  made_up_root() {
    std::string name = (std::filesystem::temp_directory_path() / "bw-machine-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
  }
  ~made_up_root() override { std::filesystem::remove_all(root); }
  void put(const std::string& path, std::string_view content) const {
    const std::filesystem::path whole = root + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << content;
  }
  std::string root;
};

double allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

using available_processors = made_up_root;

TEST_F(available_processors, are_those_of_the_scheduler_where_nothing_else_is_said) {
  EXPECT_EQ(bw::available_processors(root).count, allowed());
  EXPECT_EQ(bw::available_processors(root).said_by, "processor affinity");
}

TEST_F(available_processors, are_bounded_by_the_quota_of_version_2) {
  put("/proc/self/cgroup", "0::/system.slice/shop.service\n");
  put("/sys/fs/cgroup/system.slice/shop.service/cpu.max", "50000 100000\n");
  put("/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(bw::available_processors(root).count, 0.5);
  EXPECT_EQ(bw::available_processors(root).said_by, "cgroup quota");
}

TEST_F(available_processors, are_bounded_by_the_least_quota_of_all_groups_above) {
  put("/proc/self/cgroup", "0::/pod/container\n");
  put("/sys/fs/cgroup/pod/container/cpu.max", "90000 100000\n");
  put("/sys/fs/cgroup/pod/cpu.max", "25000 100000\n");
  EXPECT_EQ(bw::available_processors(root).count, 0.25);
}

TEST_F(available_processors, of_a_container_are_those_of_the_group_at_the_top) {
  put("/proc/self/cgroup", "0::/../../other\n0::/\n");
  put("/sys/fs/cgroup/cpu.max", "75000 100000\n");
  EXPECT_EQ(bw::available_processors(root).count, 0.75);
}

TEST_F(available_processors, are_bounded_by_the_quota_of_version_1) {
  put("/proc/self/cgroup", "12:memory:/x\n4:cpu,cpuacct:/shop\n");
  put("/sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_quota_us", "20000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(bw::available_processors(root).count, 0.2);
}

TEST_F(available_processors, take_no_notice_of_nonsense) {
  for (const std::string_view bad : {"", "max", "x 100000", "100000 0", "-5 100000", "100000"}) {
    put("/proc/self/cgroup", "0::/a\nnonsense\n:\n");
    put("/sys/fs/cgroup/a/cpu.max", bad);
    EXPECT_EQ(bw::available_processors(root).count, allowed()) << bad;
  }
}

TEST(serverless_platform, is_known_by_its_variables) {
  const auto with = [](std::string_view set) {
    return bw::serverless_platform([set](const char* name) { return set == name ? "x" : nullptr; });
  };
  EXPECT_EQ(with("AWS_LAMBDA_FUNCTION_NAME"), "AWS Lambda");
  EXPECT_EQ(with("K_SERVICE"), "Cloud Run");
  EXPECT_EQ(with("HOME"), std::nullopt);
  EXPECT_EQ(bw::serverless_platform([](const char*) { return ""; }), std::nullopt);
}

}  // namespace
