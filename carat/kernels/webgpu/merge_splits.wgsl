  // ${name}: the parts of attention_row.wgsl together, softmax by softmax: each part's share of a head
  // is exp(m_s - m) / sum of exp(m_s - m) l_s.
  for (var i = thread; i < ${heads}u * scalars.splits; i += ${threads}u) {
    let part = (i % scalars.splits * ${heads}u + i / scalars.splits) * ${stride}u + ${head_dim}u;
    split_max[i] = ${parts}[part];
    split_total[i] = ${parts}[part + 1u];
  }
  workgroupBarrier();
  for (var i = thread; i < ${heads}u * scalars.splits; i += ${threads}u) {
    let first = i - i % scalars.splits;
    var largest = -3.0e38;
    for (var s = first; s < first + scalars.splits; s++) {
      largest = max(largest, split_max[s]);
    }
    var total = 0.0;
    for (var s = first; s < first + scalars.splits; s++) {
      total += exp(split_max[s] - largest) * split_total[s];
    }
    split_share[i] = exp(split_max[i] - largest) / total;
  }
  workgroupBarrier();
  for (var i = thread; i < ${width}u; i += ${threads}u) {
    let head = i / ${head_dim}u;
    var value = 0.0;
    for (var s = 0u; s < scalars.splits; s++) {
      value += split_share[head * scalars.splits + s] *
               ${parts}[(s * ${heads}u + head) * ${stride}u + i % ${head_dim}u];
    }
    ${y} = value;
  }
