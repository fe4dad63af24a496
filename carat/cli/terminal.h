// Lines that a person types: with editing and history where there is a terminal, as they are where
// input comes from a file or a pipe.

#ifndef CARAT_CLI_TERMINAL_H_
#define CARAT_CLI_TERMINAL_H_

#include <filesystem>
#include <memory>
#include <string>

namespace carat::cli {

struct InputLine {
  enum class Kind {
    kLine,
    kInterrupted,  // Ctrl-C: what was typed is dropped
    kEnd,          // Ctrl-D on an empty line, or the end of the file
  };
  Kind kind = Kind::kEnd;
  std::string text;
};

class Terminal {
 public:
  // History is read from `history_file` and kept there; an empty path, or one that cannot be
  // written, means that it ends with the program.
  Terminal(const std::string& prompt, const std::filesystem::path& history_file);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // True if both ends are a terminal: somebody is there to see a prompt.
  bool is_interactive() const { return editor_ != nullptr; }

  InputLine ReadLine();

 private:
  class LineEditor;

  std::unique_ptr<LineEditor> editor_;  // nullptr: input is read as it is
};

// $XDG_STATE_HOME/carat/`name`, by default under ~/.local/state; empty if there is no home.
std::filesystem::path StateFile(const std::string& name);

}  // namespace carat::cli

#endif  // CARAT_CLI_TERMINAL_H_
