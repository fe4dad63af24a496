  // ${name}: each head's halves (a, b) -> (a cos - b sin, b cos + a sin) (arXiv:2104.09864).
  for (var j = thread; j < ${pairs}u; j += ${threads}u) {
    let pair = j % ${half}u;
    let i = j / ${half}u * ${head_dim}u + pair;
    let a = ${a};
    let b = ${b};
    let cosine = ${cosine};
    let sine = ${sine};
    ${y_a} = a * cosine - b * sine;
    ${y_b} = b * cosine + a * sine;
  }
