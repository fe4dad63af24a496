  // ${name}: x / sqrt(mean(x^2) + eps) * weight, of ${groups} group(s) of ${width} (arXiv:1910.07467).
  for (var g = 0u; g < ${groups}u; g++) {
    var square = 0.0;
    for (var i = g * ${width}u + thread; i < (g + 1u) * ${width}u; i += ${threads}u) {
      let value = ${x};
      square += value * value;
    }
    let scale = inverseSqrt(workgroup_sum(square, thread) / ${width}.0 + ${eps});
    for (var i = g * ${width}u + thread; i < (g + 1u) * ${width}u; i += ${threads}u) {
      ${y} = ${x} * scale * ${weight};
    }
  }
