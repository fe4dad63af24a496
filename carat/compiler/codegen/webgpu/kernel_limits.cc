#include "carat/compiler/codegen/webgpu/kernel_limits.h"

#include <charconv>

#include "carat/base/error.h"

namespace carat::compiler::webgpu {
namespace {

int64_t TypeBytes(std::string_view type) {
  if (type.starts_with("vec4")) return 16;
  if (type.starts_with("vec2")) return 8;
  return 4;
}

// "array<f32, 64>" or "u32".
int64_t DeclaredBytes(std::string_view type) {
  constexpr std::string_view kArray = "array<";
  if (!type.starts_with(kArray)) return TypeBytes(type);
  const std::string_view element = type.substr(kArray.size());
  const size_t comma = element.rfind(", ");
  int64_t count = 0;
  if (comma != std::string_view::npos) {
    std::from_chars(element.data() + comma + 2, element.data() + element.size(), count);
  }
  return count * TypeBytes(element);
}

}  // namespace

int64_t WorkgroupBytes(std::string_view wgsl) {
  constexpr std::string_view kDeclaration = "var<workgroup> ";
  int64_t num_bytes = 0;
  while (true) {
    const size_t start = wgsl.find(kDeclaration);
    if (start == std::string_view::npos) return num_bytes;
    wgsl.remove_prefix(start + kDeclaration.size());
    const std::string_view declaration = wgsl.substr(0, wgsl.find(';'));
    num_bytes += DeclaredBytes(declaration.substr(declaration.find(": ") + 2));
  }
}

void CheckKernelLimits(const WgslKernel& kernel) {
  if (const int64_t num_bytes = WorkgroupBytes(kernel.wgsl); num_bytes > kMaxWorkgroupBytes) {
    throw Error(
        "the shapes in config.json need {} bytes of workgroup memory for '{}', and WebGPU has {} "
        "as WebLLM asks for it; such a model cannot be compiled for browsers",
        num_bytes, kernel.name, kMaxWorkgroupBytes);
  }
  if (kernel.writes.size() > kMaxStorageBuffers) {
    throw Error("'{}' needs {} buffers, and WebGPU has {} as WebLLM asks for it; try --opt O3",
                kernel.name, kernel.writes.size(), kMaxStorageBuffers);
  }
}

}  // namespace carat::compiler::webgpu
