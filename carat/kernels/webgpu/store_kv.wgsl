  // The row's key and value go to the cache of the layer, as f16.
  for (var j = thread; j < ${pairs}u; j += ${threads}u) {
    let slot = (scalars.position + row) % scalars.slots;
    ${k_cache}[slot * ${pairs}u + j] = pack2x16float(vec2<f32>(${k_low}, ${k_high}));
    ${v_cache}[slot * ${pairs}u + j] = pack2x16float(vec2<f32>(${v_low}, ${v_high}));
  }
