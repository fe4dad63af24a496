// What JavaScript calls before all else: puts the global functions where it finds them.

#include "carat/webllm/runtime/containers.h"
#include "carat/webllm/runtime/kv_state.h"
#include "carat/webllm/runtime/modules.h"
#include "carat/webllm/runtime/tensor_cache.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {
namespace {

Status FailAsUnsupported(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  return Fail(arguments.Function(), " is no function of models that Carat has compiled");
}

constexpr NativeFunction Unsupported(const char* name) {
  return {name, FailAsUnsupported, 0, INT32_MAX};
}

// JavaScript asks for these when it starts, and calls none of them for a model of text.
constexpr NativeFunction kUnsupported[] = {
    Unsupported("ffi.FunctionListGlobalNamesFunctor"),
    Unsupported("ffi.ModuleImportModule"),
    Unsupported("tvmjs.runtime.ArrayConcat"),
    Unsupported("tvmjs.runtime.ConcatEmbeddings"),
    Unsupported("vm.builtin.param_module_from_cache"),
    Unsupported("vm.builtin.sample_top_p_from_logits"),
    Unsupported("vm.builtin.sample_top_p_from_prob"),
    Unsupported("vm.builtin.apply_repetition_penalty"),
    Unsupported("vm.builtin.apply_presence_and_frequency_penalty"),
    Unsupported("vm.builtin.apply_softmax_with_temperature"),
};

Status RegisterAll() {
  CARAT_RETURN_IF_FAILED(RegisterContainers());
  CARAT_RETURN_IF_FAILED(RegisterTensors());
  CARAT_RETURN_IF_FAILED(RegisterTensorDecoding());
  CARAT_RETURN_IF_FAILED(RegisterTensorCache());
  CARAT_RETURN_IF_FAILED(RegisterModules());
  CARAT_RETURN_IF_FAILED(RegisterKvStates());
  return SetGlobals(kUnsupported);
}

}  // namespace

// What fails here is found when JavaScript asks for the function that is not there.
CARAT_WASM_EXPORT(_initialize) void Initialize() { (void)RegisterAll(); }

}  // namespace carat::webllm
