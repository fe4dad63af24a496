#include "carat/compiler/codegen/webgpu/fill_template.h"

#include <algorithm>
#include <vector>

#include "carat/base/error.h"
#include "carat/compiler/embedded_files.h"

namespace carat::compiler::webgpu {
namespace {

std::string_view WithoutLeadingComment(std::string_view text) {
  while (text.starts_with("//")) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return text;
}

}  // namespace

std::string FillTemplate(std::string_view text, std::span<const TemplateValue> values) {
  text = WithoutLeadingComment(text);
  std::vector<bool> is_used(values.size());
  std::string filled;
  while (true) {
    const size_t start = text.find("${");
    filled += text.substr(0, start);
    if (start == std::string_view::npos) break;
    const size_t end = text.find('}', start);
    if (end == std::string_view::npos) throw Error("a WGSL template: a '${{' is not closed");
    const std::string_view name = text.substr(start + 2, end - start - 2);
    const auto value = std::ranges::find(values, name, &TemplateValue::first);
    if (value == values.end()) throw Error("a WGSL template: '${{{}}}' has no value", name);
    is_used[static_cast<size_t>(value - values.begin())] = true;
    filled += value->second;
    text.remove_prefix(end + 1);
  }
  const auto unused = std::ranges::find(is_used, false);
  if (unused != is_used.end()) {
    throw Error("a WGSL template: nothing is called '${{{}}}'",
                values[static_cast<size_t>(unused - is_used.begin())].first);
  }
  return filled;
}

std::string_view WgslText(std::string_view file) {
  const std::span<const EmbeddedFile> files = EmbeddedWgsl();
  const auto found = std::ranges::find(files, file, &EmbeddedFile::path);
  if (found == files.end()) throw Error("kernels/webgpu has no '{}'", file);
  return found->text;
}

}  // namespace carat::compiler::webgpu
