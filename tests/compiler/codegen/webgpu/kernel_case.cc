#include "tests/compiler/codegen/webgpu/kernel_case.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace carat::compiler::webgpu {
namespace {

using Json = nlohmann::ordered_json;

// The bytes of NAME.bin, and where in them a piece lies.
class Blob {
 public:
  Json Add(std::span<const std::byte> bytes) {
    Json place = {{"offset", bytes_.size()}, {"num_bytes", bytes.size()}};
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return place;
  }

  void Write(const std::filesystem::path& path) const {
    std::ofstream file(path, std::ios::binary);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file.write(reinterpret_cast<const char*>(bytes_.data()),
               static_cast<std::streamsize>(bytes_.size()));
  }

 private:
  BufferBytes bytes_;
};

Json ToJson(const Expectation& expectation, Blob& blob) {
  Json json =
      std::visit([&](const auto& values) { return blob.Add(std::as_bytes(std::span(values))); },
                 expectation.values);
  const bool is_float = std::holds_alternative<std::vector<float>>(expectation.values);
  json["buffer"] = expectation.buffer;
  json["type"] = is_float ? "f32" : "i32";
  json["atol"] = expectation.atol;
  json["rtol"] = expectation.rtol;
  return json;
}

}  // namespace

void WriteCase(const KernelCase& kernel_case, int number, const std::filesystem::path& folder) {
  Blob blob;
  Json json = {{"name", kernel_case.name},
               {"kernels", Json::array()},
               {"buffers", Json::array()},
               {"launches", Json::array()},
               {"expectations", Json::array()}};
  for (const WgslKernel& kernel : kernel_case.kernels) {
    json["kernels"].push_back(
        {{"info", Json::parse(KernelInfoJson(kernel))}, {"wgsl", kernel.wgsl}});
  }
  for (const BufferBytes& buffer : kernel_case.buffers) json["buffers"].push_back(blob.Add(buffer));
  for (const CaseLaunch& launch : kernel_case.launches) {
    json["launches"].push_back({{"kernel", launch.kernel},
                                {"buffers", launch.buffers},
                                {"scalars", launch.scalars},
                                {"grid", launch.grid}});
  }
  for (const Expectation& expectation : kernel_case.expectations) {
    json["expectations"].push_back(ToJson(expectation, blob));
  }
  const std::filesystem::path stem = folder / fmt::format("{:04}", number);
  std::ofstream file(stem.string() + ".json");
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file << json;
  blob.Write(stem.string() + ".bin");
}

}  // namespace carat::compiler::webgpu
