// The sum of a value over all threads of the workgroup, which every thread gets. All threads must
// call it together. Two levels, so that it takes three barriers and not one for each power of two.

var<workgroup> thread_values: array<f32, ${threads}>;
var<workgroup> strip_sums: array<f32, 8>;

fn workgroup_sum(value: f32, thread: u32) -> f32 {
  thread_values[thread] = value;
  workgroupBarrier();
  if (thread < 8u) {
    var sum = 0.0;
    for (var i = thread; i < ${threads}u; i += 8u) {
      sum += thread_values[i];
    }
    strip_sums[thread] = sum;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < 8u; i++) {
    sum += strip_sums[i];
  }
  workgroupBarrier();
  return sum;
}
