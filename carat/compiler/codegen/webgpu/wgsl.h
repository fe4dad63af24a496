// Short forms for text of WGSL.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_WGSL_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_WGSL_H_

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace carat::compiler::webgpu {

// The text of kernels/webgpu/<file> with its placeholders filled.
std::string Fill(std::string_view file,
                 std::initializer_list<std::pair<std::string_view, std::string>> values);

// A number as a literal of f32.
std::string FloatLiteral(double value);

// cap * tanh(value / cap).
std::string SoftcapText(std::string_view value, float cap);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_WGSL_H_
