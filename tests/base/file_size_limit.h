// A full disk, as far as writing goes: while one of these lives, no file grows beyond the limit.

#ifndef CARAT_TESTS_BASE_FILE_SIZE_LIMIT_H_
#define CARAT_TESTS_BASE_FILE_SIZE_LIMIT_H_

#include <sys/resource.h>

#include <csignal>

namespace carat {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &previous_);
    previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);  // so that write() fails instead
    const struct rlimit limit = {bytes, previous_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous_);
    std::signal(SIGXFSZ, previous_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit previous_ = {};
  void (*previous_handler_)(int) = nullptr;
};

}  // namespace carat

#endif  // CARAT_TESTS_BASE_FILE_SIZE_LIMIT_H_
