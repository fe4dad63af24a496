// Exp, Tanh and GeluTanh over the primitives of any instruction set (simd.h). NaN in, NaN out.

#ifndef CARAT_KERNELS_CPU_SIMD_MATH_H_
#define CARAT_KERNELS_CPU_SIMD_MATH_H_

namespace carat::cpu {

// e^x, within 2 ulp where the result is a normal float; 0 below e^-87.7, infinity above e^88.3.
//
// x = n ln 2 + r with |r| <= ln 2 / 2, so e^x = 2^n e^r; e^r by the polynomial of Cephes' expf, and
// ln 2 in two parts so that r is exact to float's precision.
template <class S>
typename S::F32 Exp(typename S::F32 x) {
  using F32 = typename S::F32;
  // n stays within [-127, 128], where Pow2 is 0 and infinity. The constant comes first: a NaN
  // passes.
  x = S::Min(S::Set1(88.5f), S::Max(S::Set1(-88.0f), x));
  const F32 n = S::RoundEven(S::Mul(x, S::Set1(1.44269504f)));
  F32 r = S::Fma(n, S::Set1(-0.693359375f), x);
  r = S::Fma(n, S::Set1(2.12194440e-4f), r);
  F32 p = S::Set1(1.9875691500e-4f);
  p = S::Fma(p, r, S::Set1(1.3981999507e-3f));
  p = S::Fma(p, r, S::Set1(8.3334519073e-3f));
  p = S::Fma(p, r, S::Set1(4.1665795894e-2f));
  p = S::Fma(p, r, S::Set1(1.6666665459e-1f));
  p = S::Fma(p, r, S::Set1(5.0000001201e-1f));
  p = S::Fma(S::Mul(r, r), p, r);
  return S::Mul(S::Add(p, S::Set1(1.0f)), S::Pow2(n));
}

// tanh(x), within 2 ulp. Near 0 by the odd polynomial of Cephes' tanhf, beyond by 1 - 2 / (e^2|x| +
// 1).
template <class S>
typename S::F32 Tanh(typename S::F32 x) {
  using F32 = typename S::F32;
  const F32 x2 = S::Mul(x, x);
  F32 p = S::Set1(-5.70498872745e-3f);
  p = S::Fma(p, x2, S::Set1(2.06390887954e-2f));
  p = S::Fma(p, x2, S::Set1(-5.37397155531e-2f));
  p = S::Fma(p, x2, S::Set1(1.33314422036e-1f));
  p = S::Fma(p, x2, S::Set1(-3.33332819422e-1f));
  const F32 near = S::Fma(S::Mul(p, x2), x, x);

  const F32 magnitude = S::Abs(x);
  const F32 e = Exp<S>(S::Add(magnitude, magnitude));
  const F32 far = S::Sub(S::Set1(1.0f), S::Div(S::Set1(2.0f), S::Add(e, S::Set1(1.0f))));
  return S::SelectLess(magnitude, S::Set1(0.625f), near, S::CopySign(far, x));
}

// x / 2 * (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), written as x / (1 + e^-2u): the
// same, without the cancellation that 1 + tanh(u) has at negative u.
template <class S>
typename S::F32 GeluTanh(typename S::F32 x) {
  using F32 = typename S::F32;
  constexpr float kMinusTwoSqrt2OverPi = -1.5957691216057308f;
  const F32 cubic = S::Fma(S::Mul(x, x), S::Set1(0.044715f), S::Set1(1.0f));
  const F32 minus_two_u = S::Mul(S::Mul(x, S::Set1(kMinusTwoSqrt2OverPi)), cubic);
  return S::Div(x, S::Add(Exp<S>(minus_two_u), S::Set1(1.0f)));
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_MATH_H_
