// How many threads are worth running here.

#ifndef CARAT_RUNTIME_PROCESSORS_H_
#define CARAT_RUNTIME_PROCESSORS_H_

namespace carat::runtime {

// Physical cores this process may run on: its affinity mask with hyper-threads counted once, and no
// more than the container's CPU quota. At least 1.
int UsableCores();

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_PROCESSORS_H_
