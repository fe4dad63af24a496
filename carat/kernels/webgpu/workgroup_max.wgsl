// The largest of a value over all threads of the workgroup, which every thread gets. All threads
// must call it together. As workgroup_sum has it.

var<workgroup> max_of_threads: array<f32, ${threads}>;
var<workgroup> max_of_strips: array<f32, 8>;

fn workgroup_max(value: f32, thread: u32) -> f32 {
  max_of_threads[thread] = value;
  workgroupBarrier();
  if (thread < 8u) {
    var largest = value;
    for (var i = thread; i < ${threads}u; i += 8u) {
      largest = max(largest, max_of_threads[i]);
    }
    max_of_strips[thread] = largest;
  }
  workgroupBarrier();
  var largest = max_of_strips[0];
  for (var i = 1u; i < 8u; i++) {
    largest = max(largest, max_of_strips[i]);
  }
  workgroupBarrier();
  return largest;
}
