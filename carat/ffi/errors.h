// Functions of Carat as a host calls them: their errors become TVM FFI errors, whose kinds are the
// names of the exceptions that the Python package registers for them.

#ifndef CARAT_FFI_ERRORS_H_
#define CARAT_FFI_ERRORS_H_

#include <utility>

namespace carat::ffi {

// To be called in a catch block: throws what the host is to see instead.
[[noreturn]] void RethrowForHost();

// `function` for GlobalDef::def and ObjectDef::def.
template <typename Result, typename... Args>
auto Exported(Result (*function)(Args...)) {
  return [function](Args... args) -> Result {
    try {
      return function(std::forward<Args>(args)...);
    } catch (...) {
      RethrowForHost();
    }
  };
}

}  // namespace carat::ffi

#endif  // CARAT_FFI_ERRORS_H_
