#include "carat/quantization/scheme.h"

#include <array>

#include "carat/base/error.h"

namespace carat::quantization {
namespace {

const auto& Schemes() {
  using enum WeightFormat;
  static const std::array<QuantizationScheme, 5> schemes = {{
      {"q4_0", kQ4_0, kQ4_0, ActivationFormat::kInt8Blocks, KvFormat::kF16},
      {"q8_0", kQ8_0, kQ8_0, ActivationFormat::kInt8Blocks, KvFormat::kF16},
      {"q0f16", kF16, kF16, ActivationFormat::kF32, KvFormat::kF16},
      {"q0bf16", kBF16, kBF16, ActivationFormat::kF32, KvFormat::kF16},
      {"q0f32", kF32, kF32, ActivationFormat::kF32, KvFormat::kF32},
  }};
  return schemes;
}

}  // namespace

std::string_view KvFormatName(KvFormat format) { return format == KvFormat::kF32 ? "f32" : "f16"; }

size_t KvElementBytes(KvFormat format) {
  return format == KvFormat::kF32 ? sizeof(float) : sizeof(uint16_t);
}

std::span<const QuantizationScheme> AllSchemes() { return Schemes(); }

const QuantizationScheme& FindScheme(std::string_view name) {
  std::string known;
  for (const QuantizationScheme& scheme : Schemes()) {
    if (scheme.name == name) return scheme;
    known += (known.empty() ? "" : ", ") + scheme.name;
  }
  throw Error("no quantization is called '{}'; choose one of {}", name, known);
}

}  // namespace carat::quantization
