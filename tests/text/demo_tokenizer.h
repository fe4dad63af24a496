// The tokenizer of models/demo.

#ifndef CARAT_TESTS_TEXT_DEMO_TOKENIZER_H_
#define CARAT_TESTS_TEXT_DEMO_TOKENIZER_H_

#include <filesystem>

#include "carat/text/tokenizer.h"

namespace carat::tests {

inline std::filesystem::path DemoFolder() {
  return std::filesystem::path(CARAT_SOURCE_DIR) / "models/demo";
}

inline const text::Tokenizer& DemoTokenizer() {
  static const text::Tokenizer tokenizer = text::Tokenizer::Load(DemoFolder());
  return tokenizer;
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_TEXT_DEMO_TOKENIZER_H_
