// The kernels of a plan. Layers of one kind have the same text, and so share a kernel.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_TABLE_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/webgpu/kernel.h"

namespace carat::compiler::webgpu {

// Stands for the kernel's name in its text until the table has found it one.
inline constexpr char kEntryPlaceholder[] = "${entry}";

class KernelTable {
 public:
  // The index of a kernel with this text, which has kEntryPlaceholder once. The kernel's name is
  // its own, or that with a number behind it where another text has the name. Throws Error for a
  // kernel beyond WebGPU's limits.
  uint32_t Add(WgslKernel kernel);

  std::vector<WgslKernel> Take() && { return std::move(kernels_); }

 private:
  std::vector<WgslKernel> kernels_;
  std::map<std::string, uint32_t> index_of_text_;
  std::map<std::string, int> count_of_name_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_TABLE_H_
