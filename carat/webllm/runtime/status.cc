#include "carat/webllm/runtime/status.h"

#include "carat/webllm/runtime/abi.h"

namespace carat::webllm {
namespace {

struct LastError {
  char text[1024];
  size_t size;
};
LastError last_error;

}  // namespace

void StartError() { last_error.size = 0; }

// JavaScript reads one character a byte: what is not ASCII would arrive as something else.
void AppendToError(TextView text) {
  for (size_t i = 0; i < text.size && last_error.size + 1 < sizeof(last_error.text); ++i) {
    const char character = text.data[i];
    const bool printable = character >= ' ' && character <= '~';
    last_error.text[last_error.size++] = printable || character == '\n' ? character : '?';
  }
  last_error.text[last_error.size] = '\0';
}

void AppendToError(const char* text) { AppendToError(TextFrom(text)); }

void AppendToError(int64_t number) {
  char digits[20];
  size_t first = sizeof(digits);
  uint64_t left = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  do {
    digits[--first] = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (number < 0) AppendToError("-");
  AppendToError(TextView(digits + first, sizeof(digits) - first));
}

Status FailForMemory() {
  return Fail("out of memory: the browser gives this page's WebAssembly no more");
}

CARAT_WASM_EXPORT(TVMFFIWasmGetLastError) const char* TVMFFIWasmGetLastError() {
  return last_error.text;
}

// How a JavaScript function that was called from here says what it threw.
CARAT_WASM_EXPORT(TVMFFIErrorSetRaisedFromCStr)
void TVMFFIErrorSetRaisedFromCStr(const char* /*kind*/, const char* message) {
  StartError();
  if (message != nullptr) AppendToError(message);
}

}  // namespace carat::webllm
