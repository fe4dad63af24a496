#include "carat/engine/perplexity.h"

#include <algorithm>
#include <limits>
#include <numbers>
#include <span>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/utf8.h"

namespace carat::engine {
namespace {

// Of one forward call: 32 rows of a vocabulary of 262,144.
constexpr int64_t kPerplexityLogitsBytes = int64_t{32} << 20;

// Positions in the text: tokens [begin, end) are a sequence, of which [first_scored, end) count.
struct PerplexityWindow {
  int64_t begin;
  int64_t first_scored;
  int64_t end;
};

int64_t CountWindows(int64_t num_tokens, const PerplexityOptions& options) {
  if (options.method == PerplexityMethod::kLlamaCpp) return num_tokens / options.context;
  const int64_t beyond_first = num_tokens - options.context;
  return 1 + (beyond_first + options.stride - 1) / options.stride;
}

PerplexityWindow WindowAt(int64_t index, int64_t num_tokens, const PerplexityOptions& options) {
  const int64_t context = options.context;
  if (options.method == PerplexityMethod::kLlamaCpp) {
    const int64_t begin = index * context;
    return {begin, begin + context / 2 + 1, begin + context};
  }
  const int64_t begin = index * options.stride;
  const int64_t reached = index == 0 ? 0 : begin - options.stride + context;
  return {begin, std::max(reached, begin + 1), std::min(begin + context, num_tokens)};
}

// -log softmax(logits)[token]
double NegativeLogLikelihood(std::span<const float> logits, TokenId token) {
  const double max = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  return std::log(sum) + max - logits[token];
}

// Mean and variance by Welford's update, which holds no values.
class RunningMean {
 public:
  void Add(double value) {
    ++count_;
    const double from_old_mean = value - mean_;
    mean_ += from_old_mean / static_cast<double>(count_);
    sum_of_squares_ += from_old_mean * (value - mean_);
  }

  int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double standard_error() const {
    if (count_ < 2) return std::numeric_limits<double>::quiet_NaN();
    const auto count = static_cast<double>(count_);
    return std::sqrt(sum_of_squares_ / count / (count - 1));
  }

 private:
  int64_t count_ = 0;
  double mean_ = 0;
  double sum_of_squares_ = 0;  // of the distances from the mean
};

void CheckPerplexityOptions(const runtime::Model& model, const PerplexityText& text,
                            const PerplexityOptions& options) {
  const bool is_sliding = options.method == PerplexityMethod::kSliding;
  const int64_t least_context = is_sliding ? 2 : 3;  // below, no token is scored
  if (options.context < least_context) {
    throw Error("a context of {} tokens scores none; take a --context of at least {}",
                options.context, least_context);
  }
  if (options.context > model.context_window_size()) {
    throw Error(
        "a context of {} tokens is more than the model's context window of {}; take a smaller "
        "--context, or compile with a larger --context-window-size",
        options.context, model.context_window_size());
  }
  if (is_sliding && (options.stride < 1 || options.stride > options.context)) {
    throw Error(
        "a stride of {} tokens would leave tokens out; take a --stride from 1 to the context of {}",
        options.stride, options.context);
  }
  const int64_t num_needed = is_sliding ? options.context : 2 * options.context;
  if (std::ssize(text.tokens) < num_needed) {
    throw Error(
        "{}: has {} tokens, and --context {} needs at least {}; take a longer text or a smaller "
        "--context",
        text.name, text.tokens.size(), options.context, num_needed);
  }
}

class Scorer {
 public:
  Scorer(const std::shared_ptr<runtime::Model>& model, const PerplexityText& text,
         const PerplexityOptions& options)
      : model_(*model),
        text_(text),
        options_(options),
        num_windows_(CountWindows(std::ssize(text.tokens), options)),
        sequence_(model),
        max_rows_(std::clamp<int64_t>(
            kPerplexityLogitsBytes / (model->vocab_size() * static_cast<int64_t>(sizeof(float))), 1,
            model->metadata().prefill_chunk_size)) {}

  Perplexity Run() {
    for (int64_t i = 0; i < num_windows_; ++i) {
      ScoreWindow(WindowAt(i, std::ssize(text_.tokens), options_));
      if (options_.on_progress) options_.on_progress(i + 1, num_windows_);
    }
    const auto num_text_tokens =
        static_cast<double>(std::ssize(text_.tokens) - (text_.bos.has_value() ? 1 : 0));
    const double tokens_per_byte = num_text_tokens / static_cast<double>(text_.num_bytes);
    return {.num_windows = num_windows_,
            .num_scored = nll_.count(),
            .mean_nll = nll_.mean(),
            .mean_nll_standard_error = nll_.standard_error(),
            .bits_per_byte = nll_.mean() * tokens_per_byte / std::numbers::ln2};
  }

 private:
  void ScoreWindow(const PerplexityWindow& window) {
    const std::span<const TokenId> text = text_.tokens;
    std::vector<TokenId> tokens(text.begin() + window.begin, text.begin() + window.end);
    if (options_.method == PerplexityMethod::kLlamaCpp && text_.bos) tokens.front() = *text_.bos;
    sequence_.Reset();
    // The first token to be scored is predicted by the one before it; the last one predicts
    // nothing.
    const auto num_only_read = static_cast<size_t>(window.first_scored - 1 - window.begin);
    Read(std::span(tokens).first(num_only_read));
    Score(std::span(tokens).subspan(num_only_read));
  }

  void Forward(std::span<const TokenId> tokens, runtime::LogitRows rows) {
    if (options_.is_interrupted && options_.is_interrupted()) throw Error("interrupted");
    const runtime::SequenceChunk chunk = {&sequence_, tokens, rows};
    model_.Forward({&chunk, 1}, logits_);
  }

  void Read(std::span<const TokenId> tokens) {
    const auto max_tokens = static_cast<size_t>(model_.metadata().prefill_chunk_size);
    logits_.clear();
    while (!tokens.empty()) {
      const size_t count = std::min(tokens.size(), max_tokens);
      Forward(tokens.first(count), runtime::LogitRows::kNone);
      tokens = tokens.subspan(count);
    }
  }

  // Scores each of the tokens but the first.
  void Score(std::span<const TokenId> tokens) {
    const int64_t vocab_size = model_.vocab_size();
    while (tokens.size() > 1) {
      const int64_t num_rows = std::min(std::ssize(tokens) - 1, max_rows_);
      logits_.resize(num_rows * vocab_size);
      Forward(tokens.first(num_rows), runtime::LogitRows::kAll);
      row_nll_.resize(num_rows);
      runtime::ThreadPool& pool = model_.thread_pool();
      pool.Run([&](int thread) {
        for (int64_t row = thread; row < num_rows; row += pool.num_threads()) {
          row_nll_[row] = NegativeLogLikelihood(
              std::span(logits_).subspan(row * vocab_size, vocab_size), tokens[row + 1]);
        }
      });
      for (const double nll : row_nll_) Add(nll);
      tokens = tokens.subspan(num_rows);
    }
  }

  void Add(double nll) {
    if (!std::isfinite(nll)) {
      throw Error("{}: the model gives a token no finite probability; its weights may be damaged",
                  text_.name);
    }
    nll_.Add(nll);
  }

  runtime::Model& model_;
  const PerplexityText& text_;
  const PerplexityOptions& options_;
  const int64_t num_windows_;
  runtime::Sequence sequence_;
  const int64_t max_rows_;
  std::vector<float> logits_;    // [rows, vocab_size] of the last forward call
  std::vector<double> row_nll_;  // [rows]
  RunningMean nll_;
};

}  // namespace

PerplexityText EncodePerplexityText(const TextModel& model, std::string_view text, std::string name,
                                    PerplexityMethod method) {
  if (method == PerplexityMethod::kLlamaCpp && text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) throw Error("{}: is empty", name);
  if (!IsUtf8(text)) throw Error("{}: is not UTF-8 text; convert it, for instance by iconv", name);
  const text::Tokenizer& tokenizer = *model.tokenizer;
  const std::vector<TokenId> added = tokenizer.Encode("", text::SpecialTokens::kAdd);
  PerplexityText encoded;
  encoded.name = std::move(name);
  encoded.tokens = tokenizer.Encode(text, text::SpecialTokens::kAdd);
  if (!added.empty()) encoded.bos = added.front();
  encoded.num_bytes = std::ssize(text);
  tokenizer.CheckTokens(encoded.tokens, model.model->vocab_size());
  return encoded;
}

int64_t DefaultPerplexityContext(PerplexityMethod method, int64_t context_window_size) {
  constexpr int64_t kMostSliding = 2048;
  constexpr int64_t kOfLlamaCpp = 512;
  return std::min(context_window_size,
                  method == PerplexityMethod::kSliding ? kMostSliding : kOfLlamaCpp);
}

Perplexity MeasurePerplexity(const std::shared_ptr<runtime::Model>& model,
                             const PerplexityText& text, const PerplexityOptions& options) {
  CheckPerplexityOptions(*model, text, options);
  return Scorer(model, text, options).Run();
}

}  // namespace carat::engine
