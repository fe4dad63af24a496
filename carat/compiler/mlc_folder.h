// A Hugging Face folder -> the folder that MLC and WebLLM read: what MLC's commands convert_weight
// and gen_config write, in either order, into the same folder.

#ifndef CARAT_COMPILER_MLC_FOLDER_H_
#define CARAT_COMPILER_MLC_FOLDER_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "carat/base/progress.h"
#include "carat/model/convert_weights.h"
#include "carat/model/mlc_chat_config.h"

namespace carat::compiler {

struct MlcFolderOptions {
  std::filesystem::path config = {};  // a Hugging Face folder, or its config.json
  std::string quantization = {};      // FindMlcQuantization's
  std::filesystem::path output = {};  // made if it is not there

  // Told that a library in `output` is out of date. It was compiled from what was there before, so
  // the folder is no compiled model any more.
  std::function<void(const std::string&)> warn = {};
};

// Writes the weights of `source`, their folder or a file in it; by default the config's folder.
// Throws Error if there is no config or no model, and as model::ConvertWeights does.
model::ConvertedWeights ConvertWeight(const MlcFolderOptions& folder,
                                      const std::optional<std::filesystem::path>& source = {},
                                      const ProgressCallback& progress = {});

// Writes mlc-chat-config.json, whose path is returned, and the tokenizer's files. Of `options` the
// quantization and the active vocabulary are found here. Throws Error if there is no config, and as
// model::MlcChatConfigText does.
std::filesystem::path GenConfig(const MlcFolderOptions& folder, model::MlcChatOptions options);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_MLC_FOLDER_H_
