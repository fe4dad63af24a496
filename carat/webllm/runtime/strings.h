// Text and bytes as values: JavaScript passes views of its own, and is given objects.

#ifndef CARAT_WEBLLM_RUNTIME_STRINGS_H_
#define CARAT_WEBLLM_RUNTIME_STRINGS_H_

#include "carat/webllm/runtime/objects.h"
#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

// Text and bytes alike.
struct StringObject : Object {
  ByteArray bytes;  // behind the object, and a NUL behind them
};

// `size` cleared bytes to be filled; null where memory is exhausted.
Owned<StringObject> MakeString(size_t size, TypeIndex type_index = kString);
Owned<StringObject> MakeString(TextView text, TypeIndex type_index = kString);

char* BytesOf(StringObject* string);

// False where `value` is neither text nor bytes, or outside of memory.
bool TextOf(const Any& value, TextView* text);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_STRINGS_H_
