// Many rows times a quantized matrix: y[t][r] = sum over k of w[r][k] * x[t][k]; or, of a matrix that
// holds gate and up, y[t][r] = gelu_tanh(gate[t][r]) * up[t][r]. One kernel for all matrices, whose
// shapes are scalars, since browsers compile kernels while people wait.
//
// A workgroup computes a tile of 32 tokens and 64 rows of the matrix, 16 values of k (half a group) at
// a time: those of the matrix lie in workgroup memory as f32, or f16 where the adapter has it, and each thread adds up 4 tokens x 4 rows
// in registers. Of its rows two are from the tile's first half and two from its second: where the
// matrix holds gate and up, the halves are the same rows of either.

${declarations}
var<workgroup> w_tile: array<tile_type, 1040>;  // [16 values][64 rows], padded to 65 against bank conflicts

// The matrix's row at place i of the tile.
fn matrix_row(tile: u32, i: u32) -> u32 {
  if (scalars.up_row == 0u) {
    return scalars.first_row + tile * 64u + i;
  }
  return select(scalars.first_row, scalars.up_row, i >= 32u) + tile * 32u + i % 32u;
}

@compute @workgroup_size(128)
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let first_token = workgroup.y * 32u + (thread / 16u) * 4u;
  let pair = (thread % 16u) * 2u;
  let last_token = scalars.tokens - 1u;
  let x_stride = scalars.groups * 8u;
  var sum_0 = vec4<f32>();
  var sum_1 = vec4<f32>();
  var sum_2 = vec4<f32>();
  var sum_3 = vec4<f32>();
  for (var step = 0u; step < scalars.groups * 2u; step++) {
    // A word of eight levels a thread.
    let tile_row = thread / 2u;
    let r = min(matrix_row(workgroup.x, tile_row), scalars.last_row);
    let index = r * scalars.groups + step / 2u;
    let word = ${words}[index * 4u + step % 2u * 2u + thread % 2u];
    let scale = ${scale};
    let low = levels_minus_7(word) * scale;
    let high = levels_minus_7(word >> 16u) * scale;
    let at = thread % 2u * 520u + tile_row;
    w_tile[at] = tile_type(low.x);
    w_tile[at + 65u] = tile_type(low.y);
    w_tile[at + 130u] = tile_type(low.z);
    w_tile[at + 195u] = tile_type(low.w);
    w_tile[at + 260u] = tile_type(high.x);
    w_tile[at + 325u] = tile_type(high.y);
    w_tile[at + 390u] = tile_type(high.z);
    w_tile[at + 455u] = tile_type(high.w);
    workgroupBarrier();
    for (var quad = 0u; quad < 4u; quad++) {
      let k = step * 4u + quad;
      let x_0 = ${x}[min(first_token, last_token) * x_stride + k];
      let x_1 = ${x}[min(first_token + 1u, last_token) * x_stride + k];
      let x_2 = ${x}[min(first_token + 2u, last_token) * x_stride + k];
      let x_3 = ${x}[min(first_token + 3u, last_token) * x_stride + k];
      for (var i = 0u; i < 4u; i++) {
        let row = (quad * 4u + i) * 65u + pair;
        let w = vec4<f32>(vec4<tile_type>(w_tile[row], w_tile[row + 1u], w_tile[row + 32u],
                                          w_tile[row + 33u]));
        sum_0 += x_0[i] * w;
        sum_1 += x_1[i] * w;
        sum_2 += x_2[i] * w;
        sum_3 += x_3[i] * w;
      }
    }
    workgroupBarrier();
  }
  store(workgroup.x, first_token, pair, sum_0);
  store(workgroup.x, first_token + 1u, pair, sum_1);
  store(workgroup.x, first_token + 2u, pair, sum_2);
  store(workgroup.x, first_token + 3u, pair, sum_3);
}

fn store(tile: u32, token: u32, pair: u32, sum: vec4<f32>) {
  if (token >= scalars.tokens) {
    return;
  }
  let y_row = token * scalars.width;
  if (scalars.up_row == 0u) {
    let r = tile * 64u + pair;
    store_at(y_row, r, sum.x);
    store_at(y_row, r + 1u, sum.y);
    store_at(y_row, r + 32u, sum.z);
    store_at(y_row, r + 33u, sum.w);
  } else {
    let r = tile * 32u + pair;
    store_at(y_row, r, gelu_tanh(sum.x) * sum.z);
    store_at(y_row, r + 1u, gelu_tanh(sum.y) * sum.w);
  }
}

fn store_at(y_row: u32, r: u32, value: f32) {
  if (r < scalars.width) {
    ${y}[y_row + r] = value;
  }
}
