#include "carat/compiler/codegen/webgpu/kernel_table.h"

#include <fmt/format.h>

#include "carat/compiler/codegen/webgpu/kernel_limits.h"

namespace carat::compiler::webgpu {

uint32_t KernelTable::Add(WgslKernel kernel) {
  CheckKernelLimits(kernel);
  const auto next = static_cast<uint32_t>(kernels_.size());
  const auto [entry, is_new] = index_of_text_.try_emplace(kernel.wgsl, next);
  if (!is_new) return entry->second;
  if (const int count = ++count_of_name_[kernel.name]; count > 1) {
    kernel.name += fmt::format("_{}", count);
  }
  const std::string_view placeholder = kEntryPlaceholder;
  kernel.wgsl.replace(kernel.wgsl.find(placeholder), placeholder.size(), kernel.name);
  kernels_.push_back(std::move(kernel));
  return next;
}

}  // namespace carat::compiler::webgpu
