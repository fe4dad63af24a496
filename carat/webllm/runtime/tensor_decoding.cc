// Weights as they are stored become weights as they are used, in tensors on the cpu: bytes as they
// are, or numbers of bfloat16, the upper half of float32's bits.

#include "carat/webllm/runtime/dtype.h"
#include "carat/webllm/runtime/functions.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {
namespace {

Status GetTensor(const Arguments& arguments, TensorObject** tensor) {
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, tensor));
  if (IsOnGpu(*(*tensor)->storage)) {
    return Fail(arguments.Function(), ": the tensor must be on the cpu");
  }
  return Status::kOk;
}

Status CheckBfloat16(const TensorObject& tensor, uint64_t num_bytes) {
  if (NameOf(tensor.tensor.dtype) == TextView("float32") && 2 * num_bytes == BytesOf(tensor)) {
    return Status::kOk;
  }
  return Fail(num_bytes, " bytes of bfloat16 are decoded into a tensor of ", BytesOf(tensor),
              " bytes of ", NameOf(tensor.tensor.dtype));
}

// From the last on, so that `bfloat16` may be where the first half of `out` is.
void DecodeBfloat16(const char* bfloat16, char* out, uint64_t count) {
  for (auto i = static_cast<size_t>(count); i > 0; --i) {
    const char low = bfloat16[2 * (i - 1)];
    const char high = bfloat16[2 * (i - 1) + 1];
    char* decoded = out + 4 * (i - 1);
    decoded[0] = 0;
    decoded[1] = 0;
    decoded[2] = low;
    decoded[3] = high;
  }
}

// tvmjs.array.decode_storage(tensor, bytes, format, dtype)
Status DecodeStorage(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TensorObject* tensor = nullptr;
  TextView bytes;
  TextView format;
  TextView dtype;
  CARAT_RETURN_IF_FAILED(GetTensor(arguments, &tensor));
  CARAT_RETURN_IF_FAILED(arguments.GetText(1, &bytes));
  CARAT_RETURN_IF_FAILED(arguments.GetText(2, &format));
  CARAT_RETURN_IF_FAILED(arguments.GetText(3, &dtype));
  if (format == TextView("f32-to-bf16") && dtype == TextView("float32")) {
    CARAT_RETURN_IF_FAILED(CheckBfloat16(*tensor, bytes.size));
    DecodeBfloat16(bytes.data, CpuData(*tensor), bytes.size / 2);
    return Status::kOk;
  }
  if (!(format == TextView("raw")) && !(format == TextView("f32-to-bf16"))) {
    return Fail("tensor-cache.json: the format '", format, "' is neither raw nor f32-to-bf16");
  }
  if (bytes.size != BytesOf(*tensor)) {
    return Fail(bytes.size, " stored bytes are decoded into a tensor of ", BytesOf(*tensor));
  }
  __builtin_memmove(CpuData(*tensor), bytes.data, bytes.size);
  return Status::kOk;
}

// tvmjs.array.decode_bf16_to_f32_inplace(tensor, num_bytes), of bytes in the tensor's first half
Status DecodeInPlace(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TensorObject* tensor = nullptr;
  int64_t num_bytes = 0;
  CARAT_RETURN_IF_FAILED(GetTensor(arguments, &tensor));
  CARAT_RETURN_IF_FAILED(arguments.GetInt(1, &num_bytes));
  if (num_bytes < 0) return Fail(arguments.Function(), ": ", num_bytes, " bytes");
  CARAT_RETURN_IF_FAILED(CheckBfloat16(*tensor, static_cast<uint64_t>(num_bytes)));
  DecodeBfloat16(CpuData(*tensor), CpuData(*tensor), static_cast<uint64_t>(num_bytes) / 2);
  return Status::kOk;
}

constexpr NativeFunction kFunctions[] = {
    {"tvmjs.array.decode_storage", DecodeStorage, 4, 4},
    {"tvmjs.array.decode_bf16_to_f32_inplace", DecodeInPlace, 2, 2},
};

}  // namespace

Status RegisterTensorDecoding() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
