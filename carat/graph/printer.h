// The text form of a Graph, for --debug-dump and for messages:
//
//     graph gemma3_text
//     @layers.0.input_layernorm : f32[1, 640] = model.layers.0.input_layernorm.weight + 1
//     @layers.0.q_k_v : q4_0[1536, 640] = concatenate(model.layers.0.self_attn.q_proj.weight, ...)
//
//     %0 = tokens() : i32[n, 1]  # tokens
//     %1 = embed(%0, @embed_tokens) {scale=25.25} : f32[n, 640]  # embedding
//     %2 = rms_norm(%1, @layers.0.input_layernorm) {eps=1e-06} : f32[n, 640]  # layers.0.x
//     return %301

#ifndef CARAT_GRAPH_PRINTER_H_
#define CARAT_GRAPH_PRINTER_H_

#include <string>

#include "carat/graph/graph.h"

namespace carat::graph {

std::string PrintGraph(const Graph& graph);

// "%2 = rms_norm(%1, @layers.0.input_layernorm) {eps=1e-06} : f32[n, 640]"
std::string PrintNode(const Graph& graph, const Node& node);

// "@layers.0.input_layernorm : f32[1, 640] = model.layers.0.input_layernorm.weight + 1"
std::string PrintWeight(const Weight& weight);

// "f32[n, 640]"
std::string PrintType(const ValueType& type);

}  // namespace carat::graph

#endif  // CARAT_GRAPH_PRINTER_H_
