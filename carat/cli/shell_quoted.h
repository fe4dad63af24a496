// Paths in commands that a person is to copy into a shell.

#ifndef CARAT_CLI_SHELL_QUOTED_H_
#define CARAT_CLI_SHELL_QUOTED_H_

#include <filesystem>
#include <string>

namespace carat::cli {

// `path` as one word of a command: dist/demo, ./-demo, 'my models/demo', $'bell\x07'. The last
// form, for what a terminal should not print as it is, needs bash or zsh.
std::string ShellQuoted(const std::filesystem::path& path);

}  // namespace carat::cli

#endif  // CARAT_CLI_SHELL_QUOTED_H_
