// Draws a token from the nucleus: the fewest of the most probable tokens that weigh top_p together
// (Holtzman et al., "The Curious Case of Neural Text Degeneration"), each in proportion to its
// probability. Of tokens as probable as the least of them, those of lower ids belong to it. It has
// at least one token, and never one of a probability below the smallest normal float.
//
// Reads what argsort_block.wgsl writes. How much the tokens of at least a given probability weigh
// takes a binary search in each block; the least probability of the nucleus is found by bisecting
// between the bits of two floats, since floats > 0 are ordered as their bits are. One workgroup
// does it all. A thread has the blocks [thread, thread + 1) * ${blocks_per_thread}; the first one
// goes over the threads' sums, so that tokens are drawn in the order in which they are sorted.

${declarations}
const smallest_normal = 0x00800000u;  // 2^-126, as bits
const two = 0x40000000u;              // more than any probability, however it was rounded

var<workgroup> ties_before: array<u32, ${threads}>;  // tokens at the threshold, of threads before
var<workgroup> ties_in_nucleus: u32;
var<workgroup> weights: array<f32, ${threads}>;

// The blocks of a thread are [x, y).
fn blocks_of(thread: u32) -> vec2<u32> {
  let first = thread * ${blocks_per_thread}u;
  return min(vec2<u32>(first, first + ${blocks_per_thread}u), vec2<u32>(${num_blocks}u));
}

// How many tokens of a block have a probability of at least these bits.
fn count_at_least(block: u32, bits: u32) -> u32 {
  let first = block * ${block}u;
  if (bitcast<u32>(sorted[first]) < bits) {
    return 0u;  // as of most blocks
  }
  var low = 1u;
  var high = min(${block}u, ${vocab_size}u - first);
  while (low < high) {
    let middle = (low + high) / 2u;
    if (bitcast<u32>(sorted[first + middle]) >= bits) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}

// What the first tokens of a block weigh.
fn weight_of_first(block: u32, count: u32) -> f32 {
  return select(sorted[${vocab_size}u + block * ${block}u + max(count, 1u) - 1u], 0.0, count == 0u);
}

// What all tokens of at least this probability weigh.
fn weight_at_least(bits: u32, thread: u32) -> f32 {
  let blocks = blocks_of(thread);
  var weight = 0.0;
  for (var block = blocks.x; block < blocks.y; block++) {
    weight += weight_of_first(block, count_at_least(block, bits));
  }
  return workgroup_sum(weight, thread);
}

// The largest probability whose tokens, with all that are more probable, weigh enough.
fn find_threshold(enough: f32, thread: u32) -> u32 {
  var low = smallest_normal;
  var high = two;
  for (var step = 0u; step < 30u; step++) {  // high - low < 2^30
    let middle = low + (high - low) / 2u;
    if (weight_at_least(middle, thread) >= enough) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

fn count_ties(threshold: u32, thread: u32) -> u32 {
  let blocks = blocks_of(thread);
  var ties = 0u;
  for (var block = blocks.x; block < blocks.y; block++) {
    ties += count_at_least(block, threshold) - count_at_least(block, threshold + 1u);
  }
  return ties;
}

// The fewest of `ties` tokens at the threshold that weigh enough with those above it.
fn ties_needed(enough: f32, weight_above: f32, threshold: u32, ties: u32) -> u32 {
  let probability = bitcast<f32>(threshold);
  let estimate = ceil((enough - weight_above) / probability) + 1.0;  // division need not be exact
  var needed = u32(clamp(estimate, 1.0, f32(max(ties, 1u))));
  while (needed > 1u && weight_above + f32(needed - 1u) * probability >= enough) {
    needed--;
  }
  return needed;
}

// How many of a block's tokens are in the nucleus; `before` is the number of ties before it.
fn count_in_nucleus(block: u32, threshold: u32, before: u32) -> u32 {
  let above = count_at_least(block, threshold + 1u);
  let ties = count_at_least(block, threshold) - above;
  return above + min(ties, ties_in_nucleus - min(before, ties_in_nucleus));
}

// What a thread's tokens of the nucleus weigh.
fn weight_in_nucleus(threshold: u32, thread: u32) -> f32 {
  let blocks = blocks_of(thread);
  var before = ties_before[thread];
  var weight = 0.0;
  for (var block = blocks.x; block < blocks.y; block++) {
    weight += weight_of_first(block, count_in_nucleus(block, threshold, before));
    before += count_at_least(block, threshold) - count_at_least(block, threshold + 1u);
  }
  return weight;
}

// The first of a block's first `count` tokens whose sum exceeds `goal`, or the last of them.
fn draw_in_block(block: u32, count: u32, goal: f32) -> i32 {
  let first = block * ${block}u;
  var low = 0u;
  var high = max(count, 1u) - 1u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (sorted[${vocab_size}u + first + middle] > goal) {
      high = middle;
    } else {
      low = middle + 1u;
    }
  }
  return tokens[first + low];
}

fn draw(threshold: u32) -> i32 {
  var total = 0.0;
  for (var i = 0u; i < ${threads}u; i++) {
    total += weights[i];
  }
  let goal = uniform_sample[0] * total;
  // Whoever has the goal is the last that weighs anything and begins at or below it: also where
  // the sums, rounded otherwise than the total, stay below the goal.
  var owner = 0u;
  var owner_start = 0.0;
  var sum = 0.0;
  for (var i = 0u; i < ${threads}u; i++) {
    if (weights[i] > 0.0 && sum <= goal) {
      owner = i;
      owner_start = sum;
    }
    sum += weights[i];
  }
  let blocks = blocks_of(owner);
  var chosen = blocks.x;
  var chosen_count = 0u;
  var chosen_start = 0.0;
  var before = ties_before[owner];
  sum = owner_start;
  for (var block = blocks.x; block < blocks.y; block++) {
    let count = count_in_nucleus(block, threshold, before);
    let weight = weight_of_first(block, count);
    if (weight > 0.0 && sum <= goal) {
      chosen = block;
      chosen_count = count;
      chosen_start = sum;
    }
    sum += weight;
    before += count_at_least(block, threshold) - count_at_least(block, threshold + 1u);
  }
  return draw_in_block(chosen, chosen_count, goal - chosen_start);
}

@compute @workgroup_size(${threads})
fn ${entry}(@builtin(local_invocation_index) thread: u32) {
  let enough = max(top_p[0], bitcast<f32>(smallest_normal));
  let threshold = find_threshold(enough, thread);
  let weight_above = weight_at_least(threshold + 1u, thread);
  ties_before[thread] = count_ties(threshold, thread);
  workgroupBarrier();
  if (thread == 0u) {
    var ties = 0u;
    for (var i = 0u; i < ${threads}u; i++) {
      let ties_of_thread = ties_before[i];
      ties_before[i] = ties;
      ties += ties_of_thread;
    }
    ties_in_nucleus = ties_needed(enough, weight_above, threshold, ties);
  }
  workgroupBarrier();
  weights[thread] = weight_in_nucleus(threshold, thread);
  workgroupBarrier();
  if (thread == 0u) {
    drawn[0] = draw(threshold);
  }
}
