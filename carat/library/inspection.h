// What is in a model (model_source.h), a compiled folder or a compiled library: the model, how many
// bytes its weights take in which format, and how many its KV cache takes at which length. Nothing
// of a library is executed, so one for another machine can be looked at.

#ifndef CARAT_LIBRARY_INSPECTION_H_
#define CARAT_LIBRARY_INSPECTION_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "carat/library/metadata.h"
#include "carat/model/config.h"

namespace carat::library {

enum class InspectedKind { kModel, kDistFolder, kLibrary };

// The weights that are kept in one format.
struct FormatUse {
  std::string format;  // "q4_0"
  int64_t num_weights = 0;
  int64_t num_values = 0;
  int64_t num_bytes = 0;
};

// What the weights take together, whole or with some scheme.
struct WeightUse {
  std::vector<FormatUse> formats;

  int64_t num_values() const;
  int64_t num_bytes() const;
  double bits_per_value() const;
  double saving_against_bf16() const;  // share of the bytes that bf16 would take: 0.72
};

// What `carat compile --quantization NAME` would make of a model.
struct SchemeUse {
  std::string name;
  std::optional<WeightUse> weights;  // nothing if the scheme cannot hold the model
  std::string problem;               // why not
};

// The KV cache of one sequence of `tokens` tokens.
struct KvUse {
  int64_t tokens = 0;
  int64_t full_layer_bytes = 0;     // pages of all tokens
  int64_t sliding_layer_bytes = 0;  // rings of the window, as far as filled
  int64_t all_full_bytes = 0;       // what it would take if every layer kept all tokens

  int64_t num_bytes() const { return full_layer_bytes + sliding_layer_bytes; }
  double saving() const;
};

struct Inspection {
  std::filesystem::path path;
  InspectedKind kind = InspectedKind::kModel;
  std::string source;  // of a model: "Hugging Face folder"
  model::ModelConfig config;
  WeightUse weights;                        // as they are stored
  int64_t unused_bytes = 0;                 // of a checkpoint: tensors of other parts (vision)
  std::vector<SchemeUse> schemes;           // of a model
  std::string kv_format;                    // "f16"
  std::vector<KvUse> kv;                    // by length, up to the context window
  std::optional<LibraryMetadata> metadata;  // of a compiled folder or library
  std::vector<std::string> problems;        // of a compiled folder: why it cannot be run
};

// Reads all weights of a compiled folder to verify them. What is damaged or missing there is told
// in `problems` as long as one file says what the model is. Throws Error if none does, if the path
// is none of the three, or if a model or a library alone is damaged.
Inspection Inspect(const std::filesystem::path& path);

// "5 sliding, 1 full, 1 sliding".
std::string LayerKindsText(const std::vector<model::LayerKind>& kinds);

// For people, and for programs.
std::string ToText(const Inspection& inspection);
nlohmann::json ToJson(const Inspection& inspection);

}  // namespace carat::library

#endif  // CARAT_LIBRARY_INSPECTION_H_
