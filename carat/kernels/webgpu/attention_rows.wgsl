// Attention of many queries: a workgroup for 16 queries (x) of one head (y), online softmax (Milakov
// and Gimelshein, arXiv:1805.02867) over tiles of 16 keys, of which each thread scores one pair:
// sixteen threads read the same key, and different queries. Query i
// sees key j if j <= i and i - j < window; the key lies in slot j % slots of the cache. Keys and values
// are f16, two a word.

${declarations}
var<workgroup> q_tile: array<f32, ${q_size}>;  // [16 queries][head_dim], padded by 1
var<workgroup> shares: array<f32, 256>;  // [query][key]: scores, then exp(score - largest)
var<workgroup> largest: array<f32, 16>;
var<workgroup> total: array<f32, 16>;
var<workgroup> shrink: array<f32, 16>;

@compute @workgroup_size(256)
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let head = workgroup.y;
  let kv_head = head / ${group_heads}u;
  let first_row = workgroup.x * 16u;
  let num_queries = min(16u, scalars.tokens - first_row);
  for (var i = thread; i < 16u * ${head_dim}u; i += 256u) {
    let row = first_row + min(i / ${head_dim}u, num_queries - 1u);
    q_tile[i / ${head_dim}u * ${q_row_size}u + i % ${head_dim}u] =
                ${q}[row * ${q_stride}u + ${q_column}u + head * ${head_dim}u + i % ${head_dim}u] *
                ${scale};
  }
  if (thread < 16u) {
    largest[thread] = -3.0e38;
    total[thread] = 0.0;
  }
  var acc: array<vec2<f32>, ${acc_size}>;  // the thread's pair of values of some queries
  let pair = thread % ${pairs}u;
  let first_lane = thread / ${pairs}u;

  let first_position = scalars.position + first_row;
  let end_key = first_position + num_queries;
  let first_visible = max(first_position + 1u, scalars.window) - scalars.window;
  let my_query = thread % 16u;
  let my_position = first_position + my_query;
  for (var tile = first_visible; tile < end_key; tile += 16u) {
    let num_keys = min(16u, end_key - tile);
    workgroupBarrier();
    let key = tile + thread / 16u;
    var score = -3.0e38;
    if (key < end_key && key <= my_position && my_position - key < scalars.window) {
      score = 0.0;
      let k_row = (key % scalars.slots * ${kv_heads}u + kv_head) * ${pairs}u;
      for (var j = 0u; j < ${pairs}u; j++) {
        let k = unpack2x16float(${k_cache}[k_row + j]);
        let at = my_query * ${q_row_size}u + 2u * j;
        score += k.x * q_tile[at] + k.y * q_tile[at + 1u];
      }
      score = ${capped_score};
    }
    let my_share = my_query * 16u + thread / 16u;
    shares[my_share] = score;
    workgroupBarrier();
    if (thread < 16u) {
      var next = largest[thread];
      for (var i = 0u; i < 16u; i++) {
        next = max(next, shares[thread * 16u + i]);
      }
      shrink[thread] = exp(largest[thread] - next);
      largest[thread] = next;
    }
    workgroupBarrier();
    // A key that the query does not see has no share, also while none was seen yet.
    shares[my_share] = select(0.0, exp(score - largest[my_query]), score > -2.0e38);
    workgroupBarrier();
    if (thread < 16u) {
      var sum = total[thread] * shrink[thread];
      for (var i = 0u; i < 16u; i++) {
        sum += shares[thread * 16u + i];
      }
      total[thread] = sum;
    }
    if (first_lane < ${lanes}u) {
      for (var a = 0u; a < ${acc_size}u; a++) {
        acc[a] *= shrink[min(first_lane + a * ${lanes}u, 15u)];
      }
      for (var i = 0u; i < num_keys; i++) {
        let key = tile + i;
        let v = unpack2x16float(
            ${v_cache}[((key % scalars.slots) * ${kv_heads}u + kv_head) * ${pairs}u + pair]);
        for (var a = 0u; a < ${acc_size}u; a++) {
          acc[a] += shares[min(first_lane + a * ${lanes}u, 15u) * 16u + i] * v;
        }
      }
    }
  }
  workgroupBarrier();
  if (first_lane < ${lanes}u) {
    for (var a = 0u; a < ${acc_size}u; a++) {
      let query = first_lane + a * ${lanes}u;
      if (query < num_queries) {
        let at = (first_row + query) * ${y_stride}u + head * ${head_dim}u + 2u * pair;
        ${y}[at] = acc[a].x / total[query];
        ${y}[at + 1u] = acc[a].y / total[query];
      }
    }
  }
}
