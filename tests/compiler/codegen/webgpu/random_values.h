// Seeded values for tests of kernels.

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_RANDOM_VALUES_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_RANDOM_VALUES_H_

#include <cstdint>
#include <random>
#include <vector>

namespace carat::compiler::webgpu {

// Normally distributed around 0.
inline std::vector<float> RandomValues(int64_t count, uint32_t seed, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_RANDOM_VALUES_H_
