// A folder that was compiled for browsers:
//
//     model.wasm                the model library, for every adapter
//     model-subgroups.wasm      for adapters with the WebGPU feature subgroups
//     model-f16.wasm            for those with shader-f16 too
//     resolve/main/             model::kWebModelFolder

#ifndef CARAT_LIBRARY_WEB_FOLDER_H_
#define CARAT_LIBRARY_WEB_FOLDER_H_

#include <array>
#include <string_view>

namespace carat::library {

struct WebLibrary {
  std::string_view file;
  bool needs_subgroups = false;
  bool needs_shader_f16 = false;
};

// The best first; the last runs everywhere.
inline constexpr std::array<WebLibrary, 3> kWebLibraries = {{
    {"model-f16.wasm", true, true},
    {"model-subgroups.wasm", true, false},
    {"model.wasm", false, false},
}};

}  // namespace carat::library

#endif  // CARAT_LIBRARY_WEB_FOLDER_H_
