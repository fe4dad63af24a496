#include "carat/checkpoint/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carat::checkpoint {
namespace {

struct Spelling {
  std::string_view gguf;
  std::string_view hugging_face;
};

constexpr std::array<Spelling, 3> kModel = {{
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
}};

constexpr std::array<Spelling, 13> kLayer = {{
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"post_attention_norm", "post_attention_layernorm"},
    {"ffn_norm", "pre_feedforward_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
}};

constexpr Spelling kLayerPrefix = {"blk.", "model.layers."};
constexpr std::string_view kSuffix = ".weight";
constexpr size_t kMaxLayerDigits = 4;

// The other spelling of `name`, which is in the spelling `from`.
std::optional<std::string> Respell(std::string_view name, std::string_view Spelling::*from,
                                   std::string_view Spelling::*to) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  for (const Spelling& spelling : kModel) {
    if (spelling.*from == name) return fmt::format("{}{}", spelling.*to, kSuffix);
  }
  if (!name.starts_with(kLayerPrefix.*from)) return std::nullopt;
  name.remove_prefix((kLayerPrefix.*from).size());
  const std::string_view layer = name.substr(0, name.find('.'));
  const bool is_number = !layer.empty() && layer.size() <= kMaxLayerDigits &&
                         layer.find_first_not_of("0123456789") == std::string_view::npos &&
                         (layer == "0" || layer.front() != '0');
  if (!is_number || layer.size() == name.size()) return std::nullopt;
  name.remove_prefix(layer.size() + 1);
  for (const Spelling& spelling : kLayer) {
    if (spelling.*from != name) continue;
    return fmt::format("{}{}.{}{}", kLayerPrefix.*to, layer, spelling.*to, kSuffix);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> HuggingFaceName(std::string_view gguf_name) {
  return Respell(gguf_name, &Spelling::gguf, &Spelling::hugging_face);
}

std::optional<std::string> GgufName(std::string_view hugging_face_name) {
  return Respell(hugging_face_name, &Spelling::hugging_face, &Spelling::gguf);
}

bool IsNormWeight(std::string_view name) { return name.ends_with("norm.weight"); }

}  // namespace carat::checkpoint
