// What is done to each row by itself: one workgroup a row, whose values in between lie in workgroup
// memory.

${declarations}
@compute @workgroup_size(${threads})
fn ${entry}(@builtin(workgroup_id) workgroup: vec3<u32>,
            @builtin(local_invocation_index) thread: u32) {
  let row = workgroup.x;
  const is_writer = true;
${body}}
