#include "carat/compiler/compile.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <tvm/ffi/c_api.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/compiler/check_text_files.h"
#include "carat/compiler/codegen/cpu/generate.h"
#include "carat/compiler/compile_output.h"
#include "carat/compiler/compile_webgpu.h"
#include "carat/compiler/debug_dump.h"
#include "carat/compiler/embedded_files.h"
#include "carat/compiler/overrides.h"
#include "carat/compiler/pack_weights.h"
#include "carat/compiler/program/program.h"
#include "carat/compiler/toolchain.h"
#include "carat/kernels/cpu/kv_cache.h"
#include "carat/library/cpu_features.h"
#include "carat/library/dist_folder.h"
#include "carat/library/weights_file.h"
#include "carat/model/architecture.h"
#include "carat/model/config.h"
#include "carat/model/generation_defaults.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxPrefillChunk = 8192;
constexpr int64_t kMaxBatch = 1024;
constexpr std::string_view kDefaultScheme = "q4_0";

// One compilation: what is known of the model, and what each step adds.
class Compilation {
 public:
  Compilation(CompileOptions options, const CompileProgress& progress)
      : options_(std::move(options)), progress_(progress), dump_(options_.debug_dump) {}

  CompileResult Run() {
    const auto start = std::chrono::steady_clock::now();
    Report("reading the model", 0);
    ReadModel();
    CheckLimits();
    // Weights that their publisher quantized stay as they are unless the user wants otherwise.
    const bool keeps_formats = options_.quantization.empty() && source_->IsQuantized();
    if (!keeps_formats) {
      ChooseScheme(options_.quantization.empty() ? kDefaultScheme : options_.quantization);
    }
    const checkpoint::Checkpoint checkpoint = source_->OpenCheckpoint(config_);
    if (keeps_formats) ChooseScheme(model::StoredScheme(checkpoint, config_));
    const TextFiles text_files = ReadTextFiles();
    CheckTextFiles(text_files, source_->path(), config_.vocab_size);
    // What may be refused comes first; then what takes time.
    CompileOutput output(OutputPath());
    dump_.MakeFolder(output.folder());
    for (const auto& [name, text] : text_files) output.WriteModelFile(name, text);
    Plan();
    toolchain_ = FindToolchain();

    Pack(checkpoint, output.path() / library::kWeightsFile);
    const fs::path library = output.path() / output.library();
    CompileLibrary(library);
    WriteFileAtomically(output.path() / library::kConfigFile,
                        library::ToJsonText({output.library(), metadata_, generation_}));
    ThrowIfInterrupted();
    CompileResult result{CompileOutput::FolderOf(OutputPath()), metadata_.weights_bytes,
                         static_cast<int64_t>(fs::file_size(library)), 0};
    output.Commit();
    if (progress_) progress_("done", 1);  // not Report: a Ctrl-C comes too late
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

 private:
  // --- Reading ---

  void ReadModel() {
    source_ = model::ModelSource::Open(options_.model);
    config_json_ = source_->Config();
    // What MLC calls a format that is kept as it is.
    if (options_.quantization == source_->NamedQuantization()) options_.quantization.clear();
    ApplyOverrides(options_, config_json_);
    config_ = source_->ParseConfig(config_json_);
    generation_ = source_->ReadGenerationDefaults(config_);
  }

  void ChooseScheme(std::string_view name) {
    if (name.starts_with("q4f")) {
      throw Error(
          "--quantization {}: how MLC-LLM stores weights, which compute as q4_0; compile with "
          "--quantization q4_0, or write MLC's files first with 'carat convert_weight'",
          name);
    }
    scheme_ = quantization::FindScheme(name, options_.embedding_quantization);
    AssignFormats(model::BuildGraph(config_), scheme_);  // refuses shapes the format cannot hold
  }

  TextFiles ReadTextFiles() const {
    TextFiles files;
    for (const std::string_view name : library::kModelFiles) {
      if (auto text = source_->ReadFile(name)) files.emplace(name, std::move(*text));
    }
    files["config.json"] = config_json_.dump(2);  // as compiled: --overrides may have changed it
    return files;
  }

  void CheckLimits() const {
    if (options_.sliding_window_size &&
        config_.CountLayers(model::LayerKind::kSlidingAttention) == 0) {
      throw Error("--sliding-window-size: the model has no sliding layers");
    }
    const int64_t context = ContextWindow();
    if (context <= 0 || context > config_.max_position_embeddings) {
      throw Error(
          "--context-window-size {}: the model has positions 1 to {} (config.json's "
          "max_position_embeddings; --overrides changes it)",
          context, config_.max_position_embeddings);
    }
    if (options_.prefill_chunk_size <= 0 || options_.prefill_chunk_size > kMaxPrefillChunk) {
      throw Error("--prefill-chunk-size {}: expected 1 to {}", options_.prefill_chunk_size,
                  kMaxPrefillChunk);
    }
    if (options_.max_batch_size <= 0 || options_.max_batch_size > kMaxBatch) {
      throw Error("--max-batch-size {}: expected 1 to {}", options_.max_batch_size, kMaxBatch);
    }
  }

  int64_t ContextWindow() const {
    return options_.context_window_size.value_or(
        std::min(source_->ContextWindowSize().value_or(config_.max_position_embeddings),
                 config_.max_position_embeddings));
  }

  fs::path OutputPath() const {
    if (!options_.output.empty()) return options_.output;
    return fs::path("dist") /
           library::DistFolderName(source_->Name(), scheme_.name, options_.device);
  }

  // --- Planning ---

  void Plan() {
    Report("planning", 0.02);
    const graph::Graph graph =
        RunPasses(model::BuildGraph(config_), PassesOf(options_.level, scheme_),
                  [&](std::string_view pass, const graph::Graph& g) { dump_.WriteGraph(pass, g); });
    program_ = MakeProgram(graph, {options_.level, options_.prefill_chunk_size});
    dump_.Write(dump_.NextNumber() + "-program.txt", Print(program_));
    kv_ = PlanKv(config_, scheme_, options_.prefill_chunk_size, options_.max_batch_size);
    FillMetadata();
  }

  void FillMetadata() {
    const AttentionScratchPlan attention = PlanAttentionScratch(config_, options_.max_batch_size);
    library::LibraryMetadata& m = metadata_;
    m.carat_version = CARAT_VERSION;
    m.tvm_ffi_abi = library::kTvmFfiAbi;
    m.architecture = config_.architecture;
    m.model_config = config_json_.dump();
    m.vocab_size = config_.vocab_size;
    m.quantization = scheme_.name;
    m.device = options_.device;
    m.target = target_.name;
    m.cpu_features.assign(target_.features.begin(), target_.features.end());
    m.kernels = {std::string(target_.name)};
    m.context_window_size = ContextWindow();
    m.prefill_chunk_size = options_.prefill_chunk_size;
    m.max_batch_size = options_.max_batch_size;
    m.sliding_window = kv_.num_sliding_layers > 0 ? config_.sliding_window : 0;
    m.page_tokens = cpu::kPageTokens;
    m.page_bytes = kv_.page_bytes();
    m.ring_tokens = kv_.num_sliding_layers > 0 ? kv_.ring_pages * cpu::kPageTokens : 0;
    m.ring_bytes = kv_.ring_bytes();
    m.scratch_shared_bytes = program_.shared_bytes + attention.shared_bytes + kv_.staging_bytes;
    m.scratch_thread_bytes = program_.thread_bytes + attention.thread_bytes;
    m.weights = PlanWeights(program_.weights);
    m.weights_bytes = cpu::RoundUp(m.weights.back().offset + m.weights.back().num_bytes,
                                   library::kWeightAlignment);
    m.decode_weight_bytes = DecodeWeightBytes();
  }

  // All of a matrix for every multiplication with it; of the embedding table one row.
  int64_t DecodeWeightBytes() const {
    int64_t num_bytes = 0;
    for (const Stage& stage : program_.stages) {
      if (const auto* matmul = std::get_if<MatMul>(&stage.work)) {
        num_bytes += metadata_.weights[matmul->linear.weight].num_bytes;
      } else if (const auto* loop = std::get_if<RowLoop>(&stage.work)) {
        for (const RowOp& op : loop->ops) {
          if (const auto* embed = std::get_if<graph::Embed>(&op.work)) {
            num_bytes += static_cast<int64_t>(quantization::RowBytes(
                program_.weights[embed->table].format, program_.weights[embed->table].cols()));
          } else if (const auto* norm = std::get_if<graph::RmsNorm>(&op.work)) {
            num_bytes += metadata_.weights[norm->weight].num_bytes;
          }
        }
      }
    }
    return num_bytes;
  }

  // --- Making ---

  void Pack(const checkpoint::Checkpoint& checkpoint, const fs::path& path) {
    library::WeightsWriter writer(path);
    PackWeights(checkpoint, metadata_.weights, writer, [&](int64_t done, int64_t total) {
      Report("packing weights",
             0.05 + 0.45 * static_cast<double>(done) / static_cast<double>(total));
    });
    metadata_.weights_hash = library::HashToHex(writer.Finish());
  }

  void CompileLibrary(const fs::path& library) {
    Report("compiling the library", 0.5);
    const std::string source = GenerateCpu({program_, config_, scheme_, target_, metadata_, kv_});
    dump_.Write("model.cc", source);
    const fs::path folder = library.parent_path() / "source";
    for (const EmbeddedFile& header : EmbeddedHeaders()) {
      const fs::path path = folder / header.path;
      fs::create_directories(path.parent_path());
      WriteFileAtomically(path, header.text);
    }
    WriteFileAtomically(folder / "model.cc", source);
    CompileSharedLibrary(*toolchain_,
                         {.source = folder / "model.cc",
                          .output = library,
                          .include_directory = folder,
                          .target_name = std::string(target_.name),
                          .target_flags = std::string(toolchain_->IsZig() ? target_.zig_flags
                                                                          : target_.compiler_flags),
                          .tvm_ffi_library = TvmFfiLibrary()});
    fs::remove_all(folder);
  }

  // The libtvm_ffi.so this program runs with.
  static fs::path TvmFfiLibrary() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&TVMFFIObjectDecRef), &info) == 0 ||
        info.dli_fname == nullptr) {
      throw Error("libtvm_ffi.so: cannot tell where it was loaded from");
    }
    return fs::absolute(info.dli_fname);
  }

  // --- Reporting ---

  void Report(std::string_view step, double fraction) const {
    ThrowIfInterrupted();
    if (progress_) progress_(step, fraction);
  }

  CompileOptions options_;
  const CompileProgress& progress_;
  DebugDump dump_;
  const library::CpuTarget& target_ = library::FindTarget(options_.target);
  std::optional<Toolchain> toolchain_;
  std::unique_ptr<model::ModelSource> source_;
  Json config_json_;
  model::ModelConfig config_;
  model::GenerationDefaults generation_;
  quantization::QuantizationScheme scheme_;
  Program program_;
  KvPlan kv_;
  library::LibraryMetadata metadata_;
};

// MLC's "flashinfer=0;cublas_gemm=1".
bool AreGpuSwitches(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSwitches = {
      "flashinfer", "cublas_gemm", "faster_transformer",
      "cudagraph",  "cutlass",     "ipc_allreduce_strategy"};
  if (text.empty()) return false;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(';'));
    const std::string_view name = entry.substr(0, entry.find('='));
    if (name == entry || std::ranges::find(kSwitches, name) == kSwitches.end()) return false;
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
  }
  return true;
}

}  // namespace

CompileResult Compile(const CompileOptions& options, const CompileProgress& progress) {
  if (options.device == "cpu") return Compilation(options, progress).Run();
  if (options.device == "webgpu") return CompileWebGpu(options, progress);
  throw Error("--device {}: expected cpu or webgpu", options.device);
}

OptLevel ParseOptLevel(std::string_view text) {
  if (text == "O0") return OptLevel::kO0;
  if (text == "O1") return OptLevel::kO1;
  if (text == "O2") return OptLevel::kO2;
  if (text == "O3") return OptLevel::kO3;
  if (AreGpuSwitches(text)) return OptLevel::kO3;
  throw Error("--opt {}: expected O0, O1, O2 or O3", text);
}

}  // namespace carat::compiler
