// The SIMD layer (simd.h) for 64-bit ARM with the dot product extension: -march=armv8.2-a+dotprod.

#ifndef CARAT_KERNELS_CPU_SIMD_NEON_H_
#define CARAT_KERNELS_CPU_SIMD_NEON_H_

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/simd.h"

namespace carat::cpu {

struct Neon {
  static constexpr const char* kName = "armv8.2-a+dotprod";
  static constexpr int kLanes = 4;

  using F32 = float32x4_t;

  static F32 Zero() { return vdupq_n_f32(0.0f); }
  static F32 Set1(float x) { return vdupq_n_f32(x); }
  static F32 Load(const float* p) { return vld1q_f32(p); }
  static void Store(float* p, F32 v) { vst1q_f32(p, v); }
  static F32 LoadPartial(const float* p, int64_t n) {
    float lanes[kLanes] = {};
    for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
  }
  static void StorePartial(float* p, F32 v, int64_t n) {
    float lanes[kLanes];
    vst1q_f32(lanes, v);
    for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
  }

  static F32 Add(F32 a, F32 b) { return vaddq_f32(a, b); }
  static F32 Sub(F32 a, F32 b) { return vsubq_f32(a, b); }
  static F32 Mul(F32 a, F32 b) { return vmulq_f32(a, b); }
  static F32 Div(F32 a, F32 b) { return vdivq_f32(a, b); }
  static F32 Fma(F32 a, F32 b, F32 c) { return vfmaq_f32(c, a, b); }
  static F32 Sqrt(F32 v) { return vsqrtq_f32(v); }
  static F32 Abs(F32 v) { return vabsq_f32(v); }
  // vminq and vmaxq would give NaN where x86 and the plain set give b.
  static F32 Min(F32 a, F32 b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static F32 Max(F32 a, F32 b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static F32 SelectLess(F32 a, F32 b, F32 yes, F32 no) {
    return vbslq_f32(vcltq_f32(a, b), yes, no);
  }
  static F32 CopySign(F32 magnitude, F32 sign) {
    return vbslq_f32(vdupq_n_u32(0x80000000u), sign, magnitude);
  }
  static F32 RoundEven(F32 v) { return vrndnq_f32(v); }
  static F32 Pow2(F32 v) {
    const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
  }

  static F32 LoadF16(const uint16_t* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  static F32 LoadBF16(const uint16_t* p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
  }
  static void StoreF16(uint16_t* p, F32 v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }

  static float ReduceAdd(F32 v) {
    const float32x2_t sum = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(sum, 0) + vget_lane_f32(sum, 1);
  }
  static float ReduceMax(F32 v) {
    const float32x2_t low = vget_low_f32(v);
    const float32x2_t high = vget_high_f32(v);
    const float32x2_t max = vbsl_f32(vcgt_f32(low, high), low, high);
    const float first = vget_lane_f32(max, 0);
    const float second = vget_lane_f32(max, 1);
    return first > second ? first : second;
  }

  static void StoreI8(int8_t* p, F32 v) {
    const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(v));
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
    const int32_t four = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    std::memcpy(p, &four, sizeof four);
  }

  using Bytes = uint8x16_t;

  static Bytes LoadBytes(const void* p) { return vld1q_u8(static_cast<const uint8_t*>(p)); }
  static Bytes LowNibbles(Bytes b) { return vandq_u8(b, vdupq_n_u8(15)); }
  static Bytes HighNibbles(Bytes b) { return vshrq_n_u8(b, 4); }
  static Bytes BroadcastBytes(const int8_t* p) {
    int32_t bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return vreinterpretq_u8_s32(vdupq_n_s32(bytes));
  }

  // sdot multiplies signed bytes, so only the offset of 4-bit weights is taken back.
  struct Q4 {
    using Sum = int32x4_t;

    static int32_t Correction(const int8_t* x) {
      const int8x16_t eight = vdupq_n_s8(8);
      int32x4_t sum = vdotq_s32(vdupq_n_s32(0), eight, vld1q_s8(x));
      sum = vdotq_s32(sum, eight, vld1q_s8(x + 16));
      return -vaddvq_s32(sum);
    }
    static Sum Start(int32_t correction) { return vdupq_n_s32(correction); }
    static Sum Dot(Sum sum, Bytes w, Bytes x) {
      return vdotq_s32(sum, vreinterpretq_s8_u8(w), vreinterpretq_s8_u8(x));
    }
    static F32 Finish(Sum sum) { return vcvtq_f32_s32(sum); }
  };

  struct Q8 {
    using Sum = int32x4_t;

    static Bytes Prepare(Bytes w) { return w; }
    static Sum Start(int32_t /*correction*/) { return vdupq_n_s32(0); }
    static Sum Dot(Sum sum, Bytes w, Bytes x) { return Q4::Dot(sum, w, x); }
    static F32 Finish(Sum sum) { return vcvtq_f32_s32(sum); }
  };
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_NEON_H_
