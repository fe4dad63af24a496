#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <type_traits>

#include "carat/kernels/cpu/pack.h"
#include "carat/kernels/cpu/simd/half.h"
#include "tests/kernels/weight_samples.h"

namespace carat::cpu {
namespace {

// One block of q4_0 or q8_0 in ggml's bytes, and its 32 values.
template <class Format>
void MakeBlock(std::mt19937& random, Scales scales, uint8_t* bytes, float* values) {
  std::uniform_real_distribution<float> scale_distribution(-0.1f, 0.1f);
  const uint16_t scale = F32ToF16(scales == Scales::kUnit ? 1.0f : scale_distribution(random));
  std::memcpy(bytes, &scale, 2);
  for (int64_t i = 2; i < Format::kBlockBytes; ++i) bytes[i] = static_cast<uint8_t>(random());
  for (int64_t k = 0; k < kBlockValues; ++k) {
    const int q = Format::kGroups == 4 ? (bytes[2 + k % 16] >> (k < 16 ? 0 : 4) & 15) - 8
                                       : static_cast<int8_t>(bytes[2 + k]);
    values[k] = static_cast<float>(q) * F16ToF32(scale);
  }
}

// One value of f32, f16 or bf16.
template <class Format>
float MakeValue(std::mt19937& random, Scales scales, uint8_t* bytes) {
  std::normal_distribution<float> distribution;
  const float value =
      scales == Scales::kUnit ? static_cast<float>(random() % 17) - 8 : distribution(random);
  if constexpr (std::is_same_v<Format, F32>) {
    std::memcpy(bytes, &value, 4);
    return value;
  }
  const bool is_f16 = std::is_same_v<Format, F16>;
  const uint16_t half =
      is_f16 ? F32ToF16(value) : static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
  std::memcpy(bytes, &half, 2);
  return is_f16 ? F16ToF32(half) : BF16ToF32(half);
}

}  // namespace

WeightSample MakeWeights(FormatId format, int64_t rows, int64_t cols, uint32_t seed,
                         Scales scales) {
  return WithFormat(format, [&](auto tag) {
    using Format = decltype(tag);
    const int64_t row_bytes = RowBytes<Format>(cols);
    WeightSample sample{format,
                        rows,
                        cols,
                        row_bytes,
                        std::vector<uint8_t>(rows * row_bytes),
                        std::vector<float>(rows * cols)};
    std::mt19937 random(seed);
    for (int64_t i = 0; i < rows * cols / Format::kBlock; ++i) {
      uint8_t* bytes = &sample.bytes[i * Format::kBlockBytes];
      if constexpr (kIsBlockFormat<Format>) {
        MakeBlock<Format>(random, scales, bytes, &sample.values[i * kBlockValues]);
      } else {
        sample.values[i] = MakeValue<Format>(random, scales, bytes);
      }
    }
    return sample;
  });
}

Tiles PackSample(const WeightSample& sample) {
  return WithFormat(sample.format, [&](auto tag) {
    using Format = decltype(tag);
    Tiles tiles(PackedBytes<Format>(sample.rows, sample.cols));
    for (int64_t tile = 0; tile < NumTiles(sample.rows); ++tile) {
      const int64_t first = tile * kTileRows;
      PackTile<Format>(&sample.bytes[first * sample.row_bytes],
                       std::min(kTileRows, sample.rows - first), sample.cols,
                       tiles.data() + tile * Format::TileBytes(sample.cols));
    }
    return tiles;
  });
}

Tiles PackInTurns(const WeightSample& gate, const WeightSample& up) {
  return WithFormat(gate.format, [&](auto tag) {
    using Format = decltype(tag);
    const int64_t tile_bytes = Format::TileBytes(gate.cols);
    Tiles tiles(2 * PackedBytes<Format>(gate.rows, gate.cols));
    for (int64_t tile = 0; tile < NumTiles(gate.rows); ++tile) {
      const int64_t count = std::min(kTileRows, gate.rows - tile * kTileRows);
      const int64_t at = tile * kTileRows * gate.row_bytes;
      uint8_t* out = tiles.data() + 2 * tile * tile_bytes;
      PackTile<Format>(&gate.bytes[at], count, gate.cols, out);
      PackTile<Format>(&up.bytes[at], count, up.cols, out + tile_bytes);
    }
    return tiles;
  });
}

std::vector<float> RandomFloats(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

}  // namespace carat::cpu
