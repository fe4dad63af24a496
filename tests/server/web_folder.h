// A folder that looks like a model compiled for the browser: one weight of four bytes.

#ifndef CARAT_TESTS_SERVER_WEB_FOLDER_H_
#define CARAT_TESTS_SERVER_WEB_FOLDER_H_

#include <filesystem>
#include <fstream>
#include <string_view>

#include "tests/support/temporary_folder.h"

namespace carat::tests {

inline void WriteText(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline void WriteWebFolder(const std::filesystem::path& folder) {
  const std::filesystem::path main = folder / "resolve/main";
  std::filesystem::create_directories(main);
  WriteText(folder / "model.wasm", "wasm");
  WriteText(main / "mlc-chat-config.json", R"({"context_window_size": 512})");
  WriteText(main / "tokenizer.json", "{}");
  WriteText(main / "params_shard_0.bin", "1234");
  WriteText(main / "tensor-cache.json",
            R"({"metadata": {}, "records": [{"dataPath": "params_shard_0.bin",
                "format": "raw-shard", "nbytes": 4, "records": [{"name": "w", "shape": [1],
                "dtype": "float32", "format": "raw", "nbytes": 4, "byteOffset": 0}]}]})");
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_SERVER_WEB_FOLDER_H_
