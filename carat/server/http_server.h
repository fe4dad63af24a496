// A small HTTP/1.1 server for one machine's own browser: one thread, GET and HEAD, answers from
// memory and from files. It holds a bounded number of connections, each with a time limit, and
// answers only to its own names (host_names.h).

#ifndef CARAT_SERVER_HTTP_SERVER_H_
#define CARAT_SERVER_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "carat/server/http_message.h"

namespace carat::server {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // a name or an address, to listen on
  uint16_t port = 0;               // 0: a free one
  size_t max_connections = 64;     // further ones wait
  std::chrono::milliseconds idle_limit = std::chrono::seconds(5);  // without a byte either way
};

class HttpServer {
 public:
  // Listens; nothing is answered before Run. Throws Error if the address cannot be had.
  HttpServer(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:8000/"

  // Answers until `stopped` says so; it is asked a few times a second. What the handler throws
  // becomes an answer with status 500.
  void Run(const std::function<bool()>& stopped);

 private:
  class State;
  class Connection;
  std::shared_ptr<State> state_;
};

}  // namespace carat::server

#endif  // CARAT_SERVER_HTTP_SERVER_H_
