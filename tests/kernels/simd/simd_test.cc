#include "carat/kernels/cpu/simd/simd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/kernels/instruction_sets.h"

namespace carat::cpu {
namespace {

// Numbers of every kind and size, halves between integers and infinities; no NaN (payloads may
// differ).
std::vector<float> InterestingFloats(size_t count, uint32_t seed) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special = {
      0.0f,     -0.0f,    0.5f,   -0.5f,   1.5f,  2.5f,   -126.5f,   65504.0f,   65520.0f, 1e-7f,
      5.96e-8f, 2.98e-8f, 1e-40f, -1e-40f, 3e38f, -3e38f, kInfinity, -kInfinity, 126.5f,   127.0f};
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> mantissa(-2.0f, 2.0f);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) {
    const int exponent = static_cast<int>(random() % 80) - 40;
    values.push_back(random() % 4 == 0 ? special[random() % special.size()]
                                       : std::ldexp(mantissa(random), exponent));
  }
  return values;
}

template <class T>
std::vector<T> RandomBits(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(random());
  return values;
}

// Inputs that have no NaN as f16 or as bf16.
std::vector<uint16_t> HalvesWithoutNaN(uint32_t seed) {
  std::vector<uint16_t> halves = RandomBits<uint16_t>(16, seed);
  for (uint16_t& half : halves) {
    if ((half & 0x7c00) == 0x7c00) half &= 0xbfff;
  }
  return halves;
}

class SimdOfEverySet : public testing::TestWithParam<const KernelTable*> {};
INSTANTIATE_TEST_SUITE_P(Sets, SimdOfEverySet, testing::ValuesIn(RunnableSets()),
                         [](const auto& info) { return "Set" + std::to_string(info.index); });

TEST(Simd, NativeSetsGiveTheBitsOfTheirPlainTwins) {
  for (const NativeSet& set : RunnableNativeSets()) {
    SCOPED_TRACE(set.native->name);
    std::vector<uint8_t> native(16384), plain(16384);
    const auto expect_same = [&](int64_t native_bytes, int64_t plain_bytes) {
      ASSERT_EQ(native_bytes, plain_bytes);
      for (int64_t i = 0; i < native_bytes; ++i) {
        ASSERT_EQ(native[i], plain[i]) << "byte " << i;
      }
    };
    for (uint32_t seed = 0; seed < 2000; ++seed) {
      SCOPED_TRACE(seed);
      const auto a = InterestingFloats(16, 3 * seed);
      const auto b = InterestingFloats(16, 3 * seed + 1);
      const auto c = InterestingFloats(16, 3 * seed + 2);
      expect_same(set.native->float_primitives(a.data(), b.data(), c.data(), native.data()),
                  set.plain->float_primitives(a.data(), b.data(), c.data(), plain.data()));
      const auto halves = HalvesWithoutNaN(seed);
      expect_same(set.native->half_primitives(halves.data(), native.data()),
                  set.plain->half_primitives(halves.data(), plain.data()));
      const auto bytes = RandomBits<uint8_t>(64, seed);
      expect_same(set.native->byte_primitives(bytes.data(), native.data()),
                  set.plain->byte_primitives(bytes.data(), plain.data()));
    }
  }
}

TEST_P(SimdOfEverySet, BlockSumsAreExact) {
  const KernelTable& set = *GetParam();
  std::mt19937 random(7);
  // Extremes first: the largest magnitudes with every pattern of signs a pair can have.
  for (int round = 0; round < 500; ++round) {
    std::vector<uint8_t> w4(32 * set.lanes), w8(32 * set.lanes);
    std::vector<int8_t> x(32);
    for (uint8_t& w : w4) w = round < 200 ? (random() % 2 ? 15 : 0) : random() % 16;
    for (uint8_t& w : w8) w = round < 200 ? (random() % 2 ? 127 : 128) : random();
    if (round % 3 == 0) std::fill(w4.begin(), w4.end(), round % 2 ? 15 : 0);
    for (int8_t& v : x) v = static_cast<int>(random() % 255) - 127;
    if (round < 200) {
      for (int8_t& v : x) v = round % 5 == 0 || random() % 2 ? 127 : -127;
    }
    std::vector<float> sums4(set.lanes), sums8(set.lanes);
    set.dot_q4(w4.data(), x.data(), sums4.data());
    set.dot_q8(w8.data(), x.data(), sums8.data());
    for (int lane = 0; lane < set.lanes; ++lane) {
      int expected4 = 0, expected8 = 0;
      for (int k = 0; k < 32; ++k) {
        const int at = (k / 4 * set.lanes + lane) * 4 + k % 4;
        expected4 += (w4[at] - 8) * x[k];
        expected8 += static_cast<int8_t>(w8[at]) * x[k];
      }
      ASSERT_EQ(sums4[lane], expected4) << set.name << " round " << round;
      ASSERT_EQ(sums8[lane], expected8) << set.name << " round " << round;
    }
  }
}

// The halves of a plain set are the scalar conversions of half.h.
TEST_P(SimdOfEverySet, EveryHalfBecomesItsValue) {
  const KernelTable& set = *GetParam();
  for (uint32_t first = 0; first < 0x10000; first += 16) {
    uint16_t halves[16];
    for (uint32_t i = 0; i < 16; ++i) halves[i] = static_cast<uint16_t>(first + i);
    float values[32];
    set.half_primitives(halves, reinterpret_cast<uint8_t*>(values));
    for (uint32_t i = 0; i < 16; ++i) {
      const int exponent = halves[i] >> 10 & 31;
      const double fraction = halves[i] & 1023;
      const double sign = halves[i] & 0x8000 ? -1 : 1;
      const double expected = exponent == 0 ? sign * std::ldexp(fraction, -24)
                                            : sign * std::ldexp(1024 + fraction, exponent - 25);
      if (exponent < 31) {
        ASSERT_EQ(values[i], expected);
      } else if (fraction == 0) {
        ASSERT_EQ(values[i], sign * std::numeric_limits<double>::infinity());
      } else {
        ASSERT_TRUE(std::isnan(values[i]));
      }
      ASSERT_EQ(std::bit_cast<uint32_t>(values[16 + i]), static_cast<uint32_t>(halves[i]) << 16);
    }
  }
}

}  // namespace
}  // namespace carat::cpu
