// Where the values of a Program lie while one function of the model library is generated: in
// scratch buffers, in the tensors that come in and go out, in the KV cache.
//
// A kernel in which every workgroup first makes the same row cannot change that row in place: some
// workgroups may still read the old one. A value that a kernel reads and changes therefore moves to
// a second buffer, and back the next time.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_MODEL_BUFFERS_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_MODEL_BUFFERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "carat/compiler/codegen/webgpu/plan_model.h"
#include "carat/compiler/program/program.h"
#include "carat/model/config.h"

namespace carat::compiler::webgpu {

// The rows that a step computes where the Program says n.
enum class Step { kOneToken, kManyTokens };

// The parts of a row's attention, at most so many (attention_row.wgsl).
inline constexpr int64_t kMaxSplits = 32;
inline constexpr int64_t kKeysPerSplit = 64;

// A buffer's name without the number that tells it from others of its role, so that what does the
// same with both is the same text, and one kernel.
std::string RoleOf(const Program& program, BufferId buffer);

class ModelBuffers {
 public:
  ModelBuffers(const Program& program, const model::ModelConfig& config);

  // Begins a function: all values are where the function's arguments and results have them.
  void Begin(Step step);

  Step step() const { return step_; }
  bool HasOneRow(graph::RowSpace rows) const {
    return step_ == Step::kOneToken || rows == graph::RowSpace::kOutputs;
  }

  // Where the value lies now.
  Reference Current(BufferId buffer);

  // Where a new value is written. `elsewhere`: not where it lies now.
  Reference Write(BufferId buffer, bool elsewhere = false);

  // The parts of attention, whose own buffer is then not written.
  Reference WriteSplits(BufferId attention, const graph::Attention& of);
  // The attention that made them; null if the value is whole.
  const graph::Attention* SplitOf(BufferId attention) const;
  Reference Splits() const { return {Place::kScratch, 0}; }

  Reference KeyCache(int64_t layer) const { return {Place::kCache, Index(layer) * 2}; }
  Reference ValueCache(int64_t layer) const { return {Place::kCache, Index(layer) * 2 + 1}; }

  // The keys that a query of the layer sees, and the slots of its cache: a sliding layer's is a
  // ring of the window and a chunk. Layers without a window have both larger than any context.
  int64_t WindowOf(const graph::Attention& attention) const;
  int64_t SlotsOf(const graph::Attention& attention) const;

  // How many parts the attention of a row has in the layers with this window (0: full).
  static Expression NumSplits(int64_t sliding_window);

  // Fills in the sizes of scratch buffers and caches.
  void AddTo(PlanModel& plan) const;

 private:
  static uint32_t Index(int64_t layer) { return static_cast<uint32_t>(layer); }
  uint32_t AddScratch(int64_t num_bytes);
  int64_t NumBytes(BufferId buffer) const;
  Reference Home(BufferId buffer);
  Reference SecondHome(BufferId buffer);

  const Program& program_;
  const model::ModelConfig& config_;
  Step step_ = Step::kOneToken;
  std::map<BufferId, uint32_t> homes_;  // its scratch buffer
  std::map<BufferId, uint32_t> second_homes_;
  std::map<BufferId, Reference> current_;
  std::map<BufferId, graph::Attention> split_of_;
  std::vector<int64_t> scratch_bytes_;  // the parts of attention come first
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_MODEL_BUFFERS_H_
