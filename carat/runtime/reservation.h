// Address space that becomes memory where it is touched, and can be given back piece by piece.

#ifndef CARAT_RUNTIME_RESERVATION_H_
#define CARAT_RUNTIME_RESERVATION_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace carat::runtime {

class Reservation {
 public:
  // Zeros. The Error if the system refuses says what for ("the KV cache") and what to do ("compile
  // with a smaller --max-batch-size").
  Reservation(size_t num_bytes, std::string_view purpose, std::string_view mend);
  ~Reservation();
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

  // Gives the memory of the system pages that lie wholly inside [offset, offset + num_bytes) back;
  // they read as zeros afterwards.
  void GiveBack(size_t offset, size_t num_bytes) const;

 private:
  std::span<std::byte> bytes_;
};

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_RESERVATION_H_
