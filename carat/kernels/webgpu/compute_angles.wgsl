  // ${name}: cosines, then sines, of the row's position.
  for (var i = thread; i < ${half}u; i += ${threads}u) {
    var frequencies = ${table};
    let angle = rope_angle(scalars.position + row, frequencies[i]);
    ${cosine} = angle.x;
    ${sine} = angle.y;
  }
