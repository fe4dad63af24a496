// The one exception type of Carat: a message a user can act on (what, where, how to mend it).

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

// What the system says of an errno: "No space left on device".
inline std::string SystemMessage(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

}  // namespace carat

#endif  // CARAT_BASE_ERROR_H_
