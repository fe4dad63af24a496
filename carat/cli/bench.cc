// `carat bench`: how fast a compiled model is here, and how near that is to what the memory allows.
//
// Decoding reads every weight once a token (of the embedding only the token's row), so memory
// bandwidth is the roof over it: tokens/s <= bytes read a second / bytes a token.
//
// As in llama.cpp's llama-bench, prefill and decoding of random tokens are measured apart, each on
// a sequence that holds --depth tokens already; sampling is not part of it. Where there is a depth,
// the prompt follows the decoded tokens, since filling the sequence once more would take longer
// than everything else.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/ascii_json.h"
#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/engine/sampler.h"
#include "carat/runtime/memory_roof.h"
#include "carat/runtime/memory_usage.h"
#include "carat/runtime/model.h"
#include "carat/runtime/thread_pool.h"

namespace carat::cli {
namespace {

struct BenchArguments {
  std::filesystem::path model;
  std::optional<std::string> quantization;
  int64_t prompt_tokens = 512;
  int64_t gen_tokens = 128;
  int64_t depth = 0;
  int num_threads = 0;
  int repetitions = 5;
  bool json = false;
};

// Tokens a second, of each repetition.
class Rates {
 public:
  void Add(int64_t num_tokens, double seconds) {
    const double rate = static_cast<double>(num_tokens) / seconds;
    ascending_.insert(std::ranges::upper_bound(ascending_, rate), rate);
  }

  double min() const { return ascending_.front(); }
  double max() const { return ascending_.back(); }
  double median() const {
    const size_t middle = ascending_.size() / 2;
    return ascending_.size() % 2 == 1 ? ascending_[middle]
                                      : (ascending_[middle - 1] + ascending_[middle]) / 2;
  }

 private:
  std::vector<double> ascending_;
};

struct Measurements {
  std::filesystem::path folder;
  library::LibraryMetadata metadata;
  int num_threads = 0;
  double load_s = 0;
  Rates prefill;
  Rates decode;
  int64_t weight_bytes_per_token = 0;
  int64_t kv_bytes_per_token = 0;
  int64_t peak_memory_bytes = 0;
  double roof_bytes_per_s = 0;

  int64_t bytes_per_token() const { return weight_bytes_per_token + kv_bytes_per_token; }
  double decode_bytes_per_s() const {
    return decode.median() * static_cast<double>(bytes_per_token());
  }
  double share_of_roof() const { return decode_bytes_per_s() / roof_bytes_per_s; }
};

void StopIfInterrupted() {
  if (Interrupted()) throw Error("interrupted");
}

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<TokenId> RandomTokens(int64_t count, int64_t vocab_size) {
  constexpr uint64_t kSeed = 1;
  engine::UniformGenerator uniform(kSeed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(uniform.Next() * static_cast<double>(vocab_size));
  }
  return tokens;
}

// What attention reads for one token at `position`: of sliding layers the window, of the others
// all.
int64_t KvBytesPerToken(const library::LibraryMetadata& metadata, int64_t position) {
  const int64_t visible = std::min(position, metadata.sliding_window);
  const int64_t ring =
      metadata.ring_tokens == 0 ? 0 : visible * (metadata.ring_bytes / metadata.ring_tokens);
  return position * (metadata.page_bytes / metadata.page_tokens) + ring;
}

// The tokens of one round.
int64_t LongestSequence(const BenchArguments& arguments) {
  return arguments.depth > 0 ? arguments.depth + arguments.gen_tokens + arguments.prompt_tokens
                             : std::max(arguments.gen_tokens, arguments.prompt_tokens);
}

void CheckFits(const BenchArguments& arguments, const runtime::Model& model) {
  const int64_t context = model.context_window_size();
  const bool each_fits = arguments.depth <= context && arguments.gen_tokens <= context &&
                         arguments.prompt_tokens <= context;  // so that their sum does not overflow
  if (!each_fits || LongestSequence(arguments) > context) {
    throw Error(
        "{} tokens do not fit the context window of {}; take a smaller --depth, "
        "--prompt-tokens or --gen-tokens",
        LongestSequence(arguments), model.context_window_size());
  }
}

class Benchmark {
 public:
  Benchmark(const BenchArguments& arguments, std::shared_ptr<runtime::Model> model)
      : arguments_(arguments),
        model_(std::move(model)),
        sequence_(model_),
        tokens_(RandomTokens(LongestSequence(arguments), model_->vocab_size())),
        logits_(model_->vocab_size()) {}

  void Run(Measurements& measurements) {
    Progress progress("bench");
    // The first round finds cold caches and is not counted.
    for (int round = 0; round <= arguments_.repetitions; ++round) {
      sequence_.Reset();
      if (arguments_.depth > 0) Append(arguments_.depth);
      const double decode_s = SecondsOf([this] {
        for (int64_t i = 0; i < arguments_.gen_tokens; ++i) Append(1);
      });
      if (arguments_.depth == 0) sequence_.Reset();
      const double prefill_s = SecondsOf([this] { Append(arguments_.prompt_tokens); });
      progress.Update(round + 1, arguments_.repetitions + 1);
      if (round == 0) continue;
      measurements.decode.Add(arguments_.gen_tokens, decode_s);
      measurements.prefill.Add(arguments_.prompt_tokens, prefill_s);
    }
  }

 private:
  // Runs the next `count` tokens in as few steps as there can be. Ctrl-C counts between steps.
  void Append(int64_t count) {
    const auto chunk_size = static_cast<size_t>(model_->metadata().prefill_chunk_size);
    std::span<const TokenId> rest = std::span(tokens_).subspan(sequence_.length(), count);
    while (!rest.empty()) {
      StopIfInterrupted();
      const std::span<const TokenId> chunk = rest.first(std::min(rest.size(), chunk_size));
      rest = rest.subspan(chunk.size());
      const auto rows = rest.empty() ? runtime::LogitRows::kLast : runtime::LogitRows::kNone;
      const runtime::SequenceChunk input = {&sequence_, chunk, rows};
      model_->Forward({&input, 1}, std::span(logits_).first(rest.empty() ? logits_.size() : 0));
    }
  }

  const BenchArguments& arguments_;
  std::shared_ptr<runtime::Model> model_;
  runtime::Sequence sequence_;
  std::vector<TokenId> tokens_;
  std::vector<float> logits_;
};

// Loads the model, runs it and lets it go.
void MeasureModel(const BenchArguments& arguments, const std::filesystem::path& folder,
                  Measurements& measured) {
  runtime::ResetPeakMemory();  // compiling may have come before
  std::shared_ptr<runtime::Model> model;
  measured.load_s = SecondsOf(
      [&] { model = runtime::Model::Load(folder, {.num_threads = arguments.num_threads}); });
  CheckFits(arguments, *model);
  Benchmark(arguments, model).Run(measured);
  measured.peak_memory_bytes = runtime::PeakMemoryBytes();
  measured.folder = folder;
  measured.metadata = model->metadata();
  measured.num_threads = model->num_threads();
  measured.weight_bytes_per_token = model->metadata().decode_weight_bytes;
  measured.kv_bytes_per_token =
      KvBytesPerToken(model->metadata(), arguments.depth + arguments.gen_tokens / 2);
}

// With as much memory as a token reads, and after the model has given its own back, so that to
// measure takes no more than to run. A small model's bytes would be read from the caches.
double MeasureRoof(const Measurements& measured) {
  constexpr int64_t kLeastBytes = int64_t{64} << 20;
  constexpr auto kMostBytes = static_cast<int64_t>(runtime::kMemoryRoofBytes);
  runtime::ThreadPool pool(measured.num_threads);
  return runtime::MeasureReadBandwidth(
      pool, static_cast<size_t>(std::clamp(measured.bytes_per_token(), kLeastBytes, kMostBytes)));
}

void PrintText(const BenchArguments& arguments, const Measurements& measured) {
  const auto row = [](std::string_view name, const std::string& value) {
    std::cout << fmt::format("{:<8} {}\n", name, Printable(value));
  };
  const auto rates = [&arguments](int64_t num_tokens, const Rates& rates) {
    return fmt::format("{:9.1f} tokens/s   {:.1f} .. {:.1f}   {} tokens, median of {}",
                       rates.median(), rates.min(), rates.max(), num_tokens, arguments.repetitions);
  };
  const auto gb = [](double bytes) { return bytes * 1e-9; };
  const auto mb = [](int64_t bytes) { return static_cast<double>(bytes) * 1e-6; };
  row("model",
      fmt::format("{}: {}, {}, {} threads{}", measured.folder.filename().string(),
                  measured.metadata.quantization, measured.metadata.target, measured.num_threads,
                  arguments.depth > 0 ? fmt::format(", after {} tokens", arguments.depth) : ""));
  row("load", fmt::format("{:9.3f} s", measured.load_s));
  row("prefill", rates(arguments.prompt_tokens, measured.prefill));
  row("decode", rates(arguments.gen_tokens, measured.decode));
  row("reads", fmt::format("{:9.1f} MB a decoded token: {:.1f} of weights, {:.1f} of KV cache",
                           mb(measured.bytes_per_token()), mb(measured.weight_bytes_per_token),
                           mb(measured.kv_bytes_per_token)));
  row("roof",
      fmt::format("{:9.1f} GB/s can {} threads read here; decoding reads {:.1f} GB/s: {:.0f}%",
                  gb(measured.roof_bytes_per_s), measured.num_threads,
                  gb(measured.decode_bytes_per_s()), 100 * measured.share_of_roof()));
  row("memory", fmt::format("{:9.1f} MB at most", mb(measured.peak_memory_bytes)));
}

void PrintJson(const BenchArguments& arguments, const Measurements& measured) {
  const auto rates = [](int64_t num_tokens, const Rates& rates) -> nlohmann::ordered_json {
    return {{"tokens", num_tokens},
            {"tokens_per_s", rates.median()},
            {"min", rates.min()},
            {"max", rates.max()}};
  };
  const nlohmann::ordered_json json = {
      {"model", measured.folder.string()},
      {"quantization", measured.metadata.quantization},
      {"target", measured.metadata.target},
      {"num_threads", measured.num_threads},
      {"depth", arguments.depth},
      {"repetitions", arguments.repetitions},
      {"load_s", measured.load_s},
      {"prefill", rates(arguments.prompt_tokens, measured.prefill)},
      {"decode", rates(arguments.gen_tokens, measured.decode)},
      {"bytes_per_token",
       {{"weights", measured.weight_bytes_per_token}, {"kv_cache", measured.kv_bytes_per_token}}},
      {"memory_roof",
       {{"bytes_per_s", measured.roof_bytes_per_s},
        {"decode_bytes_per_s", measured.decode_bytes_per_s()},
        {"share", measured.share_of_roof()}}},
      {"peak_memory_bytes", measured.peak_memory_bytes},
  };
  std::cout << AsciiJson(json);
}

void RunBench(const BenchArguments& arguments) {
  const std::filesystem::path folder = ResolveModel(arguments.model, arguments.quantization);
  const InterruptGuard guard;
  Measurements measured;
  MeasureModel(arguments, folder, measured);
  StopIfInterrupted();
  measured.roof_bytes_per_s = MeasureRoof(measured);
  arguments.json ? PrintJson(arguments, measured) : PrintText(arguments, measured);
}

}  // namespace

void AddBench(CLI::App& app) {
  const auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure a model's speed and memory");
  AddModelArgument(*command, arguments->model);
  AddQuantizationFlag(*command, arguments->quantization,
                      "Weight format to compile MODEL with, as carat compile has it");
  const auto count = [command](const char* name, auto& value, int64_t min,
                               const char* description) {
    command->add_option(name, value, description)
        ->capture_default_str()
        ->check(WholeNumber(min, kMaxCount));
  };
  count("--prompt-tokens", arguments->prompt_tokens, 1, "Tokens to prefill");
  count("--gen-tokens", arguments->gen_tokens, 1, "Tokens to decode");
  count("--depth", arguments->depth, 0, "Tokens in the context before");
  count("--repetitions", arguments->repetitions, 1, "Measurements of each");
  AddThreadsFlag(*command, arguments->num_threads);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->callback([arguments] { RunBench(*arguments); });
}

}  // namespace carat::cli
