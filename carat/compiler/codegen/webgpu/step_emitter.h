// The kernels and launches of one step of a Program, for one token (decode) or many (prefill).
//
//     of one token                             of many
//     rows + matmul -> gemv, which first       rows   -> a workgroup a row
//                      makes its input         matmul -> gemm, tiles of tokens x rows
//     attend        -> its keys in parts       attend -> tiles of queries x keys
//
// Rows of which only the last is asked for are computed as those of one token.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_STEP_EMITTER_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_STEP_EMITTER_H_

#include <set>
#include <string>
#include <vector>

#include "carat/compiler/codegen/webgpu/features.h"
#include "carat/compiler/codegen/webgpu/kernel_builder.h"
#include "carat/compiler/codegen/webgpu/kernel_table.h"
#include "carat/compiler/codegen/webgpu/model_buffers.h"
#include "carat/compiler/codegen/webgpu/row_ops.h"
#include "carat/compiler/codegen/webgpu/weight_buffers.h"
#include "carat/compiler/program/program.h"
#include "carat/model/config.h"

namespace carat::compiler::webgpu {

class StepEmitter {
 public:
  StepEmitter(const Program& program, ModelBuffers& buffers, WeightBuffers& weights,
              const Features& features, KernelTable& kernels)
      : program_(program),
        buffers_(buffers),
        weights_(weights),
        features_(features),
        kernels_(kernels) {}

  // The launches of a step, in order. What embeds the tokens is left out: EmitEmbed has it.
  // Afterwards the logits are in their buffer, and the values of `wanted`.
  std::vector<PlanLaunch> EmitStep(Step step, std::set<BufferId> wanted = {});

  // The launch that makes the first rows of ids.
  PlanLaunch EmitEmbed();

 private:
  // Stages from the one at `index` on; returns how many it has emitted.
  size_t EmitRows(const RowLoop& loop, size_t index);
  void EmitMatMul(const MatMul& matmul, const RowLoop* before, size_t index);
  void EmitGemv(const MatMul& matmul, const RowLoop* before, size_t index);
  void EmitGemm(const MatMul& matmul);
  void EmitAttention(const Attend& attend);
  void EmitAttentionRow(const Attend& attend);
  void EmitAttentionRows(const Attend& attend);

  // The buffers whose values are read by stages from `index` on, or wanted at the end.
  std::set<BufferId> ReadFrom(size_t index) const;
  // The cap of a softcap on the logits that follows the matmul at `index`; 0 if there is none.
  float SoftcapAfter(size_t index) const;

  void Add(KernelBuilder& kernel, const std::string& name, const std::string& wgsl,
           const Expression& grid_x, const Expression& grid_y);
  std::string RoleOf(const Operand& operand) const {
    return webgpu::RoleOf(program_, operand.buffer);
  }

  const Program& program_;
  ModelBuffers& buffers_;
  WeightBuffers& weights_;
  const Features& features_;
  KernelTable& kernels_;
  std::set<BufferId> wanted_;
  std::vector<PlanLaunch> launches_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_STEP_EMITTER_H_
