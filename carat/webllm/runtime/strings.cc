#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

// Text that ends in NUL; false where memory ends before.
bool RawTextOf(const char* text, TextView* out) {
  size_t length = 0;
  while (InMemory(text + length, 1)) {
    if (text[length] == '\0') {
      *out = TextView(text, length);
      return true;
    }
    ++length;
  }
  return false;
}

}  // namespace

Owned<StringObject> MakeString(size_t size, TypeIndex type_index) {
  if (size > SIZE_MAX / 2) return {};
  auto string = MakeObject<StringObject>(type_index, FreeObject, size + 1);
  if (string) string->bytes = {BytesOf(string.Get()), size};
  return string;
}

Owned<StringObject> MakeString(TextView text, TypeIndex type_index) {
  auto string = MakeString(text.size, type_index);
  if (string) __builtin_memcpy(BytesOf(string.Get()), text.data, text.size);
  return string;
}

char* BytesOf(StringObject* string) { return reinterpret_cast<char*>(string + 1); }

bool TextOf(const Any& value, TextView* text) {
  const ByteArray* bytes = nullptr;
  switch (value.type_index) {
    case kRawString:
      return RawTextOf(value.raw_string, text);
    case kSmallString:
    case kSmallBytes:
      if (value.small_size > sizeof(value.small_bytes)) return false;
      *text = TextView(value.small_bytes, value.small_size);
      return true;
    case kByteArrayPointer:
      if (!InMemory(value.byte_array, sizeof(ByteArray))) return false;
      bytes = value.byte_array;
      break;
    case kString:
    case kBytes:
      if (!IsLive(value.object, value.type_index)) return false;
      bytes = &static_cast<const StringObject*>(value.object)->bytes;
      break;
    default:
      return false;
  }
  if (bytes->size == 0) {
    *text = TextView();
    return true;
  }
  if (!InMemory(bytes->data, bytes->size)) return false;
  *text = TextView(bytes->data, bytes->size);
  return true;
}

}  // namespace carat::webllm
