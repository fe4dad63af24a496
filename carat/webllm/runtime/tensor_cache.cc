#include "carat/webllm/runtime/tensor_cache.h"

#include "carat/webllm/runtime/containers.h"
#include "carat/webllm/runtime/modules.h"
#include "carat/webllm/runtime/move.h"
#include "carat/webllm/runtime/strings.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {
namespace {

struct Entry {
  StringObject* name;
  TensorObject* tensor;
};

struct TensorCache {
  Entry* entries;
  uint32_t count;
  uint32_t capacity;
};
TensorCache cache;

Entry* Find(TextView name) {
  for (uint32_t i = 0; i < cache.count; ++i) {
    const ByteArray& found = cache.entries[i].name->bytes;
    if (TextView(found.data, found.size) == name) return &cache.entries[i];
  }
  return nullptr;
}

void ReleaseEntry(const Entry& entry) {
  Release(entry.name);
  Release(entry.tensor);
}

Status MakeRoomForEntry() {
  if (cache.count < cache.capacity) return Status::kOk;
  const uint32_t capacity = cache.capacity == 0 ? 64 : 2 * cache.capacity;
  void* grown =
      Reallocate(cache.entries, cache.count * sizeof(Entry), size_t{capacity} * sizeof(Entry));
  if (grown == nullptr) return FailForMemory();
  cache.entries = static_cast<Entry*>(grown);
  cache.capacity = capacity;
  return Status::kOk;
}

// vm.builtin.tensor_cache.update(name, tensor, override)
Status Update(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TextView name;
  TensorObject* tensor = nullptr;
  int64_t override = 0;
  CARAT_RETURN_IF_FAILED(arguments.GetText(0, &name));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(1, &tensor));
  CARAT_RETURN_IF_FAILED(arguments.GetInt(2, &override));
  if (Entry* entry = Find(name)) {
    if (override == 0) return Fail("tensor-cache.json names the tensor '", name, "' twice");
    Retain(tensor);
    Release(entry->tensor);
    entry->tensor = tensor;
    return Status::kOk;
  }
  CARAT_RETURN_IF_FAILED(MakeRoomForEntry());
  Owned<StringObject> copied_name = MakeString(name);
  if (!copied_name) return FailForMemory();
  cache.entries[cache.count++] = {copied_name.Detach(), Share(tensor).Detach()};
  return Status::kOk;
}

// vm.builtin.tensor_cache.get(name): None where it is not there
Status Get(Object* /*self*/, const Arguments& arguments, Any* result) {
  TextView name;
  CARAT_RETURN_IF_FAILED(arguments.GetText(0, &name));
  if (const Entry* entry = Find(name)) ReturnObject(Share(entry->tensor), result);
  return Status::kOk;
}

// vm.builtin.tensor_cache.remove(name)
Status Remove(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TextView name;
  CARAT_RETURN_IF_FAILED(arguments.GetText(0, &name));
  if (Entry* entry = Find(name)) {
    ReleaseEntry(*entry);
    *entry = cache.entries[--cache.count];
  }
  return Status::kOk;
}

// vm.builtin.tensor_cache.clear()
Status Clear(Object* /*self*/, const Arguments& /*arguments*/, Any* /*result*/) {
  for (uint32_t i = 0; i < cache.count; ++i) ReleaseEntry(cache.entries[i]);
  Free(cache.entries);
  cache = {};
  return Status::kOk;
}

struct ParameterModule : ModuleObject {
  ArrayObject* parameters;
};

void DestroyParameterModule(Object* object) {
  Release(static_cast<ParameterModule*>(object)->parameters);
  FreeObject(object);
}

// get_params()
Status GetParameters(Object* self, const Arguments& /*arguments*/, Any* result) {
  ReturnObject(Share(static_cast<ParameterModule*>(self)->parameters), result);
  return Status::kOk;
}

Status FindInParameterModule(ModuleObject* module, TextView name, Owned<FunctionObject>* function) {
  static constexpr NativeFunction kFunctions[] = {{"get_params", GetParameters, 0, 0}};
  return FindFunction(kFunctions, module, name, function);
}

// vm.builtin.param_module_from_cache_by_name(names)
Status NewParameterModule(Object* /*self*/, const Arguments& arguments, Any* result) {
  ArrayObject* names = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &names));
  auto parameters = MakeArray(names->size);
  if (!parameters) return FailForMemory();
  for (uint32_t i = 0; i < names->size; ++i) {
    TextView name;
    if (!TextOf(names->items[i], &name)) return Fail("the name of parameter ", i, " is no text");
    const Entry* entry = Find(name);
    if (entry == nullptr) {
      return Fail("tensor-cache.json has no parameter '", name,
                  "', which the library needs: the weights are of another model or quantization");
    }
    ReturnObject(Share(entry->tensor), &parameters->items[i]);
  }
  auto module = MakeObject<ParameterModule>(kModule, DestroyParameterModule);
  if (!module) return FailForMemory();
  module->find = FindInParameterModule;
  module->parameters = parameters.Detach();
  ReturnObject(Move(module), result);
  return Status::kOk;
}

constexpr NativeFunction kFunctions[] = {
    {"vm.builtin.tensor_cache.update", Update, 3, 3},
    {"vm.builtin.tensor_cache.get", Get, 1, 1},
    {"vm.builtin.tensor_cache.remove", Remove, 1, 1},
    {"vm.builtin.tensor_cache.clear", Clear, 0, 0},
    {"vm.builtin.param_module_from_cache_by_name", NewParameterModule, 1, 1},
};

}  // namespace

Status RegisterTensorCache() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
