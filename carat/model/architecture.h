// The architectures Carat knows, by the name that config.json gives them. A new one is a file
// beside gemma3.cc and a line in the table of architecture.cc.

#ifndef CARAT_MODEL_ARCHITECTURE_H_
#define CARAT_MODEL_ARCHITECTURE_H_

#include <string>
#include <string_view>

#include "carat/graph/graph.h"
#include "carat/model/config.h"

namespace carat::model {

bool IsKnownArchitecture(std::string_view name);

// For messages: "Gemma3ForCausalLM, Gemma3ForConditionalGeneration".
std::string KnownArchitectures();

// The verified graph of config.architecture. Throws Error naming the known ones if it is not among
// them.
graph::Graph BuildGraph(const ModelConfig& config);

}  // namespace carat::model

#endif  // CARAT_MODEL_ARCHITECTURE_H_
