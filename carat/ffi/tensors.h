// Tensors as hosts hand them in, checked, and tensors made for them.

#ifndef CARAT_FFI_TENSORS_H_
#define CARAT_FFI_TENSORS_H_

#include <tvm/ffi/any.h>
#include <tvm/ffi/container/tensor.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "carat/base/types.h"

namespace carat::ffi {

// Token ids: a CPU tensor [n] of int32 or int64, with any stride, or an array of integers. Throws
// InvalidArgumentError naming the argument `name` for anything else, and for ids that are not in
// [0, vocab_size).
std::vector<TokenId> TokensFrom(tvm::ffi::AnyView value, std::string_view name, int64_t vocab_size);

// A tensor of f32 [rows, columns] in CPU memory, contiguous and aligned to 64 bytes (what jax asks
// for to share it), not initialised. Throws Error if there is no memory for it.
tvm::ffi::Tensor NewMatrix(int64_t rows, int64_t columns);

// The elements of a contiguous CPU tensor of f32 [rows, columns]. Throws InvalidArgumentError
// naming the argument `name` for anything else.
std::span<float> MatrixFrom(const tvm::ffi::Tensor& tensor, std::string_view name, int64_t rows,
                            int64_t columns);

}  // namespace carat::ffi

#endif  // CARAT_FFI_TENSORS_H_
