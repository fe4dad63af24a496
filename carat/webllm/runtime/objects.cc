#include "carat/webllm/runtime/objects.h"

#include "carat/webllm/runtime/move.h"
#include "carat/webllm/runtime/status.h"
#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

uint32_t StrongReferences(const Object* object) {
  return static_cast<uint32_t>(object->references);
}

bool IsObject(const Object* object) {
  return AddressOf(object) % alignof(Object) == 0 && InMemory(object, sizeof(Object)) &&
         StrongReferences(object) > 0 && object->type_index >= kFirstObject;
}

}  // namespace

// Its references stay 0, by which a handle to it is known as dead.
void FreeObject(Object* object) { Free(object); }

void Retain(Object* object) {
  if (object != nullptr) ++object->references;
}

void Release(Object* object) {
  if (object == nullptr) return;
  --object->references;
  if (StrongReferences(object) == 0) object->destroy(object);
}

bool IsLive(const Object* object, int32_t type_index) {
  return IsObject(object) && object->type_index == type_index;
}

Any AnyInt(int64_t value) { return {kInt, 0, {.int_value = value}}; }

Any AnyText(const char* text) {
  Any any = {kRawString, 0, {.int_value = 0}};
  any.raw_string = text;
  return any;
}

Any AnyPointer(uint32_t address) { return {kOpaquePointer, 0, {.int_value = address}}; }

Any AnyObject(Object* object) {
  Any any = {object == nullptr ? kNone : object->type_index, 0, {.int_value = 0}};
  any.object = object;
  return any;
}

bool CopyAny(const Any& view, Any* owned) {
  TextView text;
  if (view.type_index == kRawString || view.type_index == kByteArrayPointer) {
    if (!TextOf(view, &text)) return false;
    Owned<StringObject> copy = MakeString(text, view.type_index == kRawString ? kString : kBytes);
    if (!copy) return false;
    ReturnObject(Move(copy), owned);
    return true;
  }
  if (view.type_index >= kFirstObject) {
    if (!IsLive(view.object, view.type_index)) return false;
    Retain(view.object);
  }
  *owned = view;
  return true;
}

void ReleaseAny(const Any& owned) {
  if (owned.type_index >= kFirstObject) Release(owned.object);
}

namespace {

int32_t RecordedStatus(Status status) { return static_cast<int32_t>(status); }

Status FailForHandle() { return Fail("a handle that JavaScript gave is of no living object"); }

}  // namespace

CARAT_WASM_EXPORT(TVMFFIObjectIncRef) int32_t TVMFFIObjectIncRef(Object* object) {
  if (!IsObject(object)) return RecordedStatus(FailForHandle());
  Retain(object);
  return 0;
}

CARAT_WASM_EXPORT(TVMFFIObjectDecRef) int32_t TVMFFIObjectDecRef(Object* object) {
  if (!IsObject(object)) return RecordedStatus(FailForHandle());
  Release(object);
  return 0;
}

// `view` and `out` may be one.
CARAT_WASM_EXPORT(TVMFFIAnyViewToOwnedAny)
int32_t TVMFFIAnyViewToOwnedAny(const Any* view, Any* out) {
  if (!InMemory(view, sizeof(Any)) || !InMemory(out, sizeof(Any))) {
    return RecordedStatus(FailForHandle());
  }
  const Any copied = *view;
  if (!CopyAny(copied, out)) {
    return RecordedStatus(Fail("a value of type ", copied.type_index, " cannot be copied"));
  }
  return 0;
}

}  // namespace carat::webllm
