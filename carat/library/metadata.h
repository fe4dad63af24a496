// What a compiled library says about itself: the model, the machine it needs, the sizes of
// everything it is handed, and where each weight lies in weights.bin.
//
// The compiler writes it twice: into the library (the data symbol `carat_library_metadata`,
// readable before any of its code runs) and into the dist folder's carat-config.json. The loader
// compares the two, so files of different compilations are never mixed.

#ifndef CARAT_LIBRARY_METADATA_H_
#define CARAT_LIBRARY_METADATA_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "carat/graph/weight.h"

namespace carat::library {

// A weight as weights.bin holds it. `weight` says what it was made of (source tensors, arrangement,
// added offset), so that it can be unpacked again; its `format` is how the elements are kept.
struct PackedWeight {
  graph::Weight weight;
  std::string layout;     // "tiles" (kernels/cpu/tile_layout.h) or "vector" (plain elements)
  int64_t offset = 0;     // bytes from the start of weights.bin, a multiple of kWeightAlignment
  int64_t num_bytes = 0;  // without the padding that follows
};

struct LibraryMetadata {
  std::string carat_version;
  std::string tvm_ffi_abi;  // "0.1": major.minor of the TVM FFI it was compiled for

  // The model.
  std::string architecture;  // "Gemma3ForCausalLM"
  std::string model_config;  // config.json as compiled (after --overrides), JSON text
  int64_t vocab_size = 0;
  std::string quantization;  // "q4_0"

  // The machine.
  std::string device;                     // "cpu"
  std::string target;                     // "x86-64-v3"; cpu_features.h has the names
  std::vector<std::string> cpu_features;  // what the code executes; all must be there to run it
  std::vector<std::string> kernels;       // for people: what the code was generated from

  // Limits.
  int64_t context_window_size = 0;
  int64_t prefill_chunk_size = 0;  // tokens of one forward call, over all its sequences
  int64_t max_batch_size = 0;      // sequences of one forward call, and slots for them
  int64_t sliding_window = 0;      // 0: no sliding layers

  // Buffers. A page holds `page_tokens` tokens of all full-attention layers; a ring holds the last
  // `ring_tokens` tokens of all sliding layers of one sequence.
  int64_t page_tokens = 0;
  int64_t page_bytes = 0;  // 0: no full-attention layers
  int64_t ring_tokens = 0;
  int64_t ring_bytes = 0;  // 0: no sliding layers
  int64_t scratch_shared_bytes = 0;
  int64_t scratch_thread_bytes = 0;  // for each thread

  // The weights.
  int64_t weights_bytes = 0;        // of weights.bin, header included
  int64_t decode_weight_bytes = 0;  // what one decoded token reads of them
  std::string weights_hash;  // 16 hex digits; empty inside the library when it was compiled first
  std::vector<PackedWeight> weights;

  // The pages one sequence of full length needs.
  int64_t max_pages_per_sequence() const {
    return (context_window_size + page_tokens - 1) / page_tokens;
  }
};

nlohmann::json ToJson(const LibraryMetadata& metadata);

// Strict: the version must be this program's, and every field must be there with its type and a
// sensible value. `where` names the source in messages ("dist/demo/carat-config.json").
LibraryMetadata MetadataFromJson(const nlohmann::json& json, std::string_view where);
LibraryMetadata ParseMetadata(std::string_view json_text, std::string_view where);

// The first field in which two metadata differ ("page_bytes"), empty if none. A weights_hash that
// is empty on one side matches any.
std::string FirstDifference(const LibraryMetadata& a, const LibraryMetadata& b);

// Version of the TVM FFI this program was built with, as in `tvm_ffi_abi`.
inline constexpr std::string_view kTvmFfiAbi = "0.1";

// Name of the library's data symbol.
inline constexpr std::string_view kMetadataSymbol = "carat_library_metadata";

}  // namespace carat::library

#endif  // CARAT_LIBRARY_METADATA_H_
