// What an adapter may have beyond WebGPU's core, for kernels that use it.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_FEATURES_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_FEATURES_H_

namespace carat::compiler::webgpu {

// By WebGPU's names. A kernel for an adapter with a feature is not valid on one without, and a
// model library cannot ask what it runs on: there is one library for each set, and the page
// chooses.
struct Features {
  bool subgroups = false;
  bool shader_f16 = false;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_FEATURES_H_
