// The arguments of a call: JavaScript may pass anything, so each is asked for by its type, and what
// is not of it is an error that names the function.

#ifndef CARAT_WEBLLM_RUNTIME_ARGUMENTS_H_
#define CARAT_WEBLLM_RUNTIME_ARGUMENTS_H_

#include "carat/webllm/runtime/abi.h"
#include "carat/webllm/runtime/objects.h"
#include "carat/webllm/runtime/status.h"
#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

class Arguments {
 public:
  Arguments(TextView function, const Any* values, int32_t count)
      : function_(function), values_(values), count_(count) {}

  TextView Function() const { return function_; }
  int32_t Count() const { return count_; }
  const Any& operator[](int32_t index) const { return values_[index]; }

  Status CheckCount(int32_t minimum, int32_t maximum) const;

  Status GetInt(int32_t index, int64_t* value) const;
  Status GetText(int32_t index, TextView* text) const;
  Status GetDevice(int32_t index, DLDevice* device) const;

  template <typename T>
  Status GetObject(int32_t index, T** object) const {
    CARAT_RETURN_IF_FAILED(CheckObject(index, T::kType, T::kTypeName));
    *object = static_cast<T*>(values_[index].object);
    return Status::kOk;
  }

 private:
  Status CheckObject(int32_t index, TypeIndex type_index, const char* type_name) const;
  Status FailForType(int32_t index, const char* type_name) const;

  TextView function_;
  const Any* values_;
  int32_t count_;
};

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_ARGUMENTS_H_
