// Lines that a person types: with editing and history where there is a terminal, as they are where
// input comes from a file or a pipe.

#ifndef CARAT_CLI_TERMINAL_H_
#define CARAT_CLI_TERMINAL_H_

#include <cstddef>
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
  //
  // Where nobody types, ReadLine throws Error for lines longer than `max_line_bytes`.
  Terminal(const std::string& prompt, const std::filesystem::path& history_file,
           size_t max_line_bytes);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // True if both ends are a terminal: somebody is there to see a prompt.
  bool is_interactive() const { return editor_ != nullptr; }

  // Throws Error if input that is no terminal cannot be read.
  InputLine ReadLine();

 private:
  class LineEditor;

  std::unique_ptr<LineEditor> editor_;  // nullptr: input is read as it is
  size_t max_line_bytes_;
};

// $XDG_STATE_HOME/carat/`name`, by default under ~/.local/state; empty if there is no home.
std::filesystem::path StateFile(const std::string& name);

}  // namespace carat::cli

#endif  // CARAT_CLI_TERMINAL_H_
