#include "carat/engine/stop_strings.h"

#include <algorithm>
#include <utility>

#include "carat/base/error.h"

namespace carat::engine {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  if (std::ranges::find(stops_, "") != stops_.end()) {
    throw Error("a stop string is empty, expected one character or more");
  }
}

// What waits is a few characters as a rule, so looking at them again is cheaper than an automaton
// that would not have to.
std::string StopStrings::Push(std::string_view piece) {
  if (found_) return {};
  waiting_ += piece;
  const std::string_view text = waiting_;
  size_t end = 0;
  Match match = Match::kNone;
  for (; end < text.size(); ++end) {
    match = MatchAtBeginOf(text.substr(end));
    if (match != Match::kNone) break;
  }
  found_ = match == Match::kComplete;
  std::string certain(text.substr(0, end));
  waiting_.erase(0, found_ ? waiting_.size() : end);
  return certain;
}

std::string StopStrings::Finish() {
  size_t end = waiting_.size();
  for (const std::string& stop : stops_) end = std::min(end, waiting_.find(stop));
  found_ |= end < waiting_.size();
  std::string rest = waiting_.substr(0, end);
  waiting_.clear();
  return rest;
}

StopStrings::Match StopStrings::MatchAtBeginOf(std::string_view text) const {
  Match match = Match::kNone;
  for (const std::string& stop : stops_) {
    if (text.starts_with(stop)) return Match::kComplete;
    if (stop.starts_with(text)) match = Match::kPossible;
  }
  return match;
}

}  // namespace carat::engine
