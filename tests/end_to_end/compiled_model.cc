#include "tests/end_to_end/compiled_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

std::string KeyOf(const compiler::CompileOptions& o) {
  return fmt::format("{} {} {} {} {} {} {} {} {}", o.model.string(), o.quantization, o.target,
                     o.context_window_size.value_or(0), o.sliding_window_size.value_or(0),
                     o.prefill_chunk_size, o.max_batch_size, o.overrides,
                     static_cast<int>(o.level));
}

}  // namespace

fs::path ModelFolder(const std::string& golden_case) {
  const fs::path source = CARAT_SOURCE_DIR;
  const fs::path folder = source / "tests/data/goldens" / golden_case;
  return fs::exists(folder / "config.json") ? folder : source / "models/demo";
}

fs::path Compiled(const compiler::CompileOptions& options) {
  static const tests::TemporaryFolder folder;
  static std::map<std::string, fs::path> compiled;
  const std::string key = KeyOf(options);
  if (!compiled.contains(key)) {
    compiler::CompileOptions here = options;
    here.output = folder.path() / std::to_string(compiled.size());
    compiled[key] = compiler::Compile(here).output;
  }
  return compiled[key];
}

std::shared_ptr<runtime::Model> LoadCompiled(const compiler::CompileOptions& options,
                                             int num_threads) {
  return runtime::Model::Load(Compiled(options), {.num_threads = num_threads});
}

std::vector<float> AllLogits(const std::shared_ptr<runtime::Model>& model,
                             std::span<const TokenId> tokens, int64_t chunk) {
  runtime::Sequence sequence(model);
  const auto num_tokens = static_cast<int64_t>(tokens.size());
  std::vector<float> logits(num_tokens * model->vocab_size());
  for (int64_t begin = 0; begin < num_tokens; begin += chunk) {
    const int64_t count = std::min(chunk, num_tokens - begin);
    const runtime::SequenceChunk one{&sequence, tokens.subspan(begin, count),
                                     runtime::LogitRows::kAll};
    model->Forward({&one, 1}, std::span(logits).subspan(begin * model->vocab_size(),
                                                        count * model->vocab_size()));
  }
  return logits;
}

std::vector<TokenId> RandomTokens(int64_t count, int64_t vocab_size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(random() % static_cast<uint64_t>(vocab_size));
  }
  return tokens;
}

float MaxDifference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) throw Error("{} values against {}", a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const float difference = std::fabs(a[i] - b[i]);
    if (std::isnan(difference)) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace carat
