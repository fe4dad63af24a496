// How good a model is.
//
// carat.perplexity(options: {model, text | file, method, context, stride, num_threads}, progress)
//   -> str, JSON
// carat.evaluate(options: {model, tasks, max_tokens, limit, num_threads}, progress) -> str, JSON
//
// The options are those of the commands, in snake_case, and so is the JSON. A model that is not
// compiled is compiled first, as carat.resolve_model does.

#include <tvm/ffi/reflection/registry.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "carat/base/ascii_json.h"
#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/compiler/resolve_model.h"
#include "carat/engine/evaluation_report.h"
#include "carat/engine/perplexity_report.h"
#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/options.h"
#include "carat/ffi/progress.h"

namespace carat::ffi {
namespace {

engine::TextModel LoadForMeasuring(const std::string& model, int num_threads,
                                   const HostProgress& progress) {
  return engine::LoadTextModel(compiler::ResolveTextModel(model, EachStep(progress)),
                               {.num_threads = num_threads});
}

std::string MeasurePerplexity(OptionMap map, HostProgress progress) {
  std::string model;
  std::optional<std::string> text;
  int num_threads = 0;
  engine::PerplexityRequest request;
  Options options(std::move(map));
  options.Take("model", model);
  options.Take("text", text);
  options.Take("file", request.file);
  options.Take("method", request.method);
  options.Take("context", request.context);
  options.Take("stride", request.stride);
  options.Take("num_threads", num_threads);
  options.Finish();
  if (text.has_value() != request.file.empty()) {
    throw InvalidArgumentError("give either text or file");
  }
  return Interruptibly([&] {
    request.text = text ? *std::move(text) : ReadTextFile(request.file);
    const engine::TextModel loaded = LoadForMeasuring(model, num_threads, progress);
    request.on_progress = OneStep(progress, "perplexity");
    return AsciiJson(engine::ToJson(engine::ReportPerplexity(loaded, request)));
  });
}

std::string EvaluateModel(OptionMap map, HostProgress progress) {
  std::string model;
  std::string file;
  int64_t max_tokens = engine::EvaluationOptions().max_tokens;
  std::optional<int64_t> limit;
  int num_threads = 0;
  Options options(std::move(map));
  options.Take("model", model);
  options.Take("tasks", file);
  options.Take("max_tokens", max_tokens);
  options.Take("limit", limit);
  options.Take("num_threads", num_threads);
  options.Finish();
  return Interruptibly([&] {
    const engine::EvaluationTasks tasks = engine::ReadEvaluationTasks(model, file, limit);
    const engine::TextModel loaded = LoadForMeasuring(model, num_threads, progress);
    return AsciiJson(engine::ToJson(
        engine::ReportEvaluation(loaded, tasks, max_tokens, OneStep(progress, "evaluate"))));
  });
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef()
      .def("carat.perplexity", Exported(MeasurePerplexity))
      .def("carat.evaluate", Exported(EvaluateModel));
}

}  // namespace carat::ffi
