#ifndef CARAT_COMPILER_CHECK_TEXT_FILES_H_
#define CARAT_COMPILER_CHECK_TEXT_FILES_H_

#include <cstdint>
#include <filesystem>

namespace carat::compiler {

// Throws Error if the Hugging Face folder's tokenizer or chat template cannot be used with a model
// of `vocab_size`. Both may be missing: then the compiled model takes and gives token ids.
void CheckTextFiles(const std::filesystem::path& folder, int64_t vocab_size);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CHECK_TEXT_FILES_H_
