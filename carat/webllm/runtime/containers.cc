#include "carat/webllm/runtime/containers.h"

#include "carat/webllm/runtime/functions.h"
#include "carat/webllm/runtime/move.h"

namespace carat::webllm {
namespace {

constexpr int32_t kMaxItems = 1 << 20;

void DestroyArray(Object* object) {
  auto* array = static_cast<ArrayObject*>(object);
  for (uint32_t i = 0; i < array->size; ++i) ReleaseAny(array->items[i]);
  FreeObject(array);
}

// ffi.Shape(dimension...)
Status NewShape(Object* /*self*/, const Arguments& arguments, Any* result) {
  const auto ndim = static_cast<uint32_t>(arguments.Count());
  auto shape = MakeObject<ShapeObject>(kShape, FreeObject, ndim * sizeof(int64_t));
  if (!shape) return FailForMemory();
  shape->dimensions = reinterpret_cast<int64_t*>(shape.Get() + 1);
  shape->ndim = ndim;
  for (int32_t i = 0; i < arguments.Count(); ++i) {
    CARAT_RETURN_IF_FAILED(arguments.GetInt(i, &shape->dimensions[i]));
  }
  ReturnObject(Move(shape), result);
  return Status::kOk;
}

// ffi.Array(item...)
Status NewArray(Object* /*self*/, const Arguments& arguments, Any* result) {
  auto array = MakeArray(static_cast<uint32_t>(arguments.Count()));
  if (!array) return FailForMemory();
  for (int32_t i = 0; i < arguments.Count(); ++i) {
    if (!CopyAny(arguments[i], &array->items[i])) {
      return Fail(arguments.Function(), ": argument ", i + 1, " cannot be an item");
    }
  }
  ReturnObject(Move(array), result);
  return Status::kOk;
}

// ffi.ArrayGetItem(array, index)
Status GetItem(Object* /*self*/, const Arguments& arguments, Any* result) {
  ArrayObject* array = nullptr;
  int64_t index = 0;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &array));
  CARAT_RETURN_IF_FAILED(arguments.GetInt(1, &index));
  if (index < 0 || index >= array->size) {
    return Fail("an array of ", array->size, " items has no item ", index);
  }
  if (!CopyAny(array->items[index], result)) return FailForMemory();
  return Status::kOk;
}

// ffi.ArraySize(array)
Status GetSize(Object* /*self*/, const Arguments& arguments, Any* result) {
  ArrayObject* array = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &array));
  *result = AnyInt(array->size);
  return Status::kOk;
}

constexpr NativeFunction kFunctions[] = {
    {"ffi.Shape", NewShape, 0, 64},
    {"ffi.Array", NewArray, 0, kMaxItems},
    {"ffi.ArrayGetItem", GetItem, 2, 2},
    {"ffi.ArraySize", GetSize, 1, 1},
};

}  // namespace

Owned<ArrayObject> MakeArray(uint32_t size) {
  auto array = MakeObject<ArrayObject>(kArray, DestroyArray, size_t{size} * sizeof(Any));
  if (!array) return array;
  array->items = reinterpret_cast<Any*>(array.Get() + 1);
  array->size = size;
  return array;
}

Status RegisterContainers() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
