  // ${name} is read by later kernels.
  if (is_writer) {
    for (var i = thread; i < ${width}u; i += ${threads}u) {
      ${target}[row * ${width}u + i] = ${value};
    }
  }
