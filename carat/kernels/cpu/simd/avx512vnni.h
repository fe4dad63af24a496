// The SIMD layer (simd.h) for x86-64 with AVX-512 (F, BW, VL, DQ) and VNNI: -mavx512f -mavx512bw
// -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c.

#ifndef CARAT_KERNELS_CPU_SIMD_AVX512VNNI_H_
#define CARAT_KERNELS_CPU_SIMD_AVX512VNNI_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/avx2.h"
#include "carat/kernels/cpu/simd/simd.h"
#include "carat/kernels/cpu/simd/x86.h"

namespace carat::cpu {

struct Avx512Vnni {
  static constexpr const char* kName = "x86-64-avx512vnni";
  static constexpr int kLanes = 16;

  using F32 = __m512;

  static F32 Zero() { return _mm512_setzero_ps(); }
  static F32 Set1(float x) { return _mm512_set1_ps(x); }
  static F32 Load(const float* p) { return _mm512_loadu_ps(p); }
  static void Store(float* p, F32 v) { _mm512_storeu_ps(p, v); }
  static F32 LoadPartial(const float* p, int64_t n) {
    return _mm512_maskz_loadu_ps(FirstLanes(n), p);
  }
  static void StorePartial(float* p, F32 v, int64_t n) {
    _mm512_mask_storeu_ps(p, FirstLanes(n), v);
  }

  static F32 Add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
  static F32 Sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  static F32 Mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  static F32 Div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  static F32 Fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  static F32 Sqrt(F32 v) { return _mm512_sqrt_ps(v); }
  static F32 Abs(F32 v) { return _mm512_andnot_ps(SignBit(), v); }
  static F32 Min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
  static F32 Max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  static F32 SelectLess(F32 a, F32 b, F32 yes, F32 no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
  }
  static F32 CopySign(F32 magnitude, F32 sign) {
    return _mm512_or_ps(Abs(magnitude), _mm512_and_ps(SignBit(), sign));
  }
  static F32 RoundEven(F32 v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static F32 Pow2(F32 v) {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
  }

  static F32 LoadF16(const uint16_t* p) { return _mm512_cvtph_ps(LoadHalves(p)); }
  static F32 LoadBF16(const uint16_t* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(LoadHalves(p)), 16));
  }
  static void StoreF16(uint16_t* p, F32 v) {
    const __m256i halves = _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), halves);
  }

  static float ReduceAdd(F32 v) {
    return Avx2::ReduceAdd(_mm256_add_ps(_mm512_castps512_ps256(v), UpperHalf(v)));
  }
  static float ReduceMax(F32 v) {
    return Avx2::ReduceMax(_mm256_max_ps(_mm512_castps512_ps256(v), UpperHalf(v)));
  }

  static void StoreI8(int8_t* p, F32 v) {
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }

  using Bytes = __m512i;

  static Bytes LoadBytes(const void* p) { return _mm512_loadu_si512(p); }
  static Bytes LowNibbles(Bytes b) { return _mm512_and_si512(b, _mm512_set1_epi8(15)); }
  static Bytes HighNibbles(Bytes b) { return LowNibbles(_mm512_srli_epi16(b, 4)); }
  static Bytes BroadcastBytes(const int8_t* p) {
    int32_t bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }

  // vpdpbusd adds 4 products to 32 bits. The weights are its unsigned side; the offset that makes
  // them so is taken back at the start: -offset times the sum of the block's activations.
  struct Q4 {
    using Sum = __m512i;

    static int32_t Correction(const int8_t* x) {
      const __m256i sums =
          _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(8), Avx2::LoadBytes(x));
      __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
      sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b01001110));
      sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b10110001));
      return -_mm_cvtsi128_si32(sum);
    }
    static Sum Start(int32_t correction) { return _mm512_set1_epi32(correction); }
    static Sum Dot(Sum sum, Bytes w, Bytes x) { return _mm512_dpbusd_epi32(sum, w, x); }
    static F32 Finish(Sum sum) { return _mm512_cvtepi32_ps(sum); }
  };

  // Flipping the sign bit adds 128 to a weight: 16 times the offset of Q4.
  struct Q8 {
    using Sum = __m512i;

    static Bytes Prepare(Bytes w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
    static Sum Start(int32_t correction) {
      return _mm512_slli_epi32(_mm512_set1_epi32(correction), 4);
    }
    static Sum Dot(Sum sum, Bytes w, Bytes x) { return _mm512_dpbusd_epi32(sum, w, x); }
    static F32 Finish(Sum sum) { return _mm512_cvtepi32_ps(sum); }
  };

 private:
  static __m512 SignBit() { return _mm512_set1_ps(-0.0f); }
  static __m256 UpperHalf(__m512 v) { return _mm512_extractf32x8_ps(v, 1); }
  static __m256i LoadHalves(const uint16_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __mmask16 FirstLanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_AVX512VNNI_H_
