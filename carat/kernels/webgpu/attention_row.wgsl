// Attention of one query, its keys split over workgroups (x) and KV heads (y): online softmax (Milakov
// and Gimelshein, arXiv:1805.02867) over tiles of 32 keys. A part is, for each query head,
//
//     | acc [head_dim] = sum of exp(s - m) v | m = largest score | l = sum of exp(s - m) |
//
// which merge_splits.wgsl puts together. It sees the last `window` keys, of which key j lies in slot
// j % slots of the cache. A key's eight threads take turns at its words, so that they
// read what lies together. Keys and values are f16, two a word.

${declarations}
const kTile = 32u;
var<workgroup> q_row: array<f32, ${q_size}>;
var<workgroup> products: array<f32, 256>;           // [key][8 threads], of one head after the other
var<workgroup> scores: array<f32, ${scores_size}>;  // [head][key]

@compute @workgroup_size(256)
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let kv_head = workgroup.y;
  let first_head = kv_head * ${group_heads}u;
  for (var i = thread; i < ${q_size}u; i += 256u) {
    q_row[i] = ${q}[${q_column}u + first_head * ${head_dim}u + i] * ${scale};
  }
  // This workgroup's share of the keys that the query sees.
  let first_visible = max(scalars.position + 1u, scalars.window) - scalars.window;
  let visible = scalars.position + 1u - first_visible;
  let share = (visible + scalars.splits - 1u) / scalars.splits;
  let first_key = first_visible + min(workgroup.x * share, visible);
  let end_key = min(first_key + share, scalars.position + 1u);

  var largest: array<f32, ${group_heads}>;
  var total: array<f32, ${group_heads}>;
  var acc: array<vec2<f32>, ${acc_size}>;  // the thread's pair of values of some heads
  for (var h = 0u; h < ${group_heads}u; h++) {
    largest[h] = -3.0e38;
  }
  let pair = thread % ${pairs}u;
  let first_lane = thread / ${pairs}u;
  workgroupBarrier();
  for (var tile = first_key; tile < end_key; tile += kTile) {
    let key = tile + thread / 8u;
    // Set, not only declared: some compilers make a loop's variables zero in the first round alone.
    var sums = array<f32, ${group_heads}>();
    if (key < end_key) {
      let row = ((key % scalars.slots) * ${kv_heads}u + kv_head) * ${pairs}u;
      for (var j = thread % 8u; j < ${pairs}u; j += 8u) {
        let k = unpack2x16float(${k_cache}[row + j]);
        for (var h = 0u; h < ${group_heads}u; h++) {
          let at = h * ${head_dim}u + 2u * j;
          sums[h] += k.x * q_row[at] + k.y * q_row[at + 1u];
        }
      }
    }
    for (var h = 0u; h < ${group_heads}u; h++) {
      products[thread] = sums[h];
      workgroupBarrier();
      if (thread < kTile) {
        var score = 0.0;
        for (var j = 0u; j < 8u; j++) {
          score += products[thread * 8u + j];
        }
        scores[h * kTile + thread] = ${capped_score};
      }
      workgroupBarrier();
    }
    let num_keys = min(kTile, end_key - tile);
    for (var h = 0u; h < ${group_heads}u; h++) {
      var next = largest[h];
      for (var i = 0u; i < num_keys; i++) {
        next = max(next, scores[h * kTile + i]);
      }
      let shrink = exp(largest[h] - next);
      largest[h] = next;
      total[h] *= shrink;
      for (var i = 0u; i < num_keys; i++) {
        total[h] += exp(scores[h * kTile + i] - next);
      }
      for (var a = 0u; a < ${acc_size}u; a++) {
        if (first_lane + a * ${lanes}u == h) {
          acc[a] *= shrink;
        }
      }
    }
    if (first_lane < ${lanes}u) {
      for (var i = 0u; i < num_keys; i++) {
        let key = tile + i;
        let v = unpack2x16float(
            ${v_cache}[((key % scalars.slots) * ${kv_heads}u + kv_head) * ${pairs}u + pair]);
        for (var a = 0u; a < ${acc_size}u; a++) {
          let h = first_lane + a * ${lanes}u;
          if (h < ${group_heads}u) {
            acc[a] += exp(scores[h * kTile + i] - largest[h]) * v;
          }
        }
      }
    }
    workgroupBarrier();
  }
  for (var a = 0u; a < ${acc_size}u; a++) {
    let h = first_lane + a * ${lanes}u;
    if (first_lane < ${lanes}u && h < ${group_heads}u) {
      let part = (workgroup.x * ${heads}u + first_head + h) * ${part_stride}u;
      ${parts}[part + 2u * pair] = acc[a].x;
      ${parts}[part + 2u * pair + 1u] = acc[a].y;
      if (pair == 0u) {
        ${parts}[part + ${head_dim}u] = largest[h];
        ${parts}[part + ${head_dim}u + 1u] = total[h];
      }
    }
  }
}
