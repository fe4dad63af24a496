#include "carat/server/web_site.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "carat/base/ascii_json.h"
#include "carat/base/json.h"
#include "carat/model/model_source.h"
#include "carat/server/content_type.h"
#include "carat/server/web_assets.h"

namespace carat::server {
namespace {

// Nothing from elsewhere, and nothing inline. WebLLM compiles WebAssembly, in a worker that is one
// of the page's files.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// A later Carat may have another page. The model's files WebLLM itself keeps, in the browser's
// Cache storage: a second copy of the weights would be of no use.
constexpr std::string_view kAskAgain = "no-cache";
constexpr std::string_view kDoNotKeep = "no-store";

std::string ModelsJson(const WebModel& model, const std::string& address) {
  Json libraries = Json::array();
  for (const WebLibrary& library : model.libraries) {
    libraries.push_back({{"model_lib", address + library.file_name},
                         {"required_features", library.required_features}});
  }
  const Json entry = {{"model_id", model.name},
                      {"model", address},
                      {"weight_bytes", model.weight_bytes},
                      {"context_window_size", model.context_window_size},
                      {"libraries", std::move(libraries)}};
  const Json models = {{"models", Json::array({entry})}};
  return AsciiJson(models);
}

void Protect(HttpResponse& response) {
  response.fields.push_back({"Content-Security-Policy", kContentSecurityPolicy});
  response.fields.push_back({"X-Content-Type-Options", "nosniff"});
  response.fields.push_back({"Referrer-Policy", "no-referrer"});
  response.fields.push_back({"Cross-Origin-Resource-Policy", "same-origin"});
  response.fields.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
}

}  // namespace

WebSite::WebSite(const WebModel& model) {
  for (const WebAsset& asset : WebAssets()) {
    resources_[std::string(asset.path)] = {
        .body = asset.bytes, .is_gzip = asset.is_gzip, .cache_control = kAskAgain};
  }
  resources_["/"] = resources_.at("/index.html");

  const std::string address = "model/" + model.fingerprint + "/";
  resources_["/models.json"] = {.body = ModelsJson(model, address), .cache_control = kAskAgain};
  const auto add_file = [&](const std::string& path) {
    resources_["/" + address + path] = {.body = model.folder / path, .cache_control = kDoNotKeep};
  };
  for (const WebLibrary& library : model.libraries) add_file(library.file_name);
  for (const std::string& name : model.files)
    add_file(fmt::format("{}/{}", model::kWebModelFolder, name));
}

HttpResponse WebSite::Answer(const HttpRequest& request) const {
  HttpResponse response;
  const auto found = resources_.find(request.path);
  if (found == resources_.end()) {
    response = PlainResponse(404, "there is nothing here; the chat page is at /");
  } else if (found->second.is_gzip &&
             request.Field("Accept-Encoding").find("gzip") == std::string_view::npos) {
    response = PlainResponse(406, "this file is served with gzip only: send Accept-Encoding: gzip");
  } else {
    const Resource& resource = found->second;
    response.content_type =
        ContentType(request.path == "/" ? std::string_view("/index.html") : request.path);
    response.body = resource.body;
    if (resource.is_gzip) response.fields.push_back({"Content-Encoding", "gzip"});
    response.fields.push_back({"Cache-Control", std::string(resource.cache_control)});
  }
  Protect(response);
  return response;
}

}  // namespace carat::server
