#include "carat/ffi/errors.h"

#include <tvm/ffi/error.h>

#include <exception>
#include <new>
#include <string>

#include "carat/base/error.h"
#include "carat/base/printable.h"

namespace carat::ffi {

namespace {

[[noreturn]] void Throw(const std::string& kind, const std::string& message) {
  throw tvm::ffi::Error(kind, Printable(message), /*backtrace=*/"");
}

}  // namespace

void RethrowForHost() {
  try {
    throw;
  } catch (const tvm::ffi::Error&) {
    throw;  // of a callback, or KeyboardInterrupt
  } catch (const InvalidArgumentError& error) {
    Throw("carat.InvalidArgumentError", error.what());
  } catch (const VersionMismatchError& error) {
    Throw("carat.VersionMismatchError", error.what());
  } catch (const std::bad_alloc&) {
    Throw("MemoryError", "out of memory");
  } catch (const std::exception& error) {
    Throw("carat.Error", error.what());
  }
}

}  // namespace carat::ffi
