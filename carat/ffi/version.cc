// carat.version() -> str: this library's version, that of VERSION.

#include <tvm/ffi/reflection/registry.h>

#include <string>

namespace carat::ffi {
namespace {

std::string Version() { return CARAT_VERSION; }

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() { tvm::ffi::reflection::GlobalDef().def("carat.version", Version); }

}  // namespace carat::ffi
