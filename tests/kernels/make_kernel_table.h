// Makes the KernelTable of an instruction set S. Only what depends on S is instantiated here (see
// carat/kernels/CMakeLists.txt on why that matters).

#ifndef CARAT_TESTS_KERNELS_MAKE_KERNEL_TABLE_H_
#define CARAT_TESTS_KERNELS_MAKE_KERNEL_TABLE_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/embed.h"
#include "carat/kernels/cpu/matmul.h"
#include "carat/kernels/cpu/simd/math.h"
#include "tests/kernels/kernel_table.h"

namespace carat::cpu {

template <class S>
struct TableMaker {
  using V = typename S::F32;

  // Vectors of 16 values, whatever the set's width.
  template <class Fn>
  static uint8_t* Each(uint8_t* out, Fn fn) {
    for (int i = 0; i < 16; i += S::kLanes) {
      S::Store(reinterpret_cast<float*>(out) + i, fn(i));
    }
    return out + 64;
  }

  static int64_t FloatPrimitives(const float* a, const float* b, const float* c, uint8_t* out) {
    uint8_t* p = out;
    const auto at = [](const float* x, int i) { return S::Load(x + i); };
    p = Each(p, [&](int) { return S::Zero(); });
    p = Each(p, [&](int i) { return S::Set1(a[i / S::kLanes * S::kLanes]); });
    p = Each(p, [&](int i) { return S::Add(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::Sub(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::Mul(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::Div(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::Fma(at(a, i), at(b, i), at(c, i)); });
    p = Each(p, [&](int i) { return S::Sqrt(S::Abs(at(a, i))); });
    p = Each(p, [&](int i) { return S::Abs(at(a, i)); });
    p = Each(p, [&](int i) { return S::Min(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::Max(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::SelectLess(at(a, i), at(b, i), at(c, i), at(a, i)); });
    p = Each(p, [&](int i) { return S::CopySign(at(a, i), at(b, i)); });
    p = Each(p, [&](int i) { return S::RoundEven(at(a, i)); });
    const V low = S::Set1(-127.0f);
    const V high = S::Set1(128.0f);
    p = Each(p, [&](int i) { return S::Pow2(S::RoundEven(S::Min(high, S::Max(low, at(a, i))))); });
    for (int n = 0; n <= S::kLanes; ++n) {
      if (n < S::kLanes) p = Each(p, [&](int i) { return S::LoadPartial(a + i, n); });
      std::memset(p, 0x55, 64);
      for (int i = 0; n < S::kLanes && i < 16; i += S::kLanes) {
        S::StorePartial(reinterpret_cast<float*>(p) + i, at(a, i), n);
      }
      p += 64;
    }
    for (int i = 0; i < 16; i += S::kLanes) {
      const float sum = S::ReduceAdd(at(a, i));
      const float max = S::ReduceMax(at(a, i));
      std::memcpy(p, &sum, 4);
      std::memcpy(p + 4, &max, 4);
      S::StoreF16(reinterpret_cast<uint16_t*>(p + 8), at(a, i));
      p += 8 + 2 * S::kLanes;
      S::StoreI8(reinterpret_cast<int8_t*>(p), S::Min(S::Set1(127.0f), S::Max(low, at(a, i))));
      p += S::kLanes;
    }
    return p - out;
  }

  static int64_t HalfPrimitives(const uint16_t* halves, uint8_t* out) {
    uint8_t* p = Each(out, [&](int i) { return S::LoadF16(halves + i); });
    p = Each(p, [&](int i) { return S::LoadBF16(halves + i); });
    return p - out;
  }

  static int64_t BytePrimitives(const uint8_t* bytes, uint8_t* out) {
    const auto store = [&](typename S::Bytes b) {
      std::memcpy(out, &b, 4 * S::kLanes);
      out += 4 * S::kLanes;
    };
    const uint8_t* const begin = out;
    store(S::LoadBytes(bytes));
    store(S::LowNibbles(S::LoadBytes(bytes)));
    store(S::HighNibbles(S::LoadBytes(bytes)));
    store(S::BroadcastBytes(reinterpret_cast<const int8_t*>(bytes)));
    const int32_t correction = S::Q4::Correction(reinterpret_cast<const int8_t*>(bytes));
    std::memcpy(out, &correction, 4);
    return out + 4 - begin;
  }

  static void DotQ4(const uint8_t* w, const int8_t* x, float* out) {
    auto sum = S::Q4::Start(S::Q4::Correction(x));
    for (int step = 0; step < 8; ++step) {
      sum =
          S::Q4::Dot(sum, S::LoadBytes(w + 4 * S::kLanes * step), S::BroadcastBytes(x + 4 * step));
    }
    S::Store(out, S::Q4::Finish(sum));
  }

  static void DotQ8(const uint8_t* w, const int8_t* x, float* out) {
    auto sum = S::Q8::Start(S::Q4::Correction(x));
    for (int step = 0; step < 8; ++step) {
      sum = S::Q8::Dot(sum, S::Q8::Prepare(S::LoadBytes(w + 4 * S::kLanes * step)),
                       S::BroadcastBytes(x + 4 * step));
    }
    S::Store(out, S::Q8::Finish(sum));
  }

  template <V (*kFunction)(V)>
  static void Map(const float* x, int64_t n, float* y) {
    for (int64_t i = 0; i < n; i += S::kLanes) S::Store(y + i, kFunction(S::Load(x + i)));
  }

  template <class Format>
  static auto InputFrom(const void* x, int64_t cols) {
    if constexpr (kIsBlockFormat<Format>) {
      return QuantizedRows{static_cast<const uint8_t*>(x)};
    } else {
      return FloatRows{static_cast<const float*>(x), cols};
    }
  }

  template <class Format, int64_t kRows, int64_t kCols, class Epilogue>
  static void RunMatMul(const Team& team, const uint8_t* weights, const void* x, int64_t n,
                        float* out, int64_t stride) {
    MatMul<S, Format, kRows, kCols>(team, weights, InputFrom<Format>(x, kCols), n,
                                    Epilogue{out, stride});
  }

  template <class Format, int64_t kRows, int64_t kCols>
  static constexpr MatrixKernels Matrix(FormatId format) {
    return {format,
            kRows,
            kCols,
            RunMatMul<Format, kRows, kCols, Store>,
            RunMatMul<Format, kRows, kCols, GeluMulStore>,
            EmbedRow<S, Format, kRows, kCols>};
  }

  // Rows around the tile size and past it; columns of one block, of an odd number of blocks or
  // (formats without blocks) values, and of a real model.
  static constexpr MatrixKernels kMatrices[] = {
      Matrix<Q4_0, 1, 32>(FormatId::kQ4_0),   Matrix<Q4_0, 15, 96>(FormatId::kQ4_0),
      Matrix<Q4_0, 17, 640>(FormatId::kQ4_0), Matrix<Q4_0, 33, 96>(FormatId::kQ4_0),
      Matrix<Q8_0, 1, 32>(FormatId::kQ8_0),   Matrix<Q8_0, 15, 96>(FormatId::kQ8_0),
      Matrix<Q8_0, 17, 640>(FormatId::kQ8_0), Matrix<Q8_0, 33, 96>(FormatId::kQ8_0),
      Matrix<F32, 1, 1>(FormatId::kF32),      Matrix<F32, 15, 37>(FormatId::kF32),
      Matrix<F32, 17, 640>(FormatId::kF32),   Matrix<F32, 33, 37>(FormatId::kF32),
      Matrix<F16, 1, 1>(FormatId::kF16),      Matrix<F16, 15, 37>(FormatId::kF16),
      Matrix<F16, 17, 37>(FormatId::kF16),    Matrix<F16, 33, 37>(FormatId::kF16),
      Matrix<BF16, 1, 1>(FormatId::kBF16),    Matrix<BF16, 15, 37>(FormatId::kBF16),
      Matrix<BF16, 17, 37>(FormatId::kBF16),  Matrix<BF16, 33, 37>(FormatId::kBF16),
  };

  static constexpr KernelTable kTable = {
      .name = S::kName,
      .lanes = S::kLanes,
      .float_primitives = FloatPrimitives,
      .half_primitives = HalfPrimitives,
      .byte_primitives = BytePrimitives,
      .dot_q4 = DotQ4,
      .dot_q8 = DotQ8,
      .exp = Map<Exp<S>>,
      .tanh = Map<Tanh<S>>,
      .gelu_tanh = Map<GeluTanh<S>>,
      .quantize_row = QuantizeRow<S>,
      .matrices = kMatrices,
      .num_matrices = sizeof kMatrices / sizeof kMatrices[0],
  };
};

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_MAKE_KERNEL_TABLE_H_
