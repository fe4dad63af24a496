// The SIMD layer (simd.h) in plain C++: the twin of each instruction set, and the set for any CPU.

#ifndef CARAT_KERNELS_CPU_SIMD_PLAIN_H_
#define CARAT_KERNELS_CPU_SIMD_PLAIN_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/half.h"
#include "carat/kernels/cpu/simd/simd.h"

namespace carat::cpu {

// How a set sums the products of a block.
enum class BlockSums {
  kPairs16,  // 4-bit: two sums of 16 bits a lane, as vpmaddubsw and vpaddw make them
  kInt32,    // one sum of 32 bits a lane, as vpdpbusd and sdot make them
};

struct Avx2Traits {
  static constexpr const char* kName = "x86-64-v3, plain";
  static constexpr int kLanes = 8;
  static constexpr BlockSums kSums = BlockSums::kPairs16;
};
struct Avx512VnniTraits {
  static constexpr const char* kName = "x86-64-avx512vnni, plain";
  static constexpr int kLanes = 16;
  static constexpr BlockSums kSums = BlockSums::kInt32;
};
struct NeonTraits {
  static constexpr const char* kName = "armv8.2-a+dotprod, plain";
  static constexpr int kLanes = 4;
  static constexpr BlockSums kSums = BlockSums::kInt32;
};
struct GenericTraits {
  static constexpr const char* kName = "generic";
  static constexpr int kLanes = 8;
  static constexpr BlockSums kSums = BlockSums::kInt32;
};

template <class Traits>
struct Plain {
  static constexpr const char* kName = Traits::kName;
  static constexpr int kLanes = Traits::kLanes;

  struct F32 {
    float lane[kLanes];
  };

  static F32 Zero() { return Set1(0.0f); }
  static F32 Set1(float x) {
    return Make([=](int) { return x; });
  }
  static F32 Load(const float* p) {
    return Make([=](int i) { return p[i]; });
  }
  static void Store(float* p, F32 v) { std::memcpy(p, v.lane, sizeof v.lane); }
  static F32 LoadPartial(const float* p, int64_t n) {
    return Make([=](int i) { return i < n ? p[i] : 0.0f; });
  }
  static void StorePartial(float* p, F32 v, int64_t n) {
    for (int i = 0; i < n; ++i) p[i] = v.lane[i];
  }

  static F32 Add(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static F32 Sub(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static F32 Mul(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static F32 Div(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  static F32 Fma(F32 a, F32 b, F32 c) {
    return Make([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static F32 Sqrt(F32 v) {
    return Make([&](int i) { return std::sqrt(v.lane[i]); });
  }
  static F32 Abs(F32 v) {
    return Make([&](int i) { return std::fabs(v.lane[i]); });
  }
  static F32 Min(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static F32 Max(F32 a, F32 b) {
    return Make([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static F32 SelectLess(F32 a, F32 b, F32 yes, F32 no) {
    return Make([&](int i) { return a.lane[i] < b.lane[i] ? yes.lane[i] : no.lane[i]; });
  }
  static F32 CopySign(F32 magnitude, F32 sign) {
    return Make([&](int i) { return std::copysign(magnitude.lane[i], sign.lane[i]); });
  }
  static F32 RoundEven(F32 v) {
    return Make([&](int i) { return std::nearbyint(v.lane[i]); });
  }
  static F32 Pow2(F32 v) {
    return Make([&](int i) {
      return std::bit_cast<float>(static_cast<uint32_t>(ToInt32(v.lane[i]) + 127) << 23);
    });
  }

  static F32 LoadF16(const uint16_t* p) {
    return Make([=](int i) { return F16ToF32(p[i]); });
  }
  static F32 LoadBF16(const uint16_t* p) {
    return Make([=](int i) { return BF16ToF32(p[i]); });
  }
  static void StoreF16(uint16_t* p, F32 v) {
    for (int i = 0; i < kLanes; ++i) p[i] = F32ToF16(v.lane[i]);
  }

  static float ReduceAdd(F32 v) {
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) v.lane[i] += v.lane[i + half];
    }
    return v.lane[0];
  }
  static float ReduceMax(F32 v) {
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) {
        v.lane[i] = v.lane[i] > v.lane[i + half] ? v.lane[i] : v.lane[i + half];
      }
    }
    return v.lane[0];
  }

  static void StoreI8(int8_t* p, F32 v) {
    for (int i = 0; i < kLanes; ++i) {
      const int32_t x = ToInt32(v.lane[i]);
      p[i] = static_cast<int8_t>(x < -128 ? -128 : x > 127 ? 127 : x);
    }
  }

  struct Bytes {
    uint8_t byte[4 * kLanes];
  };

  static Bytes LoadBytes(const void* p) {
    Bytes b;
    std::memcpy(b.byte, p, sizeof b.byte);
    return b;
  }
  static Bytes LowNibbles(Bytes b) {
    for (uint8_t& byte : b.byte) byte &= 15;
    return b;
  }
  static Bytes HighNibbles(Bytes b) {
    for (uint8_t& byte : b.byte) byte >>= 4;
    return b;
  }
  static Bytes BroadcastBytes(const int8_t* p) {
    Bytes b;
    for (int i = 0; i < kLanes; ++i) std::memcpy(b.byte + 4 * i, p, 4);
    return b;
  }

  // Dots are not inlined: kernels unroll hundreds of them, which gains nothing here and takes the
  // compiler a minute.

  // With kPairs16 a lane is two 16-bit sums in 32 bits, the one of k % 4 in {0, 1} in the lower
  // half.
  struct Q4 {
    struct Sum {
      int32_t lane[kLanes];
    };

    static int32_t Correction(const int8_t* x) {
      int32_t low = 0;
      int32_t high = 0;
      for (int k = 0; k < kBlockValues; k += 4) {
        low += x[k] + x[k + 1];
        high += x[k + 2] + x[k + 3];
      }
      return kPairs ? PackPair(-8 * low, -8 * high) : -8 * (low + high);
    }
    static Sum Start(int32_t correction) {
      Sum sum;
      for (int32_t& lane : sum.lane) lane = correction;
      return sum;
    }
    [[gnu::noinline]] static Sum Dot(Sum sum, const Bytes& w, const Bytes& x) {
      for (int i = 0; i < kLanes; ++i) {
        const int32_t low = Product(w, x, 4 * i) + Product(w, x, 4 * i + 1);
        const int32_t high = Product(w, x, 4 * i + 2) + Product(w, x, 4 * i + 3);
        sum.lane[i] = kPairs ? PackPair(LowHalf(sum.lane[i]) + low, HighHalf(sum.lane[i]) + high)
                             : sum.lane[i] + low + high;
      }
      return sum;
    }
    static F32 Finish(Sum sum) {
      return Make([&](int i) {
        const int32_t lane = sum.lane[i];
        return static_cast<float>(kPairs ? LowHalf(lane) + HighHalf(lane) : lane);
      });
    }
  };

  struct Q8 {
    struct Sum {
      int32_t lane[kLanes];
    };

    static Bytes Prepare(Bytes w) { return w; }
    static Sum Start(int32_t /*correction*/) { return {}; }
    [[gnu::noinline]] static Sum Dot(Sum sum, const Bytes& w, const Bytes& x) {
      for (int i = 0; i < 4 * kLanes; ++i) {
        sum.lane[i / 4] += static_cast<int8_t>(w.byte[i]) * static_cast<int8_t>(x.byte[i]);
      }
      return sum;
    }
    static F32 Finish(Sum sum) {
      return Make([&](int i) { return static_cast<float>(sum.lane[i]); });
    }
  };

 private:
  static constexpr bool kPairs = Traits::kSums == BlockSums::kPairs16;

  template <class Lane>
  static F32 Make(Lane lane) {
    F32 v;
    for (int i = 0; i < kLanes; ++i) v.lane[i] = lane(i);
    return v;
  }

  // As x86 converts: to nearest even, and INT32_MIN for what does not fit.
  static int32_t ToInt32(float x) {
    const float rounded = std::nearbyint(x);
    return rounded >= -0x1p31f && rounded < 0x1p31f ? static_cast<int32_t>(rounded) : INT32_MIN;
  }

  static int32_t Product(const Bytes& w, const Bytes& x, int i) {
    return w.byte[i] * static_cast<int8_t>(x.byte[i]);
  }
  static int32_t LowHalf(int32_t pair) { return static_cast<int16_t>(pair & 0xffff); }
  static int32_t HighHalf(int32_t pair) { return pair >> 16; }
  static int32_t PackPair(int32_t low, int32_t high) {
    const uint32_t bits =
        static_cast<uint32_t>(high) << 16 | (static_cast<uint32_t>(low) & 0xffffu);
    return static_cast<int32_t>(bits);
  }
};

using Generic = Plain<GenericTraits>;

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_PLAIN_H_
