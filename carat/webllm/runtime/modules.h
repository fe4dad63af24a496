// Modules: objects with functions that JavaScript finds by name.

#ifndef CARAT_WEBLLM_RUNTIME_MODULES_H_
#define CARAT_WEBLLM_RUNTIME_MODULES_H_

#include "carat/webllm/runtime/functions.h"

namespace carat::webllm {

struct ModuleObject : Object {
  static constexpr TypeIndex kType = kModule;
  static constexpr const char* kTypeName = "a module";

  // `function` stays null where the module has none of this name.
  Status (*find)(ModuleObject* module, TextView name, Owned<FunctionObject>* function);
};

// The function of this name among `functions`, as one of `module`'s.
template <size_t kCount>
Status FindFunction(const NativeFunction (&functions)[kCount], ModuleObject* module, TextView name,
                    Owned<FunctionObject>* function) {
  for (const NativeFunction& native : functions) {
    if (name == TextFrom(native.name)) {
      *function = MakeFunction(native, module);
      return *function ? Status::kOk : FailForMemory();
    }
  }
  return Status::kOk;
}

Status RegisterModules();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_MODULES_H_
