#include "carat/compiler/check_text_files.h"

#include "carat/text/chat_template.h"
#include "carat/text/tokenizer.h"

namespace carat::compiler {

void CheckTextFiles(const std::filesystem::path& folder, int64_t vocab_size) {
  if (std::filesystem::exists(folder / "tokenizer.json")) {
    text::Tokenizer::Load(folder).CheckFits(vocab_size);
  }
  text::ChatTemplate::Find(folder);
}

}  // namespace carat::compiler
