// A host's function that is told how far long work is.

#ifndef CARAT_FFI_PROGRESS_H_
#define CARAT_FFI_PROGRESS_H_

#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <string>
#include <string_view>

#include "carat/base/progress.h"
#include "carat/compiler/compile.h"

namespace carat::ffi {

// progress(step: str, fraction: float in [0, 1]) -> None. What it raises ends the work.
using HostProgress = tvm::ffi::Optional<tvm::ffi::Function>;

inline compiler::CompileProgress EachStep(const HostProgress& progress) {
  if (!progress.has_value()) return {};
  return [function = progress.value()](std::string_view step, double fraction) {
    function(std::string(step), fraction);
  };
}

// For work that consists of one step, which begins now.
inline ProgressCallback OneStep(const HostProgress& progress, const std::string& step) {
  if (!progress.has_value()) return {};
  progress.value()(step, 0.0);
  return [function = progress.value(), step](int64_t done, int64_t total) {
    function(step, total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0);
  };
}

}  // namespace carat::ffi

#endif  // CARAT_FFI_PROGRESS_H_
