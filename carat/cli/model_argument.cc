#include "carat/cli/model_argument.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/interrupt.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/compile_progress.h"
#include "carat/compiler/resolve_model.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

// A bar, and Ctrl-C as what ends the compilation, from when it begins: a model that is compiled
// already shows nothing and can be interrupted as usual.
class CacheProgress {
 public:
  void operator()(std::string_view step, double fraction) {
    if (!guard_) guard_.emplace(InterruptGuard::Signals::kAndTermination);
    bar_(step, fraction);
  }

 private:
  std::optional<InterruptGuard> guard_;
  CompileProgressBar bar_;
};

}  // namespace

void AddModelArgument(CLI::App& command, fs::path& model) {
  command.add_option("MODEL", model, "Compiled folder, or model as carat compile takes it")
      ->required()
      ->check(NotEmpty());
}

void AddQuantizationFlag(CLI::App& command, std::optional<std::string>& quantization,
                         const std::string& description) {
  command.add_option("--quantization", quantization, description)->check(NotEmpty());
}

fs::path ResolveModel(const fs::path& model, const std::optional<std::string>& quantization) {
  CacheProgress progress;
  return compiler::ResolveModel(model, quantization, std::ref(progress));
}

fs::path ResolveTextModel(const fs::path& model) {
  CacheProgress progress;
  return compiler::ResolveTextModel(model, std::ref(progress));
}

}  // namespace carat::cli
