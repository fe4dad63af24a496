// Names and literals of generated code.

#ifndef CARAT_COMPILER_CODEGEN_CPU_NAMES_H_
#define CARAT_COMPILER_CODEGEN_CPU_NAMES_H_

#include <string>
#include <string_view>

#include "carat/quantization/weight_format.h"

namespace carat::compiler {

// "layers.3.q_norm" is "q_norm" of layer 3; "norm" belongs to no layer, -1.
struct LayerName {
  int layer = -1;
  std::string field;  // an identifier
};
LayerName ParseLayerName(std::string_view name);

// "embed_tokens" -> "kEmbedTokens".
std::string ConstantName(std::string_view name);

// 1 -> "1.0f", 1e-6 -> "1e-06f": the shortest text that gives this float.
std::string FloatText(float value);
std::string DoubleText(double value);

// The kernels' tag of a format: "Q4_0".
std::string_view FormatTag(quantization::WeightFormat format);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_CPU_NAMES_H_
