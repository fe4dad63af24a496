#include "carat/compiler/codegen/webgpu/fill_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carat/base/error.h"

namespace carat::compiler::webgpu {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

TEST(FillTemplate, ReplacesEveryPlaceholder) {
  const std::vector<TemplateValue> values = {{"type", "f32"}, {"n", "4"}};
  EXPECT_EQ(FillTemplate("array<${type}, ${n}> $ {n} ${n}", values), "array<f32, 4> $ {n} 4");
}

TEST(FillTemplate, LeavesValuesAsTheyAre) {
  const std::vector<TemplateValue> values = {{"a", "${b}"}};
  EXPECT_EQ(FillTemplate("${a}", values), "${b}");
}

TEST(FillTemplate, DropsTheCommentThatTheFileBeginsWith) {
  EXPECT_EQ(FillTemplate("// What it does,\n// with ${n}.\nlet x = 1; // one\n", {}),
            "let x = 1; // one\n");
  EXPECT_EQ(FillTemplate("// nothing else", {}), "");
}

TEST(FillTemplate, RefusesWhatDoesNotFit) {
  const std::vector<TemplateValue> values = {{"n", "4"}};
  EXPECT_THAT([] { FillTemplate("${n}", {}); },
              ThrowsMessage<Error>(HasSubstr("'${n}' has no value")));
  EXPECT_THAT([&] { FillTemplate("n", values); },
              ThrowsMessage<Error>(HasSubstr("nothing is called '${n}'")));
  EXPECT_THAT([&] { FillTemplate("${n", values); }, ThrowsMessage<Error>(HasSubstr("not closed")));
}

TEST(WgslText, FindsTheFilesOfTheKernels) {
  EXPECT_THAT(WgslText("apply_bitmask.wgsl"), StartsWith("// "));
  EXPECT_THAT([] { WgslText("apply_bitmask"); },
              ThrowsMessage<Error>(HasSubstr("has no 'apply_bitmask'")));
}

}  // namespace
}  // namespace carat::compiler::webgpu
