// carat.load(folder, options: {num_threads}) -> carat.Model
//
// Model.create_state(max_tokens: int | None) -> carat.State
// Model.forward(state, tokens, rows: "all" | "last" | "none", out: Tensor | None) -> Tensor
// Model.metadata() -> str, JSON
// State.length() -> int, State.truncate(length) -> int

#include "carat/ffi/model.h"

#include <tvm/ffi/reflection/registry.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "carat/base/error.h"
#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/options.h"
#include "carat/ffi/tensors.h"
#include "carat/library/dist_folder.h"

namespace carat::ffi {
namespace {

using tvm::ffi::AnyView;
using tvm::ffi::Optional;
using tvm::ffi::String;
using tvm::ffi::Tensor;

Model Load(String folder, OptionMap map) {
  runtime::ModelOptions model_options;
  Options options(std::move(map));
  options.Take("num_threads", model_options.num_threads);
  options.Finish();
  return Model(runtime::Model::Load(std::string(folder), model_options));
}

State CreateState(Model model, Optional<int64_t> max_tokens) {
  const int64_t window = model->context_window_size;
  const int64_t length = max_tokens.value_or(window);
  if (length < 1 || length > window) {
    throw InvalidArgumentError(
        "max_tokens is {}, expected 1 to {}, the context window; for more compile with a larger "
        "context_window_size",
        length, window);
  }
  return State(model->get(), length);
}

runtime::LogitRows LogitRowsFrom(const String& text) {
  if (text == "all") return runtime::LogitRows::kAll;
  if (text == "last") return runtime::LogitRows::kLast;
  if (text == "none") return runtime::LogitRows::kNone;
  throw InvalidArgumentError("logits is '{}', expected 'all', 'last' or 'none'", std::string(text));
}

int64_t CountRows(runtime::LogitRows rows, size_t num_tokens) {
  if (rows == runtime::LogitRows::kNone) return 0;
  return rows == runtime::LogitRows::kLast ? 1 : static_cast<int64_t>(num_tokens);
}

// A step is what one call of the library does; between them the host may interrupt.
void RunInSteps(runtime::Model& model, runtime::Sequence& sequence, std::span<const TokenId> tokens,
                runtime::LogitRows rows, std::span<float> logits) {
  HostSignals signals;
  const auto step = static_cast<size_t>(model.metadata().prefill_chunk_size);
  while (!tokens.empty()) {
    signals.Check();
    signals.ThrowIfRaised();
    const std::span<const TokenId> piece = tokens.first(std::min(step, tokens.size()));
    tokens = tokens.subspan(piece.size());
    const bool no_rows = rows == runtime::LogitRows::kLast && !tokens.empty();
    const runtime::SequenceChunk chunk = {&sequence, piece,
                                          no_rows ? runtime::LogitRows::kNone : rows};
    const size_t num_logits = CountRows(chunk.logit_rows, piece.size()) * model.vocab_size();
    model.Forward({&chunk, 1}, logits.first(num_logits));
    logits = logits.subspan(num_logits);
  }
}

Tensor Forward(Model model, State state, AnyView token_ids, String rows_text,
               Optional<Tensor> out) {
  runtime::Sequence& sequence = state->sequence();
  if (!sequence.BelongsTo(*model->get())) {
    throw InvalidArgumentError("state belongs to another model; make one with create_state()");
  }
  const std::vector<TokenId> tokens = TokensFrom(token_ids, "tokens", model->vocab_size);
  if (tokens.empty()) throw InvalidArgumentError("tokens is empty");
  const int64_t length = sequence.length();
  if (std::ssize(tokens) > state->max_tokens - length) {
    throw InvalidArgumentError("tokens has {}, but the state of max_tokens {} holds {} already",
                               tokens.size(), state->max_tokens, length);
  }
  const runtime::LogitRows rows = LogitRowsFrom(rows_text);
  const int64_t num_rows = CountRows(rows, tokens.size());
  const Tensor result = out.has_value() ? out.value() : NewMatrix(num_rows, model->vocab_size);
  const std::span<float> logits = MatrixFrom(result, "out", num_rows, model->vocab_size);
  RunInSteps(*model->get(), sequence, tokens, rows, logits);
  return result;
}

String Metadata(Model model) { return library::ToJson(model->get()->metadata()).dump(); }

int64_t Length(State state) { return state->sequence().length(); }

int64_t Truncate(State state, int64_t length) {
  if (length < 0) throw InvalidArgumentError("length is {}, expected 0 or more", length);
  return state->sequence().Truncate(length);
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  namespace refl = tvm::ffi::reflection;
  refl::ObjectDef<ModelObj>()
      .def_ro("folder", &ModelObj::folder)
      .def_ro("vocab_size", &ModelObj::vocab_size)
      .def_ro("context_window_size", &ModelObj::context_window_size)
      .def_ro("num_threads", &ModelObj::num_threads)
      .def("create_state", Exported(CreateState))
      .def("forward", Exported(Forward))
      .def("metadata", Exported(Metadata));
  refl::ObjectDef<StateObj>()
      .def_ro("max_tokens", &StateObj::max_tokens)
      .def("length", Exported(Length))
      .def("truncate", Exported(Truncate));
  refl::GlobalDef().def("carat.load", Exported(Load));
}

}  // namespace carat::ffi
