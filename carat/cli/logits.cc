// `carat logits`: the logits of a text given as token ids, by the compiled library or by the
// reference interpreter, to a .npy file. Rows are written as they are computed.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/npy.h"
#include "carat/base/progress.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/graph/reference.h"
#include "carat/library/dist_folder.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"
#include "carat/model/config.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"
#include "carat/runtime/model.h"

namespace carat::cli {
namespace {

struct LogitsArguments {
  std::filesystem::path model;
  std::filesystem::path tokens;
  std::filesystem::path output;
  std::optional<std::string> quantization;  // by default q4_0, and none with --reference
  bool reference = false;
  int64_t chunk_size = 0;
  int num_threads = 0;
};

// Appends tokens to the text and returns their logits [tokens.size(), vocab_size].
using Forward = std::function<std::span<const float>(std::span<const TokenId> tokens)>;

// Of one chunk's logits, unless --chunk-size says otherwise.
constexpr int64_t kLogitsBufferBytes = int64_t{32} << 20;

int64_t ChunkSize(const LogitsArguments& arguments, int64_t vocab_size) {
  if (arguments.chunk_size > 0) return arguments.chunk_size;
  const int64_t row_bytes = vocab_size * static_cast<int64_t>(sizeof(float));
  return std::max<int64_t>(1, kLogitsBufferBytes / row_bytes);
}

void CheckTokens(std::span<const TokenId> tokens, int64_t vocab_size, const std::string& file) {
  if (tokens.empty()) throw Error("{}: no tokens in it", file);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocab_size) {
      throw Error("{}: token {} at position {} is outside the vocabulary of {}", file, tokens[i], i,
                  vocab_size);
    }
  }
}

void WriteLogits(const LogitsArguments& arguments, int64_t vocab_size, int64_t max_tokens,
                 const Forward& forward) {
  const std::vector<TokenId> tokens = ReadNpyInt32(arguments.tokens);
  if (std::ssize(tokens) > max_tokens) {
    throw Error("{}: {} tokens do not fit the context window of {}", arguments.tokens.string(),
                tokens.size(), max_tokens);
  }
  CheckTokens(tokens, vocab_size, arguments.tokens.string());
  const auto chunk_size = static_cast<size_t>(ChunkSize(arguments, vocab_size));
  const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);  // the file is removed
  NpyWriter writer(arguments.output, std::ssize(tokens), vocab_size);
  Progress progress("logits");
  for (size_t done = 0; done < tokens.size();) {
    ThrowIfInterrupted();
    const size_t count = std::min(chunk_size, tokens.size() - done);
    writer.Append(forward(std::span(tokens).subspan(done, count)));
    done += count;
    progress.Update(static_cast<int64_t>(done), std::ssize(tokens));
  }
  writer.Finish();
}

void RunReference(const LogitsArguments& arguments) {
  if (library::IsDistFolder(arguments.model) &&
      !model::ModelSource::HoldsWeights(arguments.model)) {
    throw Error("{}: --reference reads the model, and this is a compiled folder",
                arguments.model.string());
  }
  const auto source = model::ModelSource::Open(arguments.model);
  model::ModelConfig config = source->LoadConfig();
  const checkpoint::Checkpoint checkpoint = source->OpenCheckpoint(config);
  const graph::Graph graph = model::BuildGraph(config);
  const bool has_own_weights =
      !arguments.quantization || *arguments.quantization == source->NamedQuantization();
  graph::Reference reference(
      graph, has_own_weights ? model::CheckpointWeights(checkpoint)
                             : model::CheckpointWeights(
                                   checkpoint, quantization::FindScheme(*arguments.quantization)));
  std::vector<float> logits;
  WriteLogits(arguments, config.vocab_size, config.max_position_embeddings,
              [&](std::span<const TokenId> tokens) {
                std::vector<int32_t> rows(tokens.size());
                std::iota(rows.begin(), rows.end(), 0);
                logits = reference.Forward(tokens, rows);
                return std::span<const float>(logits);
              });
}

void RunCompiled(const LogitsArguments& arguments) {
  const auto model = runtime::Model::Load(ResolveModel(arguments.model, arguments.quantization),
                                          {.num_threads = arguments.num_threads});
  runtime::Sequence sequence(model);
  std::vector<float> logits;
  WriteLogits(arguments, model->vocab_size(), model->context_window_size(),
              [&](std::span<const TokenId> tokens) {
                logits.resize(tokens.size() * static_cast<size_t>(model->vocab_size()));
                const runtime::SequenceChunk chunk = {&sequence, tokens, runtime::LogitRows::kAll};
                model->Forward({&chunk, 1}, logits);
                return std::span<const float>(logits);
              });
}

}  // namespace

void AddLogits(CLI::App& app) {
  const auto arguments = std::make_shared<LogitsArguments>();
  CLI::App* command = app.add_subcommand("logits", "Compute the logits of a text of token ids");
  AddModelArgument(*command, arguments->model);
  command->add_option("--tokens", arguments->tokens, "int32 token ids [n], a .npy file")
      ->required()
      ->check(NotEmpty());
  command
      ->add_option("--output", arguments->output, "float32 [n, vocab_size], the .npy file to write")
      ->required()
      ->check(OutputFile());
  command->add_flag("--reference", arguments->reference,
                    "By the reference interpreter (slow; MODEL is not a compiled folder)");
  AddQuantizationFlag(*command, arguments->quantization,
                      "Weight format, as carat compile has it; the reference "
                      "computes with the checkpoint's own weights unless this is given");
  command
      ->add_option("--chunk-size", arguments->chunk_size, "Tokens a forward call (default: many)")
      ->check(WholeNumber(1, kMaxCount));
  AddThreadsFlag(*command, arguments->num_threads);
  command->callback(
      [arguments] { arguments->reference ? RunReference(*arguments) : RunCompiled(*arguments); });
}

}  // namespace carat::cli
