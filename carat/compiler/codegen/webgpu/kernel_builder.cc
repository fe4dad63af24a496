#include "carat/compiler/codegen/webgpu/kernel_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace carat::compiler::webgpu {
namespace {

bool IsSame(const Reference& a, const Reference& b) {
  return a.place == b.place && a.index == b.index;
}

}  // namespace

std::string KernelBuilder::Bind(std::string_view name, const Reference& buffer,
                                std::string_view type, Access access) {
  for (Binding& binding : bindings_) {
    if (!IsSame(binding.buffer, buffer) || binding.type != type) continue;
    binding.is_written = binding.is_written || access == Access::kWrite;
    return binding.name;
  }
  std::string unique(name);
  const auto is_taken = [&](const Binding& binding) { return binding.name == unique; };
  for (int n = 2; std::ranges::any_of(bindings_, is_taken); ++n) {
    unique = fmt::format("{}_{}", name, n);
  }
  bindings_.push_back({unique, buffer, std::string(type), access == Access::kWrite});
  return unique;
}

void KernelBuilder::Scalar(std::string_view name, const Expression& value) {
  const auto is_known = [&](const auto& scalar) { return scalar.first == name; };
  if (std::ranges::none_of(scalars_, is_known)) scalars_.emplace_back(name, value);
}

void KernelBuilder::Enable(std::string_view extension) {
  if (std::ranges::find(extensions_, extension) == extensions_.end()) {
    extensions_.emplace_back(extension);
  }
}

void KernelBuilder::Declare(std::string text) {
  if (std::ranges::find(declarations_, text) == declarations_.end()) {
    declarations_.push_back(std::move(text));
  }
}

std::string KernelBuilder::Declarations() const {
  std::string text;
  for (const std::string& extension : extensions_) text += fmt::format("enable {};\n", extension);
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const Binding& binding = bindings_[i];
    text += fmt::format("@group(0) @binding({}) var<storage, {}> {}: array<{}>;\n", i,
                        binding.is_written ? "read_write" : "read", binding.name, binding.type);
  }
  text += "struct Scalars {\n";
  for (const auto& [name, value] : scalars_) text += fmt::format("  {}: u32,\n", name);
  // WebLLM puts it behind every kernel's scalars.
  text += fmt::format(
      "  pack_grid_dim_x: u32,\n}}\n@group(0) @binding({}) var<uniform> scalars: Scalars;\n",
      bindings_.size());
  for (const std::string& declaration : declarations_) text += "\n" + declaration;
  return text;
}

std::pair<WgslKernel, PlanLaunch> KernelBuilder::Finish(std::string name, std::string wgsl) const {
  WgslKernel kernel;
  kernel.name = std::move(name);
  kernel.wgsl = std::move(wgsl);
  kernel.num_scalars = static_cast<int64_t>(scalars_.size());
  PlanLaunch launch;
  for (const Binding& binding : bindings_) {
    kernel.writes.push_back(binding.is_written);
    launch.buffers.push_back(binding.buffer);
  }
  for (const auto& [scalar, value] : scalars_) launch.scalars.push_back(value);
  return {std::move(kernel), std::move(launch)};
}

}  // namespace carat::compiler::webgpu
