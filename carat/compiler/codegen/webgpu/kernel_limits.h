// What a kernel may use of an adapter: what WebLLM asks for, which is the least that it runs on.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_LIMITS_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_LIMITS_H_

#include <cstdint>
#include <string_view>

#include "carat/compiler/codegen/webgpu/kernel.h"

namespace carat::compiler::webgpu {

inline constexpr int64_t kMaxWorkgroupBytes = 32768;  // maxComputeWorkgroupStorageSize
inline constexpr size_t kMaxStorageBuffers = 10;      // maxStorageBuffersPerShaderStage

// Of all var<workgroup> in the text.
int64_t WorkgroupBytes(std::string_view wgsl);

// Throws Error with the kernel and the limit if it goes beyond one.
void CheckKernelLimits(const WgslKernel& kernel);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_LIMITS_H_
