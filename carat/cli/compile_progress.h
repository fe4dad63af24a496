// The compiler's progress in a terminal: a bar for each step.

#ifndef CARAT_CLI_COMPILE_PROGRESS_H_
#define CARAT_CLI_COMPILE_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "carat/base/progress.h"

namespace carat::cli {

class CompileProgressBar {
 public:
  // As compiler::CompileProgress wants it: the bar shows how far the whole compilation is.
  void operator()(std::string_view step, double fraction) {
    constexpr int64_t kTotal = 1000;
    if (step != step_) {
      step_ = step;
      bar_.emplace(step_);
    }
    bar_->Update(static_cast<int64_t>(fraction * kTotal), kTotal);
  }

 private:
  std::string step_;
  std::optional<Progress> bar_;
};

}  // namespace carat::cli

#endif  // CARAT_CLI_COMPILE_PROGRESS_H_
