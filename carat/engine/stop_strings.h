// Ends a text that comes in pieces before the first of some strings in it.
//
// A piece may end within what becomes a stop string, so that much waits until it is decided:
//
//   stops "</answer>", "\n\n"
//   Push("42</a")   -> "42"      "</a" may begin "</answer>"
//   Push("b>\n")    -> "</ab>"   it did not, but "\n" may begin "\n\n"
//   Push("\nmore")  -> ""        found; nothing of it and nothing after it is handed out

#ifndef CARAT_ENGINE_STOP_STRINGS_H_
#define CARAT_ENGINE_STOP_STRINGS_H_

#include <string>
#include <string_view>
#include <vector>

namespace carat::engine {

// The text ends where the earliest occurrence of any of the strings begins, however it was cut into
// pieces. So a stop string that is complete still waits for a longer one that began before it and
// may yet be completed. Of several that begin at the same place the shortest decides, which is
// soonest: the text before them is the same.
//
// Strings are compared as bytes. In UTF-8, pieces of whole characters come out as whole characters.
class StopStrings {
 public:
  // Throws Error if one of them is empty. Without any, all text passes.
  explicit StopStrings(std::vector<std::string> stops);

  // The text that is now certain to come before any stop string: all but the longest suffix that
  // may still become one. Empty once one is found.
  std::string Push(std::string_view piece);

  // Whether a stop string is certain to end the text.
  bool found() const { return found_; }

  // To be called when the text has ended by itself: the rest of it, up to a stop string, if there
  // is one that waited for a longer one; then found() is true afterwards.
  std::string Finish();

 private:
  enum class Match { kNone, kPossible, kComplete };
  Match MatchAtBeginOf(std::string_view text) const;

  std::vector<std::string> stops_;
  std::string waiting_;  // may become a stop string
  bool found_ = false;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_STOP_STRINGS_H_
