// A compiled library in memory: found sound and runnable here, then loaded, then called through the
// TVM FFI.

#ifndef CARAT_RUNTIME_LIBRARY_H_
#define CARAT_RUNTIME_LIBRARY_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "carat/base/types.h"
#include "carat/kernels/cpu/abi.h"
#include "carat/library/metadata.h"

namespace carat::runtime {

// One sequence's share of a forward call: `count` tokens at positions start.. of the sequence in
// `slot`.
struct StepSequence {
  int32_t slot;
  int32_t start;
  int32_t count;
};
static_assert(sizeof(StepSequence) == 3 * sizeof(int32_t), "rows of an int32 [b, 3] tensor");

// What a forward call reads and writes, all of it the caller's memory.
struct ForwardArguments {
  std::span<const std::byte> weights;            // weights.bin, header included
  std::span<std::byte> kv_pages;                 // [num_pages, page_bytes]
  std::span<std::byte> kv_rings;                 // [max_batch_size, ring_bytes]
  std::span<std::byte> scratch;                  // shared + num_threads * thread bytes
  std::span<const StepSequence> sequences;       // [b]
  std::span<const int32_t> page_table;           // [b, max_pages_per_sequence], -1: no page
  std::span<const TokenId> tokens;               // [n], the sequences' tokens one after the other
  std::span<const int32_t> logit_rows;           // [r], ascending indices into tokens
  std::span<float> logits;                       // [r, vocab_size]
  const CaratThreadPool* thread_pool = nullptr;  // nullptr: runs on the caller
};

// Throws VersionMismatchError unless `loaded`, what libtvm_ffi.so says of itself, has the ABI that
// this program was built for.
void CheckTvmFfiVersion(const TVMFFIVersion& loaded);

class Library {
 public:
  // `metadata` is what ReadLibraryMetadata found in the file: the caller may refuse by it before
  // any code of the library runs. Throws Error, still before, if the library was compiled for
  // another TVM FFI or for a processor unlike this one.
  Library(const std::filesystem::path& path, library::LibraryMetadata metadata);

  const library::LibraryMetadata& metadata() const { return metadata_; }

  // Throws Error with the library's words if it refuses the arguments.
  void Forward(const ForwardArguments& arguments) const;

 private:
  struct CloseLibrary {
    void operator()(void* handle) const;
  };

  library::LibraryMetadata metadata_;
  std::unique_ptr<void, CloseLibrary> handle_;  // of dlopen
  TVMFFISafeCallType forward_ = nullptr;        // the library's __tvm_ffi_forward
};

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_LIBRARY_H_
