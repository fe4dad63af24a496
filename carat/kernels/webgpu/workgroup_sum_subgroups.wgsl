// workgroup_sum.wgsl for adapters with subgroups, with a barrier less. Which threads form a subgroup
// is the adapter's affair: one thread of each leaves the subgroup's sum at its own place, and the other
// places hold zeros.

var<workgroup> thread_values: array<f32, ${threads}>;

fn workgroup_sum(value: f32, thread: u32) -> f32 {
  let subgroup_sum = subgroupAdd(value);
  thread_values[thread] = select(0.0, subgroup_sum, subgroupElect());
  workgroupBarrier();
  let num_lanes = subgroupAdd(1u);
  let lane = subgroupExclusiveAdd(1u);
  var sum = 0.0;
  for (var i = lane; i < ${threads}u; i += num_lanes) {
    sum += thread_values[i];
  }
  let total = subgroupAdd(sum);
  workgroupBarrier();
  return total;
}
