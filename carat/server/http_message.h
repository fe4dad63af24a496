// What an HTTP handler is asked and what it answers.

#ifndef CARAT_SERVER_HTTP_MESSAGE_H_
#define CARAT_SERVER_HTTP_MESSAGE_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace carat::server {

struct HttpField {
  std::string name;
  std::string value;
};

enum class HttpMethod { kGet, kHead };

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string path;  // of the URL, decoded: request_path.h
  std::vector<HttpField> fields = {};

  // The first field of this name, in any case; "" if there is none.
  std::string_view Field(std::string_view name) const;
};

// Text made for this answer; bytes that outlive the server; a file, sent as it is read.
using HttpBody = std::variant<std::string, std::span<const std::byte>, std::filesystem::path>;

// For HEAD the same answer as for GET: the server leaves its body out.
struct HttpResponse {
  int status = 200;
  std::string content_type = {};
  HttpBody body = {};
  std::vector<HttpField> fields = {};
};

// A text/plain answer, which ends its message's line.
HttpResponse PlainResponse(int status, std::string_view message);

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace carat::server

#endif  // CARAT_SERVER_HTTP_MESSAGE_H_
