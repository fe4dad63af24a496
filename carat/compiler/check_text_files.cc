#include "carat/compiler/check_text_files.h"

#include <optional>
#include <string_view>

#include "carat/text/chat_template.h"
#include "carat/text/tokenizer.h"

namespace carat::compiler {

void CheckTextFiles(const TextFiles& files, const std::filesystem::path& model,
                    int64_t vocab_size) {
  if (const auto tokenizer = files.find("tokenizer.json"); tokenizer != files.end()) {
    const std::string where = (model / tokenizer->first).string();
    text::Tokenizer::FromJson(tokenizer->second, where).CheckFits(vocab_size);
  }
  text::ChatTemplate::Find(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto file = files.find(name);
        if (file == files.end()) return std::nullopt;
        return file->second;
      },
      model);
}

}  // namespace carat::compiler
