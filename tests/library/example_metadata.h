// A metadata with something in every field.

#ifndef CARAT_TESTS_LIBRARY_EXAMPLE_METADATA_H_
#define CARAT_TESTS_LIBRARY_EXAMPLE_METADATA_H_

#include "carat/library/metadata.h"

namespace carat::tests {

inline library::LibraryMetadata ExampleMetadata() {
  using quantization::WeightFormat;
  library::LibraryMetadata metadata;
  metadata.carat_version = CARAT_VERSION;
  metadata.tvm_ffi_abi = library::kTvmFfiAbi;
  metadata.architecture = "Gemma3ForCausalLM";
  metadata.model_config =
      R"({"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 1000,
          "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
          "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
          "max_position_embeddings": 4096, "sliding_window": 512,
          "layer_types": ["sliding_attention", "full_attention"], "eos_token_id": [1, 106]})";
  metadata.vocab_size = 1000;
  metadata.quantization = "q4_0";
  metadata.device = "cpu";
  metadata.target = "generic";
  metadata.cpu_features = {"avx2"};
  metadata.kernels = {"matmul"};
  metadata.context_window_size = 4096;
  metadata.prefill_chunk_size = 512;
  metadata.max_batch_size = 4;
  metadata.sliding_window = 512;
  metadata.page_tokens = 64;
  metadata.page_bytes = 8192;
  metadata.ring_tokens = 576;
  metadata.ring_bytes = 73728;
  metadata.scratch_shared_bytes = 1 << 20;
  metadata.scratch_thread_bytes = 4096;
  metadata.weights_bytes = 1024;
  metadata.decode_weight_bytes = 900;
  metadata.weights_hash = "0123456789abcdef";
  metadata.weights = {
      {.weight = {.name = "norm",
                  .parts = {{"norm.weight", 1, 64, /*is_vector=*/true}},
                  .format = WeightFormat::kF32,
                  .offset = 1.0f},
       .layout = "vector",
       .offset = 64,
       .num_bytes = 256},
      {.weight = {.name = "gate_up",
                  .parts = {{"gate", 16, 32}, {"up", 16, 32}},
                  .arrangement = graph::Arrangement::kInterleave,
                  .format = WeightFormat::kQ4_0},
       .layout = "tiles",
       .offset = 320,
       .num_bytes = 576},
  };
  return metadata;
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_LIBRARY_EXAMPLE_METADATA_H_
