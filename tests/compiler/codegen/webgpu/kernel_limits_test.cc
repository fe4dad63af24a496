#include "carat/compiler/codegen/webgpu/kernel_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carat/base/error.h"

namespace carat::compiler::webgpu {
namespace {

using ::testing::HasSubstr;

TEST(KernelLimits, CountsEveryTypeOfWorkgroupMemory) {
  EXPECT_EQ(WorkgroupBytes("var<workgroup> a: array<f32, 10>;\nvar<workgroup> b: u32;"), 44);
  EXPECT_EQ(WorkgroupBytes("var<workgroup> a: array<vec2<f32>, 3>;"), 24);
  EXPECT_EQ(WorkgroupBytes("var<workgroup> a: array<vec4<u32>, 3>;  // more"), 48);
  EXPECT_EQ(WorkgroupBytes("var<storage> a: array<f32, 10>;"), 0);
}

TEST(KernelLimits, AreThoseThatWebLlmAsksFor) {
  WgslKernel kernel{"k", std::vector<bool>(10), 0, "var<workgroup> a: array<f32, 8192>;"};
  EXPECT_NO_THROW(CheckKernelLimits(kernel));
  kernel.writes.push_back(false);
  EXPECT_THAT([&] { CheckKernelLimits(kernel); },
              testing::ThrowsMessage<Error>(HasSubstr("'k' needs 11 buffers")));
  kernel = {"k", {}, 0, "var<workgroup> a: array<f32, 8193>;"};
  EXPECT_THAT([&] { CheckKernelLimits(kernel); },
              testing::ThrowsMessage<Error>(HasSubstr("32772 bytes of workgroup memory for 'k'")));
}

}  // namespace
}  // namespace carat::compiler::webgpu
