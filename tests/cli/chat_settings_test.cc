#include "carat/cli/chat_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "carat/base/error.h"

namespace carat::cli {
namespace {

using ::testing::HasSubstr;

TEST(ChatSettings, EverySettingCanBeChangedAndShown) {
  engine::ChatOptions options;
  for (const std::string assignment :
       {"temperature=0.5", "top_k = 7", " top_p=0.25", "min_p=0.125", "repetition_penalty=1.5",
        "presence_penalty=-0.5", "frequency_penalty=2", "seed=18446744073709551615", "max_tokens=9",
        "system=Be brief, a = b."}) {
    ChangeChatSetting(assignment, options);
  }
  EXPECT_EQ(DescribeChatSettings(options),
            "temperature = 0.5\n"
            "top_k = 7\n"
            "top_p = 0.25\n"
            "min_p = 0.125\n"
            "repetition_penalty = 1.5\n"
            "presence_penalty = -0.5\n"
            "frequency_penalty = 2\n"
            "seed = 18446744073709551615\n"
            "max_tokens = 9\n"
            "system = Be brief, a = b.\n");
  ChangeChatSetting("seed=random", options);
  ChangeChatSetting("max_tokens=unlimited", options);
  ChangeChatSetting("system=", options);
  EXPECT_EQ(options.sampling.seed, std::nullopt);
  EXPECT_EQ(options.max_tokens, -1);
  EXPECT_EQ(options.system_prompt, "");
}

TEST(ChatSettings, WhatIsRefusedChangesNothing) {
  for (const std::string assignment :
       {"temperature", "temperature=", "temperature=hot", "temperature=1x", "temperature=nan",
        "top_k=1.5", "top_k=-1", "top_p=2", "presence_penalty=3", "seed=-1", "max_tokens=0",
        "colour=red", "", "="}) {
    engine::ChatOptions options;
    const std::string before = DescribeChatSettings(options);
    EXPECT_THROW(ChangeChatSetting(assignment, options), Error) << assignment;
    EXPECT_EQ(DescribeChatSettings(options), before);
  }
}

TEST(ChatSettings, AnUnknownNameGetsTheList) {
  engine::ChatOptions options;
  try {
    ChangeChatSetting("colour=red", options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("colour"));
    EXPECT_THAT(error.what(), HasSubstr("repetition_penalty"));
  }
}

}  // namespace
}  // namespace carat::cli
