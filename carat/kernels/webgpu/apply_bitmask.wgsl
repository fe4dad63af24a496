// Forbids what a grammar does not allow next: logits[i] stays where bit i % 32 of word i / 32 of
// the mask is set, and becomes the lowest float elsewhere, as MLC's apply_bitmask_inplace has it.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let token = invocation.x;
  if (token < ${vocab_size}u && ((bitmask[token / 32u] >> (token % 32u)) & 1u) == 0u) {
    logits[token] = -0x1.fffffep+127;
  }
}
