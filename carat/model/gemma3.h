// Gemma 3, the text model: config -> Graph.
// https://arxiv.org/abs/2503.19786; the arithmetic is that of transformers' modeling_gemma3.py.
//
//   h = embed_tokens[t] * sqrt(hidden_size)
//   for each layer:
//     x = rms(h; input_layernorm)
//     q, k, v = q_proj(x), k_proj(x), v_proj(x)
//     q, k = rope(rms(q; q_norm)), rope(rms(k; k_norm))            per head
//     a = softmax(mask(q k^T * query_pre_attn_scalar^-1/2)) v
//     h += rms(o_proj(a); post_attention_layernorm)
//     x = rms(h; pre_feedforward_layernorm)
//     h += rms(down_proj(gelu_tanh(gate_proj(x)) * up_proj(x)); post_feedforward_layernorm)
//   logits = lm_head(rms(h; norm))
//
// Sliding layers have a window and a RoPE base of their own. rms weights enter as 1 + w.

#ifndef CARAT_MODEL_GEMMA3_H_
#define CARAT_MODEL_GEMMA3_H_

#include "carat/graph/graph.h"
#include "carat/model/config.h"

namespace carat::model {

// Weights are named as in the checkpoint less prefix and suffix ("layers.0.self_attn.q_proj"), and
// are all f32: a pass gives them their formats.
graph::Graph BuildGemma3(const ModelConfig& config);

}  // namespace carat::model

#endif  // CARAT_MODEL_GEMMA3_H_
