// A model (model/model_source.h) -> dist folder: the compiler's front door.

#ifndef CARAT_COMPILER_COMPILE_H_
#define CARAT_COMPILER_COMPILE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/compiler/passes/pass.h"

namespace carat::compiler {

struct CompileOptions {
  std::filesystem::path model = {};
  // Of matrices and of the embedding; quantization/scheme.h has the names. By default q4_0 for a
  // Hugging Face folder and what is stored for other models; the embedding's is that of matrices.
  std::string quantization = {};
  std::string embedding_quantization = {};
  std::string device = "cpu";                       // or "webgpu": compile_webgpu.h
  std::string target = "native";                    // library/cpu_features.h has the names
  std::filesystem::path output = {};                // empty: dist/<model>-<quantization>-<device>
  std::optional<int64_t> context_window_size = {};  // tokens; default: the model's
  std::optional<int64_t> sliding_window_size = {};  // tokens; default: the model's
  int64_t prefill_chunk_size = 512;                 // tokens of one forward call
  int64_t max_batch_size = 16;                      // sequences of one forward call
  std::string overrides = {};                       // "rope_theta=1e6;context_window_size=4096"
  OptLevel level = OptLevel::kO3;
  std::filesystem::path debug_dump = {};  // a folder for what each step makes; empty: none
};

struct CompileResult {
  std::filesystem::path output;
  int64_t weights_bytes = 0;
  int64_t library_bytes = 0;
  double seconds = 0;
};

// What it is doing ("packing weights") and how far it is, in [0, 1].
using CompileProgress = std::function<void(std::string_view step, double fraction)>;

// Throws Error with what to mend; then, and when interrupted, nothing is left behind.
CompileResult Compile(const CompileOptions& options, const CompileProgress& progress = {});

// "O2" -> kO2. MLC's switches of GPU libraries change nothing here. Throws Error for anything else.
OptLevel ParseOptLevel(std::string_view text);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_COMPILE_H_
