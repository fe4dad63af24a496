// The program `carat`: finds the subcommand, runs it, and turns whatever goes wrong into one line
// on stderr and an exit code.
//
//   0    done
//   1    it could not be done: "carat: <what, where, how to mend it>"
//   2    the command line is wrong
//   130  interrupted (Ctrl-C); where there was something to clean up also 143 (SIGTERM), 129
//   (SIGHUP)

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/cli/commands.h"

namespace carat::cli {
namespace {

enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2, kSignal = 128 };

constexpr char kOverview[] =
    "Carat compiles small language models and runs them.\n"
    "A folder as Hugging Face publishes it, a GGUF file or a folder of MLC-LLM's goes in; a "
    "quantized\n"
    "library for this machine comes out; text comes out of that. MODEL is any of them: what is run "
    "is\ncompiled first, if it is not yet.";

constexpr char kExamples[] =
    "Examples:\n"
    "  carat compile gemma-3-270m-it                 writes dist/gemma-3-270m-it-q4_0-cpu\n"
    "  carat chat dist/gemma-3-270m-it-q4_0-cpu      talks with it\n"
    "  carat generate gemma-3-270m-it --prompt 'Why is the sky blue?'\n"
    "  carat COMMAND --help                          explains a command's flags";

// A program started with a standard stream closed would get its next file there, and print into it.
// What takes the stream's place fails whoever uses it: it is open in the other direction.
void KeepStandardStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest that is free
  }
}

// A file that may not grow (ulimit -f) is then a write that fails, as on a full disk.
void TakeFileSizeLimitAsError() { signal(SIGXFSZ, SIG_IGN); }

int Fail(int code, const std::string& message) {
  std::cout.flush();
  fflush(stdout);
  std::cerr << "carat: " << Printable(message) << '\n';
  return code;
}

// The command named on the command line so far, for the hint in a usage error: "carat compile".
std::string CommandName(const CLI::App& app) {
  std::string name = "carat";
  for (const CLI::App* command : app.get_subcommands()) name += " " + command->get_name();
  return name;
}

// CLI11 reports --help and --version as exceptions too; those print and succeed.
int FinishParse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    app.exit(error);
    return kDone;
  }
  std::string problem = error.what();
  if (app.get_subcommands().empty() && app.remaining_size() > 0) {
    const std::string word = app.remaining().front();
    problem =
        (word.starts_with('-') ? "there is no option '" : "there is no command '") + word + "'";
  }
  return Fail(kWrongUsage, problem + " (see " + CommandName(app) + " --help)");
}

// Output that never reached its file (a full disk behind `> FILE`) must not look like success.
int FlushOutput() {
  errno = 0;
  const bool written = std::cout.flush().good() && fflush(stdout) == 0 && ferror(stdout) == 0;
  if (written) return kDone;
  return Fail(kFailed, std::string("cannot write to standard output: ") +
                           (errno != 0 ? std::strerror(errno) : "write failed"));
}

int Run(int argc, char** argv) {
  CLI::App app(kOverview, "carat");
  app.set_version_flag("--version", std::string("carat ") + CARAT_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);
  AddCompile(app);
  AddChat(app);
  AddGenerate(app);
  AddLogits(app);
  AddBench(app);
  AddPerplexity(app);
  AddEvaluate(app);
  AddInspect(app);
  AddGenConfig(app);
  AddConvertWeight(app);
  AddExport(app);
  AddWeb(app);
  AddFixture(app);
  AddDoctor(app);
  app.footer(kExamples);  // after the commands, which would have inherited it

  try {
    app.parse(argc, argv);
    return FlushOutput();
  } catch (const CLI::ParseError& error) {
    const int code = FinishParse(app, error);
    return code == kDone ? FlushOutput() : code;
  } catch (const std::bad_alloc&) {
    return Fail(kFailed, "out of memory");
  } catch (const std::exception& error) {
    return Fail(Interrupted() ? kSignal + InterruptingSignal() : kFailed, error.what());
  }
}

}  // namespace
}  // namespace carat::cli

int main(int argc, char** argv) {
  carat::cli::KeepStandardStreams();
  carat::cli::TakeFileSizeLimitAsError();
  // `carat generate ... | head -1` ends when its reader does, whatever the parent made of SIGPIPE.
  signal(SIGPIPE, SIG_DFL);
  return carat::cli::Run(argc, argv);
}
