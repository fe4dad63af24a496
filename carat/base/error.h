// The exceptions of Carat: a message a user can act on (what, where, how to mend it). Two kinds
// have types of their own, for callers who tell them apart.

#ifndef CARAT_BASE_ERROR_H_
#define CARAT_BASE_ERROR_H_

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace carat {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}

  // Error("{}: field '{}' is missing", file, field)
  template <typename First, typename... Rest>
  explicit Error(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest)
      : std::runtime_error(
            fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...)) {}
};

// An argument of a call, or a field of a request, is not what it may be: the caller's to mend.
class InvalidArgumentError : public Error {
 public:
  using Error::Error;
};

// Two parts of Carat, or Carat and the TVM FFI, are not of versions that work together.
class VersionMismatchError : public Error {
 public:
  using Error::Error;
};

// What the system says of an errno: "No space left on device".
inline std::string SystemMessage(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

}  // namespace carat

#endif  // CARAT_BASE_ERROR_H_
