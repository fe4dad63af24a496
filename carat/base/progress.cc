#include "carat/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace carat {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress(std::string label)
    : label_(std::move(label)), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_percent_ >= 0) fmt::print(stderr, "\n");
}

void Progress::Update(int64_t done, int64_t total) {
  if (!is_terminal_ || total <= 0) return;
  const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const int percent = static_cast<int>(share * 100);
  if (percent == drawn_percent_) return;
  drawn_percent_ = percent;
  const auto filled = static_cast<size_t>(share * kBarWidth);
  fmt::print(stderr, "\r{} [{}{}] {:3}%", label_, std::string(filled, '#'),
             std::string(kBarWidth - filled, '.'), percent);
  std::fflush(stderr);
}

}  // namespace carat
