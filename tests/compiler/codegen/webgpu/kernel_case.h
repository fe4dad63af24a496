// A test of WGSL kernels: launches on buffers, and what the buffers hold then. A program writes the
// cases to a folder, and tests/webgpu/run_cases.mjs runs them in a browser:
//
//     NAME.json   kernels, buffers, launches and expectations, the values by their place in
//     NAME.bin NAME.bin    the buffers' first contents and the expected values

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASE_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "carat/compiler/codegen/webgpu/kernel.h"

namespace carat::compiler::webgpu {

using BufferBytes = std::vector<std::byte>;  // what a buffer holds at first

struct CaseLaunch {
  size_t kernel = 0;                 // index in KernelCase::kernels
  std::vector<size_t> buffers = {};  // indices in KernelCase::buffers
  std::vector<uint32_t> scalars = {};
  std::array<uint32_t, 2> grid = {1, 1};
};

// The buffer begins with values that differ from these by at most atol + rtol * |expected|.
struct Expectation {
  size_t buffer = 0;
  std::variant<std::vector<float>, std::vector<int32_t>> values;
  double atol = 0;
  double rtol = 0;
};

struct KernelCase {
  std::string name;  // "softmax: one logit"
  std::vector<WgslKernel> kernels;
  std::vector<BufferBytes> buffers;
  std::vector<CaseLaunch> launches;
  std::vector<Expectation> expectations;
};

template <typename T>
BufferBytes BytesOf(const std::vector<T>& values) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Writes NAME.json and NAME.bin, where NAME is "0007" for the 7th case.
void WriteCase(const KernelCase& kernel_case, int number, const std::filesystem::path& folder);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_KERNEL_CASE_H_
