// What JavaScript asks about types and versions.

#include "carat/webllm/runtime/abi.h"
#include "carat/webllm/runtime/dtype.h"
#include "carat/webllm/runtime/memory.h"
#include "carat/webllm/runtime/status.h"
#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

// As far as JavaScript reads it.
struct TypeInfo {
  int32_t type_index;
  int32_t type_depth;
  ByteArray type_key;
};

template <size_t kSize>
constexpr TypeInfo Info(int32_t type_index, const char (&key)[kSize]) {
  return {type_index, 1, {key, kSize - 1}};
}

constexpr TypeInfo kTypes[] = {
    Info(kString, "ffi.String"),     Info(kBytes, "ffi.Bytes"),
    Info(kFunction, "ffi.Function"), Info(kShape, "ffi.Shape"),
    Info(kTensor, "ffi.Tensor"),     Info(kArray, "ffi.Array"),
    Info(kModule, "ffi.Module"),     Info(kKvState, "carat.webllm.KvState"),
};

}  // namespace

CARAT_WASM_EXPORT(TVMFFITypeKeyToIndex)
int32_t TVMFFITypeKeyToIndex(const ByteArray* key, int32_t* out) {
  TextView text;
  Any value = {kByteArrayPointer, 0, {.int_value = 0}};
  value.byte_array = key;
  if (!TextOf(value, &text) || !InMemory(out, sizeof(*out))) {
    return static_cast<int32_t>(Fail("TVMFFITypeKeyToIndex: an address is outside of memory"));
  }
  for (const TypeInfo& type : kTypes) {
    if (text == TextView(type.type_key.data, type.type_key.size)) {
      *out = type.type_index;
      return 0;
    }
  }
  return static_cast<int32_t>(Fail("the runtime has no type '", text, "'"));
}

CARAT_WASM_EXPORT(TVMFFIGetTypeInfo) const void* TVMFFIGetTypeInfo(int32_t type_index) {
  for (const TypeInfo& type : kTypes) {
    if (type.type_index == type_index) return &type;
  }
  return nullptr;
}

// `out` is given the text as an object, and may be where `dtype` is.
CARAT_WASM_EXPORT(TVMFFIDataTypeToString)
int32_t TVMFFIDataTypeToString(const DLDataType* dtype, Object** out) {
  if (!InMemory(dtype, sizeof(*dtype)) || !InMemory(out, sizeof(void*))) {
    return static_cast<int32_t>(Fail("TVMFFIDataTypeToString: an address is outside of memory"));
  }
  Owned<StringObject> text = MakeString(NameOf(*dtype));
  if (!text) return static_cast<int32_t>(FailForMemory());
  *out = text.Detach();
  return 0;
}

// {major, minor, patch} of the tvm-ffi whose ABI this is.
CARAT_WASM_EXPORT(TVMFFIGetVersion) void TVMFFIGetVersion(uint32_t* version) {
  if (!InMemory(version, 3 * sizeof(uint32_t))) return;
  version[0] = 0;
  version[1] = 1;
  version[2] = 0;
}

}  // namespace carat::webllm
