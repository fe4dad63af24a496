// One row times a quantized matrix: y[r] = sum over k of w[r][k] * x[k].
//
// ${lanes} threads share a row of the matrix, each taking every ${lanes}th group of 32 weights, so
// that neighbouring threads read neighbouring words; then the first of them adds their sums. Work that
// makes x may come first, in every workgroup again: that is cheaper than a dispatch of its own.

${declarations}
var<workgroup> sums: array<${sum_type}, ${threads}>;

fn x_at(k: u32) -> vec4<f32> {
  return ${x};
}

fn dot_word(word: u32, k: u32) -> f32 {
  return dot(levels_minus_7(word), x_at(k)) + dot(levels_minus_7(word >> 16u), x_at(k + 4u));
}

fn dot_group(row: u32, group: u32) -> f32 {
  let index = row * ${groups}u + group;
  let levels = ${words}[index];
  let k = group * 32u;
  return (dot_word(levels.x, k) + dot_word(levels.y, k + 8u) + dot_word(levels.z, k + 16u) +
          dot_word(levels.w, k + 24u)) * ${scale};
}

@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let row = 0u;
  let is_writer = workgroup.x == 0u;
${prologue}
  let lane = thread % ${lanes}u;
  let r = workgroup.x * ${rows_per_workgroup}u + thread / ${lanes}u;
  var sum = ${sum_type}();
  if (r < ${num_rows}u) {
    for (var group = lane; group < ${groups}u; group += ${lanes}u) {
      sum += ${dot};
    }
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (lane == 0u && r < ${num_rows}u) {
    for (var i = 1u; i < ${lanes}u; i++) {
      sum += sums[thread + i];
    }
    ${y}[r] = ${result};
  }
}
