// Puts a kernel together: what it binds, its scalars, the functions it uses and its body; together
// with the launch that binds what the kernel was made for.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_BUILDER_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_BUILDER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/webgpu/plan_model.h"

namespace carat::compiler::webgpu {

enum class Access { kRead, kWrite };

class KernelBuilder {
 public:
  // Binds a buffer as array<type> and returns its name in WGSL, which is `name` unless that is
  // taken. A buffer already bound with that type keeps its binding, which becomes writable if one
  // of the two is.
  std::string Bind(std::string_view name, const Reference& buffer, std::string_view type,
                   Access access = Access::kRead);

  // A number of the step, as "scalars.name" in WGSL.
  void Scalar(std::string_view name, const Expression& value);

  // A language extension that the text needs: "subgroups".
  void Enable(std::string_view extension);

  // Text before the entry point; what is there already is not repeated.
  void Declare(std::string text);

  // The text of extensions, bindings, scalars and declarations, with which a kernel begins.
  std::string Declarations() const;

  // The kernel and its launch, whose kernel index and grid are the caller's to set.
  std::pair<WgslKernel, PlanLaunch> Finish(std::string name, std::string wgsl) const;

 private:
  struct Binding {
    std::string name;
    Reference buffer;
    std::string type;
    bool is_written;
  };

  std::vector<Binding> bindings_;
  std::vector<std::pair<std::string, Expression>> scalars_;
  std::vector<std::string> extensions_;
  std::vector<std::string> declarations_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_KERNEL_BUILDER_H_
