// How well a model predicts a text: perplexity = exp(mean NLL), where a token's NLL is the negative
// natural logarithm of the probability that the model gave it.
//
// A model looks back a window of tokens at most, so a longer text is cut. Below, x are tokens that
// are scored and . those that are only read; b is <bos>.
//
// kSliding, Hugging Face's recipe ("Perplexity of fixed-length models"): windows of `context`
// tokens, each beginning `stride` after the one before and scoring what that one did not reach.
//
//     text       0 1 2 3 4 5 6 7 8 9      context 6, stride 2
//     window 0   . x x x x x
//     window 1       . . . . x x
//     window 2           . . . . x x
//
// Each token but the first is scored once (with stride = context, none that begins a window is). As
// in the recipe, only the first window begins with the <bos> that the tokenizer adds.
//
// kLlamaCpp, the tokens that llama-perplexity scores by default: chunks that do not overlap, each
// of whose first tokens is replaced by <bos> if the tokenizer adds one. What does not fill a chunk
// is left out, as is a line break at the text's end.
//
//     text       0 1 2 3 4 5   6 7 8 9 10 11   12        context 6
//     chunk 0    b . . . x x
//     chunk 1                  b . . . x  x

#ifndef CARAT_ENGINE_PERPLEXITY_H_
#define CARAT_ENGINE_PERPLEXITY_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/progress.h"
#include "carat/base/types.h"
#include "carat/engine/text_generator.h"
#include "carat/runtime/model.h"

namespace carat::engine {

enum class PerplexityMethod { kSliding, kLlamaCpp };

// The text as the tokenizer gives it to the model.
struct PerplexityText {
  std::string name;             // a file's, for errors
  std::vector<TokenId> tokens;  // special tokens included
  std::optional<TokenId> bos;   // what the tokenizer puts before every text; tokens begin with it
  int64_t num_bytes = 0;
};

// Throws Error if `text` is empty or not UTF-8, or has tokens that the model has not.
PerplexityText EncodePerplexityText(const TextModel& model, std::string_view text, std::string name,
                                    PerplexityMethod method);

struct PerplexityOptions {
  PerplexityMethod method = PerplexityMethod::kSliding;
  int64_t context = 2;  // tokens a window
  int64_t stride = 1;   // of kSliding
  ProgressCallback on_progress = {};
  std::function<bool()> is_interrupted = {};  // asked between steps
};

// kSliding: the model's context window, but at most 2048 tokens, so that numbers of models with
// long windows can be compared. kLlamaCpp: 512, as llama-perplexity, where the model has as many.
int64_t DefaultPerplexityContext(PerplexityMethod method, int64_t context_window_size);

struct Perplexity {
  int64_t num_windows = 0;
  int64_t num_scored = 0;
  double mean_nll = 0;                 // nats a token
  double mean_nll_standard_error = 0;  // as if tokens were independent; NaN for a single one
  double bits_per_byte = 0;            // mean NLL, by how many tokens the whole text takes a byte

  double value() const { return std::exp(mean_nll); }
  double standard_error() const { return value() * mean_nll_standard_error; }
};

// Needs the model to itself. Throws Error for a text too short for the method, a context that the
// model has not, a stride beyond it, and if interrupted.
Perplexity MeasurePerplexity(const std::shared_ptr<runtime::Model>& model,
                             const PerplexityText& text, const PerplexityOptions& options);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_PERPLEXITY_H_
