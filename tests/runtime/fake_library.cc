// A library with the exports of a compiled one and a "model" whose logits show what the runtime
// handed it:
//
//   pages and rings hold the token ids themselves, one int32 a token
//   logits[(token + 1) % 30] = 1000          greedy decoding counts up
//   logits[30] = -(sum over positions p of the whole text of token * (p + 1))      out of the pages
//   logits[31] = -(the same over the sliding window)                                out of the ring
//
// Token 13 makes it fail; so does any argument that does not fit the metadata.

#include <tvm/ffi/c_api.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "carat/kernels/cpu/abi.h"

extern "C" {
TVM_FFI_DLL_EXPORT extern const char carat_library_metadata[];
const char carat_library_metadata[] =
#include "fake_metadata.inc"
    ;
}

namespace {

constexpr int64_t kVocabSize = 32;
constexpr int64_t kChunk = 5;
constexpr int64_t kMaxBatch = 2;
constexpr int64_t kWindow = 6;
constexpr int64_t kPageTokens = 4;
constexpr int64_t kMaxPages = 8;
constexpr int64_t kRingTokens = 8;
constexpr int64_t kWeightsBytes = 192;
constexpr int64_t kScratchSharedBytes = 256;
constexpr int64_t kScratchThreadBytes = 64;

int Fail(const char* message) {
  TVMFFIErrorSetRaisedFromCStr("ValueError", message);
  return -1;
}

struct Arguments {
  explicit Arguments(const TVMFFIAny* args) {
    for (int i = 0; i < 9; ++i) tensors[i] = static_cast<const DLTensor*>(args[i].v_ptr);
    if (args[9].type_index == kTVMFFIOpaquePtr) {
      pool = static_cast<const CaratThreadPool*>(args[9].v_ptr);
    }
  }

  template <typename T>
  T* Data(int i) const {
    return static_cast<T*>(tensors[i]->data);
  }
  int64_t Rows(int i) const { return tensors[i]->shape[0]; }

  bool Has(int i, DLDataTypeCode code, int bits, std::vector<int64_t> shape) const {
    const DLTensor& tensor = *tensors[i];
    return tensor.dtype.code == code && tensor.dtype.bits == bits && tensor.dtype.lanes == 1 &&
           tensor.device.device_type == kDLCPU && tensor.byte_offset == 0 &&
           std::vector<int64_t>(tensor.shape, tensor.shape + tensor.ndim) == shape;
  }

  int32_t num_threads() const { return pool == nullptr ? 1 : pool->num_threads; }

  const char* FirstMistake() const {
    const int64_t b = Rows(4);
    const int64_t scratch = kScratchSharedBytes + num_threads() * kScratchThreadBytes;
    if (!Has(0, kDLUInt, 8, {kWeightsBytes})) return "weights";
    if (reinterpret_cast<uintptr_t>(tensors[0]->data) % 64 != 0) return "weights alignment";
    if (!Has(1, kDLUInt, 8, {kMaxBatch * kMaxPages, kPageTokens * 4})) return "kv_pages";
    if (!Has(2, kDLUInt, 8, {kMaxBatch, kRingTokens * 4})) return "kv_rings";
    if (!Has(3, kDLUInt, 8, {scratch})) return "scratch";
    if (b < 1 || b > kMaxBatch || !Has(4, kDLInt, 32, {b, 3})) return "sequences";
    if (!Has(5, kDLInt, 32, {b, kMaxPages})) return "page_table";
    if (Rows(6) > kChunk || !Has(6, kDLInt, 32, {Rows(6)})) return "tokens";
    if (!Has(7, kDLInt, 32, {Rows(7)})) return "logit_rows";
    if (!Has(8, kDLFloat, 32, {Rows(7), kVocabSize})) return "logits";
    return nullptr;
  }

  std::array<const DLTensor*, 9> tensors;
  const CaratThreadPool* pool = nullptr;
};

// The text of a sequence as its pages and ring hold it.
struct Text {
  int32_t* pages;
  const int32_t* page_table;
  int32_t* ring;

  int32_t& InPages(int64_t position) const {
    return pages[page_table[position / kPageTokens] * kPageTokens + position % kPageTokens];
  }
  int32_t& InRing(int64_t position) const { return ring[position % kRingTokens]; }
};

void WriteLogits(const Text& text, int64_t position, float* logits) {
  std::fill_n(logits, kVocabSize, 0.0f);
  logits[(text.InPages(position) + 1) % 30] = 1000;
  for (int64_t p = 0; p <= position; ++p) logits[30] -= text.InPages(p) * (p + 1.0f);
  for (int64_t p = std::max<int64_t>(0, position - kWindow + 1); p <= position; ++p) {
    logits[31] -= text.InRing(p) * (p + 1.0f);
  }
}

void RunSequences(const Arguments& arguments) {
  const int32_t* sequence = arguments.Data<const int32_t>(4);
  const int32_t* tokens = arguments.Data<const int32_t>(6);
  const int32_t* logit_row = arguments.Data<const int32_t>(7);
  const int32_t* const last_logit_row = logit_row + arguments.Rows(7);
  float* logits = arguments.Data<float>(8);
  int32_t row = 0;
  for (int64_t i = 0; i < arguments.Rows(4); ++i, sequence += 3) {
    const auto [slot, start, count] = std::array{sequence[0], sequence[1], sequence[2]};
    const Text text = {arguments.Data<int32_t>(1), arguments.Data<const int32_t>(5) + i * kMaxPages,
                       arguments.Data<int32_t>(2) + slot * kRingTokens};
    for (int64_t position = start; position < start + count; ++position, ++row) {
      text.InPages(position) = tokens[row];
      text.InRing(position) = tokens[row];
      if (logit_row == last_logit_row || *logit_row != row) continue;
      WriteLogits(text, position, logits);
      ++logit_row;
      logits += kVocabSize;
    }
  }
}

// What each thread of the pool runs: the whole work on the last one, so that it is seen to run.
struct Task {
  const Arguments* arguments;
  static void Run(void* self, int32_t thread) {
    const Arguments& arguments = *static_cast<Task*>(self)->arguments;
    if (thread == arguments.num_threads() - 1) RunSequences(arguments);
  }
};

}  // namespace

// Lets a test see whether loading came so far.
[[gnu::constructor]] static void Loaded() { setenv("CARAT_FAKE_LIBRARY_RAN", "1", 1); }

extern "C" TVM_FFI_DLL_EXPORT int __tvm_ffi_forward(void*, const TVMFFIAny* args, int32_t num_args,
                                                    TVMFFIAny*) {
  if (num_args != 10) return Fail("10 arguments expected");
  const Arguments arguments(args);
  if (const char* mistake = arguments.FirstMistake()) return Fail(mistake);
  const int32_t* tokens = arguments.Data<const int32_t>(6);
  if (std::find(tokens, tokens + arguments.Rows(6), 13) != tokens + arguments.Rows(6)) {
    return Fail("token 13 is bad luck");
  }
  Task task = {&arguments};
  if (arguments.pool == nullptr) {
    Task::Run(&task, 0);
  } else {
    arguments.pool->launch(arguments.pool->self, Task::Run, &task);
  }
  return 0;
}
