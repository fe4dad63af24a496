  // ${name}
  for (var i = thread; i < ${width}u; i += ${threads}u) {
    ${y} = ${value};
  }
