#include "carat/ffi/tensors.h"

#include <dlpack/dlpack.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/dtype.h>
#include <tvm/ffi/error.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "carat/base/error.h"

namespace carat::ffi {

namespace {

using tvm::ffi::AnyView;
using tvm::ffi::Tensor;

constexpr size_t kAlignment = 64;

bool HasType(DLDataType type, DLDataTypeCode code, int bits) {
  return type.code == code && type.bits == bits && type.lanes == 1;
}

std::string TypeName(DLDataType type) {
  try {
    return std::string(tvm::ffi::DLDataTypeToString(type));
  } catch (const tvm::ffi::Error&) {  // complex numbers, for one
    return fmt::format("{} bits of an unknown type", int{type.bits});
  }
}

// "float64[3, 2]", and where it is if that is not the CPU's memory.
std::string Describe(const DLTensor& tensor) {
  const bool on_cpu = tensor.device.device_type == kDLCPU;
  const std::span<const int64_t> shape(tensor.shape, tensor.ndim);
  return fmt::format("{}[{}]{}", TypeName(tensor.dtype), fmt::join(shape, ", "),
                     on_cpu ? "" : " on a device");
}

TokenId CheckedToken(int64_t token, size_t index, std::string_view name, int64_t vocab_size) {
  if (token >= 0 && token < vocab_size) return static_cast<TokenId>(token);
  throw InvalidArgumentError("{}[{}] is {}, which is outside the vocabulary of {} tokens", name,
                             index, token, vocab_size);
}

// The first element. Throws if no `Element` can be there.
template <typename Element>
Element* DataOf(const DLTensor& tensor, std::string_view name) {
  auto* data = static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
  if (reinterpret_cast<uintptr_t>(data) % alignof(Element) == 0) {
    return reinterpret_cast<Element*>(data);
  }
  throw InvalidArgumentError("{}: does not begin at a multiple of {} bytes", name,
                             alignof(Element));
}

template <typename Element>
std::vector<TokenId> ReadTokens(const DLTensor& tensor, std::string_view name, int64_t vocab_size) {
  const auto* data = DataOf<const Element>(tensor, name);
  const int64_t stride = tensor.strides == nullptr ? 1 : tensor.strides[0];
  std::vector<TokenId> tokens(tensor.shape[0]);
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = CheckedToken(data[static_cast<int64_t>(i) * stride], i, name, vocab_size);
  }
  return tokens;
}

std::vector<TokenId> TokensFromTensor(const DLTensor& tensor, std::string_view name,
                                      int64_t vocab_size) {
  if (tensor.ndim == 1 && tensor.device.device_type == kDLCPU) {
    if (HasType(tensor.dtype, kDLInt, 32)) return ReadTokens<int32_t>(tensor, name, vocab_size);
    if (HasType(tensor.dtype, kDLInt, 64)) return ReadTokens<int64_t>(tensor, name, vocab_size);
  }
  throw InvalidArgumentError("{}: is {}, expected int32 or int64 of one dimension in CPU memory",
                             name, Describe(tensor));
}

// For Tensor::FromNDAlloc.
struct AlignedMemory {
  void AllocData(DLTensor* tensor) {
    const size_t num_bytes = tvm::ffi::GetDataSize(*tensor);
    const size_t whole = (std::max<size_t>(num_bytes, 1) + kAlignment - 1) / kAlignment;
    tensor->data = std::aligned_alloc(kAlignment, whole * kAlignment);
    if (tensor->data == nullptr) throw std::bad_alloc();
  }
  void FreeData(DLTensor* tensor) { std::free(tensor->data); }
};

}  // namespace

std::vector<TokenId> TokensFrom(AnyView value, std::string_view name, int64_t vocab_size) {
  if (const auto tensor = value.try_cast<DLTensor*>()) {
    return TokensFromTensor(**tensor, name, vocab_size);
  }
  const auto array = value.try_cast<tvm::ffi::Array<int64_t>>();
  if (!array) {
    throw InvalidArgumentError("{}: is {}, expected a tensor or a list of token ids", name,
                               value.type_index() == tvm::ffi::TypeIndex::kTVMFFIArray
                                   ? "a list of other things than integers"
                                   : "of type " + value.GetTypeKey());
  }
  std::vector<TokenId> tokens;
  tokens.reserve(array->size());
  for (const int64_t token : *array) {
    tokens.push_back(CheckedToken(token, tokens.size(), name, vocab_size));
  }
  return tokens;
}

Tensor NewMatrix(int64_t rows, int64_t columns) {
  try {
    return Tensor::FromNDAlloc(AlignedMemory(), {rows, columns}, {kDLFloat, 32, 1}, {kDLCPU, 0});
  } catch (const std::bad_alloc&) {
    throw Error("no memory for {} x {} logits; ask for fewer at once, or for the last token's only",
                rows, columns);
  }
}

std::span<float> MatrixFrom(const Tensor& tensor, std::string_view name, int64_t rows,
                            int64_t columns) {
  const bool fits = HasType(tensor.dtype(), kDLFloat, 32) &&
                    tensor.device().device_type == kDLCPU && tensor.ndim() == 2 &&
                    tensor.size(0) == rows && tensor.size(1) == columns;
  if (!fits || !tensor.IsContiguous()) {
    throw InvalidArgumentError("{}: is {}{}, expected contiguous float32[{}, {}] in CPU memory",
                               name, fits ? "non-contiguous " : "",
                               Describe(*tensor.GetDLTensorPtr()), rows, columns);
  }
  return {DataOf<float>(*tensor.GetDLTensorPtr(), name), static_cast<size_t>(rows * columns)};
}

}  // namespace carat::ffi
