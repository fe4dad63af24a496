// carat.compile(options: dict, progress) -> str: compiles a model and returns its folder. The
// options are those of `carat compile`, in snake_case.

#include "carat/compiler/compile.h"

#include <tvm/ffi/reflection/registry.h>

#include <string>

#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/options.h"
#include "carat/ffi/progress.h"

namespace carat::ffi {
namespace {

compiler::CompileOptions ReadCompileOptions(OptionMap map) {
  compiler::CompileOptions result;
  std::string opt = "O3";
  Options options(std::move(map));
  options.Take("model", result.model);
  options.Take("quantization", result.quantization);
  options.Take("embedding_quantization", result.embedding_quantization);
  options.Take("device", result.device);
  options.Take("target", result.target);
  options.Take("output", result.output);
  options.Take("context_window_size", result.context_window_size);
  options.Take("sliding_window_size", result.sliding_window_size);
  options.Take("prefill_chunk_size", result.prefill_chunk_size);
  options.Take("max_batch_size", result.max_batch_size);
  options.Take("overrides", result.overrides);
  options.Take("opt", opt);
  options.Take("debug_dump", result.debug_dump);
  options.Finish();
  result.level = compiler::ParseOptLevel(opt);
  return result;
}

std::string Compile(OptionMap map, HostProgress progress) {
  const compiler::CompileOptions options = ReadCompileOptions(std::move(map));
  return Interruptibly(
      [&] { return compiler::Compile(options, EachStep(progress)).output.string(); });
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef().def("carat.compile", Exported(Compile));
}

}  // namespace carat::ffi
