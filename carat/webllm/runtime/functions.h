// Functions as objects: of this module, or of JavaScript.

#ifndef CARAT_WEBLLM_RUNTIME_FUNCTIONS_H_
#define CARAT_WEBLLM_RUNTIME_FUNCTIONS_H_

#include "carat/webllm/runtime/arguments.h"

namespace carat::webllm {

// `self` is what a function belongs to: null for globals.
using NativeCall = Status (*)(Object* self, const Arguments& arguments, Any* result);

struct NativeFunction {
  const char* name;
  NativeCall call;
  int32_t min_arguments;
  int32_t max_arguments;
};

struct FunctionObject : Object {
  static constexpr TypeIndex kType = kFunction;
  static constexpr const char* kTypeName = "a function";

  void* js_function;  // its number in JavaScript's table, where `native` is null
  const NativeFunction* native;
  Object* self;
};

// Null where memory is exhausted. `native` must live as long as the module.
Owned<FunctionObject> MakeFunction(const NativeFunction& native, Object* self = nullptr);

// `result` is None unless the function sets it, and the caller's to release.
Status Call(FunctionObject* function, const Any* arguments, int32_t count, Any* result);

// Globals, which JavaScript finds by name and adds to. A global stays until another of its name
// replaces it.
FunctionObject* FindGlobal(TextView name);
Status SetGlobal(TextView name, FunctionObject* function, bool override);

Status SetGlobals(const NativeFunction* functions, size_t count);

template <size_t kCount>
Status SetGlobals(const NativeFunction (&functions)[kCount]) {
  return SetGlobals(functions, kCount);
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_FUNCTIONS_H_
