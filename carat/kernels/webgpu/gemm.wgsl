// Many rows times a quantized matrix: y[t][r] = sum over k of w[r][k] * x[t][k].
//
// A workgroup computes a tile of 32 tokens and 64 rows of the matrix, 32 values of k at a time: both
// tiles lie in workgroup memory as f32, and each thread adds up 4 tokens x 4 rows in registers. Of its
// rows two are from the tile's first half and two from its second: where the matrix holds gate and up,
// the halves are the same rows of either.

${declarations}
var<workgroup> x_tile: array<f32, 1056>;  // [32 values][32 tokens], padded to 33 against bank conflicts
var<workgroup> w_tile: array<f32, 2080>;  // [32 values][64 rows], padded to 65

fn matrix_row(tile: u32, i: u32) -> u32 {
  return ${matrix_row};
}

@compute @workgroup_size(128)
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let first_token = workgroup.y * 32u;
  let pair = (thread % 16u) * 2u;
  let quad = (thread / 16u) * 4u;
  var sums: array<vec4<f32>, 4>;
  for (var group = 0u; group < ${groups}u; group++) {
    for (var i = thread; i < 1024u; i += 128u) {
      let token = first_token + i / 32u;
      var value = 0.0;
      if (token < scalars.tokens) {
        value = ${x}[token * ${x_stride}u + ${x_column}u + group * 32u + i % 32u];
      }
      x_tile[(i % 32u) * 33u + i / 32u] = value;
    }
    for (var i = thread; i < 256u; i += 128u) {
      let tile_row = i / 4u;
      let r = matrix_row(workgroup.x, tile_row);
      if (r < ${num_matrix_rows}u) {
        let index = r * ${groups}u + group;
        let word = ${words}[index * 4u + i % 4u];
        let scale = ${scale};
        let low = levels_minus_7(word) * scale;
        let high = levels_minus_7(word >> 16u) * scale;
        for (var j = 0u; j < 4u; j++) {
          w_tile[((i % 4u) * 8u + j) * 65u + tile_row] = low[j];
          w_tile[((i % 4u) * 8u + 4u + j) * 65u + tile_row] = high[j];
        }
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let w = vec4<f32>(w_tile[k * 65u + pair], w_tile[k * 65u + pair + 1u],
                        w_tile[k * 65u + pair + 32u], w_tile[k * 65u + pair + 33u]);
      for (var t = 0u; t < 4u; t++) {
        sums[t] += x_tile[k * 33u + quad + t] * w;
      }
    }
    workgroupBarrier();
  }
  for (var t = 0u; t < 4u; t++) {
    let token = first_token + quad + t;
    if (token < scalars.tokens) {
      let sum = sums[t];
${store}
    }
  }
}
