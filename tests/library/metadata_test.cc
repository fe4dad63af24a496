#include "carat/library/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "tests/library/example_metadata.h"

namespace carat::library {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using tests::ExampleMetadata;

nlohmann::json ExampleJson() { return ToJson(ExampleMetadata()); }

void ExpectRefused(const nlohmann::json& json, const std::string& field, const std::string& why) {
  EXPECT_THAT([&] { MetadataFromJson(json, "lib.so"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("lib.so"), HasSubstr(field), HasSubstr(why))));
}

TEST(Metadata, ComesBackFromJsonAsItWas) {
  const LibraryMetadata metadata = ExampleMetadata();
  const LibraryMetadata read = ParseMetadata(ToJson(metadata).dump(), "lib.so");
  EXPECT_EQ(ToJson(read), ToJson(metadata));
  EXPECT_EQ(FirstDifference(read, metadata), "");
  ASSERT_EQ(read.weights.size(), 2);
  EXPECT_EQ(read.weights[1].weight.arrangement, graph::Arrangement::kInterleave);
  EXPECT_EQ(read.weights[1].weight.format, quantization::WeightFormat::kQ4_0);
  EXPECT_EQ(read.weights[1].weight.parts[1].name, "up");
}

TEST(Metadata, NamesEveryFieldThatIsMissing) {
  const nlohmann::json example = ExampleJson();
  for (const auto& [name, value] : example.items()) {
    nlohmann::json json = example;
    json.erase(name);
    ExpectRefused(json, "'" + name + "'", "");
  }
}

TEST(Metadata, NamesEveryFieldOfTheWrongType) {
  const nlohmann::json example = ExampleJson();
  for (const auto& [name, value] : example.items()) {
    nlohmann::json json = example;
    json[name] = true;
    ExpectRefused(json, name, "");
  }
}

TEST(Metadata, RefusesSizesThatCannotBe) {
  for (const char* name : {"vocab_size", "context_window_size", "page_tokens", "max_batch_size"}) {
    nlohmann::json json = ExampleJson();
    json[name] = 0;
    ExpectRefused(json, name, "expected a positive integer");
    json[name] = -5;
    ExpectRefused(json, name, "expected a positive integer");
  }
  nlohmann::json json = ExampleJson();
  json["page_bytes"] = -1;
  ExpectRefused(json, "page_bytes", "at least 0");
}

TEST(Metadata, NamesWhatIsWrongInAWeight) {
  nlohmann::json json = ExampleJson();
  json["weights"][1]["arrangement"] = "braid";
  ExpectRefused(json, "weights[1]: field 'arrangement'", "braid");
  json = ExampleJson();
  json["weights"][0]["format"] = "q3";
  ExpectRefused(json, "weights[0]: field 'format'", "q3");
  json = ExampleJson();
  json["quantization"] = "q3";
  ExpectRefused(json, "field 'quantization'", "q3");
  json = ExampleJson();
  json["weights"][0]["parts"] = nlohmann::json::array();
  ExpectRefused(json, "parts", "at least one");
}

TEST(Metadata, RefusesAnotherVersionBeforeItReadsOn) {
  const nlohmann::json json = {{"carat_version", "7.0.0"}, {"a future field", 1}};
  ExpectRefused(json, "compiled by Carat 7.0.0", "this is Carat " CARAT_VERSION);
}

TEST(Metadata, FindsTheFirstDifference) {
  LibraryMetadata other = ExampleMetadata();
  other.target = "x86-64-v3";
  EXPECT_EQ(FirstDifference(ExampleMetadata(), other), "target");
  other = ExampleMetadata();
  other.weights[0].weight.offset = 2;
  EXPECT_EQ(FirstDifference(ExampleMetadata(), other), "weights");
}

TEST(Metadata, TakesAnUnknownHashForAnyHash) {
  LibraryMetadata other = ExampleMetadata();
  other.weights_hash = "";
  EXPECT_EQ(FirstDifference(ExampleMetadata(), other), "");
  other.weights_hash = "fedcba9876543210";
  EXPECT_EQ(FirstDifference(ExampleMetadata(), other), "weights_hash");
}

TEST(Metadata, CountsThePagesOfALongestSequence) {
  LibraryMetadata metadata = ExampleMetadata();
  metadata.context_window_size = 4097;
  EXPECT_EQ(metadata.max_pages_per_sequence(), 65);
}

}  // namespace
}  // namespace carat::library
