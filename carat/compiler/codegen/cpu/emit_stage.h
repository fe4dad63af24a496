// One Stage of a Program as C++ statements.

#ifndef CARAT_COMPILER_CODEGEN_CPU_EMIT_STAGE_H_
#define CARAT_COMPILER_CODEGEN_CPU_EMIT_STAGE_H_

#include <string>
#include <vector>

#include "carat/compiler/codegen/cpu/dimensions.h"
#include "carat/compiler/codegen/cpu/generate.h"

namespace carat::compiler {

// The distinct RoPE settings of a program, in order: kRope0, kRope1, ...
std::vector<graph::RopeAngles> RopeBases(const Program& program);

// The stage with its barrier, indented by two spaces. Inside a layer (stage.layer >= 0) the text
// speaks of `w` (its weights), `next` (the following layer's) and `layer`, so that equal layers get
// equal text.
std::string EmitStage(const CpuCode& code, const Dimensions& dimensions, const Stage& stage);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_CPU_EMIT_STAGE_H_
