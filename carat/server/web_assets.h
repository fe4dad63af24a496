// What `carat web` serves of its own: the chat page (web/page) and WebLLM, carried inside the
// binary. cmake/CaratWebAssets.cmake makes the definition.

#ifndef CARAT_SERVER_WEB_ASSETS_H_
#define CARAT_SERVER_WEB_ASSETS_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace carat::server {

struct WebAsset {
  std::string_view path;  // as requested: "/chat.js"
  std::span<const std::byte> bytes;
  bool is_gzip;  // bytes are compressed
};

std::span<const WebAsset> WebAssets();

}  // namespace carat::server

#endif  // CARAT_SERVER_WEB_ASSETS_H_
