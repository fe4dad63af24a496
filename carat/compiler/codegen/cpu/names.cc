#include "carat/compiler/codegen/cpu/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "carat/base/error.h"

namespace carat::compiler {
namespace {

std::string Identifier(std::string_view text) {
  std::string identifier(text);
  std::ranges::replace_if(
      identifier, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return identifier;
}

template <typename Float>
std::string WithPoint(Float value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

LayerName ParseLayerName(std::string_view name) {
  constexpr std::string_view kPrefix = "layers.";
  if (!name.starts_with(kPrefix)) return {-1, Identifier(name)};
  const size_t dot = name.find('.', kPrefix.size());
  if (dot == std::string_view::npos) throw Error("weight name '{}' has a layer but no field", name);
  return {std::stoi(std::string(name.substr(kPrefix.size(), dot - kPrefix.size()))),
          Identifier(name.substr(dot + 1))};
}

std::string ConstantName(std::string_view name) {
  std::string constant = "k";
  bool upper = true;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      upper = true;
    } else {
      constant += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return constant;
}

std::string FloatText(float value) { return WithPoint(value) + "f"; }
std::string DoubleText(double value) { return WithPoint(value); }

std::string_view FormatTag(quantization::WeightFormat format) {
  switch (format) {
    case quantization::WeightFormat::kF32:
      return "F32";
    case quantization::WeightFormat::kF16:
      return "F16";
    case quantization::WeightFormat::kBF16:
      return "BF16";
    case quantization::WeightFormat::kQ4_0:
      return "Q4_0";
    case quantization::WeightFormat::kQ8_0:
      return "Q8_0";
  }
  return "";
}

}  // namespace carat::compiler
