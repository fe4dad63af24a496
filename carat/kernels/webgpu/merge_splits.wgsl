  // ${name}: the parts of attention_row.wgsl together, softmax by softmax:
  // sum of exp(m_s - m) acc_s / sum of exp(m_s - m) l_s.
  for (var i = thread; i < ${width}u; i += ${threads}u) {
    let head = i / ${head_dim}u;
    var largest = -3.0e38;
    for (var s = 0u; s < scalars.splits; s++) {
      largest = max(largest, ${parts}[(s * ${heads}u + head) * ${stride}u + ${head_dim}u]);
    }
    var value = 0.0;
    var total = 0.0;
    for (var s = 0u; s < scalars.splits; s++) {
      let part = (s * ${heads}u + head) * ${stride}u;
      let share = exp(${parts}[part + ${head_dim}u] - largest);
      value += share * ${parts}[part + i % ${head_dim}u];
      total += share * ${parts}[part + ${head_dim}u + 1u];
    }
    ${y} = value / total;
  }
