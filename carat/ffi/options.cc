#include "carat/ffi/options.h"

namespace carat::ffi {

std::optional<tvm::ffi::Any> Options::Find(const char* name) {
  taken_.insert(name);
  const auto entry = map_.find(tvm::ffi::String(name));
  if (entry == map_.end() || (*entry).second == nullptr) return std::nullopt;
  return (*entry).second;
}

namespace {

// As hosts call them, which know nothing of the FFI's names.
std::string_view TypeName(const tvm::ffi::Any& value) {
  using Index = tvm::ffi::TypeIndex;
  switch (value.type_index()) {
    case Index::kTVMFFIBool:
      return "a bool";
    case Index::kTVMFFIInt:
      return "an integer";
    case Index::kTVMFFIFloat:
      return "a float";
    case Index::kTVMFFISmallStr:
    case Index::kTVMFFIStr:
      return "text";
    case Index::kTVMFFISmallBytes:
    case Index::kTVMFFIBytes:
      return "bytes";
    case Index::kTVMFFIArray:
      return "a list";
    case Index::kTVMFFIMap:
      return "a dict";
    default:
      return "an object of another type";
  }
}

}  // namespace

void Options::ThrowWrong(const char* name, const tvm::ffi::Any& given, std::string_view expected) {
  throw InvalidArgumentError("{}: is {}, expected {}", name, TypeName(given), expected);
}

void Options::Finish() const {
  for (const auto& [name, value] : map_) {
    if (taken_.contains(std::string(name))) continue;
    throw InvalidArgumentError("there is no option '{}'", std::string(name));
  }
}

}  // namespace carat::ffi
