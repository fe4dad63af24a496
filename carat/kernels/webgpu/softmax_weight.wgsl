// What the two dispatches of the softmax share: exp((logit - peak) / temperature), defined for all
// floats, since WGSL knows neither infinities nor denormal ones.

// Masked logits are the lowest float or -infinity. Here they are a number whose difference to any
// other is finite.
fn bounded_logit(token: u32) -> f32 {
  return clamp(logits[token], -1e38, 1e38);
}

// For difference <= 0. WebLLM's least temperature stands for 0: then only the largest logit counts,
// however near another one is. Less than exp(-87), the smallest normal float, is 0 on every device.
fn softmax_weight(difference: f32) -> f32 {
  if (temperature[0] <= 1e-6) {
    return select(0.0, 1.0, difference == 0.0);
  }
  let divisor = temperature[0];
  let exponent = max(difference, -88.0 * divisor) / divisor;
  return select(exp(exponent), 0.0, exponent < -87.0);
}
