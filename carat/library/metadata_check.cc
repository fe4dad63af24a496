#include "carat/library/metadata_check.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/library/weights_file.h"
#include "carat/model/config.h"
#include "carat/quantization/weight_format.h"

namespace carat::library {

namespace {

using quantization::WeightFormat;

// Far beyond what is sensible, and small enough that products of these stay in 64 bits, buffers in
// the address space, and the tables of pages in memory.
constexpr int64_t kMaxVocabSize = int64_t{1} << 24;
constexpr int64_t kMaxTokens = int64_t{1} << 30;
constexpr int64_t kMaxPrefillChunk = int64_t{1} << 16;
constexpr int64_t kMaxBatch = int64_t{1} << 16;
constexpr int64_t kMaxPageTokens = int64_t{1} << 12;
constexpr int64_t kMaxPages = int64_t{1} << 26;
constexpr int64_t kMaxPageBytes = int64_t{1} << 34;
constexpr int64_t kMaxKvBytes = int64_t{1} << 46;
constexpr int64_t kMaxScratchSharedBytes = int64_t{1} << 40;
constexpr int64_t kMaxScratchThreadBytes = int64_t{1} << 32;
constexpr int64_t kMaxWeightsBytes = int64_t{1} << 46;
constexpr int64_t kMaxRows = int64_t{1} << 31;  // and columns

class MetadataCheck {
 public:
  MetadataCheck(const LibraryMetadata& metadata, std::string_view where)
      : metadata_(metadata), where_(where) {}

  void Run() const {
    CheckRanges();
    CheckKvCache();
    CheckModel();
    int64_t end = kWeightsHeaderBytes;
    for (const PackedWeight& packed : metadata_.weights) {
      CheckShape(packed);
      CheckPlace(packed, end);
      end = packed.offset + packed.num_bytes;
    }
  }

 private:
  template <typename... Values>
  Error Wrong(fmt::format_string<Values...> format, Values&&... values) const {
    return Error("{}: {}; compile the model again", where_,
                 fmt::format(format, std::forward<Values>(values)...));
  }

  void CheckAtMost(std::string_view name, int64_t value, int64_t max) const {
    if (value > max) throw Wrong("field '{}' is {}, expected at most {}", name, value, max);
  }

  void CheckRanges() const {
    const LibraryMetadata& m = metadata_;
    CheckAtMost("vocab_size", m.vocab_size, kMaxVocabSize);
    CheckAtMost("context_window_size", m.context_window_size, kMaxTokens);
    CheckAtMost("prefill_chunk_size", m.prefill_chunk_size, kMaxPrefillChunk);
    CheckAtMost("max_batch_size", m.max_batch_size, kMaxBatch);
    CheckAtMost("sliding_window", m.sliding_window, kMaxTokens);
    CheckAtMost("page_tokens", m.page_tokens, kMaxPageTokens);
    CheckAtMost("page_bytes", m.page_bytes, kMaxPageBytes);
    CheckAtMost("ring_tokens", m.ring_tokens, kMaxTokens);
    CheckAtMost("ring_bytes", m.ring_bytes, kMaxKvBytes);
    CheckAtMost("decode_weight_bytes", m.decode_weight_bytes, kMaxWeightsBytes);
    CheckAtMost("scratch_shared_bytes", m.scratch_shared_bytes, kMaxScratchSharedBytes);
    CheckAtMost("scratch_thread_bytes", m.scratch_thread_bytes, kMaxScratchThreadBytes);
    CheckAtMost("weights_bytes", m.weights_bytes, kMaxWeightsBytes);
    const std::string& hash = m.weights_hash;
    if (!hash.empty() && (hash.size() != HashToHex(0).size() ||
                          hash.find_first_not_of("0123456789abcdef") != std::string::npos)) {
      throw Wrong("field 'weights_hash' is \"{}\", expected 16 hex digits", hash);
    }
  }

  // Sizes that must fit each other for the KV cache to hold the context.
  void CheckKvCache() const {
    const LibraryMetadata& m = metadata_;
    const int64_t num_pages = m.max_batch_size * m.max_pages_per_sequence();
    if (num_pages > kMaxPages || m.page_bytes > kMaxKvBytes / num_pages ||
        m.ring_bytes > kMaxKvBytes / m.max_batch_size) {
      throw Error(
          "{}: context_window_size {} and max_batch_size {} make a KV cache beyond any machine; "
          "compile with smaller ones",
          where_, m.context_window_size, m.max_batch_size);
    }
    if (m.ring_tokens < m.sliding_window || m.ring_tokens % m.page_tokens != 0 ||
        (m.ring_tokens == 0) != (m.sliding_window == 0)) {
      throw Wrong("ring_tokens is {}, but the sliding window is {} and pages hold {} tokens",
                  m.ring_tokens, m.sliding_window, m.page_tokens);
    }
    if ((m.ring_bytes == 0) != (m.ring_tokens == 0) ||
        m.ring_bytes > m.ring_tokens / m.page_tokens * kMaxPageBytes) {
      throw Wrong("a ring of {} tokens has {} bytes", m.ring_tokens, m.ring_bytes);
    }
  }

  // What is said twice: in fields of the metadata, and in the model's config.json in it.
  void CheckModel() const {
    const model::ModelConfig config = model::ParseModelConfig(
        ParseJson(metadata_.model_config, where_), fmt::format("{}: model_config", where_));
    if (metadata_.vocab_size != config.vocab_size) {
      throw Wrong("vocab_size is {}, but that of model_config is {}", metadata_.vocab_size,
                  config.vocab_size);
    }
    if ((metadata_.page_bytes == 0) !=
        (config.CountLayers(model::LayerKind::kFullAttention) == 0)) {
      throw Wrong("page_bytes is {}, but model_config has {} layers with full attention",
                  metadata_.page_bytes, config.CountLayers(model::LayerKind::kFullAttention));
    }
    const int64_t window =
        config.CountLayers(model::LayerKind::kSlidingAttention) > 0 ? config.sliding_window : 0;
    if (metadata_.sliding_window != window) {
      throw Wrong("sliding_window is {}, but that of model_config is {}", metadata_.sliding_window,
                  window);
    }
  }

  // The elements of the weight have room in its bytes. (Tiles may be padded with further rows.)
  void CheckShape(const PackedWeight& packed) const {
    const graph::Weight& weight = packed.weight;
    int64_t rows = 0;
    for (const graph::SourceTensor& part : weight.parts) {
      if (part.rows > kMaxRows - rows || part.cols > kMaxRows || part.cols != weight.cols()) {
        throw Wrong("weight '{}': its part '{}' is [{}, {}], which does not fit the others",
                    weight.name, part.name, part.rows, part.cols);
      }
      rows += part.rows;
    }
    if (packed.layout == "vector"
            ? !weight.is_vector() || rows != 1 || weight.format != WeightFormat::kF32
            : packed.layout != "tiles") {
      throw Wrong("weight '{}' has the layout '{}', which its shape and format cannot have",
                  weight.name, packed.layout);
    }
    if (weight.cols() % quantization::BlockValues(weight.format) != 0 ||
        packed.num_bytes /
                static_cast<int64_t>(quantization::RowBytes(weight.format, weight.cols())) <
            rows) {
      throw Wrong("weight '{}' is [{}, {}] in {}, which does not fit its {} bytes", weight.name,
                  rows, weight.cols(), quantization::FormatName(weight.format), packed.num_bytes);
    }
  }

  // It lies inside the file, aligned, behind the one before it.
  void CheckPlace(const PackedWeight& packed, int64_t end_of_last) const {
    if (packed.offset < end_of_last || packed.offset % kWeightAlignment != 0 ||
        packed.num_bytes > metadata_.weights_bytes ||
        packed.offset > metadata_.weights_bytes - packed.num_bytes) {
      throw Wrong(
          "weight '{}' has {} bytes from byte {} on: outside the {} bytes of weights.bin, not at "
          "a multiple of {}, or inside the weight before it",
          packed.weight.name, packed.num_bytes, packed.offset, metadata_.weights_bytes,
          kWeightAlignment);
    }
  }

  const LibraryMetadata& metadata_;
  std::string_view where_;
};

}  // namespace

void CheckMetadata(const LibraryMetadata& metadata, std::string_view where) {
  MetadataCheck(metadata, where).Run();
}

}  // namespace carat::library
