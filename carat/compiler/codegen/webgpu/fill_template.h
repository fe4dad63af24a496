// Kernels as files of kernels/webgpu with ${placeholders} for what the model fixes.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_FILL_TEMPLATE_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_FILL_TEMPLATE_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace carat::compiler::webgpu {

using TemplateValue = std::pair<std::string_view, std::string>;  // a placeholder's name, its text

// `text` with every ${name} replaced by its value, and without the comment it begins with, which is
// for readers of the file. Throws Error for a placeholder without value and for a value without
// placeholder; placeholders in values are not replaced.
std::string FillTemplate(std::string_view text, std::span<const TemplateValue> values);

// The text of a file of kernels/webgpu: "gemv.wgsl". Throws Error if there is none of that name.
std::string_view WgslText(std::string_view file);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_FILL_TEMPLATE_H_
