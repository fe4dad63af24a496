// The cases of all WGSL kernels, a function for each file that has some.

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASES_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASES_H_

#include <vector>

#include "tests/compiler/codegen/webgpu/kernel_case.h"

namespace carat::compiler::webgpu {

std::vector<KernelCase> LogitKernelCases();
std::vector<KernelCase> SamplingKernelCases();
std::vector<KernelCase> RowKernelCases();
std::vector<KernelCase> MatMulKernelCases();
std::vector<KernelCase> AttentionKernelCases();
std::vector<KernelCase> ModelKernelCases();

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASES_H_
