// The SIMD layer: what an instruction set supplies to the kernels.
//
// Every kernel is a template on an instruction set `S`, a struct of static inline functions. The
// sets:
//
//     Avx2, Avx512Vnni, Neon         intrinsics               avx2.h, avx512vnni.h, neon.h
//     Plain<Avx2Traits>, ...         the same in plain C++    plain.h
//     Generic                        = Plain<GenericTraits>: any CPU
//
// A set and its plain twin give the same results bit for bit (NaN payloads aside), so a kernel is
// tested for every set on whatever machine runs the tests. For that, compile with
// -ffp-contract=off.
//
// What S has:
//
//     kName, kLanes                       "x86-64-v3", 8
//     F32                                 a vector of kLanes floats
//     Zero() Set1(x) Load(p) Store(p, v)                  p unaligned
//     LoadPartial(p, n) StorePartial(p, v, n)             the first n < kLanes lanes; others read
//     as 0 Add Sub Mul Div Sqrt Abs            correctly rounded Fma(a, b, c) a * b + c, rounded
//     once Min(a, b) Max(a, b)                 a < b ? a : b and a > b ? a : b: a NaN in either
//     gives b SelectLess(a, b, yes, no)           a < b ? yes : no CopySign(magnitude, sign)
//     RoundEven(v)                        to the nearest integer, ties to even
//     Pow2(v)                             2^v for integers in [-126, 127]; 0 at -127, infinity at
//     128 LoadF16(p) LoadBF16(p)              kLanes halves -> F32, exact StoreF16(p, v) rounds to
//     nearest even ReduceAdd(v) ReduceMax(v)           halving tree: lane i meets lane i +
//     kLanes/2, then + kLanes/4... StoreI8(p, v)                       kLanes bytes; v rounded to
//     nearest even, within [-127, 127]
//
// and for integer dot products over blocks of 32 values:
//
//     Bytes                               4 bytes in each lane
//     LoadBytes(p)                        4 * kLanes bytes
//     LowNibbles(b) HighNibbles(b)        b & 15 and b >> 4 in each byte
//     BroadcastBytes(p)                   the 4 bytes at p to every lane
//     Q4::Sum                             running sums, one a lane, of (w - 8) * x; w in 0..15, x
//     in -127..127 Q4::Correction(x)                   of 32 x: what folds the offset 8 and the
//     set's own offsets in Q4::Start(correction)  Q4::Dot(sum, w, x)  Q4::Finish(sum)
//                                         a block takes 8 dots of 4 values a lane; Finish gives F32
//     Q8::...                             the same of w * x, w in -128..127; weights pass
//     Q8::Prepare once;
//                                         it starts from Q4::Correction too
// Integer sums are exact.

#ifndef CARAT_KERNELS_CPU_SIMD_SIMD_H_
#define CARAT_KERNELS_CPU_SIMD_SIMD_H_

#include <cstdint>

namespace carat::cpu {

// Values that share one scale, in q4_0 and q8_0 weights and in quantized activations.
inline constexpr int64_t kBlockValues = 32;

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_SIMD_H_
