// How functions fail: they record the error, in words, and return kFailed. JavaScript throws the
// recorded words. (Without a system below there are no exceptions.)
//
//     return Fail("parameter '", name, "' has ", num_bytes, " bytes");

#ifndef CARAT_WEBLLM_RUNTIME_STATUS_H_
#define CARAT_WEBLLM_RUNTIME_STATUS_H_

#include <stddef.h>
#include <stdint.h>

#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

enum class [[nodiscard]] Status : int32_t{kOk = 0, kFailed = -1};

// The parts of the recorded error, in order.
void StartError();
void AppendToError(TextView text);
void AppendToError(const char* text);
void AppendToError(int64_t number);

inline void AppendErrorPart(TextView text) { AppendToError(text); }
inline void AppendErrorPart(const char* text) { AppendToError(text); }
template <typename Number>
void AppendErrorPart(Number number) {
  AppendToError(static_cast<int64_t>(number));
}

template <typename... Parts>
Status Fail(Parts... parts) {
  StartError();
  (AppendErrorPart(parts), ...);
  return Status::kFailed;
}

Status FailForMemory();

#define CARAT_RETURN_IF_FAILED(expression) \
  if ((expression) != ::carat::webllm::Status::kOk) return ::carat::webllm::Status::kFailed

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_STATUS_H_
