// What <utility> would give.

#ifndef CARAT_WEBLLM_RUNTIME_MOVE_H_
#define CARAT_WEBLLM_RUNTIME_MOVE_H_

namespace carat::webllm {

template <typename T>
constexpr T&& Move(T& value) {
  return static_cast<T&&>(value);
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_MOVE_H_
