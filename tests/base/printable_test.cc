#include "carat/base/printable.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace carat {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(Printable(""), "");
  EXPECT_EQ(Printable("model.safetensors: field 'x' is \"a\\b\""),
            "model.safetensors: field 'x' is \"a\\b\"");
  EXPECT_EQ(Printable("größer, 日本語, 🙂"), "größer, 日本語, 🙂");
}

TEST(Printable, SpellsOutWhatATerminalWouldObey) {
  EXPECT_EQ(Printable("\x1b[2Jgone\a\x7f"), "\\x1b[2Jgone\\x07\\x7f");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\u009b31m"), "\\u009b31m");
  EXPECT_EQ(Printable("safe\u202etxt.exe\u2066"), "safe\\u202etxt.exe\\u2066");
}

TEST(Printable, IsOneLine) { EXPECT_EQ(Printable("a\nb\r\tc\u2028d"), "a\\nb\\r\\tc\\u2028d"); }

TEST(Printable, SpellsOutBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(Printable("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");  // an overlong C1 character
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(Printable("\xf0\x9f\x99"), "\\xf0\\x9f\\x99");  // cut off
}

TEST(Printable, LeavesOutTheMiddleOfALongText) {
  const std::string longest(2000, 'x');
  EXPECT_EQ(Printable(longest), longest);
  const std::string text = Printable("what is wrong: " + std::string(1'000'000, 'x') + "; mend it");
  EXPECT_LT(text.size(), 2100);
  EXPECT_TRUE(text.starts_with("what is wrong: xxx"));
  EXPECT_NE(text.find("x…x"), std::string::npos);
  EXPECT_TRUE(text.ends_with("xxx; mend it"));
}

TEST(Printable, CutsBetweenCharacters) {
  for (int shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'a');
    for (int i = 0; i < 1000; ++i) text += "🙂";
    EXPECT_EQ(Printable(text).find('\\'), std::string::npos) << shift;
  }
}

// Whatever comes in, what goes out is UTF-8 without control characters: printing it again changes
// nothing.
TEST(Printable, OfPrintableTextIsTheSame) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> any_byte(0, 255);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = static_cast<char>(any_byte(random) | (random() % 2 == 0 ? 0x80 : 0));
    const std::string printable = Printable(text);
    EXPECT_EQ(Printable(printable), printable);
    for (const char c : printable) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

}  // namespace
}  // namespace carat
