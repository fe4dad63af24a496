#include "carat/server/web_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/server/web_folder.h"

namespace carat::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using tests::TemporaryFolder;
using tests::WriteText;
using tests::WriteWebFolder;

std::string FieldOf(const HttpResponse& response, std::string_view name) {
  for (const HttpField& field : response.fields) {
    if (field.name == name) return field.value;
  }
  return "";
}

class WebSiteTest : public testing::Test {
 protected:
  WebSiteTest() {
    WriteWebFolder(folder_.path());
    WriteText(folder_ / "model-subgroups.wasm", "");
    WriteText(folder_ / "secret.txt", "");
    site_.emplace(OpenWebModel(folder_.path()));
  }

  HttpResponse Get(const std::string& path, const std::string& encodings = "gzip, br") const {
    return site_->Answer({.path = path, .fields = {{"Accept-Encoding", encodings}}});
  }

  nlohmann::json Models() const {
    return nlohmann::json::parse(std::get<std::string>(Get("/models.json").body)).at("models");
  }

  TemporaryFolder folder_;
  std::optional<WebSite> site_;
};

TEST_F(WebSiteTest, ServesThePageAndWebLlm) {
  EXPECT_EQ(Get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(Get("/chat.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(FieldOf(Get("/chat.js"), "Content-Encoding"), "");
  EXPECT_EQ(Get("/web-llm.js").status, 200);
  EXPECT_EQ(FieldOf(Get("/web-llm.js"), "Content-Encoding"), "gzip");
}

TEST_F(WebSiteTest, AsksForGzipWhereThatIsAllThereIs) {
  EXPECT_EQ(Get("/web-llm.js", "identity").status, 406);
  EXPECT_EQ(Get("/chat.js", "identity").status, 200);
}

TEST_F(WebSiteTest, ListsTheModelWithTheBestLibraryFirst) {
  const nlohmann::json models = Models();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].at("weight_bytes"), 4);
  const nlohmann::json& libraries = models[0].at("libraries");
  ASSERT_EQ(libraries.size(), 2U);
  EXPECT_EQ(libraries[0].at("required_features"), nlohmann::json::array({"subgroups"}));
  EXPECT_EQ(libraries[1].at("required_features"), nlohmann::json::array());
}

TEST_F(WebSiteTest, ServesWhatTheListNames) {
  const nlohmann::json model = Models()[0];
  const std::string address = "/" + model.at("model").get<std::string>();
  for (const nlohmann::json& library : model.at("libraries")) {
    const HttpResponse response = Get("/" + library.at("model_lib").get<std::string>());
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/wasm");
  }
  EXPECT_EQ(Get(address + "resolve/main/tensor-cache.json").content_type, "application/json");
  EXPECT_EQ(Get(address + "resolve/main/params_shard_0.bin").content_type,
            "application/octet-stream");
}

TEST_F(WebSiteTest, ServesNothingElse) {
  const std::string address = "/" + Models()[0].at("model").get<std::string>();
  for (const std::string& path :
       {std::string("/nothing"), address, address + "secret.txt", std::string("/model.wasm")}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
}

TEST_F(WebSiteTest, LetsThePageLoadNothingFromElsewhere) {
  for (const char* path : {"/", "/engine-worker.js", "/nothing"}) {
    const std::string policy = FieldOf(Get(path), "Content-Security-Policy");
    EXPECT_THAT(policy, StartsWith("default-src 'none';"));
    EXPECT_THAT(policy, testing::Not(HasSubstr("http")));
    EXPECT_EQ(FieldOf(Get(path), "X-Content-Type-Options"), "nosniff");
  }
}

}  // namespace
}  // namespace carat::server
