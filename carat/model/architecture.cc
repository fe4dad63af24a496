#include "carat/model/architecture.h"

#include <array>
#include <string>
#include <string_view>

#include "carat/base/error.h"
#include "carat/graph/verifier.h"
#include "carat/model/gemma3.h"

namespace carat::model {
namespace {

struct Architecture {
  std::string_view name;
  graph::Graph (*build)(const ModelConfig&);
};

// The multimodal model's text half is the text model; its vision half is left out.
constexpr std::array<Architecture, 2> kArchitectures = {{
    {"Gemma3ForCausalLM", BuildGemma3},
    {"Gemma3ForConditionalGeneration", BuildGemma3},
}};

}  // namespace

graph::Graph BuildGraph(const ModelConfig& config) {
  std::string known;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == config.architecture) {
      graph::Graph graph = architecture.build(config);
      graph::Verify(graph);
      return graph;
    }
    known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  }
  throw Error("architecture '{}' is not supported; Carat knows {}", config.architecture, known);
}

}  // namespace carat::model
