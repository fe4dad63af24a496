#include "carat/compiler/mlc_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/folder_to_fill.h"
#include "carat/base/json.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/library/dist_folder.h"
#include "carat/model/config.h"
#include "carat/model/mlc_parameters.h"
#include "carat/text/tokenizer.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

// The path of config.json.
fs::path FindConfig(const fs::path& path) {
  if (!fs::exists(path)) throw Error("{}: does not exist", path.string());
  if (path.extension() == ".gguf") {
    throw Error(
        "{}: a GGUF file; write it as a Hugging Face folder first: 'carat export {} --format "
        "safetensors -o FOLDER/model.safetensors'",
        path.string(), path.string());
  }
  if (!fs::is_directory(path)) return fs::absolute(path);
  if (fs::exists(path / "config.json")) return path / "config.json";
  throw Error("{}: has no config.json; is it a Hugging Face model folder, fully downloaded?",
              path.string());
}

// The folder of the weights. `source` may name the file that lists them.
fs::path WeightsFolder(const std::optional<fs::path>& source, const fs::path& config) {
  if (!source) return config.parent_path();
  if (!fs::exists(*source)) throw Error("{}: does not exist", source->string());
  return fs::is_directory(*source) ? *source : fs::absolute(*source).parent_path();
}

// A library that was compiled into the folder belongs to what was there before.
void PrepareOutput(const MlcFolderOptions& options, FolderToFill& output) {
  output.Make();
  if (!library::IsDistFolder(options.output)) return;
  std::error_code ignored;
  fs::remove(options.output / library::kConfigFile, ignored);
  if (options.warn) {
    options.warn(fmt::format("{}: what was compiled there is out of date; compile it again",
                             options.output.string()));
  }
}

void CopyTokenizer(const fs::path& from, const fs::path& to) {
  std::vector<std::string> files = model::TokenizerFiles(from);
  // Not one of MLC's files, but Carat's chat template where tokenizer_config.json has none.
  if (fs::exists(from / "chat_template.jinja")) files.emplace_back("chat_template.jinja");
  for (const std::string& name : files) {
    std::error_code error;
    if (fs::equivalent(from / name, to / name, error)) continue;
    const MappedFile file(from / name);
    WriteFileAtomically(to / name, file.bytes());
  }
}

}  // namespace

model::ConvertedWeights ConvertWeight(const MlcFolderOptions& folder,
                                      const std::optional<fs::path>& source,
                                      const ProgressCallback& progress) {
  const fs::path config_path = FindConfig(folder.config);
  const model::MlcQuantization& quantization = model::FindMlcQuantization(folder.quantization);
  model::ModelConfig config =
      model::ParseModelConfig(ParseJsonFile(config_path), config_path.filename().string());
  const auto checkpoint = checkpoint::Checkpoint::Open(WeightsFolder(source, config_path));
  model::ResolveWeightNames(checkpoint, config);
  FolderToFill output(folder.output);
  PrepareOutput(folder, output);
  return model::ConvertWeights(checkpoint, config, quantization, folder.output, progress);
}

fs::path GenConfig(const MlcFolderOptions& folder, model::MlcChatOptions options) {
  const fs::path config = FindConfig(folder.config);
  const fs::path source = config.parent_path();
  options.quantization = model::FindMlcQuantization(folder.quantization).name;
  if (fs::exists(source / "tokenizer.json")) {
    options.active_vocab_size = text::Tokenizer::Load(source).vocab_size();
  }
  const std::string text = model::MlcChatConfigText(config, options);
  FolderToFill output(folder.output);
  PrepareOutput(folder, output);
  CopyTokenizer(source, folder.output);
  WriteFileAtomically(folder.output / model::kMlcChatConfigFile, text);
  return folder.output / model::kMlcChatConfigFile;
}

}  // namespace carat::compiler
