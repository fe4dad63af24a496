// Any text is an mlc-chat-config.json whose model has weights, or an Error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/model/mlc_parameters.h"

namespace {

void Load(std::string_view text) {
  using namespace carat::model;
  const carat::Json json = carat::ParseJson(text, kMlcChatConfigFile);
  const carat::Json hf = HuggingFaceConfig(json, kMlcChatConfigFile);
  const ModelConfig config = ParseModelConfig(hf, kMlcChatConfigFile);
  if (MlcWeights(config).front().rows() != config.vocab_size) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    Load({reinterpret_cast<const char*>(data), size});
  } catch (const carat::Error&) {
  }
  return 0;
}
