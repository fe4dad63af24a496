#ifndef CARAT_COMPILER_CHECK_TEXT_FILES_H_
#define CARAT_COMPILER_CHECK_TEXT_FILES_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace carat::compiler {

// By name: "tokenizer.json".
using TextFiles = std::map<std::string, std::string, std::less<>>;

// Throws Error if the tokenizer or chat template among a model's files cannot be used with a model
// of `vocab_size`. Both may be missing: then the compiled model takes and gives token ids. `model`
// is the path that errors name.
void CheckTextFiles(const TextFiles& files, const std::filesystem::path& model, int64_t vocab_size);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CHECK_TEXT_FILES_H_
