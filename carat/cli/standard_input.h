// Standard input that is no terminal: read in bounds, and with its errors.

#ifndef CARAT_CLI_STANDARD_INPUT_H_
#define CARAT_CLI_STANDARD_INPUT_H_

#include <cstddef>
#include <optional>
#include <string>

namespace carat::cli {

// All of it, or its first `max_bytes`. Throws Error if it cannot be read.
std::string ReadStandardInput(size_t max_bytes);

// Its next line without the end of line, or the first `max_bytes` of that; nullopt where the input
// ends. Throws Error if it cannot be read.
std::optional<std::string> ReadStandardInputLine(size_t max_bytes);

}  // namespace carat::cli

#endif  // CARAT_CLI_STANDARD_INPUT_H_
