// The kernels, carried inside the binary so that compiling a model needs no Carat source tree.

#ifndef CARAT_COMPILER_EMBEDDED_FILES_H_
#define CARAT_COMPILER_EMBEDDED_FILES_H_

#include <span>
#include <string_view>

namespace carat::compiler {

struct EmbeddedFile {
  std::string_view path;
  std::string_view text;
};

// The headers that generated C++ includes (kernels/cpu, the TVM FFI's C ABI, DLPack), under the
// path that includes them: "carat/kernels/cpu/matmul.h".
std::span<const EmbeddedFile> EmbeddedHeaders();

// kernels/webgpu, under their names there: "gemv.wgsl".
std::span<const EmbeddedFile> EmbeddedWgsl();

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_EMBEDDED_FILES_H_
