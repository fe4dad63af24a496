// carat.inspect(path) -> str, JSON: what is in a model, a compiled folder or a compiled library.

#include <tvm/ffi/reflection/registry.h>

#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/ascii_json.h"
#include "carat/ffi/errors.h"
#include "carat/library/inspection.h"

namespace carat::ffi {
namespace {

std::string InspectPath(tvm::ffi::String path) {
  return AsciiJson(library::ToJson(library::Inspect(std::string(path))));
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef().def("carat.inspect", Exported(InspectPath));
}

}  // namespace carat::ffi
