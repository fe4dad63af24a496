// Makes tokens that were generated before less likely, as MLC's apply_penalty_inplace has it. For
// entry k, a token t = ids[k] that was seen counts[k] times, and penalties = {presence, frequency,
// repetition}:
//
//     l = logits[t] - (presence + counts[k] * frequency)
//     logits[t] = l < 0 ? l * repetition : l / repetition
//
// The ids differ from one another: entries are done in any order.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let k = invocation.x;
  if (k >= scalars.num_entries) {
    return;
  }
  let token = u32(ids[k]);
  if (token < ${vocab_size}u) {
    // Masked logits stay within what a float can be multiplied by.
    let logit = clamp(logits[token], -1e38, 1e38) - (penalties[0] + f32(counts[k]) * penalties[1]);
    logits[token] = clamp(select(logit / penalties[2], logit * penalties[2], logit < 0.0), -3e38, 3e38);
  }
}
