#include "carat/webllm/runtime/dtype.h"

namespace carat::webllm {
namespace {

struct NamedType {
  const char* name;
  DLDataType dtype;
};

constexpr NamedType kTypes[] = {
    {"float32", {kDLFloat, 32, 1}}, {"float16", {kDLFloat, 16, 1}},
    {"float64", {kDLFloat, 64, 1}}, {"bfloat16", {kDLBfloat, 16, 1}},
    {"int8", {kDLInt, 8, 1}},       {"int16", {kDLInt, 16, 1}},
    {"int32", {kDLInt, 32, 1}},     {"int64", {kDLInt, 64, 1}},
    {"uint8", {kDLUInt, 8, 1}},     {"uint16", {kDLUInt, 16, 1}},
    {"uint32", {kDLUInt, 32, 1}},   {"uint64", {kDLUInt, 64, 1}},
};

}  // namespace

bool ParseDataType(TextView name, DLDataType* dtype) {
  for (const NamedType& type : kTypes) {
    if (name == TextFrom(type.name)) {
      *dtype = type.dtype;
      return true;
    }
  }
  return false;
}

TextView NameOf(DLDataType dtype) {
  for (const NamedType& type : kTypes) {
    if (dtype == type.dtype) return TextFrom(type.name);
  }
  return "?";
}

DLDataType DataTypeOf(ElementType element) {
  switch (element) {
    case ElementType::kI32:
      return {kDLInt, 32, 1};
    case ElementType::kU32:
      return {kDLUInt, 32, 1};
    case ElementType::kF16:
      return {kDLFloat, 16, 1};
    case ElementType::kF32:
      return {kDLFloat, 32, 1};
  }
  return {};
}

}  // namespace carat::webllm
