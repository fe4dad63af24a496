// The headers that generated code includes (kernels/cpu, the TVM FFI's C ABI, DLPack), carried
// inside the binary so that compiling a model needs nothing but a C++ compiler.

#ifndef CARAT_COMPILER_EMBEDDED_HEADERS_H_
#define CARAT_COMPILER_EMBEDDED_HEADERS_H_

#include <span>
#include <string_view>

namespace carat::compiler {

struct EmbeddedHeader {
  std::string_view path;  // as included: "carat/kernels/cpu/matmul.h"
  std::string_view text;
};

std::span<const EmbeddedHeader> EmbeddedHeaders();

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_EMBEDDED_HEADERS_H_
