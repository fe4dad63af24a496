// The SIMD layer (simd.h) for x86-64 with AVX2, FMA and F16C: -mavx2 -mfma -mf16c.

#ifndef CARAT_KERNELS_CPU_SIMD_AVX2_H_
#define CARAT_KERNELS_CPU_SIMD_AVX2_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/simd.h"
#include "carat/kernels/cpu/simd/x86.h"

namespace carat::cpu {

struct Avx2 {
  static constexpr const char* kName = "x86-64-v3";
  static constexpr int kLanes = 8;

  using F32 = __m256;

  static F32 Zero() { return _mm256_setzero_ps(); }
  static F32 Set1(float x) { return _mm256_set1_ps(x); }
  static F32 Load(const float* p) { return _mm256_loadu_ps(p); }
  static void Store(float* p, F32 v) { _mm256_storeu_ps(p, v); }
  static F32 LoadPartial(const float* p, int64_t n) { return _mm256_maskload_ps(p, FirstLanes(n)); }
  static void StorePartial(float* p, F32 v, int64_t n) { _mm256_maskstore_ps(p, FirstLanes(n), v); }

  static F32 Add(F32 a, F32 b) { return _mm256_add_ps(a, b); }
  static F32 Sub(F32 a, F32 b) { return _mm256_sub_ps(a, b); }
  static F32 Mul(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
  static F32 Div(F32 a, F32 b) { return _mm256_div_ps(a, b); }
  static F32 Fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
  static F32 Sqrt(F32 v) { return _mm256_sqrt_ps(v); }
  static F32 Abs(F32 v) { return _mm256_andnot_ps(SignBit(), v); }
  static F32 Min(F32 a, F32 b) { return _mm256_min_ps(a, b); }
  static F32 Max(F32 a, F32 b) { return _mm256_max_ps(a, b); }
  static F32 SelectLess(F32 a, F32 b, F32 yes, F32 no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
  }
  static F32 CopySign(F32 magnitude, F32 sign) {
    return _mm256_or_ps(Abs(magnitude), _mm256_and_ps(SignBit(), sign));
  }
  static F32 RoundEven(F32 v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static F32 Pow2(F32 v) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }

  static F32 LoadF16(const uint16_t* p) { return _mm256_cvtph_ps(LoadHalves(p)); }
  static F32 LoadBF16(const uint16_t* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(LoadHalves(p)), 16));
  }
  static void StoreF16(uint16_t* p, F32 v) {
    const __m128i halves = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), halves);
  }

  static float ReduceAdd(F32 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  static float ReduceMax(F32 v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }

  static void StoreI8(int8_t* p, F32 v) {
    const __m256i wide = _mm256_cvtps_epi32(v);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }

  using Bytes = __m256i;

  static Bytes LoadBytes(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static Bytes LowNibbles(Bytes b) { return _mm256_and_si256(b, _mm256_set1_epi8(15)); }
  static Bytes HighNibbles(Bytes b) { return LowNibbles(_mm256_srli_epi16(b, 4)); }
  static Bytes BroadcastBytes(const int8_t* p) {
    int32_t bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return _mm256_set1_epi32(bytes);
  }

  // Sums stay in 16 bits for a whole block. A lane holds two of them, one of k % 4 in {0, 1} and
  // one of k % 4 in {2, 3}; each starts at -8 times the sum of its 16 activations, so it ends
  // within 16 * 8 * 127 = 16256, and if it wraps around on the way that does no harm. One
  // vpmaddubsw gives at most 2 * 15 * 127 and never saturates.
  struct Q4 {
    using Sum = __m256i;

    static int32_t Correction(const int8_t* x) {
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(8), LoadBytes(x));
      __m128i sum =
          _mm_add_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
      sum = _mm_add_epi16(sum, _mm_shuffle_epi32(sum, 0b01001110));
      sum = _mm_add_epi16(sum, _mm_shuffle_epi32(sum, 0b10110001));
      return _mm_cvtsi128_si32(_mm_sub_epi16(_mm_setzero_si128(), sum));
    }
    static Sum Start(int32_t correction) { return _mm256_set1_epi32(correction); }
    static Sum Dot(Sum sum, Bytes w, Bytes x) {
      return InOrder(_mm256_add_epi16(sum, _mm256_maddubs_epi16(w, x)));
    }
    static F32 Finish(Sum sum) {
      return _mm256_cvtepi32_ps(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    }
  };

  // |w| * (x with the sign of w): a pair gives at most 2 * 128 * 127 = 32512, which 16 bits hold.
  struct Q8 {
    using Sum = __m256i;

    static Bytes Prepare(Bytes w) { return w; }
    static Sum Start(int32_t /*correction*/) { return _mm256_setzero_si256(); }
    static Sum Dot(Sum sum, Bytes w, Bytes x) {
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
      return InOrder(_mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
    }
    static F32 Finish(Sum sum) { return _mm256_cvtepi32_ps(sum); }
  };

 private:
  // To GCC an intrinsic's integer addition is a plain +, which it regroups into trees. The sums of
  // an unrolled block then no longer fit in the registers; an empty instruction keeps the order.
  static __m256i InOrder(__m256i sum) {
    asm("" : "+x"(sum));
    return sum;
  }
  static __m256 SignBit() { return _mm256_set1_ps(-0.0f); }
  static __m128i LoadHalves(const uint16_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static __m256i FirstLanes(int64_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)), lane);
  }
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_AVX2_H_
