// Quantization schemes: which format each kind of tensor gets, by the name the user gives.

#ifndef CARAT_QUANTIZATION_SCHEME_H_
#define CARAT_QUANTIZATION_SCHEME_H_

#include <span>
#include <string>
#include <string_view>

#include "carat/quantization/weight_format.h"

namespace carat::quantization {

// What keys and values are kept in.
enum class KvFormat { kF32, kF16 };

std::string_view KvFormatName(KvFormat format);  // "f32", "f16"
size_t KvElementBytes(KvFormat format);

// Norm vectors stay f32 in every scheme.
struct QuantizationScheme {
  std::string name;
  WeightFormat matrix;
  WeightFormat embedding;  // also where it serves as the head
  KvFormat kv;
};

// q4_0, q8_0, q0f16, q0bf16, q0f32, or two of them as "q4_0+q8_0": the second is the embedding's.
// Throws Error listing the names there are.
QuantizationScheme FindScheme(std::string_view name);

// "q4_0" and "q8_0" -> "q4_0+q8_0"; "q4_0" if both are that.
std::string MixedSchemeName(std::string_view matrix, std::string_view embedding);

// FindScheme of the first or, if the second is not empty, of both.
QuantizationScheme FindScheme(std::string_view matrix, std::string_view embedding);

// The scheme that keeps everything in one format: "q0f16" for kF16.
const std::string& SchemeName(WeightFormat format);

// Those of one format.
std::span<const QuantizationScheme> AllSchemes();

}  // namespace carat::quantization

#endif  // CARAT_QUANTIZATION_SCHEME_H_
