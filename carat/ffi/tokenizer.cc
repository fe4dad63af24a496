// carat.load_tokenizer(folder) -> carat.Tokenizer
//
// Tokenizer.encode(text, add_special_tokens: bool) -> list[int]
// Tokenizer.decode(tokens, skip_special_tokens: bool) -> str
// Tokenizer.apply_chat_template(messages: list[{role, content}], add_generation_prompt: bool) ->
// str

#include "carat/ffi/tokenizer.h"

#include <tvm/ffi/any.h>
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/reflection/registry.h>

#include <limits>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/ffi/errors.h"
#include "carat/ffi/tensors.h"
#include "carat/text/chat_template.h"

namespace carat::ffi {
namespace {

using tvm::ffi::AnyView;
using tvm::ffi::Array;
using tvm::ffi::Map;
using tvm::ffi::String;

Tokenizer LoadTokenizer(String folder) { return Tokenizer(std::string(folder)); }

Array<int64_t> Encode(Tokenizer tokenizer, String text, bool add_special_tokens) {
  const std::vector<TokenId> tokens = tokenizer->tokenizer().Encode(
      std::string(text),
      add_special_tokens ? text::SpecialTokens::kAdd : text::SpecialTokens::kDoNotAdd);
  Array<int64_t> ids;
  for (const TokenId token : tokens) ids.push_back(token);
  return ids;
}

String Decode(Tokenizer tokenizer, AnyView token_ids, bool skip_special_tokens) {
  const std::vector<TokenId> tokens =
      TokensFrom(token_ids, "tokens", int64_t{std::numeric_limits<TokenId>::max()} + 1);
  return tokenizer->tokenizer().Decode(
      tokens, skip_special_tokens ? text::DecodeSpecial::kSkip : text::DecodeSpecial::kKeep);
}

String ApplyChatTemplate(Tokenizer tokenizer, Array<Map<String, String>> list,
                         bool add_generation_prompt) {
  std::vector<text::ChatMessage> messages;
  for (const Map<String, String>& entry : list) {
    if (!entry.count("role") || !entry.count("content")) {
      throw InvalidArgumentError("messages[{}] has no role or no content", messages.size());
    }
    messages.push_back({std::string(entry.at("role")), std::string(entry.at("content"))});
  }
  return tokenizer->chat_template().Render(messages, add_generation_prompt
                                                         ? text::GenerationPrompt::kAdd
                                                         : text::GenerationPrompt::kDoNotAdd);
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  namespace refl = tvm::ffi::reflection;
  refl::ObjectDef<TokenizerObj>()
      .def_ro("folder", &TokenizerObj::folder)
      .def_ro("vocab_size", &TokenizerObj::vocab_size)
      .def("encode", Exported(Encode))
      .def("decode", Exported(Decode))
      .def("apply_chat_template", Exported(ApplyChatTemplate));
  refl::GlobalDef().def("carat.load_tokenizer", Exported(LoadTokenizer));
}

}  // namespace carat::ffi
