#include "carat/server/http_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "carat/base/error.h"
#include "carat/server/host_names.h"
#include "carat/server/http_body.h"
#include "carat/server/request_path.h"

namespace carat::server {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = boost::asio::ip::tcp;

constexpr uint32_t kMaxHeaderBytes = 16 << 10;
constexpr std::chrono::milliseconds kPollInterval(100);

bool IsInBrackets(std::string_view host) { return host.find(':') != std::string_view::npos; }

std::string Authority(const std::string& host, uint16_t port) {
  return (IsInBrackets(host) ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Tcp::endpoint Resolve(boost::asio::io_context& context, const std::string& host, uint16_t port) {
  beast::error_code error;
  Tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), Tcp::resolver::passive, error);
  if (error) throw Error("{}: no address of this machine: {}", host, error.message());
  return found.begin()->endpoint();
}

Tcp::acceptor Listen(boost::asio::io_context& context, const std::string& host, uint16_t port) {
  try {
    return Tcp::acceptor(context, Resolve(context, host, port));
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::address_in_use) {
      throw Error("port {} of {} is in use; take another one (0: any that is free)", port, host);
    }
    throw Error("cannot listen on {}: {}", Authority(host, port), error.code().message());
  }
}

std::string_view View(boost::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// What connections share. They hold it, since they end after the server where it is ended first.
class HttpServer::State : public std::enable_shared_from_this<State> {
 public:
  State(HttpServerOptions options, HttpHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(Listen(context_, options_.host, options_.port)) {}

  boost::asio::io_context& context() { return context_; }
  const HttpServerOptions& options() const { return options_; }
  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  HttpResponse Answer(http::verb method, HttpRequest request, std::string_view target) const {
    if (method != http::verb::get && method != http::verb::head) {
      HttpResponse refusal = PlainResponse(405, "only GET and HEAD");
      refusal.fields.push_back({"Allow", "GET, HEAD"});
      return refusal;
    }
    if (!IsOwnHost(request.Field("Host"), options_.host)) {
      return PlainResponse(
          403, "this server answers only as localhost and by the address it listens on");
    }
    std::optional<std::string> path = DecodeRequestPath(target);
    if (!path) return PlainResponse(400, "no path that could be served");
    request.method = method == http::verb::head ? HttpMethod::kHead : HttpMethod::kGet;
    request.path = std::move(*path);
    return handler_(request);
  }

  void Accept();
  void ConnectionOpened() { ++num_connections_; }
  void ConnectionClosed() {
    --num_connections_;
    Accept();
  }

 private:
  HttpServerOptions options_;
  HttpHandler handler_;
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  size_t num_connections_ = 0;
  bool is_accepting_ = false;
};

// One client: reads a request, answers it, reads the next.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::weak_ptr<State> state, const State& shared, Tcp::socket socket)
      : state_(std::move(state)), shared_(shared), stream_(std::move(socket)) {}
  ~Connection() {
    if (const auto state = state_.lock()) state->ConnectionClosed();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    stream_.expires_after(shared_.options().idle_limit);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, size_t /*num_bytes*/) {
                       self->OnRead(error);
                     });
  }

 private:
  void OnRead(beast::error_code error) {
    if (!error) return Send(Answer(), parser_->get().keep_alive());
    // What is no HTTP, or too much of it, is told so; who has gone is not.
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      Send(PlainResponse(400, "not an HTTP request that can be answered: " + error.message()),
           /*keep_alive=*/false);
    }
  }

  HttpResponse Answer() {
    const http::request<http::empty_body>& request = parser_->get();
    try {
      HttpRequest asked;
      for (const auto& field : request) {
        asked.fields.push_back(
            {std::string(View(field.name_string())), std::string(View(field.value()))});
      }
      return shared_.Answer(request.method(), std::move(asked), View(request.target()));
    } catch (const std::exception& error) {
      return PlainResponse(500, error.what());
    }
  }

  void Send(HttpResponse answer, bool keep_alive) {
    try {
      response_.emplace();
      response_->body() = OpenedBody(std::move(answer.body));
    } catch (const Error& error) {
      answer = PlainResponse(500, error.what());
      response_->body() = OpenedBody(std::move(answer.body));
    }
    response_->result(static_cast<unsigned>(answer.status));
    response_->set(http::field::content_type, answer.content_type);
    for (const HttpField& field : answer.fields) response_->insert(field.name, field.value);
    response_->content_length(response_->body().size());
    response_->keep_alive(keep_alive);
    serializer_.emplace(*response_);
    is_head_ = parser_->is_header_done() && parser_->get().method() == http::verb::head;
    serializer_->split(is_head_);
    Write();
  }

  // Piece by piece, so that the limit is on each and not on a large file as a whole.
  void Write() {
    stream_.expires_after(shared_.options().idle_limit);
    http::async_write_some(
        stream_, *serializer_,
        [self = shared_from_this()](beast::error_code error, size_t /*num_bytes*/) {
          self->OnWritten(error);
        });
  }

  void OnWritten(beast::error_code error) {
    if (error) return;
    const bool is_sent = is_head_ ? serializer_->is_header_done() : serializer_->is_done();
    if (!is_sent) return Write();
    if (response_->keep_alive()) return Read();
    stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
  }

  std::weak_ptr<State> state_;
  const State& shared_;  // lives as long as the context that calls back
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<http::response<BeastBody>> response_;
  std::optional<http::response_serializer<BeastBody>> serializer_;
  bool is_head_ = false;
};

void HttpServer::State::Accept() {
  if (is_accepting_ || num_connections_ >= options_.max_connections) return;
  is_accepting_ = true;
  acceptor_.async_accept([this](beast::error_code error, Tcp::socket socket) {
    is_accepting_ = false;
    if (!error) {
      ConnectionOpened();
      std::make_shared<Connection>(weak_from_this(), *this, std::move(socket))->Read();
    }
    Accept();
  });
}

HttpServer::HttpServer(HttpServerOptions options, HttpHandler handler)
    : state_(std::make_shared<State>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const { return state_->port(); }

std::string HttpServer::url() const {
  return "http://" + Authority(state_->options().host, port()) + "/";
}

void HttpServer::Run(const std::function<bool()>& stopped) {
  state_->Accept();
  while (!stopped()) state_->context().run_for(kPollInterval);
}

}  // namespace carat::server
