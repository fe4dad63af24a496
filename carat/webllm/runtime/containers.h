// Shapes and arrays, which JavaScript makes and reads by global functions.

#ifndef CARAT_WEBLLM_RUNTIME_CONTAINERS_H_
#define CARAT_WEBLLM_RUNTIME_CONTAINERS_H_

#include "carat/webllm/runtime/objects.h"
#include "carat/webllm/runtime/status.h"

namespace carat::webllm {

struct ShapeObject : Object {
  static constexpr TypeIndex kType = kShape;
  static constexpr const char* kTypeName = "a shape";

  int64_t* dimensions;  // behind the object
  uint32_t ndim;
};

struct ArrayObject : Object {
  static constexpr TypeIndex kType = kArray;
  static constexpr const char* kTypeName = "an array";

  Any* items;  // behind the object; the array owns a reference of each
  uint32_t size;
};

// All items None; null where memory is exhausted.
Owned<ArrayObject> MakeArray(uint32_t size);

Status RegisterContainers();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_CONTAINERS_H_
