#include "carat/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace carat {
namespace {

TEST(Utf8, IsRecognised) {
  for (const char* text : {"", "a", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000",
                           "\uffff", "\U00010000", "\U0010ffff", "a\u00e9\u2581\U0001f600"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  EXPECT_TRUE(IsUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, BrokenTextIsRefused) {
  for (const char* text : {"\x80", "a\xbf", "\xc3", "\xc3(", "\xe2\x96", "\xe2\x96(", "\xe2(\x81",
                           "\xf0\x9f\x98", "\xff", "\xfe"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8, OverlongFormsSurrogatesAndNumbersBeyondUnicodeAreRefused) {
  for (const char* text :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8, CodePointsAreCounted) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("a\u00e9\u2581\U0001f600"), 4u);
}

}  // namespace
}  // namespace carat
