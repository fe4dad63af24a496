#include "carat/compiler/codegen/webgpu/wgsl.h"

#include <fmt/format.h>

#include <span>

#include "carat/compiler/codegen/webgpu/fill_template.h"
#include "carat/compiler/embedded_files.h"

namespace carat::compiler::webgpu {

std::string Fill(std::string_view file,
                 std::initializer_list<std::pair<std::string_view, std::string>> values) {
  return FillTemplate(WgslText(file), std::span(values.begin(), values.size()));
}

std::string FloatLiteral(double value) { return fmt::format("{:#.9g}f", value); }

std::string SoftcapText(std::string_view value, float cap) {
  // Beyond +-10 tanh is +-1 in f32; some GPUs make NaN of larger arguments.
  return fmt::format("({0} * tanh(clamp({1} / {0}, -10.0, 10.0)))", FloatLiteral(cap), value);
}

}  // namespace carat::compiler::webgpu
