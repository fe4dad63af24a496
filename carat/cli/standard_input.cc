#include "carat/cli/standard_input.h"

#include <stdio.h>

#include <cerrno>
#include <system_error>

#include "carat/base/error.h"

namespace carat::cli {
namespace {

enum class Ending { kEndOfLine, kEndOfInput, kTooLong };

// Appends what comes before `delimiter`, which is dropped; EOF: before the end of the input.
Ending ReadUntil(int delimiter, size_t max_bytes, std::string& text) {
  while (text.size() < max_bytes) {
    errno = 0;
    const int c = getc(stdin);
    if (c == EOF && ferror(stdin) != 0) {
      throw Error("standard input: cannot be read: {}", std::generic_category().message(errno));
    }
    if (c == EOF) return Ending::kEndOfInput;
    if (c == delimiter) return Ending::kEndOfLine;
    text += static_cast<char>(c);
  }
  return Ending::kTooLong;
}

}  // namespace

std::string ReadStandardInput(size_t max_bytes) {
  std::string text;
  ReadUntil(EOF, max_bytes, text);
  return text;
}

std::optional<std::string> ReadStandardInputLine(size_t max_bytes) {
  std::string line;
  const Ending ending = ReadUntil('\n', max_bytes, line);
  if (ending == Ending::kEndOfInput && line.empty()) return std::nullopt;
  if (ending != Ending::kTooLong && line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace carat::cli
