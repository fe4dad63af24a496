#include "carat/runtime/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carat/base/error.h"

namespace carat::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(CheckTvmFfiVersion, TakesTheAbiItWasBuiltFor) {
  TVMFFIVersion loaded = {};
  TVMFFIGetVersion(&loaded);
  EXPECT_NO_THROW(CheckTvmFfiVersion(loaded));
  loaded.patch += 7;
  EXPECT_NO_THROW(CheckTvmFfiVersion(loaded));
}

TEST(CheckTvmFfiVersion, RefusesAnotherInWords) {
  for (const TVMFFIVersion& other : {TVMFFIVersion{0, 2, 5}, TVMFFIVersion{1, 1, 5}}) {
    const std::string name = std::to_string(other.major) + "." + std::to_string(other.minor) + ".5";
    EXPECT_THAT([&] { CheckTvmFfiVersion(other); },
                ThrowsMessage<VersionMismatchError>(
                    AllOf(HasSubstr("built for TVM FFI 0.1"), HasSubstr(name),
                          HasSubstr("pip install 'apache-tvm-ffi==0.1.*'"))));
  }
}

}  // namespace
}  // namespace carat::runtime
