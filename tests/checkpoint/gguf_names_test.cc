#include "carat/checkpoint/gguf_names.h"

#include <gtest/gtest.h>

namespace carat::checkpoint {
namespace {

TEST(GgufNames, LeadToHuggingFacesAndBack) {
  struct Case {
    std::string_view gguf;
    std::string_view hugging_face;
    bool is_norm;
  };
  // As llama.cpp's convert_hf_to_gguf.py names them.
  constexpr Case kCases[] = {
      {"token_embd.weight", "model.embed_tokens.weight", false},
      {"output_norm.weight", "model.norm.weight", true},
      {"output.weight", "lm_head.weight", false},
      {"blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight", true},
      {"blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", false},
      {"blk.1.attn_k.weight", "model.layers.1.self_attn.k_proj.weight", false},
      {"blk.2.attn_v.weight", "model.layers.2.self_attn.v_proj.weight", false},
      {"blk.10.attn_output.weight", "model.layers.10.self_attn.o_proj.weight", false},
      {"blk.10.attn_q_norm.weight", "model.layers.10.self_attn.q_norm.weight", true},
      {"blk.10.attn_k_norm.weight", "model.layers.10.self_attn.k_norm.weight", true},
      {"blk.17.post_attention_norm.weight", "model.layers.17.post_attention_layernorm.weight",
       true},
      {"blk.17.ffn_norm.weight", "model.layers.17.pre_feedforward_layernorm.weight", true},
      {"blk.17.ffn_gate.weight", "model.layers.17.mlp.gate_proj.weight", false},
      {"blk.17.ffn_up.weight", "model.layers.17.mlp.up_proj.weight", false},
      {"blk.17.ffn_down.weight", "model.layers.17.mlp.down_proj.weight", false},
      {"blk.61.post_ffw_norm.weight", "model.layers.61.post_feedforward_layernorm.weight", true},
  };
  for (const auto& [gguf, hugging_face, is_norm] : kCases) {
    EXPECT_EQ(HuggingFaceName(gguf), hugging_face);
    EXPECT_EQ(GgufName(hugging_face), gguf);
    EXPECT_EQ(IsNormWeight(gguf), is_norm) << gguf;
    EXPECT_EQ(IsNormWeight(hugging_face), is_norm) << hugging_face;
  }
}

TEST(GgufNames, OfOtherModelsLeadNowhere) {
  for (const char* name :
       {"", ".weight", "token_embd", "token_embd.bias", "blk.attn_q.weight", "blk.0.weight",
        "blk..attn_q.weight", "blk.01.attn_q.weight", "blk.-1.attn_q.weight", "blk.0.attn_q.bias",
        "blk.10000.attn_q.weight", "blk.0.ffn_gate_inp.weight", "rope_freqs.weight",
        "model.embed_tokens.weight", "model.norm.weight"}) {
    EXPECT_EQ(HuggingFaceName(name), std::nullopt) << name;
  }
  EXPECT_EQ(GgufName("token_embd.weight"), std::nullopt);
  EXPECT_EQ(GgufName("model.layers.0.self_attn.rotary_emb.inv_freq"), std::nullopt);
}

}  // namespace
}  // namespace carat::checkpoint
