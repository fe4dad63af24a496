#include "carat/quantization/scheme.h"

#include <array>

#include "carat/base/error.h"

namespace carat::quantization {
namespace {

const auto& Schemes() {
  using enum WeightFormat;
  static const std::array<QuantizationScheme, 5> schemes = {{
      {"q4_0", kQ4_0, kQ4_0, KvFormat::kF16},
      {"q8_0", kQ8_0, kQ8_0, KvFormat::kF16},
      {"q0f16", kF16, kF16, KvFormat::kF16},
      {"q0bf16", kBF16, kBF16, KvFormat::kF16},
      {"q0f32", kF32, kF32, KvFormat::kF32},
  }};
  return schemes;
}

const QuantizationScheme& FindPureScheme(std::string_view name) {
  std::string known;
  for (const QuantizationScheme& scheme : Schemes()) {
    if (scheme.name == name) return scheme;
    known += (known.empty() ? "" : ", ") + scheme.name;
  }
  throw Error("no quantization is called '{}'; choose one of {}", name, known);
}

}  // namespace

std::string_view KvFormatName(KvFormat format) { return format == KvFormat::kF32 ? "f32" : "f16"; }

size_t KvElementBytes(KvFormat format) {
  return format == KvFormat::kF32 ? sizeof(float) : sizeof(uint16_t);
}

std::span<const QuantizationScheme> AllSchemes() { return Schemes(); }

std::string MixedSchemeName(std::string_view matrix, std::string_view embedding) {
  std::string name(matrix);
  if (embedding != matrix) name.append("+").append(embedding);
  return name;
}

QuantizationScheme FindScheme(std::string_view name) {
  if (const size_t plus = name.find('+'); plus != std::string_view::npos) {
    QuantizationScheme scheme = FindPureScheme(name.substr(0, plus));
    const QuantizationScheme& embedding = FindPureScheme(name.substr(plus + 1));
    scheme.name = MixedSchemeName(scheme.name, embedding.name);
    scheme.embedding = embedding.matrix;
    return scheme;
  }
  return FindPureScheme(name);
}

QuantizationScheme FindScheme(std::string_view matrix, std::string_view embedding) {
  const QuantizationScheme scheme = FindScheme(matrix);
  if (embedding.empty()) return scheme;
  return FindScheme(MixedSchemeName(SchemeName(scheme.matrix), embedding));
}

const std::string& SchemeName(WeightFormat format) {
  for (const QuantizationScheme& scheme : AllSchemes()) {
    if (scheme.matrix == format) return scheme.name;
  }
  throw Error("no quantization scheme keeps {}", FormatName(format));
}

}  // namespace carat::quantization
