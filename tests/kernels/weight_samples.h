// Random weights as files hold them, with their exact values: ground truth for the tests of
// kernels.

#ifndef CARAT_TESTS_KERNELS_WEIGHT_SAMPLES_H_
#define CARAT_TESTS_KERNELS_WEIGHT_SAMPLES_H_

#include <cstdint>
#include <vector>

#include "carat/kernels/cpu/tile_layout.h"
#include "tests/kernels/kernel_table.h"

namespace carat::cpu {

struct WeightSample {
  FormatId format;
  int64_t rows;
  int64_t cols;
  int64_t row_bytes;
  std::vector<uint8_t> bytes;  // [rows][row_bytes], as ggml lays them out
  std::vector<float> values;   // [rows][cols]
};

// kUnit: every block has scale 1, so that values are small integers.
enum class Scales { kRandom, kUnit };

WeightSample MakeWeights(FormatId format, int64_t rows, int64_t cols, uint32_t seed,
                         Scales scales = Scales::kRandom);

// Bytes at an address that tiles may have.
class Tiles {
 public:
  explicit Tiles(int64_t num_bytes) : lines_((num_bytes + 63) / 64) {}
  uint8_t* data() { return lines_.data()->bytes; }
  const uint8_t* data() const { return lines_.data()->bytes; }

 private:
  struct alignas(kTileAlignment) Line {
    uint8_t bytes[kTileAlignment];
  };
  std::vector<Line> lines_;
};

Tiles PackSample(const WeightSample& sample);

// Tiles of `gate` and `up` in turns, as GeluMulStore wants them.
Tiles PackInTurns(const WeightSample& gate, const WeightSample& up);

// Calls fn with the tag of the format: fn(Q4_0{}).
template <class Fn>
auto WithFormat(FormatId format, Fn fn) {
  switch (format) {
    case FormatId::kQ4_0:
      return fn(Q4_0{});
    case FormatId::kQ8_0:
      return fn(Q8_0{});
    case FormatId::kF32:
      return fn(F32{});
    case FormatId::kF16:
      return fn(F16{});
    case FormatId::kBF16:
      break;
  }
  return fn(BF16{});
}

std::vector<float> RandomFloats(int64_t count, uint32_t seed);

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_WEIGHT_SAMPLES_H_
