// Any bytes are a GGUF file whose tensors lie inside it and apart, or an Error; a file that says it
// is a Gemma 3 gives a config and a tokenizer, or an Error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/gguf.h"
#include "carat/checkpoint/gguf_config.h"
#include "carat/checkpoint/gguf_tokenizer.h"

namespace {

using carat::checkpoint::Gguf;
using carat::checkpoint::GgufTensor;

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckTensors(const Gguf& gguf, std::span<const std::byte> file) {
  size_t total_bytes = 0;
  for (const GgufTensor& tensor : gguf.tensors()) {
    if (tensor.bytes.empty()) continue;
    Check(tensor.bytes.data() >= file.data());
    Check(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    total_bytes += tensor.bytes.size();
    Check(gguf.FindTensor(tensor.name) == &tensor);
  }
  Check(total_bytes <= file.size());
}

template <typename Read>
void Try(Read read) {
  try {
    carat::ParseJson(read(), "fuzz.json");
  } catch (const carat::Error&) {
  }
}

void TryAll(const Gguf& gguf) {
  Try([&] { return carat::checkpoint::ConfigFromGguf(gguf).dump(); });
  Try([&] { return carat::checkpoint::GenerationConfigFromGguf(gguf).dump(); });
  Try([&] { return carat::checkpoint::TokenizerJsonFromGguf(gguf); });
  Try([&] { return carat::checkpoint::TokenizerConfigJsonFromGguf(gguf); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  try {
    const Gguf gguf = Gguf::Parse(file, "fuzz.gguf");
    CheckTensors(gguf, file);
    TryAll(gguf);
  } catch (const carat::Error&) {
  }
  return 0;
}
