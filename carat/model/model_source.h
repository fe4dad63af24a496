// A model as it is published, whatever the format: a Hugging Face folder, a GGUF file, or a folder
// of MLC-LLM's. All three give what a Hugging Face folder has: the fields of config.json, weights
// by Hugging Face's names, and the text of the tokenizer's files.

#ifndef CARAT_MODEL_MODEL_SOURCE_H_
#define CARAT_MODEL_MODEL_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/json.h"
#include "carat/base/progress.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/model/config.h"
#include "carat/model/generation_defaults.h"

namespace carat::model {

// For messages about paths that hold no model.
inline constexpr std::string_view kModelSources =
    "a Hugging Face model folder, a GGUF file or a folder of MLC-LLM's";

// Where a folder that was compiled for browsers has the model, a folder of MLC-LLM's: WebLLM asks
// for such URLs, which are Hugging Face's.
inline constexpr std::string_view kWebModelFolder = "resolve/main";

// Of one file of text beside the weights; Gemma 3's tokenizer.json has 33 MB.
inline constexpr size_t kMaxModelFileBytes = size_t{256} << 20;

class ModelSource {
 public:
  // `path` is the folder or the GGUF file. It may also be a folder's config.json or
  // mlc-chat-config.json, a folder whose only model is one GGUF file, or one compiled for browsers.
  // Throws Error if it is none of them.
  static std::unique_ptr<ModelSource> Open(const std::filesystem::path& path);

  // Whether a file's name is that of a model, for those who also take other files.
  static bool IsModelFile(const std::filesystem::path& file);

  // Whether a folder has the weights of a model: a compiled one may lie in the same folder.
  static bool HoldsWeights(const std::filesystem::path& folder);

  virtual ~ModelSource() = default;
  ModelSource(const ModelSource&) = delete;
  ModelSource& operator=(const ModelSource&) = delete;

  // The folder, or the GGUF file.
  const std::filesystem::path& path() const { return path_; }

  // The folder's name, or the file's without its ending.
  std::string Name() const;

  // "Hugging Face folder".
  virtual std::string_view Description() const = 0;

  // Whether the format is one that weights are quantized for.
  virtual bool IsQuantized() const = 0;

  // The quantization that its config names, if it names one: "q4f16_1".
  virtual std::string NamedQuantization() const { return ""; }

  virtual std::string ConfigFile() const = 0;  // names the origin of Config() in errors
  virtual Json Config() const = 0;             // the fields of config.json

  // The longest context that whoever made the files had in mind, if they say so.
  virtual std::optional<int64_t> ContextWindowSize() const { return std::nullopt; }

  // `config` is Config(), perhaps with other values.
  ModelConfig ParseConfig(const Json& config) const;
  ModelConfig LoadConfig() const;

  // All files are checked as far as they can be without their values; those of MLC-LLM also against
  // their md5sums, which reads them: `progress` counts bytes. Sets in `config` what the checkpoint
  // calls the weights.
  checkpoint::Checkpoint OpenCheckpoint(ModelConfig& config,
                                        const ProgressCallback& progress = {}) const;

  // Of tokenizer.json, generation_config.json and others that a Hugging Face folder may have beside
  // config.json. Nothing if the model has none.
  virtual std::optional<std::string> ReadFile(std::string_view name) const = 0;
  virtual bool HasTokenizer() const = 0;  // whether ReadFile has tokenizer.json

  virtual std::string GenerationConfigFile() const { return ConfigFile(); }  // for errors
  GenerationDefaults ReadGenerationDefaults(const ModelConfig& config) const;

 protected:
  explicit ModelSource(std::filesystem::path path) : path_(std::move(path)) {}

 private:
  // 1 where norm weights are stored as w, 0 where as 1 + w.
  virtual float NormOffset() const = 0;
  virtual checkpoint::Checkpoint OpenWeights(const ModelConfig& config,
                                             const ProgressCallback& progress) const = 0;

  std::filesystem::path path_;
};

// The quantization scheme that keeps the checkpoint's matrices as they are stored: "q4_0",
// "q4_0+q8_0". Formats that Carat only reads become the next one that holds them well: K-quants and
// ggml's q4_1, q5_0 and q5_1 become q8_0. Where matrices besides the embedding have several
// formats, all get the largest of them.
std::string StoredScheme(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config);

}  // namespace carat::model

#endif  // CARAT_MODEL_MODEL_SOURCE_H_
