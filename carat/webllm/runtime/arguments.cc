#include "carat/webllm/runtime/arguments.h"

#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {

Status Arguments::CheckCount(int32_t minimum, int32_t maximum) const {
  if (count_ >= minimum && count_ <= maximum) return Status::kOk;
  return Fail(function_, " takes ", count_ < minimum ? minimum : maximum, " arguments, not ",
              count_);
}

// JavaScript's numbers arrive as floats.
Status Arguments::GetInt(int32_t index, int64_t* value) const {
  constexpr double kMaxExact = 9007199254740992.0;  // 2^53
  if (index >= count_) return FailForType(index, "an integer");
  const Any& argument = values_[index];
  if (argument.type_index == kInt || argument.type_index == kBool) {
    *value = argument.int_value;
    return Status::kOk;
  }
  const double number = argument.float_value;
  if (argument.type_index != kFloat || !(number >= -kMaxExact && number <= kMaxExact) ||
      static_cast<double>(static_cast<int64_t>(number)) != number) {
    return FailForType(index, "an integer");
  }
  *value = static_cast<int64_t>(number);
  return Status::kOk;
}

Status Arguments::GetText(int32_t index, TextView* text) const {
  if (index >= count_ || !TextOf(values_[index], text)) return FailForType(index, "text or bytes");
  return Status::kOk;
}

Status Arguments::GetDevice(int32_t index, DLDevice* device) const {
  if (index >= count_ || values_[index].type_index != kDevice)
    return FailForType(index, "a device");
  *device = values_[index].device;
  return Status::kOk;
}

Status Arguments::CheckObject(int32_t index, TypeIndex type_index, const char* type_name) const {
  if (index >= count_ || values_[index].type_index != type_index ||
      !IsLive(values_[index].object, type_index)) {
    return FailForType(index, type_name);
  }
  return Status::kOk;
}

Status Arguments::FailForType(int32_t index, const char* type_name) const {
  return Fail(function_, ": argument ", index + 1, " must be ", type_name);
}

}  // namespace carat::webllm
