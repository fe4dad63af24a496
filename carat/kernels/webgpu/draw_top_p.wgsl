// Draws a token from the nucleus: the fewest of the most probable tokens that weigh top_p together
// (Holtzman et al., "The Curious Case of Neural Text Degeneration"), each in proportion to its
// probability. Of tokens as probable as the least of them, those of lower ids belong to it. It has
// at least one token, and never one of a probability below the smallest normal float.
//
// Reads what argsort_block.wgsl writes. How much the tokens of at least a given probability weigh
// takes a binary search in each block; the least probability of the nucleus is found by bisecting
// between the bits of two floats, since floats > 0 are ordered as their bits are. One workgroup
// does it all. A thread has the blocks [thread, thread + 1) * ${blocks_per_thread}.
//
// The token is the first, in the order of all probabilities, up to which the nucleus weighs more than
// uniform * its weight, as in MLC: the same uniform gives the same token, a small one the likeliest. It
// is found as the nucleus is: first its probability, then which of the tokens as probable it is.

${declarations}
const smallest_normal = 0x00800000u;  // 2^-126, as bits
const two = 0x40000000u;              // more than any probability, however it was rounded

var<workgroup> ties_of_threads: array<u32, ${threads}>;  // tokens of one probability

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

// The largest probability, of at least these bits, whose tokens, with all that are more probable,
// weigh at least `goal`; or more than that.
fn find_threshold(least: u32, goal: f32, or_more: bool, thread: u32) -> u32 {
  var low = least;
  var high = two;
  for (var step = 0u; step < 30u; step++) {  // high - low < 2^30
    let middle = low + (high - low) / 2u;
    let weight = weight_at_least(middle, thread);
    if (weight > goal || (!or_more && weight == goal)) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// Of one thread's blocks.
fn count_ties(bits: u32, thread: u32) -> u32 {
  let blocks = blocks_of(thread);
  var ties = 0u;
  for (var block = blocks.x; block < blocks.y; block++) {
    ties += count_at_least(block, bits) - count_at_least(block, bits + 1u);
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

// How many tokens have the probability.
fn count_all_ties(bits: u32, thread: u32) -> u32 {
  workgroupBarrier();
  ties_of_threads[thread] = count_ties(bits, thread);
  workgroupBarrier();
  var ties = 0u;
  for (var i = 0u; i < ${threads}u; i++) {
    ties += ties_of_threads[i];
  }
  return ties;
}

// The token of this rank, from 0, among those of the probability, whose ties were counted last.
fn find_tie(bits: u32, rank: u32) -> i32 {
  var rest = rank;
  var owner = 0u;
  while (owner + 1u < ${threads}u && rest >= ties_of_threads[owner]) {
    rest -= ties_of_threads[owner];
    owner++;
  }
  let blocks = blocks_of(owner);
  for (var block = blocks.x; block < blocks.y; block++) {
    let above = count_at_least(block, bits + 1u);
    let ties = count_at_least(block, bits) - above;
    if (rest < ties) {
      return tokens[block * ${block}u + above + rest];
    }
    rest -= ties;
  }
  return tokens[0];  // not reached: the rank is below the number of ties
}

@compute @workgroup_size(${threads})
fn ${entry}(@builtin(local_invocation_index) thread: u32) {
  let enough = max(top_p[0], bitcast<f32>(smallest_normal));
  let threshold = find_threshold(smallest_normal, enough, false, thread);
  let weight_above = weight_at_least(threshold + 1u, thread);
  let ties = count_all_ties(threshold, thread);
  let needed = ties_needed(enough, weight_above, threshold, ties);

  let goal = uniform_sample[0] * (weight_above + f32(needed) * bitcast<f32>(threshold));
  let bits = find_threshold(threshold, goal, true, thread);
  let weight_before = weight_at_least(bits + 1u, thread);
  let candidates = count_all_ties(bits, thread);
  if (thread == 0u) {
    let most = select(max(candidates, 1u), needed, bits == threshold) - 1u;
    let rank = (goal - weight_before) / bitcast<f32>(bits);
    drawn[0] = find_tie(bits, u32(clamp(rank, 0.0, f32(most))));
  }
}
