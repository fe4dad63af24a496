// The object carat.Tokenizer: a folder's tokenizer and chat template.

#ifndef CARAT_FFI_TOKENIZER_H_
#define CARAT_FFI_TOKENIZER_H_

#include <tvm/ffi/object.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "carat/text/chat_template.h"
#include "carat/text/tokenizer.h"

namespace carat::ffi {

class TokenizerObj : public tvm::ffi::Object {
 public:
  explicit TokenizerObj(const std::filesystem::path& folder)
      : folder(folder.string()),
        tokenizer_(text::Tokenizer::Load(folder)),
        chat_template_(text::ChatTemplate::Find(folder)) {
    vocab_size = tokenizer_.vocab_size();
  }

  const text::Tokenizer& tokenizer() const { return tokenizer_; }

  // Throws Error if the folder has none.
  const text::ChatTemplate& chat_template() const {
    if (!chat_template_) text::ChatTemplate::Load(std::filesystem::path(std::string(folder)));
    return *chat_template_;
  }

  tvm::ffi::String folder;
  int64_t vocab_size = 0;

  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("carat.Tokenizer", TokenizerObj, tvm::ffi::Object);

 private:
  text::Tokenizer tokenizer_;
  std::optional<text::ChatTemplate> chat_template_;
};

class Tokenizer : public tvm::ffi::ObjectRef {
 public:
  explicit Tokenizer(const std::filesystem::path& folder)
      : ObjectRef(tvm::ffi::make_object<TokenizerObj>(folder)) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(Tokenizer, tvm::ffi::ObjectRef, TokenizerObj);
};

}  // namespace carat::ffi

#endif  // CARAT_FFI_TOKENIZER_H_
