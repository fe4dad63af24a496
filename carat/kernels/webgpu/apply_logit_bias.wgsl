// Adds what the request asks for: logits[ids[k]] += bias[k], as MLC's apply_logit_bias_inplace has
// it. The ids differ from one another: entries are done in any order.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let k = invocation.x;
  if (k >= scalars.num_entries) {
    return;
  }
  let token = u32(ids[k]);
  if (token < ${vocab_size}u) {
    logits[token] += bias[k];
  }
}
