#include "carat/kernels/cpu/pack.h"

#include <gtest/gtest.h>

#include "tests/kernels/weight_samples.h"

namespace carat::cpu {
namespace {

constexpr FormatId kFormats[] = {FormatId::kQ4_0, FormatId::kQ8_0, FormatId::kF32, FormatId::kF16,
                                 FormatId::kBF16};

// Row `row` (0..15) of a tile as RowBytes<Format>(cols) bytes: PackTile backwards.
template <class Format>
void UnpackRow(const uint8_t* tile, int64_t row, int64_t cols, uint8_t* bytes) {
  ForEachPiece<Format>(row, cols, [&](int64_t in_row, int64_t in_tile, int64_t size) {
    std::memcpy(bytes + in_row, tile + in_tile, size);
  });
}

TEST(TileLayout, TilesHaveTheBytesOfTheirRows) {
  EXPECT_EQ(Q4_0::TileBytes(640), 16 * 640 / 32 * 18);
  EXPECT_EQ(Q8_0::TileBytes(640), 16 * 640 / 32 * 34);
  EXPECT_EQ(F32::TileBytes(640), 16 * 640 * 4);
  EXPECT_EQ(BF16::TileBytes(37), 16 * 37 * 2 + 32);  // rounded up to 64
  EXPECT_EQ(Q4_0::TileBytes(32), 320);               // 256 of nibbles, 32 of scales, rounded up
  EXPECT_EQ(PackedBytes<Q4_0>(17, 640), 2 * Q4_0::TileBytes(640));
  EXPECT_EQ(PackedBytes<F32>(0, 640), 0);
}

TEST(TileLayout, NibblesLieWhereTheHeaderSays) {
  const WeightSample sample = MakeWeights(FormatId::kQ4_0, 16, 64, 1, Scales::kUnit);
  const Tiles tiles = PackSample(sample);
  for (int64_t row = 0; row < 16; ++row) {
    for (int64_t k = 0; k < 64; ++k) {
      const int64_t group = k % 16 / 4;
      const uint8_t byte = tiles.data()[((k / 32 * 4 + group) * 16 + row) * 4 + k % 4];
      ASSERT_EQ((k % 32 < 16 ? byte & 15 : byte >> 4) - 8, sample.values[row * 64 + k]);
    }
  }
}

TEST(Pack, RowsComeBackAsTheyWere) {
  for (const FormatId format : kFormats) {
    for (const int64_t rows : {1, 15, 16, 17, 33}) {
      const WeightSample sample = MakeWeights(format, rows, 96, static_cast<uint32_t>(rows));
      const Tiles tiles = PackSample(sample);
      WithFormat(format, [&](auto tag) {
        using Format = decltype(tag);
        for (int64_t row = 0; row < rows; ++row) {
          std::vector<uint8_t> bytes(sample.row_bytes);
          UnpackRow<Format>(tiles.data() + row / 16 * Format::TileBytes(96), row % 16, 96,
                            bytes.data());
          const auto* begin = &sample.bytes[row * sample.row_bytes];
          ASSERT_EQ(bytes, std::vector<uint8_t>(begin, begin + sample.row_bytes));
        }
      });
    }
  }
}

TEST(Pack, RowsPastTheEndAreZero) {
  const WeightSample sample = MakeWeights(FormatId::kQ8_0, 3, 64, 5);
  std::vector<uint8_t> tile(Q8_0::TileBytes(64), 0xff);
  PackTile<Q8_0>(sample.bytes.data(), 3, 64, tile.data());
  for (int64_t row = 3; row < 16; ++row) {
    std::vector<uint8_t> bytes(sample.row_bytes, 0xff);
    UnpackRow<Q8_0>(tile.data(), row, 64, bytes.data());
    EXPECT_EQ(bytes, std::vector<uint8_t>(sample.row_bytes, 0));
  }
}

}  // namespace
}  // namespace carat::cpu
