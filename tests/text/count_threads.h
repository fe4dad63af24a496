// How many threads this process has; 0 where /proc does not say.

#ifndef CARAT_TESTS_TEXT_COUNT_THREADS_H_
#define CARAT_TESTS_TEXT_COUNT_THREADS_H_

#include <filesystem>
#include <iterator>

namespace carat::tests {

inline int CountThreads() {
  const std::filesystem::path threads = "/proc/self/task";
  if (!std::filesystem::exists(threads)) return 0;
  return static_cast<int>(std::distance(std::filesystem::directory_iterator(threads), {}));
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_TEXT_COUNT_THREADS_H_
