// The TVM FFI side of a compiled library: reads the arguments of `forward`, checks every shape,
// index and token (they come from any host and may be anything), and runs the step on the caller's
// threads.
//
// clang-format off
//   forward(weights    u8  [weights_bytes]        weights.bin, 64-byte aligned
//           kv_pages   u8  [pages, page_bytes]    full-attention layers; any number of pages; 4-byte aligned
//           kv_rings   u8  [slots, ring_bytes]    sliding layers, one slot a sequence; 4-byte aligned
//           scratch    u8  [shared + threads * thread bytes]    64-byte aligned
//           sequences  i32 [b, 3]                 slot, position of the first token, number of tokens
//           page_table i32 [b, max_pages]         pages of each sequence, in order
//           tokens     i32 [n]                    the sequences' tokens, one after another
//           logit_rows i32 [r]                    ascending indices into tokens
//           logits     f32 [r, vocab_size]        written
//           pool       None, or a pointer to a CaratThreadPool)
// clang-format on
//
// Only the C ABI of the TVM FFI is used, as it was in its version 0.1.0.

#ifndef CARAT_KERNELS_CPU_LIBRARY_ENTRY_H_
#define CARAT_KERNELS_CPU_LIBRARY_ENTRY_H_

#include <dlpack/dlpack.h>
#include <tvm/ffi/c_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "carat/kernels/cpu/abi.h"
#include "carat/kernels/cpu/step.h"

namespace carat::cpu {

// What a library was compiled for.
struct LibraryLimits {
  int64_t vocab_size;
  int64_t context_window_size;
  int64_t prefill_chunk_size;
  int64_t max_batch_size;
  int64_t weights_bytes;
  int64_t page_bytes;  // 0: no full-attention layers
  int64_t ring_bytes;  // 0: no sliding layers
  int64_t scratch_shared_bytes;
  int64_t scratch_thread_bytes;
};

// Collects the arguments one by one; the first thing that is wrong stays in error().
class ArgumentReader {
 public:
  explicit ArgumentReader(const TVMFFIAny* args) : args_(args) {}

  // The data of a contiguous CPU tensor of `ndim` dimensions; its sizes go to `shape`. Null if it
  // is empty.
  template <class T>
  T* Tensor(std::string_view name, DLDataTypeCode code, int ndim, int64_t* shape,
            size_t alignment = alignof(T)) {
    const TVMFFIAny* arg = args_++;
    const DLTensor* tensor = nullptr;
    if (arg->type_index == kTVMFFITensor) tensor = TVMFFITensorGetDLTensorPtr(arg->v_obj);
    if (arg->type_index == kTVMFFIDLTensorPtr) tensor = static_cast<const DLTensor*>(arg->v_ptr);
    if (tensor == nullptr) return Fail<T>(name, "is not a tensor");
    if (tensor->device.device_type != kDLCPU) return Fail<T>(name, "is not in CPU memory");
    if (tensor->dtype.code != code || tensor->dtype.bits != 8 * sizeof(T) ||
        tensor->dtype.lanes != 1) {
      return Fail<T>(name, "has the wrong element type, expected " + TypeName(code, sizeof(T)));
    }
    if (tensor->ndim != ndim) {
      return Fail<T>(name, "has " + std::to_string(tensor->ndim) + " dimensions, expected " +
                               std::to_string(ndim));
    }
    int64_t num_elements = 1;
    for (int i = ndim - 1; i >= 0; --i) {
      shape[i] = tensor->shape[i];
      if (shape[i] < 0) return Fail<T>(name, "has a negative dimension");
      if (tensor->strides != nullptr && shape[i] > 1 && tensor->strides[i] != num_elements) {
        return Fail<T>(name, "is not contiguous");
      }
      if (shape[i] > 0 && num_elements > kMaxElements / shape[i]) {
        return Fail<T>(name, "is larger than memory can be");
      }
      num_elements *= shape[i];
    }
    if (num_elements == 0) return nullptr;
    if (tensor->data == nullptr) return Fail<T>(name, "has no data");
    auto* data = static_cast<uint8_t*>(tensor->data) + tensor->byte_offset;
    if (reinterpret_cast<uintptr_t>(data) % alignment != 0) {
      return Fail<T>(name,
                     "does not begin at a multiple of " + std::to_string(alignment) + " bytes");
    }
    return reinterpret_cast<T*>(data);
  }

  const CaratThreadPool* ThreadPool() {
    const TVMFFIAny* arg = args_++;
    if (arg->type_index == kTVMFFINone) return nullptr;
    if (arg->type_index != kTVMFFIOpaquePtr) {
      Fail<void>("pool", "is neither None nor a pointer to a CaratThreadPool");
      return nullptr;
    }
    return static_cast<const CaratThreadPool*>(arg->v_ptr);
  }

  // `message` is called only when something is wrong: a step costs no strings.
  template <class Message>
  void Check(bool holds, Message&& message) {
    if (!holds && error_.empty()) error_ = message();
  }

  bool ok() const { return error_.empty(); }

  const std::string& error() const { return error_; }

 private:
  template <class T>
  T* Fail(std::string_view name, const std::string& what) {
    Check(false, [&] { return std::string(std::string(name) + " " + what); });
    return nullptr;
  }

  // As numpy and others name it.
  static std::string TypeName(DLDataTypeCode code, size_t num_bytes) {
    const char* kind = code == kDLFloat ? "float" : code == kDLUInt ? "uint" : "int";
    return kind + std::to_string(8 * num_bytes);
  }

  static constexpr int64_t kMaxElements = int64_t{1} << 60;

  const TVMFFIAny* args_;  // the next one
  std::string error_;
};

// Pages [first, last] of a sequence's table that the step writes.
struct WrittenPages {
  const int32_t* begin;
  const int32_t* end;

  WrittenPages(const StepInputs& in, int64_t index) {
    const Sequence& s = in.sequences[index];
    const int32_t* table = in.page_table + index * in.max_pages;
    begin = table + s.start / kPageTokens;
    end = table + (int64_t{s.start} + s.count - 1) / kPageTokens + 1;
  }
};

// Sequences may share pages they only read, as prefixes are; what two of them write must differ.
inline void CheckApart(ArgumentReader& reader, const StepInputs& in, const LibraryLimits& limits) {
  const auto num_sequences = static_cast<int64_t>(in.sequences.size());
  for (int64_t i = 0; i < num_sequences && reader.ok(); ++i) {
    for (int64_t j = i + 1; j < num_sequences && reader.ok(); ++j) {
      const auto names = [&] {
        return "sequences[" + std::to_string(i) + "] and sequences[" + std::to_string(j) + "] ";
      };
      reader.Check(limits.ring_bytes == 0 || in.sequences[i].slot != in.sequences[j].slot,
                   [&] { return names() + "are in the same slot"; });
      if (limits.page_bytes == 0) continue;
      const WrittenPages a(in, i);
      const WrittenPages b(in, j);
      reader.Check(std::find_first_of(a.begin, a.end, b.begin, b.end) == a.end,
                   [&] { return names() + "write to the same page"; });
    }
  }
}

// The indices inside the arguments: where sequences lie, what tokens there are.
inline void CheckContents(ArgumentReader& reader, const StepInputs& in, const LibraryLimits& limits,
                          int64_t num_slots, int64_t num_pages) {
  const auto n = static_cast<int64_t>(in.tokens.size());
  int64_t counted = 0;
  for (size_t i = 0; i < in.sequences.size(); ++i) {
    const Sequence& s = in.sequences[i];
    const auto name = [i] { return "sequences[" + std::to_string(i) + "]"; };
    const int64_t end = int64_t{s.start} + s.count;
    reader.Check(s.count > 0 && s.start >= 0,
                 [&] { return std::string(name() + " is empty or begins before position 0"); });
    reader.Check(end <= limits.context_window_size, [&] {
      return std::string(name() + " ends at position " + std::to_string(end) +
                         ", past the context of " + std::to_string(limits.context_window_size) +
                         " tokens");
    });
    if (!reader.ok()) return;
    reader.Check(limits.ring_bytes == 0 || (s.slot >= 0 && s.slot < num_slots), [&] {
      return std::string(name() + " is in slot " + std::to_string(s.slot) + " of " +
                         std::to_string(num_slots));
    });
    counted += s.count;
    if (limits.page_bytes == 0) continue;
    const int64_t pages_needed = (end + kPageTokens - 1) / kPageTokens;
    reader.Check(pages_needed <= in.max_pages, [&] {
      return std::string(name() + " needs " + std::to_string(pages_needed) +
                         " pages, page_table holds " + std::to_string(in.max_pages));
    });
    for (int64_t page = 0; page < pages_needed && reader.ok(); ++page) {
      const int32_t entry = in.page_table[static_cast<int64_t>(i) * in.max_pages + page];
      reader.Check(entry >= 0 && entry < num_pages, [&] {
        return std::string("page_table[" + std::to_string(i) + ", " + std::to_string(page) +
                           "] is " + std::to_string(entry) + ", there are " +
                           std::to_string(num_pages) + " pages");
      });
    }
  }
  if (reader.ok()) CheckApart(reader, in, limits);
  reader.Check(counted == n, [&] {
    return std::string("sequences count " + std::to_string(counted) + " tokens, tokens has " +
                       std::to_string(n));
  });
  for (int64_t i = 0; i < n && reader.ok(); ++i) {
    reader.Check(in.tokens[i] >= 0 && in.tokens[i] < limits.vocab_size, [&] {
      return std::string("tokens[" + std::to_string(i) + "] is " + std::to_string(in.tokens[i]) +
                         ", the vocabulary has " + std::to_string(limits.vocab_size) + " tokens");
    });
  }
  for (size_t i = 0; i < in.output_rows.size() && reader.ok(); ++i) {
    const int32_t row = in.output_rows[i];
    const bool ascends = i == 0 || row > in.output_rows[i - 1];
    reader.Check(ascends && row >= 0 && row < n, [&] {
      return std::string("logit_rows[" + std::to_string(i) + "] is " + std::to_string(row) +
                         "; expected ascending indices below " + std::to_string(n));
    });
  }
}

struct ForwardCall {
  StepInputs in;
  const CaratThreadPool* pool = nullptr;  // null: the caller's thread alone
};

inline std::string ReadForwardCall(const TVMFFIAny* args, int32_t num_args,
                                   const LibraryLimits& limits, ForwardCall& call) {
  constexpr int32_t kNumArguments = 10;
  constexpr size_t kCacheLine = 64;
  if (num_args != kNumArguments) {
    return "takes " + std::to_string(kNumArguments) + " arguments, but got " +
           std::to_string(num_args);
  }
  ArgumentReader reader(args);
  int64_t weights = 0;
  int64_t scratch = 0;
  int64_t pages[2] = {};
  int64_t rings[2] = {};
  int64_t sequences[2] = {};
  int64_t page_table[2] = {};
  int64_t tokens = 0;
  int64_t output_rows = 0;
  int64_t logits[2] = {};
  StepInputs& in = call.in;
  in.weights = reader.Tensor<uint8_t>("weights", kDLUInt, 1, &weights, kCacheLine);
  in.kv_pages = reader.Tensor<uint8_t>("kv_pages", kDLUInt, 2, pages, sizeof(float));
  in.kv_rings = reader.Tensor<uint8_t>("kv_rings", kDLUInt, 2, rings, sizeof(float));
  in.scratch = reader.Tensor<uint8_t>("scratch", kDLUInt, 1, &scratch, kCacheLine);
  const int32_t* triples = reader.Tensor<int32_t>("sequences", kDLInt, 2, sequences);
  in.page_table = reader.Tensor<int32_t>("page_table", kDLInt, 2, page_table);
  const int32_t* token_ids = reader.Tensor<int32_t>("tokens", kDLInt, 1, &tokens);
  const int32_t* rows = reader.Tensor<int32_t>("logit_rows", kDLInt, 1, &output_rows);
  in.logits = reader.Tensor<float>("logits", kDLFloat, 2, logits);
  call.pool = reader.ThreadPool();
  if (!reader.ok()) return reader.error();

  in.sequences = {reinterpret_cast<const Sequence*>(triples), static_cast<size_t>(sequences[0])};
  in.max_pages = page_table[1];
  in.tokens = {token_ids, static_cast<size_t>(tokens)};
  in.output_rows = {rows, static_cast<size_t>(output_rows)};
  const int64_t num_threads = call.pool != nullptr ? call.pool->num_threads : 1;
  const int64_t scratch_needed =
      limits.scratch_shared_bytes + num_threads * limits.scratch_thread_bytes;

  reader.Check(num_threads >= 1,
               [&] { return "pool has " + std::to_string(num_threads) + " threads"; });
  reader.Check(sequences[0] <= limits.max_batch_size, [&] {
    return std::to_string(sequences[0]) + " sequences in one call, at most " +
           std::to_string(limits.max_batch_size) + " were planned for";
  });
  reader.Check(weights == limits.weights_bytes, [&] {
    return std::string("weights has " + std::to_string(weights) +
                       " bytes, this library was compiled for " +
                       std::to_string(limits.weights_bytes));
  });
  reader.Check(limits.page_bytes == 0 || pages[1] == limits.page_bytes, [&] {
    return std::string("kv_pages has pages of " + std::to_string(pages[1]) + " bytes, expected " +
                       std::to_string(limits.page_bytes));
  });
  reader.Check(limits.ring_bytes == 0 || rings[1] == limits.ring_bytes, [&] {
    return std::string("kv_rings has rings of " + std::to_string(rings[1]) + " bytes, expected " +
                       std::to_string(limits.ring_bytes));
  });
  reader.Check(scratch >= scratch_needed, [&] {
    return std::string("scratch has " + std::to_string(scratch) + " bytes, " +
                       std::to_string(num_threads) + " threads need " +
                       std::to_string(scratch_needed));
  });
  reader.Check(sequences[1] == 3, [&] {
    return std::string("sequences has rows of " + std::to_string(sequences[1]) +
                       " values, expected slot, start, count");
  });
  reader.Check(page_table[0] == sequences[0],
               [&] { return std::string("page_table and sequences differ in rows"); });
  reader.Check(tokens <= limits.prefill_chunk_size, [&] {
    return std::string(std::to_string(tokens) + " tokens in one call, the prefill chunk is " +
                       std::to_string(limits.prefill_chunk_size));
  });
  reader.Check(logits[0] == output_rows && logits[1] == limits.vocab_size,
               [&] { return std::string("logits is not [logit_rows, vocab_size]"); });
  if (reader.ok()) CheckContents(reader, in, limits, rings[0], pages[0]);
  return reader.error();
}

// Runs Model::Run(step) on every thread. Model also has `static constexpr LibraryLimits kLimits`.
template <class Model>
int RunForward(const TVMFFIAny* args, int32_t num_args) {
  ForwardCall call;
  const std::string error = ReadForwardCall(args, num_args, Model::kLimits, call);
  if (!error.empty()) {
    TVMFFIErrorSetRaisedFromCStr("ValueError", ("forward: " + error).c_str());
    return -1;
  }
  if (call.in.tokens.empty()) return 0;

  struct Launch {
    const StepInputs& in;
    int num_threads;
    Barrier barrier;
  };
  const auto run_thread = [](void* arg, int32_t thread) {
    Launch& launch = *static_cast<Launch*>(arg);
    uint8_t* threads = launch.in.scratch + Model::kLimits.scratch_shared_bytes;
    const Step step{launch.in, Team{thread, launch.num_threads, &launch.barrier}, launch.in.scratch,
                    threads + thread * Model::kLimits.scratch_thread_bytes};
    Model::Run(step);
  };
  const int num_threads = call.pool != nullptr ? call.pool->num_threads : 1;
  Launch launch{call.in, num_threads, Barrier(num_threads)};
  if (num_threads == 1) {
    run_thread(&launch, 0);
  } else {
    call.pool->launch(call.pool->self, run_thread, &launch);
  }
  return 0;
}

// The host need not be C++: no exception leaves the library.
template <class Model>
int Forward(const TVMFFIAny* args, int32_t num_args) {
  try {
    return RunForward<Model>(args, num_args);
  } catch (const std::exception& error) {
    TVMFFIErrorSetRaisedFromCStr("RuntimeError", error.what());
    return -1;
  }
}

// Returns text as a TVM FFI string.
inline int ReturnString(std::string_view text, TVMFFIAny* result) {
  const TVMFFIByteArray bytes{text.data(), text.size()};
  return TVMFFIStringFromByteArray(&bytes, result);
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_LIBRARY_ENTRY_H_
