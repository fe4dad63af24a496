#include "carat/server/request_path.h"

#include <gtest/gtest.h>

namespace carat::server {
namespace {

TEST(RequestPath, IsDecodedAndEndsBeforeTheQuery) {
  EXPECT_EQ(DecodeRequestPath("/"), "/");
  EXPECT_EQ(DecodeRequestPath("/a/b.js?version=2#top"), "/a/b.js");
  EXPECT_EQ(DecodeRequestPath("/my%20model/%c3%a9"), "/my model/\xc3\xa9");
  EXPECT_EQ(DecodeRequestPath("/a..b/.c"), "/a..b/.c");
}

TEST(RequestPath, NeverLeadsOutOfItsFolder) {
  for (const char* target : {"/..", "/../etc/passwd", "/a/../b", "/a/.", "/%2e%2e/etc/passwd",
                             "/..%2fetc/passwd", "/a%5c..%5cb", "/a\\..\\b"}) {
    EXPECT_EQ(DecodeRequestPath(target), std::nullopt) << target;
  }
}

TEST(RequestPath, IsRefusedIfItIsNone) {
  for (const char* target :
       {"", "*", "http://localhost/", "a", "/%", "/%4", "/%zz", "/%+1", "/a%00b", "/a%0d%0ab"}) {
    EXPECT_EQ(DecodeRequestPath(target), std::nullopt) << target;
  }
}

}  // namespace
}  // namespace carat::server
