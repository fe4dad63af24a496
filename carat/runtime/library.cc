#include "carat/runtime/library.h"

#include <fmt/ranges.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/module.h>

#include <array>
#include <bit>

#include "carat/base/error.h"
#include "carat/library/cpu_features.h"
#include "carat/library/library_file.h"

namespace carat::runtime {

namespace {

using library::LibraryMetadata;

void CheckRunsHere(const LibraryMetadata& metadata, const std::string& path) {
  if (metadata.tvm_ffi_abi != library::kTvmFfiAbi) {
    throw Error("{}: compiled for TVM FFI {}, but this Carat uses {}; compile the model again", path,
                metadata.tvm_ffi_abi, library::kTvmFfiAbi);
  }
  const std::vector<std::string> missing = library::MissingFeatures(metadata.cpu_features);
  if (!missing.empty()) {
    throw Error("{}: compiled for {}, but this processor lacks {}; compile it here, or with --target {}",
                path, metadata.target, fmt::join(missing, ", "), library::BestTarget().name);
  }
}

// A contiguous tensor over memory that somebody else owns.
class TensorView {
 public:
  template <typename T>
  TensorView(std::span<T> data, DLDataType type, std::array<int64_t, 2> shape)
      : TensorView(data.data(), type, shape, 2) {}

  template <typename T>
  TensorView(std::span<T> data, DLDataType type)
      : TensorView(data.data(), type, {static_cast<int64_t>(data.size()), 1}, 1) {}

  TensorView(const TensorView&) = delete;  // tensor_ points into this object
  TensorView& operator=(const TensorView&) = delete;

  DLTensor* get() { return &tensor_; }

 private:
  TensorView(const void* data, DLDataType type, std::array<int64_t, 2> shape, int32_t num_dimensions)
      : shape_(shape), strides_({num_dimensions == 2 ? shape[1] : 1, 1}) {
    tensor_.data = std::bit_cast<void*>(data);  // DLPack cannot say that a tensor is only read
    tensor_.device = {kDLCPU, 0};
    tensor_.ndim = num_dimensions;
    tensor_.dtype = type;
    tensor_.shape = shape_.data();
    tensor_.strides = strides_.data();
    tensor_.byte_offset = 0;
  }

  std::array<int64_t, 2> shape_;
  std::array<int64_t, 2> strides_;
  DLTensor tensor_;
};

constexpr DLDataType kUInt8 = {kDLUInt, 8, 1};
constexpr DLDataType kInt32 = {kDLInt, 32, 1};
constexpr DLDataType kFloat32 = {kDLFloat, 32, 1};

// How many rows of `row_bytes` the buffer has.
int64_t NumRows(std::span<const std::byte> buffer, int64_t row_bytes) {
  return row_bytes == 0 ? 0 : static_cast<int64_t>(buffer.size()) / row_bytes;
}

}  // namespace

struct Library::Functions {
  explicit Functions(const std::filesystem::path& path)
      : module(tvm::ffi::Module::LoadFromFile(std::filesystem::absolute(path).string())),
        forward(module->GetFunction("forward").value()) {}

  tvm::ffi::Module module;
  tvm::ffi::Function forward;
};

Library::Library(const std::filesystem::path& path)
    : metadata_(library::ReadLibraryMetadata(path)) {
  CheckRunsHere(metadata_, path.string());
  try {
    functions_ = std::make_unique<const Functions>(path);
  } catch (const std::exception& error) {
    throw Error("{}: cannot be loaded: {}", path.string(), error.what());
  }
}

Library::~Library() = default;

void Library::Forward(const ForwardArguments& arguments) const {
  const auto num_sequences = static_cast<int64_t>(arguments.sequences.size());
  const auto num_logit_rows = static_cast<int64_t>(arguments.logit_rows.size());
  TensorView weights(arguments.weights, kUInt8);
  TensorView kv_pages(arguments.kv_pages, kUInt8,
                      {NumRows(arguments.kv_pages, metadata_.page_bytes), metadata_.page_bytes});
  TensorView kv_rings(arguments.kv_rings, kUInt8,
                      {NumRows(arguments.kv_rings, metadata_.ring_bytes), metadata_.ring_bytes});
  TensorView scratch(arguments.scratch, kUInt8);
  TensorView sequences(arguments.sequences, kInt32, {num_sequences, 3});
  TensorView page_table(arguments.page_table, kInt32,
                        {num_sequences, metadata_.max_pages_per_sequence()});
  TensorView tokens(arguments.tokens, kInt32);
  TensorView logit_rows(arguments.logit_rows, kInt32);
  TensorView logits(arguments.logits, kFloat32, {num_logit_rows, metadata_.vocab_size});
  tvm::ffi::AnyView pool;
  if (arguments.thread_pool != nullptr) {
    pool = std::bit_cast<void*>(arguments.thread_pool);  // the FFI's opaque pointers are not const
  }
  try {
    functions_->forward(weights.get(), kv_pages.get(), kv_rings.get(), scratch.get(),
                        sequences.get(), page_table.get(), tokens.get(), logit_rows.get(),
                        logits.get(), pool);
  } catch (const tvm::ffi::Error& error) {
    throw Error("the model's library refused a step: {}", std::string(error.message()));
  }
}

}  // namespace carat::runtime
