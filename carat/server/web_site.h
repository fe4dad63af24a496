// The chat page and one model, as a site:
//
//     /                            the page; /chat.js and so on
//     /models.json                 what there is to load (below)
//     /model/<fingerprint>/        the model's folder: model.wasm, resolve/main/...
//
// models.json, whose addresses are relative to it:
//
//     {"models": [{"model_id": "gemma-3-270m-it", "model": "model/0123.../", "weight_bytes": ...,
//                  "context_window_size": ...,
//                  "libraries": [{"model_lib": "model/0123.../model.wasm",
//                                 "required_features": []}, ...]}]}      the best library first

#ifndef CARAT_SERVER_WEB_SITE_H_
#define CARAT_SERVER_WEB_SITE_H_

#include <map>
#include <string>
#include <string_view>

#include "carat/server/http_message.h"
#include "carat/server/web_model.h"

namespace carat::server {

class WebSite {
 public:
  explicit WebSite(const WebModel& model);

  // An HttpHandler.
  HttpResponse Answer(const HttpRequest& request) const;

 private:
  struct Resource {
    HttpBody body;
    bool is_gzip = false;
    std::string_view cache_control = {};
  };

  std::map<std::string, Resource, std::less<>> resources_;  // by their paths
};

}  // namespace carat::server

#endif  // CARAT_SERVER_WEB_SITE_H_
