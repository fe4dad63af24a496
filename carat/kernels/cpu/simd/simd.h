// The SIMD layer: what an instruction set supplies to the kernels.
//
// Every kernel is a template on an instruction set S, a struct of static inline functions:
//
//     Avx2, Avx512Vnni, Neon       intrinsics                      avx2.h, avx512vnni.h, neon.h
//     Plain<Avx2Traits>, ...       the same sets in plain C++      plain.h
//     Generic                      plain, for any CPU              plain.h
//
// A set and its plain twin give the same results bit for bit (NaN payloads aside), so a kernel is
// tested for every set on whatever machine runs the tests. Compile with -ffp-contract=off: sums are
// fused where the code says Fma and nowhere else.
//
// What S has:
//
//     kName, kLanes              "x86-64-v3", 8
//     F32                        a vector of kLanes floats
//
//     Zero() Set1(x)
//     Load(p) Store(p, v)        p need not be aligned
//     LoadPartial(p, n)          the first n < kLanes lanes, 0 in the others
//     StorePartial(p, v, n)      the first n < kLanes lanes
//     LoadF16(p) LoadBF16(p)     kLanes halves, exactly
//     StoreF16(p, v)             rounded to the nearest half, ties to even
//     StoreI8(p, v)              rounded to the nearest integer, ties to even; |v| <= 127
//
//     Add Sub Mul Div Sqrt Abs   correctly rounded
//     Fma(a, b, c)               a * b + c, rounded once
//     Min(a, b) Max(a, b)        a < b ? a : b and a > b ? a : b; with a NaN in either, b
//     SelectLess(a, b, yes, no)  a < b ? yes : no
//     CopySign(magnitude, sign)
//     RoundEven(v)               the nearest integer, ties to even
//     Pow2(v)                    2^v for integers in [-126, 127]; 0 at -127, infinity at 128
//     ReduceAdd(v) ReduceMax(v)  in halves: lane i meets lane i + kLanes / 2, then i + kLanes
//     / 4...
//
// and for integer dot products over blocks of 32 values, exactly:
//
//     Bytes                      4 bytes in each lane
//     LoadBytes(p)               4 * kLanes bytes
//     LowNibbles(b)              b & 15 in each byte
//     HighNibbles(b)             b >> 4 in each byte
//     BroadcastBytes(p)          the 4 bytes at p to every lane
//
//     Q4::Sum                    running sums of (w - 8) * x, one a lane; w in 0..15, |x| <= 127
//     Q4::Start(correction)      before a block; correction = Q4::Correction(its 32 x), which takes
//                                the weights' offset back
//     Q4::Dot(sum, w, x)         adds 4 products to each lane: 8 dots are a block
//     Q4::Finish(sum)            as F32
//     Q8::...                    the same for w * x, w in -128..127; w goes through Q8::Prepare
//                                first, and the correction is Q4's too

#ifndef CARAT_KERNELS_CPU_SIMD_SIMD_H_
#define CARAT_KERNELS_CPU_SIMD_SIMD_H_

#include <cstdint>

namespace carat::cpu {

// Values that share one scale, in q4_0 and q8_0 weights and in quantized activations.
inline constexpr int64_t kBlockValues = 32;

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_SIMD_H_
