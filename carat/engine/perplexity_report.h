// The perplexity of a text together with what was measured: what `carat perplexity` prints and
// other front ends return.

#ifndef CARAT_ENGINE_PERPLEXITY_REPORT_H_
#define CARAT_ENGINE_PERPLEXITY_REPORT_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/progress.h"
#include "carat/engine/perplexity.h"
#include "carat/engine/text_generator.h"

namespace carat::engine {

struct PerplexityRequest {
  std::string text = {};
  std::string file = {};  // that the text comes from; empty: none
  std::string method = "sliding";
  std::optional<int64_t> context = {};  // tokens a window; default: DefaultPerplexityContext
  std::optional<int64_t> stride = {};   // default: half a window
  ProgressCallback on_progress = {};
};

struct PerplexityReport {
  std::filesystem::path folder;
  std::string quantization;
  int num_threads = 0;
  std::string file;
  std::string method;
  int64_t num_bytes = 0;
  int64_t num_tokens = 0;
  PerplexityOptions options;
  Perplexity perplexity;
};

// "sliding" or "llama.cpp". Throws InvalidArgumentError for anything else.
PerplexityMethod ParsePerplexityMethod(std::string_view name);

// Needs the model to itself. Throws Error as EncodePerplexityText and MeasurePerplexity do, and on
// Ctrl-C (base/interrupt.h).
PerplexityReport ReportPerplexity(const TextModel& model, const PerplexityRequest& request);

// Without "file" if the text is from none, without "stride" where the method has none.
nlohmann::ordered_json ToJson(const PerplexityReport& report);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_PERPLEXITY_REPORT_H_
