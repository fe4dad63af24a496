// The editor is libedit (BSD licence). While a line is edited, Ctrl-C is a key that drops the line
// instead of the signal that ends the program; while nothing is read, the terminal is as it was.

#include "carat/cli/terminal.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/cli/standard_input.h"

namespace carat::cli {
namespace {

constexpr int kHistoryLines = 1000;

// libedit reads characters of the locale; where that is plain C, input may be UTF-8 all the same.
void UseUtf8() {
  setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

class Terminal::LineEditor {
 public:
  LineEditor(std::string prompt, std::filesystem::path history_file)
      : prompt_(std::move(prompt)), history_file_(std::move(history_file)) {
    UseUtf8();
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    if (!history_file_.empty()) history(history_, &event, H_LOAD, history_file_.c_str());

    editor_ = el_init("carat", stdin, stdout, stderr);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &LineEditor::Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_ADDFN, "carat-interrupt", "Drop the line", &LineEditor::OnInterrupt);
    el_set(editor_, EL_BIND, "^C", "carat-interrupt", nullptr);
    el_set(editor_, EL_ADDFN, "carat-suspend", "Suspend the program", &LineEditor::OnSuspend);
    el_set(editor_, EL_BIND, "^Z", "carat-suspend", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);  // -d: while editing; keys are not signals
    el_source(editor_, nullptr);                        // the user's ~/.editrc
  }

  ~LineEditor() {
    el_end(editor_);
    history_end(history_);
  }

  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  InputLine ReadLine() {
    is_interrupted_ = false;
    // From here on Ctrl-C is a key. Until here it was a signal, and meant the same. (By itself,
    // libedit does this only after the prompt is out.)
    el_set(editor_, EL_PREP_TERM, 1);
    int length = 0;
    const char* line = Interrupted() ? OnSignal() : el_gets(editor_, &length);
    if (is_interrupted_) {
      fputc('\n', stdout);
      return {InputLine::Kind::kInterrupted, ""};
    }
    if (line == nullptr || length <= 0) {
      fputc('\n', stdout);
      return {InputLine::Kind::kEnd, ""};
    }
    std::string text(line, length);
    if (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) Remember(text);
    return {InputLine::Kind::kLine, std::move(text)};
  }

 private:
  static LineEditor* Self(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<LineEditor*>(self);
  }

  static char* Prompt(EditLine* editor) { return Self(editor)->prompt_.data(); }

  static unsigned char OnInterrupt(EditLine* editor, int /*key*/) {
    Self(editor)->is_interrupted_ = true;
    return CC_EOF;
  }

  const char* OnSignal() {
    ClearInterrupt();
    el_set(editor_, EL_PREP_TERM, 0);
    is_interrupted_ = true;
    return nullptr;
  }

  static unsigned char OnSuspend(EditLine* editor, int /*key*/) {
    el_set(editor, EL_PREP_TERM, 0);
    raise(SIGTSTP);
    el_set(editor, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
  }

  // Saved with every line: a program that is killed keeps its history.
  void Remember(const std::string& line) {
    HistEvent event;
    history(history_, &event, H_ENTER, line.c_str());
    if (history_file_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(history_file_.parent_path(), ignored);
    history(history_, &event, H_SAVE, history_file_.c_str());
  }

  std::string prompt_;
  std::filesystem::path history_file_;
  History* history_ = nullptr;
  EditLine* editor_ = nullptr;
  bool is_interrupted_ = false;
};

Terminal::Terminal(const std::string& prompt, const std::filesystem::path& history_file,
                   size_t max_line_bytes)
    : max_line_bytes_(max_line_bytes) {
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {
    editor_ = std::make_unique<LineEditor>(prompt, history_file);
  }
}

Terminal::~Terminal() = default;

InputLine Terminal::ReadLine() {
  if (editor_) return editor_->ReadLine();
  std::optional<std::string> line = ReadStandardInputLine(max_line_bytes_ + 1);
  if (!line) return {InputLine::Kind::kEnd, ""};
  if (line->size() > max_line_bytes_) {
    throw Error("standard input: a line has more than {} bytes, too much for the context window",
                max_line_bytes_);
  }
  return {InputLine::Kind::kLine, std::move(*line)};
}

std::filesystem::path StateFile(const std::string& name) {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::filesystem::path(state) / "carat" / name;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / ".local" / "state" / "carat" / name;
}

}  // namespace carat::cli
