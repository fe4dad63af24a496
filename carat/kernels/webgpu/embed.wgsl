// The embedding: a row of the quantized table for each token, times the model's factor.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let row = u32(clamp(${ids}[workgroup.x], 0, ${last_id}));
  for (var i = thread; i < ${groups}u * 4u; i += ${threads}u) {
    let index = row * ${groups}u + i / 4u;
    let word = ${words}[index * 4u + i % 4u];
    let scale = ${scale} * ${factor};
    let low = levels_minus_7(word) * scale;
    let high = levels_minus_7(word >> 16u) * scale;
    let at = (workgroup.x * ${groups}u * 4u + i) * 8u;
    for (var j = 0u; j < 4u; j++) {
      ${y}[at + j] = low[j];
      ${y}[at + 4u + j] = high[j];
    }
  }
}
