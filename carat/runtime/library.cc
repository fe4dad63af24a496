#include "carat/runtime/library.h"

#include <dlfcn.h>
#include <fmt/ranges.h>
#include <tvm/ffi/c_api.h>

#include <array>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/library/cpu_features.h"

namespace carat::runtime {

namespace {

using library::LibraryMetadata;

static_assert(TVM_FFI_VERSION_MAJOR == 0 && TVM_FFI_VERSION_MINOR == 1,
              "library::kTvmFfiAbi says which ABI this is built for");

std::string AbiOf(const TVMFFIVersion& version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

void CheckRunsHere(const LibraryMetadata& metadata, const std::string& path) {
  if (metadata.tvm_ffi_abi != library::kTvmFfiAbi) {
    throw VersionMismatchError(
        "{}: compiled for TVM FFI {}, but this Carat uses {}; run 'carat compile MODEL' again",
        path, metadata.tvm_ffi_abi, library::kTvmFfiAbi);
  }
  const std::vector<std::string> missing = library::MissingFeatures(metadata.cpu_features);
  if (!missing.empty()) {
    throw Error(
        "{}: compiled for {}, but this processor lacks {}; compile it here, or with --target {}",
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
  TensorView(const void* data, DLDataType type, std::array<int64_t, 2> shape,
             int32_t num_dimensions)
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

TVMFFIAny TensorValue(TensorView& tensor) {
  TVMFFIAny value = {};
  value.type_index = kTVMFFIDLTensorPtr;
  value.v_ptr = tensor.get();
  return value;
}

// None for nullptr.
TVMFFIAny PointerValue(const void* pointer) {
  TVMFFIAny value = {};
  value.type_index = pointer == nullptr ? kTVMFFINone : kTVMFFIOpaquePtr;
  value.v_ptr = std::bit_cast<void*>(pointer);  // the FFI's pointers are not const
  return value;
}

// The message of the error that the last call on this thread raised.
std::string TakeRaisedError() {
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  if (error == nullptr) return "no reason given";
  const TVMFFIByteArray& message = TVMFFIErrorGetCellPtr(error)->message;
  std::string text(message.data, message.size);
  TVMFFIObjectDecRef(error);
  return text;
}

constexpr char kForwardSymbol[] = "__tvm_ffi_forward";

// How many rows of `row_bytes` the buffer has.
int64_t NumRows(std::span<const std::byte> buffer, int64_t row_bytes) {
  return row_bytes == 0 ? 0 : static_cast<int64_t>(buffer.size()) / row_bytes;
}

}  // namespace

void CheckTvmFfiVersion(const TVMFFIVersion& loaded) {
  if (AbiOf(loaded) == library::kTvmFfiAbi) return;
  throw VersionMismatchError(
      "this Carat was built for TVM FFI {}, but the libtvm_ffi.so it runs with is {}.{}.{}; run: "
      "pip "
      "install 'apache-tvm-ffi=={}.*'",
      library::kTvmFfiAbi, loaded.major, loaded.minor, loaded.patch, library::kTvmFfiAbi);
}

Library::Library(const std::filesystem::path& path, LibraryMetadata metadata)
    : metadata_(std::move(metadata)) {
  TVMFFIVersion loaded = {};
  TVMFFIGetVersion(&loaded);
  CheckTvmFfiVersion(loaded);
  CheckRunsHere(metadata_, path.string());
  // An absolute path: a bare name would be searched for elsewhere.
  handle_.reset(dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL));
  if (handle_ == nullptr) {
    throw Error("{}: cannot be loaded: {}; compile the model again", path.string(), dlerror());
  }
  forward_ = reinterpret_cast<TVMFFISafeCallType>(dlsym(handle_.get(), kForwardSymbol));
  if (forward_ == nullptr) {
    throw Error("{}: has no function {}; compile the model again", path.string(), kForwardSymbol);
  }
}

void Library::CloseLibrary::operator()(void* handle) const { dlclose(handle); }

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

  const std::array<TVMFFIAny, 10> values = {
      TensorValue(weights),   TensorValue(kv_pages),
      TensorValue(kv_rings),  TensorValue(scratch),
      TensorValue(sequences), TensorValue(page_table),
      TensorValue(tokens),    TensorValue(logit_rows),
      TensorValue(logits),    PointerValue(arguments.thread_pool)};
  TVMFFIAny result = {};
  if (forward_(nullptr, values.data(), values.size(), &result) != 0) {
    throw Error("the model's library refused a step: {}", TakeRaisedError());
  }
}

}  // namespace carat::runtime
