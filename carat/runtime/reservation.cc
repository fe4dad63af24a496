#include "carat/runtime/reservation.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "carat/base/error.h"

namespace carat::runtime {

Reservation::Reservation(size_t num_bytes, std::string_view purpose, std::string_view mend) {
  if (num_bytes == 0) return;
  void* address = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    throw Error("cannot reserve {:.1f} MiB for {}: {}; {}, or raise the limit (`ulimit -v`)",
                static_cast<double>(num_bytes) / (1 << 20), purpose, std::strerror(errno), mend);
  }
  bytes_ = {static_cast<std::byte*>(address), num_bytes};
}

Reservation::~Reservation() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

void Reservation::GiveBack(size_t offset, size_t num_bytes) const {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t begin = (offset + page - 1) / page * page;
  // The reservation's last page is wholly ours, whatever its length.
  const size_t end =
      offset + num_bytes == bytes_.size() ? bytes_.size() : (offset + num_bytes) / page * page;
  if (begin < end) madvise(bytes_.data() + begin, end - begin, MADV_DONTNEED);
}

}  // namespace carat::runtime
