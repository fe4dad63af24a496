#include "carat/engine/stop_strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "carat/base/error.h"

namespace carat::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Texts = std::vector<std::string>;

struct StoppedText {
  std::string text;
  bool found = false;

  bool operator==(const StoppedText&) const = default;
};

void PrintTo(const StoppedText& stopped, std::ostream* out) {
  *out << '"' << stopped.text << '"' << (stopped.found ? " stopped" : "");
}

// What a text ends as that is there at once.
StoppedText StopWhole(const std::string& text, const Texts& stops) {
  size_t end = std::string::npos;
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  return {text.substr(0, end), end != std::string::npos};
}

StoppedText StopPieces(const Texts& pieces, const Texts& stops) {
  StopStrings stop_strings(stops);
  std::string text;
  for (const std::string& piece : pieces) text += stop_strings.Push(piece);
  text += stop_strings.Finish();
  return {text, stop_strings.found()};
}

// All pieces there are: after each character but the last, a text may be cut or not.
void ExpectTheSameForAllSplits(const std::string& text, const Texts& stops) {
  const StoppedText expected = StopWhole(text, stops);
  for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
    Texts pieces(1);
    for (size_t i = 0; i < text.size(); ++i) {
      pieces.back() += text[i];
      if ((cuts >> i & 1) != 0) pieces.emplace_back();
    }
    ASSERT_EQ(StopPieces(pieces, stops), expected)
        << testing::PrintToString(pieces) << " with " << testing::PrintToString(stops);
  }
}

bool MayBecomeAStopString(const std::string& text, const Texts& stops) {
  return std::ranges::any_of(stops, [&](const std::string& stop) {
    return text.size() < stop.size() && stop.starts_with(text);
  });
}

// The longest suffix that may become a stop string, tried one by one.
size_t NumWaiting(const std::string& text, const Texts& stops) {
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (MayBecomeAStopString(text.substr(begin), stops)) return text.size() - begin;
  }
  return 0;
}

// Of letters a, b (and c), so that stop strings overlap with the text, each other and themselves.
class RandomText {
 public:
  std::string Next(size_t min_size, size_t max_size, int num_letters) {
    std::string text(Between(min_size, max_size), ' ');
    for (char& letter : text) letter = static_cast<char>('a' + Between(0, num_letters - 1));
    return text;
  }

  size_t Between(size_t min, size_t max) { return min + random_() % (max - min + 1); }

 private:
  std::mt19937 random_{20240601};
};

TEST(StopStrings, EndTheTextBeforeThem) {
  StopStrings stops({"</answer>", "\n\n"});
  EXPECT_EQ(stops.Push("42</a"), "42");
  EXPECT_EQ(stops.Push("b>\n"), "</ab>");
  EXPECT_FALSE(stops.found());
  EXPECT_EQ(stops.Push("\nmore"), "");
  EXPECT_TRUE(stops.found());
  EXPECT_EQ(stops.Push("and more"), "");
  EXPECT_EQ(stops.Finish(), "");
}

TEST(StopStrings, HandOutWhatWaitedWhenTheTextEnds) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.Push("the EN"), "the ");
  EXPECT_EQ(stops.Finish(), "EN");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, LetAllTextPassIfThereAreNone) {
  StopStrings stops({});
  EXPECT_EQ(stops.Push("a"), "a");
  EXPECT_EQ(stops.Push(""), "");
  EXPECT_EQ(stops.Finish(), "");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, MayBeginWithinAFailedOne) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.Push("aa"), "");
  EXPECT_EQ(stops.Push("a"), "a");
  EXPECT_EQ(stops.Push("b"), "");
  EXPECT_TRUE(stops.found());
}

TEST(StopStrings, ThatBeginFirstWinOverThoseThatEndFirst) {
  const Texts both = {"b", "abc"};
  StopStrings completed(both);
  EXPECT_EQ(completed.Push("xab"), "x");
  EXPECT_FALSE(completed.found());
  EXPECT_EQ(completed.Push("c"), "");
  EXPECT_TRUE(completed.found());

  StopStrings failed(both);
  EXPECT_EQ(failed.Push("xab"), "x");
  EXPECT_EQ(failed.Push("x"), "a");
  EXPECT_TRUE(failed.found());

  StopStrings ended(both);
  EXPECT_EQ(ended.Push("xab"), "x");
  EXPECT_EQ(ended.Finish(), "a");
  EXPECT_TRUE(ended.found());
}

TEST(StopStrings, ThatBeginTogetherAreDecidedByTheShortest) {
  StopStrings stops({"abc", "ab"});
  EXPECT_EQ(stops.Push("xab"), "x");
  EXPECT_TRUE(stops.found());
}

TEST(StopStrings, KeepCharactersWhole) {
  StopStrings stops({"\u00e9t\u00e9"});  // "été"; its first byte begins "è" as well
  EXPECT_EQ(stops.Push("\u00e8"), "\u00e8");
  EXPECT_EQ(stops.Push("l\u00e9"), "l");
  EXPECT_EQ(stops.Push("t\u00e8"), "\u00e9t\u00e8");
}

TEST(StopStrings, MayHoldAnyBytes) {
  const std::string zeros("\0\0", 2);
  EXPECT_EQ(StopPieces({"a", zeros.substr(1), "b", zeros, "c"}, {zeros}),
            (StoppedText{std::string("a\0b", 3), true}));
}

TEST(StopStrings, GiveTheSameForAllSplits) {
  ExpectTheSameForAllSplits("aabaabaaab", {"aabaaa"});
  ExpectTheSameForAllSplits("xaababcabcd", {"abcd", "bca", "ababcb"});
  ExpectTheSameForAllSplits("no stop here", {"hero", "here!", "stoop"});
  RandomText random;
  for (int i = 0; i < 100; ++i) {
    Texts stops;
    for (size_t k = random.Between(1, 3); k > 0; --k) stops.push_back(random.Next(1, 5, 2));
    ExpectTheSameForAllSplits(random.Next(1, 9, 2), stops);
  }
}

TEST(StopStrings, AgreeWithAFindInTheWholeText) {
  RandomText random;
  int num_found = 0;
  constexpr int kTexts = 20000;
  for (int i = 0; i < kTexts; ++i) {
    const int num_letters = 2 + i % 2;
    Texts stops;
    for (size_t k = random.Between(0, 4); k > 0; --k) {
      stops.push_back(random.Next(2, 8, num_letters));
    }
    Texts pieces;
    for (size_t k = random.Between(0, 12); k > 0; --k) {
      pieces.push_back(random.Next(0, 4, num_letters));
    }
    std::string text;
    for (const std::string& piece : pieces) text += piece;
    const StoppedText expected = StopWhole(text, stops);
    ASSERT_EQ(StopPieces(pieces, stops), expected)
        << testing::PrintToString(pieces) << " with " << testing::PrintToString(stops);
    num_found += static_cast<int>(expected.found);
  }
  EXPECT_GT(num_found, kTexts / 4);
  EXPECT_LT(num_found, kTexts * 3 / 4);
}

TEST(StopStrings, HoldBackNoMoreThanTheLongestSuffixThatMayBecomeOne) {
  RandomText random;
  for (int i = 0; i < 2000; ++i) {
    const Texts stops = {random.Next(3, 8, 2), random.Next(3, 8, 2)};
    StopStrings stop_strings(stops);
    std::string pushed;
    std::string certain;
    for (int k = 0; k < 20; ++k) {
      const std::string piece = random.Next(1, 2, 2);
      pushed += piece;
      certain += stop_strings.Push(piece);
      if (stop_strings.found()) break;
      ASSERT_EQ(pushed.size() - certain.size(), NumWaiting(pushed, stops))
          << pushed << " with " << testing::PrintToString(stops);
    }
  }
}

TEST(StopStrings, MustNotBeEmpty) {
  EXPECT_THAT(
      [] {
        StopStrings({"a", ""});
      },
      ThrowsMessage<Error>(HasSubstr("a stop string is empty")));
}

}  // namespace
}  // namespace carat::engine
