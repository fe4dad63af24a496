// What a GGUF file of a Gemma 3 says about the model, in the form of Hugging Face's config.json and
// generation_config.json.
//
// What the file leaves to its reader is as llama.cpp has it: every sixth layer is a full one,
// sliding layers rotate by base 10000, and query_pre_attn_scalar is the head's size but for the
// 27B.

#ifndef CARAT_CHECKPOINT_GGUF_CONFIG_H_
#define CARAT_CHECKPOINT_GGUF_CONFIG_H_

#include <nlohmann/json_fwd.hpp>

#include "carat/base/json.h"
#include "carat/checkpoint/gguf.h"

namespace carat::checkpoint {

// Throws Error if the file holds another architecture, or a part of a model.
Json ConfigFromGguf(const Gguf& gguf);

Json GenerationConfigFromGguf(const Gguf& gguf);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_CONFIG_H_
