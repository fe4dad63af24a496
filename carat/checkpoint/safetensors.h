// The safetensors format (https://huggingface.co/docs/safetensors):
//
//     | u64 n | n bytes of JSON | data |
//
// The JSON maps each tensor's name to its dtype, its shape and the range [begin, end) of its bytes
// in data. Tensors do not overlap, leave no holes, and fill data to its end.

#ifndef CARAT_CHECKPOINT_SAFETENSORS_H_
#define CARAT_CHECKPOINT_SAFETENSORS_H_

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "carat/checkpoint/tensor.h"

namespace carat::checkpoint {

inline constexpr size_t kMaxSafetensorsHeaderBytes = 100'000'000;  // the format's own limit

// The tensors of a file, in the order of their data; their bytes point into `file`. `where` names
// the file in errors. Any sequence of bytes is either a valid file or an Error.
std::vector<TensorInfo> ParseSafetensors(std::span<const std::byte> file, std::string_view where);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_SAFETENSORS_H_
