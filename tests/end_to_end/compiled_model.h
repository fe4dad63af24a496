// Compiles models for the end-to-end tests, each combination once a test program.

#ifndef CARAT_TESTS_END_TO_END_COMPILED_MODEL_H_
#define CARAT_TESTS_END_TO_END_COMPILED_MODEL_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carat/base/types.h"
#include "carat/compiler/compile.h"
#include "carat/runtime/model.h"

namespace carat {

// models/demo, or the checkpoint of a golden case.
std::filesystem::path ModelFolder(const std::string& golden_case);

// Full layers and sliding ones with windows of 16 tokens, and a softcap; 384 tokens.
inline constexpr const char* kWindowedCase = "new-config-softcap";

// The folder `options` compile to. The same options give the same folder, compiled at the first
// call.
std::filesystem::path Compiled(const compiler::CompileOptions& options);

std::shared_ptr<runtime::Model> LoadCompiled(const compiler::CompileOptions& options,
                                             int num_threads = 2);

// Logits [tokens.size(), vocab_size], fed `chunk` tokens at a time into a new sequence.
std::vector<float> AllLogits(const std::shared_ptr<runtime::Model>& model,
                             std::span<const TokenId> tokens, int64_t chunk);

// Seeded token ids of the vocabulary.
std::vector<TokenId> RandomTokens(int64_t count, int64_t vocab_size, uint32_t seed);

float MaxDifference(std::span<const float> a, std::span<const float> b);

}  // namespace carat

#endif  // CARAT_TESTS_END_TO_END_COMPILED_MODEL_H_
