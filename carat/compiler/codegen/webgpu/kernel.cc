#include "carat/compiler/codegen/webgpu/kernel.h"

#include <nlohmann/json.hpp>

namespace carat::compiler::webgpu {

std::string KernelInfoJson(const WgslKernel& kernel) {
  std::vector<std::string> types(kernel.writes.size(), "handle");
  types.insert(types.end(), static_cast<size_t>(kernel.num_scalars), "uint32");
  nlohmann::json access = nlohmann::json::array();
  for (const bool is_written : kernel.writes) access.push_back(is_written ? 1 : 0);
  const nlohmann::ordered_json info = {
      {"name", kernel.name},
      {"arg_types", types},
      {"launch_param_tags", {"blockIdx.x", "blockIdx.y", "paramWriteAccess:" + access.dump()}}};
  return info.dump();
}

}  // namespace carat::compiler::webgpu
