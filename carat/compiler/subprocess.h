// Running another program: its output captured, Ctrl-C passed on.

#ifndef CARAT_COMPILER_SUBPROCESS_H_
#define CARAT_COMPILER_SUBPROCESS_H_

#include <string>
#include <vector>

namespace carat::compiler {

struct ProcessResult {
  int exit_code = 0;   // 127: it could not be started; 128 + n: ended by signal n
  std::string output;  // stdout and stderr together
};

// Runs command[0], found on PATH, with the rest as arguments. Throws InterruptedError, after ending
// the process, when Ctrl-C is pressed meanwhile.
ProcessResult RunProcess(const std::vector<std::string>& command);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_SUBPROCESS_H_
