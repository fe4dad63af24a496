#include "carat/compiler/overrides.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace carat::compiler {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(OverridesTest, CompileOptionsAndConfigFieldsAreSet) {
  CompileOptions options{.overrides =
                             "context_window_size=4096;rope_theta=5e5;prefill_chunk_size=64"};
  Json config = {{"rope_theta", 1e6}, {"sliding_window", 512}};
  ApplyOverrides(options, config);
  EXPECT_EQ(options.context_window_size, 4096);
  EXPECT_EQ(options.prefill_chunk_size, 64);
  EXPECT_EQ(config["rope_theta"], 5e5);
}

TEST(OverridesTest, TheSlidingWindowReachesTheModel) {
  CompileOptions options{.sliding_window_size = 128};
  Json config = {{"text_config", {{"sliding_window", 512}}}};
  ApplyOverrides(options, config);
  EXPECT_EQ(config["text_config"]["sliding_window"], 128);
}

TEST(OverridesTest, AMisspeltKeyIsRefused) {
  CompileOptions options{.overrides = "rope_tehta=5e5"};
  Json config = {{"rope_theta", 1e6}};
  EXPECT_THAT([&] { ApplyOverrides(options, config); },
              ThrowsMessage<Error>(HasSubstr("'rope_tehta'")));
}

TEST(OverridesTest, WhatIsNotKeyAndValueIsRefused) {
  Json config = Json::object();
  for (const char* text : {"context_window_size", "=4", "context_window_size="}) {
    CompileOptions options{.overrides = text};
    EXPECT_THAT([&] { ApplyOverrides(options, config); },
                ThrowsMessage<Error>(HasSubstr("key=value")));
  }
}

TEST(OverridesTest, ANullTextConfigIsNone) {
  CompileOptions options{.sliding_window_size = 128};
  Json config = {{"text_config", nullptr}, {"sliding_window", 512}};
  ApplyOverrides(options, config);
  EXPECT_EQ(config["sliding_window"], 128);
}

TEST(OverridesTest, AConfigThatIsNoObjectIsRefused) {
  CompileOptions options;
  Json config = Json::array({1, 2});
  EXPECT_THAT([&] { ApplyOverrides(options, config); },
              ThrowsMessage<Error>(HasSubstr("config.json: is no JSON object")));
}

TEST(OverridesTest, ValuesHaveTheLimitsOfFiles) {
  const Json original = {{"rope_theta", 1e6}};
  const auto apply = [&](const std::string& value) {
    CompileOptions options{.overrides = "rope_theta=" + value};
    Json config = original;
    ApplyOverrides(options, config);
  };
  EXPECT_THAT([&] { apply("\xff"); }, ThrowsMessage<Error>(HasSubstr("not UTF-8")));
  EXPECT_THAT([&] { apply(std::string(1000, '[') + std::string(1000, ']')); },
              ThrowsMessage<Error>(HasSubstr("levels deep")));
  EXPECT_THAT([&] { apply(R"({"a":1,"a":2})"); }, ThrowsMessage<Error>(HasSubstr("given twice")));
}

TEST(OverridesTest, SizesMustBePositiveIntegers) {
  Json config = Json::object();
  for (const char* text : {"prefill_chunk_size=0", "prefill_chunk_size=-1",
                           "prefill_chunk_size=1.5", "prefill_chunk_size=many"}) {
    CompileOptions options{.overrides = text};
    EXPECT_THAT([&] { ApplyOverrides(options, config); },
                ThrowsMessage<Error>(HasSubstr("positive integer")));
  }
}

}  // namespace
}  // namespace carat::compiler
