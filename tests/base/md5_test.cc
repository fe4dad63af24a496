#include "carat/base/md5.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace carat {
namespace {

std::string Hash(std::string_view text) {
  Md5 md5;
  md5.Append(std::as_bytes(std::span(text)));
  return md5.HexDigest();
}

// The test suite of RFC 1321.
TEST(Md5Test, HashesWhatTheRfcLists) {
  EXPECT_EQ(Hash(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Hash("a"), "0cc175b9c0f1b6a831c399e269772661");
  EXPECT_EQ(Hash("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Hash("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(Hash("abcdefghijklmnopqrstuvwxyz"), "c3fcd3d76192e4007dfb496cca67e13b");
  EXPECT_EQ(Hash("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
            "d174ab98d277d9f5a5611c2c9f419d9f");
  EXPECT_EQ(
      Hash("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
      "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Md5Test, PadsEveryLengthAroundABlock) {
  EXPECT_EQ(Hash(std::string(55, 'x')), "04364420e25c512fd958a70738aa8f72");
  EXPECT_EQ(Hash(std::string(56, 'x')), "668a72d5ba17f08e62dabcafad6db14b");
  EXPECT_EQ(Hash(std::string(63, 'x')), "7dc2ca208106a2f703567bdff99d8981");
  EXPECT_EQ(Hash(std::string(64, 'x')), "c1bb4f81d892b2d57947682aeb252456");
}

TEST(Md5Test, PiecesHashAsTheWhole) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (const size_t piece : {1, 7, 63, 64, 65, 200}) {
    Md5 md5;
    for (size_t begin = 0; begin < text.size(); begin += piece) {
      md5.Append(
          std::as_bytes(std::span(text).subspan(begin, std::min(piece, text.size() - begin))));
    }
    EXPECT_EQ(md5.HexDigest(), Hash(text)) << piece;
  }
}

}  // namespace
}  // namespace carat
