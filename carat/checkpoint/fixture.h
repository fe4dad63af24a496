// Checkpoints to test and measure with: the true shapes of a Gemma 3 release with random weights,
// and a tokenizer that covers its vocabulary. They compile and run like the release, at its speed;
// what they say means nothing.

#ifndef CARAT_CHECKPOINT_FIXTURE_H_
#define CARAT_CHECKPOINT_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "carat/base/progress.h"

namespace carat::checkpoint {

// How config.json says which layers are full; releases differ.
enum class LayerSpelling { kLayerTypes, kSlidingWindowPattern };

struct FixtureModel {
  std::string name;
  int64_t vocab_size = 262'144;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 4;
  int64_t num_key_value_heads = 1;
  int64_t head_dim = 256;
  int64_t max_position_embeddings = 32'768;
  int64_t sliding_window = 512;
  int64_t query_pre_attn_scalar = 256;
  LayerSpelling spelling = LayerSpelling::kLayerTypes;
};

// gemma-3-270m and gemma-3-1b.
std::span<const FixtureModel> FixtureModels();
const FixtureModel& FindFixtureModel(std::string_view name);

// Writes the folder as a whole or not at all. The same seed gives the same bytes on any machine.
void WriteFixture(const FixtureModel& model, uint64_t seed, const std::filesystem::path& folder,
                  const ProgressCallback& progress = {});

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_FIXTURE_H_
