#include "carat/ffi/host_signals.h"

#include <tvm/ffi/error.h>
#include <tvm/ffi/extra/c_env_api.h>

namespace carat::ffi {

HostSignals::HostSignals() : check_([this] { return Check(); }) {}

bool HostSignals::Check() {
  raised_ = raised_ || TVMFFIEnvCheckSignals() != 0;
  return raised_;
}

void HostSignals::ThrowIfRaised() const {
  if (raised_) throw tvm::ffi::EnvErrorAlreadySet();
}

}  // namespace carat::ffi
