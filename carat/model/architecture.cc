#include "carat/model/architecture.h"

#include <algorithm>
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

const Architecture* Find(std::string_view name) {
  const auto* found = std::ranges::find(kArchitectures, name, &Architecture::name);
  return found == kArchitectures.end() ? nullptr : found;
}

}  // namespace

bool IsKnownArchitecture(std::string_view name) { return Find(name) != nullptr; }

std::string KnownArchitectures() {
  std::string names;
  for (const Architecture& architecture : kArchitectures) {
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return names;
}

graph::Graph BuildGraph(const ModelConfig& config) {
  const Architecture* architecture = Find(config.architecture);
  if (architecture == nullptr) {
    throw Error("architecture '{}' is not supported; Carat knows {}", config.architecture,
                KnownArchitectures());
  }
  graph::Graph graph = architecture->build(config);
  graph::Verify(graph);
  return graph;
}

}  // namespace carat::model
