// Program -> C++: one translation unit that instantiates the kernels with the model's constants and
// exports the library's TVM FFI functions. It is meant to be read:
//
//     // Layers 0 to 4, 6 to 10, 12 to 16.
//     // Computes q_k_v, attention to the last 512 tokens, o, gated, down.
//     void SlidingLayer(const Step& step, const Buffers& b, int layer) {
//       const Layer& w = kLayers[layer];
//       MatMul<S, Q4_0, 1536, kHiddenSize>(step.team, step.Matrix(w.q_k_v), ...);
//       step.Sync();
//       ...

#ifndef CARAT_COMPILER_CODEGEN_CPU_GENERATE_H_
#define CARAT_COMPILER_CODEGEN_CPU_GENERATE_H_

#include <string>

#include "carat/compiler/program/program.h"
#include "carat/library/cpu_features.h"
#include "carat/library/metadata.h"
#include "carat/model/config.h"
#include "carat/quantization/scheme.h"

namespace carat::compiler {

// The Program as the CPU's kernels want it.
Program MakeProgram(const graph::Graph& graph, const LoweringOptions& options);

// Sizes of the KV cache, which follow from the config and the limits.
struct KvPlan {
  int64_t element_bytes = 0;
  int64_t num_full_layers = 0;
  int64_t num_sliding_layers = 0;
  int64_t layer_page_bytes = 0;  // one layer's page of kPageTokens tokens
  int64_t ring_pages = 0;        // of one sliding layer and sequence
  // Where chunks longer than a ring has room for wait, in the shared arena.
  int64_t staging_bytes = 0;

  int64_t page_bytes() const { return num_full_layers * layer_page_bytes; }
  int64_t ring_bytes() const { return num_sliding_layers * ring_pages * layer_page_bytes; }
};

KvPlan PlanKv(const model::ModelConfig& config, const quantization::QuantizationScheme& scheme,
              int64_t prefill_chunk_size, int64_t max_batch_size);

// Scratch of attention, which lies behind the planned buffers in both arenas; staging comes after
// it.
struct AttentionScratchPlan {
  int64_t shared_bytes = 0;
  int64_t thread_bytes = 0;
};

AttentionScratchPlan PlanAttentionScratch(const model::ModelConfig& config, int64_t max_batch_size);

struct CpuCode {
  const Program& program;
  const model::ModelConfig& config;
  const quantization::QuantizationScheme& scheme;
  const library::CpuTarget& target;
  const library::LibraryMetadata& metadata;  // complete but for the weights' hash
  const KvPlan& kv;
};

// The text of model.cc.
std::string GenerateCpu(const CpuCode& code);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_CPU_GENERATE_H_
