// carat.resolve_model(path, needs_text, progress) -> str: the compiled folder of a model, which is
// compiled first and kept in the user's cache if it is none itself.

#include "carat/compiler/resolve_model.h"

#include <tvm/ffi/reflection/registry.h>

#include <string>

#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/progress.h"

namespace carat::ffi {
namespace {

std::string ResolveModel(tvm::ffi::String path, bool needs_text, HostProgress progress) {
  return Interruptibly([&] {
    const std::string model = path;
    const compiler::CompileProgress report = EachStep(progress);
    return needs_text ? compiler::ResolveTextModel(model, report).string()
                      : compiler::ResolveModel(model, {}, report).string();
  });
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef().def("carat.resolve_model", Exported(ResolveModel));
}

}  // namespace carat::ffi
