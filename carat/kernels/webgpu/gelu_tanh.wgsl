// GELU by its tanh approximation (Hendrycks and Gimpel, arXiv:1606.08415):
// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
// Beyond +-10 tanh is +-1 in f32; some GPUs make NaN of larger arguments.

fn gelu_tanh(x: f32) -> f32 {
  let inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(clamp(inner, -10.0, 10.0)));
}
