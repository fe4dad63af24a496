// A compute kernel in WGSL, with what WebLLM must know of it to launch it.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_H_

#include <cstdint>
#include <string>
#include <vector>

namespace carat::compiler::webgpu {

// Group 0 binds the storage buffers 0, 1, ... and behind them a uniform: the scalars, u32 each,
// then WebLLM's own u32, the grid's first dimension.
struct WgslKernel {
  std::string name;          // of the entry point
  std::vector<bool> writes;  // one a storage buffer: true if it is bound as read_write
  int64_t num_scalars = 0;
  std::string wgsl;
};

// What WebLLM's createShader reads: {"name", "arg_types", "launch_param_tags"}. Every kernel is
// launched on a grid of two dimensions.
std::string KernelInfoJson(const WgslKernel& kernel);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_H_
