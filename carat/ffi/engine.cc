// carat.load_engine(folder, options: {num_threads}) -> carat.Engine
//
// Engine.create_chat_completion(request: str, JSON) -> carat.ChatCompletion
// Engine.close()
// ChatCompletion.read() -> str | None: waits for the next chunk (or the whole answer), as JSON;
// None
//                          at the end
// ChatCompletion.poll() -> str | bool: the same without waiting; True if there is nothing yet,
// False
//                          at the end
// ChatCompletion.file() -> int: a file descriptor that polls as readable when poll() may have one
// ChatCompletion.cancel()

#include "carat/ffi/engine.h"

#include <tvm/ffi/any.h>
#include <tvm/ffi/reflection/registry.h>

#include <chrono>
#include <string>

#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/options.h"

namespace carat::ffi {
namespace {

using tvm::ffi::Any;
using tvm::ffi::Optional;
using tvm::ffi::String;
using Status = engine::ChatCompletion::Status;

// How long a wait keeps a host's signal handlers waiting.
constexpr std::chrono::milliseconds kSignalInterval(50);

Engine LoadEngine(String folder, OptionMap map) {
  runtime::ModelOptions model_options;
  Options options(std::move(map));
  options.Take("num_threads", model_options.num_threads);
  options.Finish();
  return Engine(engine::Engine::Load(std::string(folder), model_options));
}

ChatCompletion CreateChatCompletion(Engine engine, String request) {
  return ChatCompletion(engine->get().CreateChatCompletion(std::string(request)));
}

void CloseEngine(Engine engine) { engine->get().Close(); }

Optional<String> Read(ChatCompletion completion) {
  HostSignals signals;
  std::string json;
  while (true) {
    const Status status = completion->get().Read(kSignalInterval, json);
    if (status == Status::kReady) return String(json);
    if (status == Status::kEnded) return std::nullopt;
    if (signals.Check()) {
      completion->get().Cancel();
      signals.ThrowIfRaised();
    }
  }
}

Any Poll(ChatCompletion completion) {
  std::string json;
  const Status status = completion->get().Read(std::chrono::milliseconds(0), json);
  if (status == Status::kReady) return String(json);
  return status == Status::kNotYet;
}

int64_t File(ChatCompletion completion) { return completion->get().File(); }

void Cancel(ChatCompletion completion) { completion->get().Cancel(); }

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  namespace refl = tvm::ffi::reflection;
  refl::ObjectDef<EngineObj>()
      .def_ro("model", &EngineObj::model)
      .def_ro("context_window_size", &EngineObj::context_window_size)
      .def_ro("num_threads", &EngineObj::num_threads)
      .def("create_chat_completion", Exported(CreateChatCompletion))
      .def("close", Exported(CloseEngine));
  refl::ObjectDef<ChatCompletionObj>()
      .def("read", Exported(Read))
      .def("poll", Exported(Poll))
      .def("file", Exported(File))
      .def("cancel", Exported(Cancel));
  refl::GlobalDef().def("carat.load_engine", Exported(LoadEngine));
}

}  // namespace carat::ffi
