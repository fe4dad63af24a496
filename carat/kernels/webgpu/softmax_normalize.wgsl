// The softmax's second dispatch: with p the peak of all blocks,
//
//     probability = exp((logit - p) / temperature)
//                   / sum over blocks of sum_b * exp((peak_b - p) / temperature)
//
// Every workgroup adds up the blocks for itself, in the same order, and writes one of them.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  var thread_peak = -1e38;
  for (var block = thread; block < ${num_blocks}u; block += ${threads}u) {
    thread_peak = max(thread_peak, partials[block].x);
  }
  let peak = workgroup_max(thread_peak, thread);
  var thread_sum = 0.0;
  for (var block = thread; block < ${num_blocks}u; block += ${threads}u) {
    thread_sum += partials[block].y * softmax_weight(partials[block].x - peak);
  }
  let sum = workgroup_sum(thread_sum, thread);
  let first = workgroup.x * ${block}u;
  let end = min(first + ${block}u, ${vocab_size}u);
  for (var token = first + thread; token < end; token += ${threads}u) {
    probabilities[token] = softmax_weight(bounded_logit(token) - peak) / sum;
  }
}
