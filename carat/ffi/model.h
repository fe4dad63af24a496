// The objects carat.Model, a compiled model without an engine, and carat.State, the tokens of one
// text that it has seen.

#ifndef CARAT_FFI_MODEL_H_
#define CARAT_FFI_MODEL_H_

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <memory>

#include "carat/ffi/process_bound.h"
#include "carat/runtime/model.h"

namespace carat::ffi {

class ModelObj : public tvm::ffi::Object {
 public:
  explicit ModelObj(std::shared_ptr<runtime::Model> model)
      : folder(model->folder().string()),
        vocab_size(model->vocab_size()),
        context_window_size(model->context_window_size()),
        num_threads(model->num_threads()),
        model_("Model", std::move(model)) {}

  const std::shared_ptr<runtime::Model>& get() { return *model_; }

  tvm::ffi::String folder;
  int64_t vocab_size;
  int64_t context_window_size;
  int64_t num_threads;

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("carat.Model", ModelObj, tvm::ffi::Object);

 private:
  ProcessBound<std::shared_ptr<runtime::Model>> model_;
};

class Model : public tvm::ffi::ObjectRef {
 public:
  explicit Model(std::shared_ptr<runtime::Model> model)
      : ObjectRef(tvm::ffi::make_object<ModelObj>(std::move(model))) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(Model, tvm::ffi::ObjectRef, ModelObj);
};

class StateObj : public tvm::ffi::Object {
 public:
  StateObj(const std::shared_ptr<runtime::Model>& model, int64_t max_tokens)
      : max_tokens(max_tokens), sequence_("State", runtime::Sequence(model)) {}

  runtime::Sequence& sequence() { return *sequence_; }

  int64_t max_tokens;

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("carat.State", StateObj, tvm::ffi::Object);

 private:
  ProcessBound<runtime::Sequence> sequence_;
};

class State : public tvm::ffi::ObjectRef {
 public:
  State(const std::shared_ptr<runtime::Model>& model, int64_t max_tokens)
      : ObjectRef(tvm::ffi::make_object<StateObj>(model, max_tokens)) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(State, tvm::ffi::ObjectRef, StateObj);
};

}  // namespace carat::ffi

#endif  // CARAT_FFI_MODEL_H_
