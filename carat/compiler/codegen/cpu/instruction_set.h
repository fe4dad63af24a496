// Which kernel set (kernels/cpu/simd) stands for which target.

#ifndef CARAT_COMPILER_CODEGEN_CPU_INSTRUCTION_SET_H_
#define CARAT_COMPILER_CODEGEN_CPU_INSTRUCTION_SET_H_

#include <array>
#include <string_view>

#include "carat/base/error.h"

namespace carat::compiler {

struct InstructionSet {
  std::string_view target;  // library/cpu_features.h
  std::string_view type;    // the template argument S
  std::string_view header;  // below kernels/cpu
};

inline constexpr std::array<InstructionSet, 4> kInstructionSets = {{
    {"x86-64-avx512vnni", "Avx512Vnni", "simd/avx512vnni.h"},
    {"x86-64-v3", "Avx2", "simd/avx2.h"},
    {"armv8.2-a+dotprod", "Neon", "simd/neon.h"},
    {"generic", "Generic", "simd/plain.h"},
}};

inline const InstructionSet& FindInstructionSet(std::string_view target) {
  for (const InstructionSet& set : kInstructionSets) {
    if (set.target == target) return set;
  }
  throw Error("there are no CPU kernels for target '{}'", target);
}

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_CPU_INSTRUCTION_SET_H_
