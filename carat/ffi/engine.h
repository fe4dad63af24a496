// The objects carat.Engine and carat.ChatCompletion, the answer to one request.

#ifndef CARAT_FFI_ENGINE_H_
#define CARAT_FFI_ENGINE_H_

#include <tvm/ffi/object.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "carat/engine/chat_completion.h"
#include "carat/engine/engine.h"
#include "carat/ffi/process_bound.h"

namespace carat::ffi {

class EngineObj : public tvm::ffi::Object {
 public:
  explicit EngineObj(std::shared_ptr<engine::Engine> engine)
      : model(engine->name()),
        context_window_size(engine->model().model->context_window_size()),
        num_threads(engine->model().model->num_threads()),
        engine_("Engine", std::move(engine)) {}

  engine::Engine& get() { return **engine_; }

  tvm::ffi::String model;
  int64_t context_window_size;
  int64_t num_threads;

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("carat.Engine", EngineObj, tvm::ffi::Object);

 private:
  ProcessBound<std::shared_ptr<engine::Engine>> engine_;
};

class Engine : public tvm::ffi::ObjectRef {
 public:
  explicit Engine(std::shared_ptr<engine::Engine> engine)
      : ObjectRef(tvm::ffi::make_object<EngineObj>(std::move(engine))) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(Engine, tvm::ffi::ObjectRef, EngineObj);
};

class ChatCompletionObj : public tvm::ffi::Object {
 public:
  explicit ChatCompletionObj(std::unique_ptr<engine::ChatCompletion> completion)
      : completion_("ChatCompletion", std::move(completion)) {}

  engine::ChatCompletion& get() { return **completion_; }

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("carat.ChatCompletion", ChatCompletionObj, tvm::ffi::Object);

 private:
  ProcessBound<std::unique_ptr<engine::ChatCompletion>> completion_;
};

class ChatCompletion : public tvm::ffi::ObjectRef {
 public:
  explicit ChatCompletion(std::unique_ptr<engine::ChatCompletion> completion)
      : ObjectRef(tvm::ffi::make_object<ChatCompletionObj>(std::move(completion))) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(ChatCompletion, tvm::ffi::ObjectRef,
                                                ChatCompletionObj);
};

}  // namespace carat::ffi

#endif  // CARAT_FFI_ENGINE_H_
