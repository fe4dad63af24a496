#include "carat/base/own_file.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace carat {
namespace {

TEST(OwnFile, IsTheProgramThisCodeIsLinkedInto) {
  EXPECT_EQ(OwnFile(), std::filesystem::canonical("/proc/self/exe"));
}

TEST(OwnFile, DoesNotDependOnTheFolderTheProgramRunsIn) {
  const std::filesystem::path before = std::filesystem::current_path();
  const std::filesystem::path file = OwnFile();
  std::filesystem::current_path("/");
  EXPECT_EQ(OwnFile(), file);
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace carat
