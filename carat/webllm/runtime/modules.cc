#include "carat/webllm/runtime/modules.h"

#include "carat/webllm/runtime/model.h"
#include "carat/webllm/runtime/move.h"

namespace carat::webllm {
namespace {

// vm_load_executable()
Status LoadExecutable(Object* /*self*/, const Arguments& /*arguments*/, Any* result) {
  Owned<ModelObject> model;
  CARAT_RETURN_IF_FAILED(MakeModel(&model));
  ReturnObject(Move(model), result);
  return Status::kOk;
}

Status FindInSystemLibrary(ModuleObject* library, TextView name, Owned<FunctionObject>* function) {
  static constexpr NativeFunction kFunctions[] = {{"vm_load_executable", LoadExecutable, 0, 0}};
  return FindFunction(kFunctions, library, name, function);
}

// ffi.SystemLib(): the library of this .wasm, which is no library without a plan
Status SystemLibrary(Object* /*self*/, const Arguments& /*arguments*/, Any* result) {
  const Plan* plan = nullptr;
  CARAT_RETURN_IF_FAILED(LoadPlan(&plan));
  auto library = MakeObject<ModuleObject>(kModule, FreeObject);
  if (!library) return FailForMemory();
  library->find = FindInSystemLibrary;
  ReturnObject(Move(library), result);
  return Status::kOk;
}

// ffi.ModuleGetFunction(module, name, query_imports)
Status GetFunction(Object* /*self*/, const Arguments& arguments, Any* result) {
  ModuleObject* module = nullptr;
  TextView name;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &module));
  CARAT_RETURN_IF_FAILED(arguments.GetText(1, &name));
  Owned<FunctionObject> function;
  CARAT_RETURN_IF_FAILED(module->find(module, name, &function));
  ReturnObject(Move(function), result);
  return Status::kOk;
}

constexpr NativeFunction kFunctions[] = {
    {"ffi.SystemLib", SystemLibrary, 0, 1},
    {"ffi.ModuleGetFunction", GetFunction, 2, 3},
};

}  // namespace

Status RegisterModules() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
