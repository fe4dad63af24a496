// The x86 intrinsics, without GCC 12's false warnings about the AVX-512 ones (its bug 105593): a
// warning in a header obeys the pragmas that were in force where the header was first included,
// hence this one place.

#ifndef CARAT_KERNELS_CPU_SIMD_X86_H_
#define CARAT_KERNELS_CPU_SIMD_X86_H_

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // CARAT_KERNELS_CPU_SIMD_X86_H_
