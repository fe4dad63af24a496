#include "carat/webllm/runtime/functions.h"

#include "carat/webllm/runtime/memory.h"

CARAT_WASM_IMPORT(TVMFFIWasmSafeCall)
int32_t TVMFFIWasmSafeCall(void* js_function, const carat::webllm::Any* arguments, int32_t count,
                           carat::webllm::Any* result);
CARAT_WASM_IMPORT(TVMFFIWasmFunctionDeleter) void TVMFFIWasmFunctionDeleter(void* js_function);

namespace carat::webllm {
namespace {

void DestroyFunction(Object* object) {
  auto* function = static_cast<FunctionObject*>(object);
  if (function->native == nullptr) TVMFFIWasmFunctionDeleter(function->js_function);
  Release(function->self);
  FreeObject(function);
}

Status CallJavaScript(FunctionObject* function, const Any* arguments, int32_t count, Any* result) {
  StartError();
  AppendToError("a JavaScript function failed");  // unless it says how
  return TVMFFIWasmSafeCall(function->js_function, arguments, count, result) == 0 ? Status::kOk
                                                                                  : Status::kFailed;
}

Status CallNative(FunctionObject* function, const Any* values, int32_t count, Any* result) {
  const NativeFunction& native = *function->native;
  const Arguments arguments(TextFrom(native.name), values, count);
  CARAT_RETURN_IF_FAILED(arguments.CheckCount(native.min_arguments, native.max_arguments));
  return native.call(function->self, arguments, result);
}

}  // namespace

Owned<FunctionObject> MakeFunction(const NativeFunction& native, Object* self) {
  auto function = MakeObject<FunctionObject>(kFunction, DestroyFunction);
  if (!function) return function;
  function->native = &native;
  function->self = Share(self).Detach();
  return function;
}

Status Call(FunctionObject* function, const Any* arguments, int32_t count, Any* result) {
  const Owned<FunctionObject> alive = Share(function);  // even if the call drops it
  *result = AnyObject(nullptr);
  return function->native == nullptr ? CallJavaScript(function, arguments, count, result)
                                     : CallNative(function, arguments, count, result);
}

CARAT_WASM_EXPORT(TVMFFIWasmFunctionCreate)
int32_t TVMFFIWasmFunctionCreate(void* js_function, Object** out) {
  if (!InMemory(out, sizeof(*out))) {
    return static_cast<int32_t>(Fail("TVMFFIWasmFunctionCreate: the result has no place"));
  }
  auto function = MakeObject<FunctionObject>(kFunction, DestroyFunction);
  if (!function) return static_cast<int32_t>(FailForMemory());
  function->js_function = js_function;
  *out = function.Detach();
  return 0;
}

CARAT_WASM_EXPORT(TVMFFIFunctionCall)
int32_t TVMFFIFunctionCall(Object* function, const Any* arguments, int32_t count, Any* result) {
  if (!IsLive(function, kFunction)) {
    return static_cast<int32_t>(Fail("what JavaScript calls is no living function"));
  }
  const bool valid_arguments =
      count == 0 || (count > 0 && InMemory(arguments, uint64_t{sizeof(Any)} * count));
  if (!valid_arguments || !InMemory(result, sizeof(Any))) {
    return static_cast<int32_t>(Fail("a function is called with arguments outside of memory"));
  }
  return static_cast<int32_t>(
      Call(static_cast<FunctionObject*>(function), arguments, count, result));
}

}  // namespace carat::webllm
