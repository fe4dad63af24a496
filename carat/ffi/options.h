// Named options of a call, as a host gives them: {"quantization": "q4_0", "max_batch_size": 4}.

#ifndef CARAT_FFI_OPTIONS_H_
#define CARAT_FFI_OPTIONS_H_

#include <tvm/ffi/any.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/string.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "carat/base/error.h"

namespace carat::ffi {

using OptionMap = tvm::ffi::Map<tvm::ffi::String, tvm::ffi::Any>;

// Takes options one by one; one that is missing or None leaves what it is to be written to as it
// is. Throws InvalidArgumentError naming the option.
class Options {
 public:
  explicit Options(OptionMap map) : map_(std::move(map)) {}

  // Into text (paths included), numbers, bools, and optionals of them.
  template <typename T>
  void Take(const char* name, T& value) {
    const std::optional<tvm::ffi::Any> given = Find(name);
    if (given) Assign(name, *given, value);
  }

  // After all that there can be have been taken: nothing may be left.
  void Finish() const;

 private:
  std::optional<tvm::ffi::Any> Find(const char* name);
  [[noreturn]] static void ThrowWrong(const char* name, const tvm::ffi::Any& given,
                                      std::string_view expected);

  template <typename T>
  static void Assign(const char* name, const tvm::ffi::Any& given, std::optional<T>& value) {
    T inner{};
    Assign(name, given, inner);
    value = std::move(inner);
  }

  template <typename T>
  static void Assign(const char* name, const tvm::ffi::Any& given, T& value) {
    if constexpr (std::same_as<T, bool>) {
      const auto flag = given.as<bool>();
      if (!flag) ThrowWrong(name, given, "true or false");
      value = *flag;
    } else if constexpr (std::integral<T>) {
      const auto number = given.as<int64_t>();
      if (!number || !std::in_range<T>(*number)) ThrowWrong(name, given, "an integer");
      value = static_cast<T>(*number);
    } else if constexpr (std::floating_point<T>) {
      const auto number = given.as<double>();
      if (!number) ThrowWrong(name, given, "a number");
      value = *number;
    } else {
      const auto text = given.as<tvm::ffi::String>();
      if (!text) ThrowWrong(name, given, "text");
      value = std::string(*text);
    }
  }

  OptionMap map_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace carat::ffi

#endif  // CARAT_FFI_OPTIONS_H_
