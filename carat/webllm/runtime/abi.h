// The C ABI between WebLLM's JavaScript (tvmjs of @mlc-ai/web-llm 0.2.80 and later) and this
// module: that of tvm-ffi 0.1 on wasm32. JavaScript reads and writes these structs by their
// offsets.

#ifndef CARAT_WEBLLM_RUNTIME_ABI_H_
#define CARAT_WEBLLM_RUNTIME_ABI_H_

#include <stddef.h>
#include <stdint.h>

#define CARAT_WASM_EXPORT(name) extern "C" __attribute__((export_name(#name))) __attribute__((used))
#define CARAT_WASM_IMPORT(name) \
  extern "C" __attribute__((import_module("env"))) __attribute__((import_name(#name)))

namespace carat::webllm {

enum TypeIndex : int32_t {
  kNone = 0,
  kInt = 1,
  kBool = 2,
  kFloat = 3,
  kOpaquePointer = 4,
  kDataType = 5,
  kDevice = 6,
  kRawString = 8,
  kByteArrayPointer = 9,
  kSmallString = 11,
  kSmallBytes = 12,
  kFirstObject = 64,
  kString = 65,
  kBytes = 66,
  kFunction = 68,
  kShape = 69,
  kTensor = 70,
  kArray = 71,
  kModule = 73,
  kFirstOwnType = 128,
  kKvState = kFirstOwnType,  // JavaScript hands on what it does not know
  kStorage,
  kBoundFunction,
};

// What every object begins with. Its references are the low 32 bits of `references`; JavaScript
// owns one of each object that it is given.
struct Object {
  uint64_t references;
  int32_t type_index;
  uint32_t unused;
  void (*destroy)(Object* object);  // 8 bytes of the ABI
  uint32_t destroy_padding;
};

struct ByteArray {
  const char* data;
  size_t size;
};

struct DLDevice {
  int32_t type;
  int32_t id;
};

inline constexpr int32_t kCpu = 1;
inline constexpr int32_t kWebGpu = 15;

struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

enum DLDataTypeCode : uint8_t { kDLInt = 0, kDLUInt = 1, kDLFloat = 2, kDLBfloat = 4 };

// `data` is an address of this module's memory, or the number of a WebGPU buffer.
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};

// A value as it crosses the border.
struct Any {
  int32_t type_index;
  uint32_t small_size;  // of kSmallString and kSmallBytes
  union {
    int64_t int_value;
    double float_value;
    void* pointer;
    const char* raw_string;
    const ByteArray* byte_array;
    Object* object;
    DLDevice device;
    DLDataType dtype;
    char small_bytes[8];
  };
};

static_assert(sizeof(void*) == 4, "the ABI of wasm32");
static_assert(sizeof(Object) == 24 && sizeof(Any) == 16);
static_assert(offsetof(DLTensor, shape) == 20 && offsetof(DLTensor, byte_offset) == 32);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_ABI_H_
