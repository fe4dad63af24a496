// Any bytes are a chat template that renders, or an Error, soon.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using carat::text::ChatTemplate;
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const std::vector<carat::text::ChatMessage> messages = {
      {"system", "Be brief."}, {"user", " Hi "}, {"assistant", "<b>"}, {"user", "é"}};
  try {
    ChatTemplate::Compile(source, "chat_template.jinja", {{"bos_token", "<bos>"}})
        .Render(messages, carat::text::GenerationPrompt::kAdd);
  } catch (const carat::Error&) {
  }
  return 0;
}
