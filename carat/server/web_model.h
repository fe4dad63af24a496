// A model compiled for the browser, as `carat compile --device webgpu -o DIR` writes it:
//
//     DIR/model.wasm                runs anywhere; beside it there may be libraries that are faster
//     DIR/model-subgroups.wasm      where the GPU has the features in their names
//     DIR/model-f16.wasm
//     DIR/resolve/main/             the folder that WebLLM appends to a model's address
//         mlc-chat-config.json
//         tensor-cache.json         and the shards it names
//         tokenizer.json            and whatever else lies there

#ifndef CARAT_SERVER_WEB_MODEL_H_
#define CARAT_SERVER_WEB_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace carat::server {

struct WebLibrary {
  std::string file_name;                       // "model.wasm"
  std::vector<std::string> required_features;  // of WebGPU: "shader-f16"
};

struct WebModel {
  std::string name;  // the folder's
  std::filesystem::path folder;
  std::vector<WebLibrary> libraries;  // the best first; the last one needs no features
  std::vector<std::string> files;     // in resolve/main
  uint64_t weight_bytes = 0;
  int64_t context_window_size = 0;

  // Differs when anything that a browser is to load differs. Browsers keep what they have loaded
  // under its address, so this belongs into the address.
  std::string fingerprint;
};

// Throws Error if the folder is no such model, or not a whole one.
WebModel OpenWebModel(const std::filesystem::path& folder);

}  // namespace carat::server

#endif  // CARAT_SERVER_WEB_MODEL_H_
