// The softmax's first dispatch: of each block of ${block} logits the peak, and the sum of
// exp((logit - peak) / temperature). A workgroup has a block.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let first = workgroup.x * ${block}u;
  let end = min(first + ${block}u, ${vocab_size}u);
  var thread_peak = -1e38;
  for (var token = first + thread; token < end; token += ${threads}u) {
    thread_peak = max(thread_peak, bounded_logit(token));
  }
  let peak = workgroup_max(thread_peak, thread);
  var thread_sum = 0.0;
  for (var token = first + thread; token < end; token += ${threads}u) {
    thread_sum += softmax_weight(bounded_logit(token) - peak);
  }
  let sum = workgroup_sum(thread_sum, thread);
  if (thread == 0u) {
    partials[workgroup.x] = vec2<f32>(peak, sum);
  }
}
