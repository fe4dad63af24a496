// The table of global functions.

#include "carat/webllm/runtime/functions.h"
#include "carat/webllm/runtime/memory.h"
#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

struct Global {
  StringObject* name;
  FunctionObject* function;
};

struct Globals {
  Global* entries;
  uint32_t count;
  uint32_t capacity;
};
Globals globals;

Global* FindEntry(TextView name) {
  for (uint32_t i = 0; i < globals.count; ++i) {
    const ByteArray& found = globals.entries[i].name->bytes;
    if (TextView(found.data, found.size) == name) return &globals.entries[i];
  }
  return nullptr;
}

Status MakeRoom() {
  if (globals.count < globals.capacity) return Status::kOk;
  const uint32_t capacity = globals.capacity == 0 ? 64 : 2 * globals.capacity;
  void* grown = Reallocate(globals.entries, globals.count * sizeof(Global),
                           size_t{capacity} * sizeof(Global));
  if (grown == nullptr) return FailForMemory();
  globals.entries = static_cast<Global*>(grown);
  globals.capacity = capacity;
  return Status::kOk;
}

Status NameFrom(const ByteArray* bytes, TextView* name) {
  Any value = {kByteArrayPointer, 0, {.int_value = 0}};
  value.byte_array = bytes;
  return TextOf(value, name) ? Status::kOk : Fail("the name of a function is outside of memory");
}

Status SetGlobalFromHandle(const ByteArray* name_bytes, Object* function, bool override) {
  TextView name;
  CARAT_RETURN_IF_FAILED(NameFrom(name_bytes, &name));
  if (!IsLive(function, kFunction)) return Fail("'", name, "' is set to what is no function");
  return SetGlobal(name, static_cast<FunctionObject*>(function), override);
}

}  // namespace

FunctionObject* FindGlobal(TextView name) {
  const Global* entry = FindEntry(name);
  return entry == nullptr ? nullptr : entry->function;
}

Status SetGlobal(TextView name, FunctionObject* function, bool override) {
  if (Global* entry = FindEntry(name)) {
    if (!override) return Fail("the global function '", name, "' exists already");
    Retain(function);
    Release(entry->function);
    entry->function = function;
    return Status::kOk;
  }
  CARAT_RETURN_IF_FAILED(MakeRoom());
  Owned<StringObject> copied_name = MakeString(name);
  if (!copied_name) return FailForMemory();
  globals.entries[globals.count++] = {copied_name.Detach(), Share(function).Detach()};
  return Status::kOk;
}

Status SetGlobals(const NativeFunction* functions, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Owned<FunctionObject> function = MakeFunction(functions[i]);
    if (!function) return FailForMemory();
    CARAT_RETURN_IF_FAILED(SetGlobal(TextFrom(functions[i].name), function.Get(), false));
  }
  return Status::kOk;
}

// `out` is null where there is none of this name.
CARAT_WASM_EXPORT(TVMFFIFunctionGetGlobal)
int32_t TVMFFIFunctionGetGlobal(const ByteArray* name_bytes, Object** out) {
  TextView name;
  if (NameFrom(name_bytes, &name) != Status::kOk) return -1;
  if (!InMemory(out, sizeof(*out))) {
    return static_cast<int32_t>(Fail("TVMFFIFunctionGetGlobal: the result has no place"));
  }
  *out = Share(FindGlobal(name)).Detach();
  return 0;
}

CARAT_WASM_EXPORT(TVMFFIFunctionSetGlobal)
int32_t TVMFFIFunctionSetGlobal(const ByteArray* name, Object* function, int32_t override) {
  return static_cast<int32_t>(SetGlobalFromHandle(name, function, override != 0));
}

}  // namespace carat::webllm
