// Per-row operations of a Program as WGSL: the body of a row loop's kernel, or what a matrix
// product does first to make its input. Values that the operations hand to each other lie in
// workgroup memory; those that others read later are written to their buffers at the end.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_ROW_OPS_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_ROW_OPS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "carat/compiler/codegen/webgpu/features.h"
#include "carat/compiler/codegen/webgpu/kernel_builder.h"
#include "carat/compiler/codegen/webgpu/model_buffers.h"
#include "carat/compiler/codegen/webgpu/weight_buffers.h"
#include "carat/compiler/program/program.h"

namespace carat::compiler::webgpu {

// The threads of a workgroup that has per-row work.
inline constexpr int64_t kRowThreads = 64;

class RowOps {
 public:
  RowOps(const Program& program, ModelBuffers& buffers, WeightBuffers& weights,
         const Features& features, KernelBuilder& kernel)
      : program_(program),
        buffers_(buffers),
        weights_(weights),
        features_(features),
        kernel_(kernel) {}

  // Appends the operations, in order. Of the buffers they write, `read_by_kernel` is also read by
  // what follows in the kernel, and those in `read_later` by later kernels.
  void Append(const std::vector<RowOp>& ops, const std::set<BufferId>& read_by_kernel,
              const std::set<BufferId>& read_later);

  // Puts the parts of a row's attention together, for what follows in the kernel.
  void AppendMergedAttention(const Operand& attention);

  // True if the operations have made it, so that it lies in workgroup memory.
  bool IsLocal(const Operand& operand) const { return local_.contains(operand.buffer); }

  // Element `index` of the row, an expression of WGSL.
  std::string Read(const Operand& operand, std::string_view index);

  // True if the operations take it from a buffer, where a kernel before has left it.
  bool ReadsFromStorage(BufferId buffer) const { return read_from_storage_.contains(buffer); }

  // The text. Declares what it needs; to be called once, at the end.
  std::string Finish();

 private:
  // One overload for each kind of work.
  void Emit(const RowOp& op, const ComputeAngles& work);
  void Emit(const RowOp& op, const graph::RmsNorm& work);
  void Emit(const RowOp& op, const graph::Rope& work);
  void Emit(const RowOp& op, const StoreKv& work);
  void Emit(const RowOp& op, const graph::Add& work);
  void Emit(const RowOp& op, const graph::Mul& work);
  void Emit(const RowOp& op, const graph::GeluTanh& work);
  void Emit(const RowOp& op, const graph::SelectRows& work);
  void Emit(const RowOp& op, const graph::Softcap& work);
  template <typename Other>
  void Emit(const RowOp& op, const Other& work);

  void EmitElementwise(const RowOp& op, const std::string& value);
  void WriteOut(BufferId buffer);

  // Element `index` of what an operation makes. To be asked for after its inputs' elements, which
  // may lie in the same row.
  std::string Make(const Operand& operand, std::string_view index);

  // Room for a buffer's row in workgroup memory.
  void Allocate(BufferId buffer);
  int64_t WidthOf(BufferId buffer) const { return program_.buffers[buffer].type.width; }
  std::string RoleOf(BufferId buffer) const { return webgpu::RoleOf(program_, buffer); }

  const Program& program_;
  ModelBuffers& buffers_;
  WeightBuffers& weights_;
  const Features& features_;
  KernelBuilder& kernel_;
  std::string text_;
  std::map<BufferId, int64_t> local_;     // its offset in workgroup memory, in elements
  std::set<BufferId> read_from_storage_;  // by this kernel
  int64_t local_size_ = 0;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_ROW_OPS_H_
