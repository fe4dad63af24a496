// The ordered list of kernel calls a Graph becomes: what to run, on which buffers, with which
// barriers. Its form is the same for every target; code generators read it.
//
// Every thread runs every stage (SPMD) and takes its share of it:
//
//   RowLoop   per-row work (norms, RoPE, residual adds, quantization), rows split over the threads
//   MatMul    a weight times all rows, the weight's rows split over the threads
//   Attend    one layer's attention, heads and cache split over the threads
//
// A step of one token has nothing to split in a RowLoop. Rather than let one thread work and the
// others wait at a barrier, every thread then makes the row for itself, in a private copy of the
// buffer ("replicated").

#ifndef CARAT_COMPILER_PROGRAM_PROGRAM_H_
#define CARAT_COMPILER_PROGRAM_PROGRAM_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "carat/compiler/passes/pass.h"
#include "carat/graph/graph.h"

namespace carat::compiler {

using BufferId = int32_t;

enum class BufferScope {
  kLogits,      // the caller's output, f32 [r, vocab_size]
  kShared,      // one copy, every thread reads all of it
  kReplicated,  // shared, or private copies when the step's rows are replicated
  kRow,         // one row for each thread, alive within one RowLoop
};

struct Buffer {
  std::string name;  // its role in a layer: "qkv"
  graph::ValueType type;
  BufferScope scope = BufferScope::kShared;
  int64_t row_bytes = 0;
  int64_t shared_offset = -1;  // into the arena all threads share
  int64_t thread_offset = -1;  // into each thread's own
};

// Columns [column, column + width) of a buffer's rows.
struct Operand {
  BufferId buffer = -1;
  int64_t column = 0;
  int64_t width = 0;

  bool operator==(const Operand&) const = default;
};

// Fills a row with cos and sin of the token's position: [head_dim / 2 cosines | head_dim / 2
// sines].
struct ComputeAngles {
  graph::RopeAngles angles;
};

// Appends the row's key and value to the cache of a layer. Done once, by the thread that owns the
// row.
struct StoreKv {
  graph::Attention attention;
};

using RowWork =
    std::variant<ComputeAngles, graph::Embed, graph::RmsNorm, graph::Rope, StoreKv, graph::Add,
                 graph::Mul, graph::GeluTanh, graph::Softcap, graph::SelectRows, graph::Quantize>;

struct RowOp {
  RowWork work;
  std::vector<Operand> inputs;
  Operand output;  // buffer -1: StoreKv has none
};

struct RowLoop {
  graph::RowSpace rows = graph::RowSpace::kTokens;
  bool replicated = false;  // small steps: every thread runs all rows
  std::vector<RowOp> ops;
};

struct MatMul {
  graph::RowSpace rows = graph::RowSpace::kTokens;
  graph::Linear linear;
  Operand x;
  Operand y;
};

struct Attend {
  graph::Attention attention;
  Operand q;
  Operand out;
};

enum class Barrier {
  kNone,
  kUnlessReplicated,  // needed only when the step's rows are split
  kAlways,
};

struct Stage {
  std::variant<RowLoop, MatMul, Attend> work;
  Barrier barrier_before = Barrier::kNone;
  int layer = -1;  // the decoder layer it begins in; -1 before the first and after the last
};

struct Program {
  std::string name;
  std::vector<graph::Weight> weights;
  std::vector<Buffer> buffers;
  std::vector<Stage> stages;
  int64_t max_rows = 0;  // rows the arenas are planned for: the prefill chunk
  int64_t shared_bytes = 0;
  int64_t thread_bytes = 0;
};

struct LoweringOptions {
  OptLevel level = OptLevel::kO3;
  int64_t prefill_chunk_size = 0;
};

// What memory planning must know of a target's kernels.
struct TargetTraits {
  int64_t (*quantized_row_bytes)(int64_t width);  // of a row of int8 blocks
  int64_t replicated_rows;                        // steps of more rows split them
};

// The whole way: lower, fuse row loops, place barriers, plan buffers. Code generators have an
// overload that knows their target.
Program MakeProgram(const graph::Graph& graph, const LoweringOptions& options,
                    const TargetTraits& target);

// --- Its steps, one file each ---

// One stage a node, slices resolved to operands, per-row work done in place where nobody reads the
// old value.
Program Lower(const graph::Graph& graph, const LoweringOptions& options,
              const TargetTraits& target);

// Joins neighbouring RowLoops over the same rows into one.
void FuseRowLoops(Program& program);

// Decides which buffers are private to a thread or a row, and which loops small steps replicate.
void AssignScopes(Program& program, OptLevel level);

// Puts a barrier wherever a stage reads what other threads wrote, or overwrites what they read.
void PlaceBarriers(Program& program);

// Merges the buffers that play one role in every layer, then gives each an offset in its arena.
void PlanBuffers(Program& program, const TargetTraits& target);

// One line a stage and operation, then the buffers.
std::string Print(const Program& program);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_PROGRAM_PROGRAM_H_
