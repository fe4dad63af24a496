// The names of Gemma 3's tensors in GGUF files and in Hugging Face's:
//
//     blk.3.attn_q.weight   model.layers.3.self_attn.q_proj.weight
//     token_embd.weight     model.embed_tokens.weight
//
// GGUF files keep norm weights as the formula has them, 1 + w; Hugging Face's keep w.

#ifndef CARAT_CHECKPOINT_GGUF_NAMES_H_
#define CARAT_CHECKPOINT_GGUF_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

namespace carat::checkpoint {

// Nothing for a tensor that Gemma 3 does not have.
std::optional<std::string> HuggingFaceName(std::string_view gguf_name);
std::optional<std::string> GgufName(std::string_view hugging_face_name);

// Of either name: whether the two differ by 1.
bool IsNormWeight(std::string_view name);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_NAMES_H_
