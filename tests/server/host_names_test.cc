#include "carat/server/host_names.h"

#include <gtest/gtest.h>

namespace carat::server {
namespace {

TEST(HostNames, ThoseOfThisMachineAreItsOwn) {
  for (const char* host : {"localhost", "localhost:8000", "LOCALHOST:8000", "127.0.0.1",
                           "127.0.0.1:80", "[::1]", "[::1]:8000"}) {
    EXPECT_TRUE(IsOwnHost(host, "127.0.0.1")) << host;
  }
}

TEST(HostNames, TheOneToListenOnIsItsOwn) {
  EXPECT_TRUE(IsOwnHost("box.lan:8000", "Box.lan"));
  EXPECT_TRUE(IsOwnHost("[fd00::1]:8000", "fd00::1"));
  EXPECT_FALSE(IsOwnHost("box.lan:8000", "127.0.0.1"));
}

TEST(HostNames, OthersAreNot) {
  for (const char* host :
       {"", ":8000", "evil.example", "localhost.evil.example", "localhost:80:80", "localhost:http",
        "[::1", "[::1]x", "127.0.0.1.evil.example", "evil.example#localhost"}) {
    EXPECT_FALSE(IsOwnHost(host, "127.0.0.1")) << host;
  }
}

}  // namespace
}  // namespace carat::server
