// Sorts the probabilities of each block of ${block} tokens, the largest first and equal ones by
// token, and adds them up: what draw_top_p.wgsl needs to find its way by binary searches. Nobody
// else reads it, so the blocks need no merging.
//
//     sorted  [0, V)   the probabilities, block by block
//             [V, 2V)  the sum of each and of those before it in its block
//     tokens  [0, V)   whose probabilities they are
//
// A workgroup has a block, a thread four neighbouring tokens. A token's place is the number of
// those that belong before it: counting them takes no barrier, of which a bitonic sort has many,
// and a load for each 16 comparisons.
//
// Then the sums, in two levels. Both add from left to right, so that the sums never decrease,
// however they round.

${declarations}
// Bits of the probabilities, which are ordered as those are, for no float is below 0.
var<workgroup> keys: array<vec4<u32>, ${threads}>;
var<workgroup> sums: array<f32, ${block}>;  // of the sorted ones, within a strip of ${strip}
var<workgroup> sums_before: array<f32, ${block} / ${strip}>;  // of all strips before

// How many tokens of the block belong before each of the thread's.
fn count_before(thread: u32) -> vec4<u32> {
  let own = keys[thread];
  // Of the thread's own tokens, those as probable and before it: of the others below.
  var counts = vec4<u32>(0u, u32(own.x == own.y),
                         u32(own.x == own.z) + u32(own.y == own.z),
                         u32(own.x == own.w) + u32(own.y == own.w) + u32(own.z == own.w));
  for (var other = 0u; other < ${threads}u; other++) {
    // key + 1 > own is key >= own: so the tokens before the thread's count if they are as probable.
    let key = keys[other] + u32(other < thread);
    counts += vec4<u32>(vec4<u32>(key.x) > own) + vec4<u32>(vec4<u32>(key.y) > own) +
              vec4<u32>(vec4<u32>(key.z) > own) + vec4<u32>(vec4<u32>(key.w) > own);
  }
  return counts;
}

// Replaces each of `sums` by the sum of it and those before it in its strip.
fn add_up(thread: u32) {
  if (thread < ${block}u / ${strip}u) {
    var sum = 0.0;
    for (var i = thread * ${strip}u; i < (thread + 1u) * ${strip}u; i++) {
      sum += sums[i];
      sums[i] = sum;
    }
  }
  workgroupBarrier();
  if (thread == 0u) {
    var sum = 0.0;
    for (var strip = 0u; strip < ${block}u / ${strip}u; strip++) {
      sums_before[strip] = sum;
      sum += sums[(strip + 1u) * ${strip}u - 1u];
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let block = workgroup.x * ${block}u;
  let first = block + thread * 4u;
  // Behind the last token come zeros, which belong behind all tokens.
  var own = vec4<f32>();
  for (var i = 0u; i < 4u; i++) {
    if (first + i < ${vocab_size}u) {
      own[i] = probabilities[first + i];
    }
  }
  keys[thread] = bitcast<vec4<u32>>(own);
  workgroupBarrier();
  let places = count_before(thread);
  for (var i = 0u; i < 4u; i++) {
    sums[places[i]] = own[i];
  }
  workgroupBarrier();
  add_up(thread);
  for (var i = 0u; i < 4u; i++) {
    let place = places[i];
    if (first + i < ${vocab_size}u) {
      sorted[block + place] = own[i];
      sorted[${vocab_size}u + block + place] = sums_before[place / ${strip}u] + sums[place];
      tokens[block + place] = i32(first + i);
    }
  }
}
