#include "carat/engine/perplexity_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"

namespace carat::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// 10 tokens, each of which the model expects after the one before it, for windows of 6.
class PerplexityReportTest : public ::testing::Test {
 protected:
  PerplexityReport Report(const PerplexityRequest& request) const {
    return ReportPerplexity(folder_.Load(), request);
  }

  tests::SpellingModelFolder folder_;
  PerplexityRequest request_ = {
      .text = "abcabcabca", .file = "letters.txt", .context = 6, .stride = 2};
};

TEST_F(PerplexityReportTest, SaysWhatWasMeasured) {
  const nlohmann::ordered_json json = ToJson(Report(request_));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(keys,
              ::testing::ElementsAre("model", "quantization", "num_threads", "file", "bytes",
                                     "tokens", "method", "context", "stride", "windows",
                                     "scored_tokens", "mean_nll", "mean_nll_standard_error",
                                     "bits_per_byte", "perplexity", "perplexity_standard_error"));
  EXPECT_EQ(json["model"], folder_.path().string());
  EXPECT_EQ(json["num_threads"], 1);
  EXPECT_EQ(json["file"], "letters.txt");
  EXPECT_EQ(json["bytes"], 10);
  EXPECT_EQ(json["tokens"], 10);
  EXPECT_EQ(json["windows"], 3);
  EXPECT_EQ(json["scored_tokens"], 9);
}

TEST_F(PerplexityReportTest, WindowsOverlapByHalfUnlessToldOtherwise) {
  request_.stride = {};
  EXPECT_EQ(ToJson(Report(request_))["stride"], 3);
}

TEST_F(PerplexityReportTest, LeavesOutWhatThereIsNot) {
  request_ = {.text = request_.text, .method = "llama.cpp", .context = 4};
  const nlohmann::ordered_json json = ToJson(Report(request_));
  EXPECT_FALSE(json.contains("stride"));
  EXPECT_FALSE(json.contains("file"));
  EXPECT_EQ(json["method"], "llama.cpp");
}

TEST_F(PerplexityReportTest, RefusesWhatTheMethodHasNot) {
  request_.method = "llama.cpp";
  EXPECT_THAT([&] { Report(request_); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("--stride belongs to")));
  request_.method = "bootstrap";
  EXPECT_THAT([&] { Report(request_); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("method is 'bootstrap'")));
}

TEST_F(PerplexityReportTest, NamesATextThatIsFromNoFile) {
  request_.file = "";
  request_.text = "\xff";
  EXPECT_THAT([&] { Report(request_); }, ThrowsMessage<Error>(HasSubstr("the text: is not UTF-8")));
}

}  // namespace
}  // namespace carat::engine
