#include "carat/compiler/compile_webgpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/base/output_directory.h"
#include "carat/compiler/check_text_files.h"
#include "carat/compiler/codegen/webgpu/generate.h"
#include "carat/compiler/codegen/webgpu/link_plan.h"
#include "carat/compiler/debug_dump.h"
#include "carat/compiler/mlc_folder.h"
#include "carat/compiler/overrides.h"
#include "carat/compiler/program/program.h"
#include "carat/library/dist_folder.h"
#include "carat/library/web_folder.h"
#include "carat/model/architecture.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"
#include "carat/webllm/runtime_module.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultWebQuantization = "q4f16_1";
constexpr int64_t kMaxWebPrefillChunk = 4096;

// Besides the libraries; all but the first three are optional.
constexpr std::array<std::string_view, 12> kWebModelFiles = {
    "mlc-chat-config.json", "tensor-cache.json", "tensor-cache-b16.json", "params_shard_*.bin",
    "tokenizer.json",       "tokenizer.model",   "tokenizer_config.json", "chat_template.jinja",
    "vocab.json",           "merges.txt",        "added_tokens.json",     "special_tokens_map.json",
};

// What the folder may hold, the file that every one has first.
std::vector<std::string> WebFiles() {
  std::vector<std::string> files = {std::string(library::kWebLibraries.back().file)};
  for (const library::WebLibrary& library : library::kWebLibraries)
    files.emplace_back(library.file);
  for (const std::string_view name : kWebModelFiles) {
    files.push_back(fmt::format("{}/{}", model::kWebModelFolder, name));
  }
  return files;
}

class WebGpuCompilation {
 public:
  WebGpuCompilation(CompileOptions options, const CompileProgress& progress)
      : options_(std::move(options)), progress_(progress), dump_(options_.debug_dump) {}

  CompileResult Run() {
    const auto start = std::chrono::steady_clock::now();
    Report("reading the model", 0);
    CheckOptions();
    ReadModel();
    CheckSizes();
    const std::vector<std::string> files = WebFiles();
    OutputDirectory output(OutputPath(), std::vector<std::string_view>(files.begin(), files.end()));
    dump_.MakeFolder(output.target());
    // What may be refused comes first; then what takes time.
    Plan();
    CompileResult result{OutputPath(), 0, 0, 0};
    for (const library::WebLibrary& library : library::kWebLibraries) {
      const std::vector<std::byte> bytes = MakeLibrary(library);
      WriteFileAtomically(output.path() / library.file, bytes);
      result.library_bytes += static_cast<int64_t>(bytes.size());
    }
    result.weights_bytes = WriteModel(output.path() / model::kWebModelFolder);
    ThrowIfInterrupted();
    output.Commit();
    if (progress_) progress_("done", 1);  // not Report: a Ctrl-C comes too late
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

 private:
  void CheckOptions() {
    if (options_.quantization.empty()) options_.quantization = kDefaultWebQuantization;
    if (!options_.quantization.starts_with("q4f")) {
      throw Error("--quantization {}: a library for browsers has weights in q4f16_1 or q4f32_1",
                  options_.quantization);
    }
    quantization_ = &model::FindMlcQuantization(options_.quantization);
    if (!options_.embedding_quantization.empty() &&
        options_.embedding_quantization != options_.quantization) {
      throw Error("--embedding-quantization {}: with --device webgpu all matrices are {}",
                  options_.embedding_quantization, options_.quantization);
    }
    if (options_.target != "native") {
      throw Error("--target {}: a library for browsers runs on every machine", options_.target);
    }
    if (options_.output.extension() == ".wasm" || options_.output.extension() == ".so") {
      throw Error("-o {}: expected a folder, in which {} and the model's files will be",
                  options_.output.string(), library::kWebLibraries.back().file);
    }
  }

  void ReadModel() {
    source_ = model::ModelSource::Open(options_.model);
    if (source_->IsQuantized()) {
      throw Error(
          "{}: is a {}; for a browser compile the Hugging Face folder, or write one first with "
          "'carat export {} --format safetensors -o FOLDER/model.safetensors'",
          options_.model.string(), source_->Description(), options_.model.string());
    }
    Json config = source_->Config();
    Json sizes_only = config;
    ApplyOverrides(options_, config);
    CompileOptions sizes = options_;
    sizes.overrides.clear();
    ApplyOverrides(sizes, sizes_only);
    if (config != sizes_only) {
      throw Error(
          "--overrides {}: with --device webgpu only sizes can be overridden "
          "(context_window_size, sliding_window_size, prefill_chunk_size)",
          options_.overrides);
    }
    config_ = source_->ParseConfig(config);
    source_->OpenCheckpoint(config_);  // all its tensors are there and have their shapes
    CheckTokenizer();
  }

  void CheckTokenizer() const {
    TextFiles files;
    for (const std::string_view name : library::kModelFiles) {
      if (auto text = source_->ReadFile(name)) files.emplace(name, std::move(*text));
    }
    if (!files.contains("tokenizer.json")) {
      throw Error("{}: has no tokenizer.json, which WebLLM needs", source_->path().string());
    }
    CheckTextFiles(files, source_->path(), config_.vocab_size);
  }

  void CheckSizes() {
    const int64_t longest = config_.max_position_embeddings;
    context_ = options_.context_window_size.value_or(
        std::min<int64_t>(longest, std::max<int64_t>(8192, config_.sliding_window)));
    if (context_ <= 0 || context_ > longest) {
      throw Error("--context-window-size {}: the model has positions 1 to {}", context_, longest);
    }
    if (options_.prefill_chunk_size <= 0 || options_.prefill_chunk_size > kMaxWebPrefillChunk) {
      throw Error("--prefill-chunk-size {}: expected 1 to {}", options_.prefill_chunk_size,
                  kMaxWebPrefillChunk);
    }
    chunk_ = std::min(options_.prefill_chunk_size, context_);
  }

  fs::path OutputPath() const {
    if (!options_.output.empty()) return options_.output;
    return fs::path("dist") /
           library::DistFolderName(source_->Name(), options_.quantization, options_.device);
  }

  void Plan() {
    Report("planning", 0.02);
    const graph::Graph graph = RunPasses(
        model::BuildGraph(config_), PassesOf(options_.level, quantization::FindScheme("q0f32")),
        [&](std::string_view pass, const graph::Graph& g) { dump_.WriteGraph(pass, g); });
    program_ = webgpu::MakeWebGpuProgram(graph, {options_.level, chunk_});
    dump_.Write(dump_.NextNumber() + "-program.txt", Print(program_));
  }

  std::vector<std::byte> MakeLibrary(const library::WebLibrary& library) {
    const webgpu::Features features{library.needs_subgroups, library.needs_shader_f16};
    const webgpu::PlanModel plan =
        webgpu::GenerateWebGpu({program_, config_, *quantization_, context_, features});
    dump_.Write(fs::path(library.file).stem().string() + ".wgsl", webgpu::PrintKernels(plan));
    return LinkPlan(webllm::RuntimeModule(), webgpu::WritePlan(plan));
  }

  int64_t WriteModel(const fs::path& folder) {
    fs::create_directories(folder);
    const MlcFolderOptions files{
        .config = source_->path(), .quantization = options_.quantization, .output = folder};
    model::MlcChatOptions chat;
    chat.conv_template = "gemma3_instruction";
    chat.context_window_size = context_;
    chat.sliding_window_size = options_.sliding_window_size;
    chat.prefill_chunk_size = chunk_;
    chat.max_batch_size = 1;
    GenConfig(files, chat);
    return ConvertWeight(files, std::nullopt,
                         [&](int64_t done, int64_t total) {
                           Report("converting weights", 0.05 + 0.95 * static_cast<double>(done) /
                                                                   static_cast<double>(total));
                         })
        .num_bytes;
  }

  void Report(std::string_view step, double fraction) const {
    ThrowIfInterrupted();
    if (progress_) progress_(step, fraction);
  }

  CompileOptions options_;
  const CompileProgress& progress_;
  DebugDump dump_;
  const model::MlcQuantization* quantization_ = nullptr;
  std::unique_ptr<model::ModelSource> source_;
  model::ModelConfig config_;
  int64_t context_ = 0;
  int64_t chunk_ = 0;
  Program program_;
};

}  // namespace

CompileResult CompileWebGpu(const CompileOptions& options, const CompileProgress& progress) {
  return WebGpuCompilation(options, progress).Run();
}

}  // namespace carat::compiler
