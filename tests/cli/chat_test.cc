// `carat chat` as a person has it: in a terminal, here a pseudo-terminal. What it does without one
// is in generate_test.cc.

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "carat/base/error.h"
#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

using tests::CompiledDemo;
using tests::TemporaryFolder;

constexpr char kCtrlC[] = "\x03";
constexpr char kCtrlD[] = "\x04";
constexpr char kUp[] = "\x1b[A";
constexpr char kLeft[] = "\x1b[D";

// carat chat in a terminal of 80 columns, deterministic unless told otherwise.
class ChatInTerminal {
 public:
  explicit ChatInTerminal(const TemporaryFolder& home) {
    const winsize size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    child_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_ < 0) throw Error("forkpty failed");
    if (child_ == 0) {
      setenv("XDG_STATE_HOME", home.path().c_str(), 1);
      setenv("HOME", home.path().c_str(), 1);
      setenv("TERM", "xterm", 1);
      setenv("LC_ALL", "C", 1);  // typed text is UTF-8 even there
      execl(CARAT_PROGRAM, CARAT_PROGRAM, "chat", CompiledDemo().c_str(), "--temperature", "0",
            nullptr);
      _exit(127);
    }
  }

  ~ChatInTerminal() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(terminal_);
  }
  ChatInTerminal(const ChatInTerminal&) = delete;
  ChatInTerminal& operator=(const ChatInTerminal&) = delete;

  void Type(const std::string& keys) {
    if (write(terminal_, keys.data(), keys.size()) < 0) throw Error("the terminal is gone");
  }

  // Reads until `text` has come, and forgets what precedes it. False if it does not come.
  bool Shows(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      if (const size_t at = screen_.find(text); at != std::string::npos) {
        screen_.erase(0, at + text.size());
        return true;
      }
      if (!ReadMore()) break;
    }
    ADD_FAILURE() << "'" << text << "' does not come; there is:\n" << screen_;
    return false;
  }

  // The exit code, once the program has ended by itself; 128 + n: signal n. -1 if it does not end.
  int Exit() {
    while (ReadMore()) continue;
    int status = 0;
    for (int tries = 0; waitpid(child_, &status, WNOHANG) == 0; ++tries) {
      if (tries == 1000) return -1;
      usleep(10'000);
    }
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  bool ReadMore() {
    pollfd waiting = {.fd = terminal_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, 60'000) != 1) return false;
    char buffer[4096];
    const ssize_t size = read(terminal_, buffer, sizeof(buffer));
    if (size <= 0) return false;
    screen_.append(buffer, size);
    return true;
  }

  int terminal_ = -1;
  pid_t child_ = -1;
  std::string screen_;
};

class ChatTerminalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int terminal = -1;
    int program_side = -1;
    if (openpty(&terminal, &program_side, nullptr, nullptr, nullptr) != 0) {
      GTEST_SKIP() << "this system has no pseudo-terminals (is /dev/pts mounted?)";
    }
    close(terminal);
    close(program_side);
  }

  // Sampling from everything, hardly any token of which is an end: an answer of a second or more.
  static void MakeAnswersLong(ChatInTerminal& chat) {
    for (const char* setting : {"temperature=50", "top_k=0", "top_p=1", "seed=1"}) {
      chat.Type(std::string("/set ") + setting + "\r");
    }
    chat.Type("/set\r");
    ASSERT_TRUE(chat.Shows("seed = 1"));
    ASSERT_TRUE(chat.Shows("> "));
  }

  TemporaryFolder home_;
};

TEST_F(ChatTerminalTest, GreetsAnswersAndLeaves) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("/help"));
  chat.Type("What is the capital of France?\r");
  ASSERT_TRUE(chat.Shows("The capital of France is Paris.\r\n"));
  chat.Type("/exit\r");
  EXPECT_EQ(chat.Exit(), 0);
}

TEST_F(ChatTerminalTest, CtrlDLeaves) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type(kCtrlD);
  EXPECT_EQ(chat.Exit(), 0);
}

TEST_F(ChatTerminalTest, CtrlCDropsTheLineAndLeavesOnlyTheSecondTime) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type("half a quest");
  ASSERT_TRUE(chat.Shows("quest"));
  chat.Type(kCtrlC);
  ASSERT_TRUE(chat.Shows("Ctrl-C again"));
  chat.Type("Hello!\r");
  ASSERT_TRUE(chat.Shows("Hello! How can I help you?"));
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type(kCtrlC);
  ASSERT_TRUE(chat.Shows("Ctrl-C again"));
  chat.Type(kCtrlC);
  EXPECT_EQ(chat.Exit(), 0);
}

TEST_F(ChatTerminalTest, CtrlCStopsTheAnswerAndNotTheProgram) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("> "));
  MakeAnswersLong(chat);
  chat.Type("Hello!\r");
  ASSERT_TRUE(chat.Shows("Hello!\r\n"));  // as typed
  ASSERT_TRUE(chat.Shows(" "));           // the answer
  chat.Type(kCtrlC);
  ASSERT_TRUE(chat.Shows("(stopped)"));
  chat.Type("/set temperature=0\r/reset\rHello!\r");
  ASSERT_TRUE(chat.Shows("Hello! How can I help you?"));
}

TEST_F(ChatTerminalTest, LinesAreEditedByCharactersAndRemembered) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type(std::string("/äö") + kLeft + "\x7fx\r");  // /äö -> /xö
  ASSERT_TRUE(chat.Shows("there is no command /xö"));
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type(std::string(kUp) + "!\r");
  ASSERT_TRUE(chat.Shows("there is no command /xö!"));
  chat.Type("/exit\r");
  EXPECT_EQ(chat.Exit(), 0);

  ChatInTerminal later(home_);
  ASSERT_TRUE(later.Shows("> "));
  later.Type(std::string(kUp) + kUp + "!\r");
  ASSERT_TRUE(later.Shows("there is no command /xö!!"));
}

TEST_F(ChatTerminalTest, MistakesDoNotEndTheConversation) {
  ChatInTerminal chat(home_);
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type("/set top_p=2\r");
  ASSERT_TRUE(chat.Shows("top_p is 2"));
  ASSERT_TRUE(chat.Shows("> "));
  std::string digits;  // a token each
  for (int i = 0; i < 2100; ++i) digits += static_cast<char>('0' + i % 10);
  chat.Type(digits + "\r");
  ASSERT_TRUE(chat.Shows("context window of 2048"));
  ASSERT_TRUE(chat.Shows("> "));
  chat.Type("Hello!\r");
  ASSERT_TRUE(chat.Shows("Hello! How can I help you?"));
}

}  // namespace
}  // namespace carat
