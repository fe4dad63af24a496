// Any text is a config.json from which a graph can be built, or an Error. What is a config is also
// taken for a generation_config.json.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/model/architecture.h"
#include "carat/model/config.h"
#include "carat/model/generation_defaults.h"

namespace {

void Load(std::string_view text) {
  const carat::Json json = carat::ParseJson(text, "config.json");
  const carat::model::ModelConfig config = carat::model::ParseModelConfig(json, "config.json");
  if (config.layer_types.size() != static_cast<size_t>(config.num_hidden_layers)) std::abort();
  const carat::graph::Graph graph = carat::model::BuildGraph(config);
  if (graph.TypeOf(graph.output).width != config.vocab_size) std::abort();
  carat::model::ParseGenerationDefaults(json, "generation_config.json", config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    Load({reinterpret_cast<const char*>(data), size});
  } catch (const carat::Error&) {
  }
  return 0;
}
