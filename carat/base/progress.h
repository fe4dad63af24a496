// A progress bar on stderr where that is a terminal; silent everywhere else.

#ifndef CARAT_BASE_PROGRESS_H_
#define CARAT_BASE_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <string>

namespace carat {

// How library code reports: `done` of `total`, in units of its choice.
using ProgressCallback = std::function<void(int64_t done, int64_t total)>;

class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws the bar if it looks different from the last one. One thread at a time.
  void Update(int64_t done, int64_t total);

  ProgressCallback Callback() {
    return [this](int64_t done, int64_t total) { Update(done, total); };
  }

 private:
  std::string label_;
  bool is_terminal_;
  int drawn_percent_ = -1;
};

}  // namespace carat

#endif  // CARAT_BASE_PROGRESS_H_
