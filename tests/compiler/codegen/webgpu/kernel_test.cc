#include "carat/compiler/codegen/webgpu/kernel.h"

#include <gtest/gtest.h>

namespace carat::compiler::webgpu {
namespace {

TEST(KernelInfoJson, NamesBuffersScalarsAndGridAsWebLlmReadsThem) {
  const WgslKernel kernel = {.name = "add", .writes = {false, true}, .num_scalars = 1, .wgsl = ""};
  EXPECT_EQ(KernelInfoJson(kernel),
            R"({"name":"add","arg_types":["handle","handle","uint32"],)"
            R"("launch_param_tags":["blockIdx.x","blockIdx.y","paramWriteAccess:[0,1]"]})");
}

}  // namespace
}  // namespace carat::compiler::webgpu
