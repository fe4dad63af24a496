// Element types and their names: "float32", "int32", "uint8", ...

#ifndef CARAT_WEBLLM_RUNTIME_DTYPE_H_
#define CARAT_WEBLLM_RUNTIME_DTYPE_H_

#include "carat/webllm/plan.h"
#include "carat/webllm/runtime/abi.h"
#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

// False where the name is of no type with whole bytes.
bool ParseDataType(TextView name, DLDataType* dtype);

// "?" where there is none.
TextView NameOf(DLDataType dtype);

DLDataType DataTypeOf(ElementType element);

inline uint32_t BytesOf(DLDataType dtype) { return (uint32_t{dtype.bits} * dtype.lanes + 7) / 8; }

inline bool operator==(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_DTYPE_H_
