#include "carat/server/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::TemporaryFolder;

constexpr char kStaticText[] = "from memory";

// Texts, bytes and a file; /fail throws.
HttpResponse AnswerForTests(const HttpRequest& request, const std::filesystem::path& file) {
  if (request.path == "/text") return PlainResponse(200, "made for this answer");
  if (request.path == "/agent") return PlainResponse(200, request.Field("user-agent"));
  if (request.path == "/fail") throw Error("the handler failed");
  if (request.path == "/file") return {.content_type = "application/wasm", .body = file};
  if (request.path == "/bytes") {
    return {.content_type = "text/plain",
            .body = std::as_bytes(std::span(kStaticText).first(sizeof(kStaticText) - 1))};
  }
  return PlainResponse(404, "nothing here");
}

class RunningServer {
 public:
  explicit RunningServer(HttpServerOptions options = {})
      : server_(std::move(options),
                [this](const HttpRequest& request) { return AnswerForTests(request, file()); }),
        thread_([this] { server_.Run([this] { return is_stopped_.load(); }); }) {}
  ~RunningServer() {
    is_stopped_ = true;
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  std::filesystem::path file() const { return folder_ / "file"; }
  uint16_t port() const { return server_.port(); }

 private:
  TemporaryFolder folder_;
  HttpServer server_;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(const RunningServer& server) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view text) const {
    if (send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
      throw std::runtime_error("cannot send");
    }
  }

  // All that comes until the server closes the connection.
  std::string ReadAll() const {
    std::string text;
    char piece[4096];
    for (ssize_t read; (read = recv(socket_, piece, sizeof(piece), 0)) > 0;) {
      text.append(piece, static_cast<size_t>(read));
    }
    return text;
  }

 private:
  int socket_;
};

std::string Get(const RunningServer& server, const std::string& path,
                const std::string& method = "GET", const std::string& host = "localhost") {
  const Client client(server);
  client.Send(method + " " + path + " HTTP/1.1\r\nHost: " + host +
              "\r\nUser-Agent: test\r\nConnection: close\r\n\r\n");
  return client.ReadAll();
}

TEST(HttpServer, AnswersFromMemoryAndFromFiles) {
  const RunningServer server;
  const std::string content(300'000, 'x');
  std::ofstream(server.file()) << content;
  EXPECT_THAT(Get(server, "/text"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Get(server, "/text"), EndsWith("\r\n\r\nmade for this answer\n"));
  EXPECT_THAT(Get(server, "/bytes"), EndsWith("\r\n\r\nfrom memory"));
  EXPECT_THAT(Get(server, "/file"), EndsWith("\r\n\r\n" + content));
  EXPECT_THAT(Get(server, "/file"), HasSubstr("Content-Type: application/wasm\r\n"));
  EXPECT_THAT(Get(server, "/agent"), EndsWith("\r\n\r\ntest\n"));
}

TEST(HttpServer, AnswersHeadWithoutTheBody) {
  const RunningServer server;
  std::ofstream(server.file()) << "five!";
  EXPECT_THAT(Get(server, "/file", "HEAD"), EndsWith("\r\n\r\n"));
  EXPECT_THAT(Get(server, "/file", "HEAD"), HasSubstr("Content-Length: 5\r\n"));
}

TEST(HttpServer, SendsEmptyFiles) {
  const RunningServer server;
  std::ofstream(server.file()).close();
  EXPECT_THAT(Get(server, "/file"), HasSubstr("Content-Length: 0\r\n"));
}

TEST(HttpServer, KeepsTheConnectionForFurtherRequests) {
  const RunningServer server;
  const Client client(server);
  client.Send(
      "HEAD /text HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /bytes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answers = client.ReadAll();
  EXPECT_THAT(answers, HasSubstr("Content-Length: 21\r\n"));
  EXPECT_THAT(answers, EndsWith("\r\n\r\nfrom memory"));
}

TEST(HttpServer, TakesNothingButGetAndHead) {
  const RunningServer server;
  EXPECT_THAT(Get(server, "/text", "DELETE"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Get(server, "/text", "OPTIONS"), HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST(HttpServer, AnswersOnlyByItsOwnNames) {
  const RunningServer server;
  EXPECT_THAT(Get(server, "/text", "GET", "evil.example"), StartsWith("HTTP/1.1 403 "));
  const Client nameless(server);
  nameless.Send("GET /text HTTP/1.0\r\n\r\n");
  EXPECT_THAT(nameless.ReadAll(), StartsWith("HTTP/1.1 403 "));
}

TEST(HttpServer, RefusesPathsThatLeadElsewhere) {
  const RunningServer server;
  EXPECT_THAT(Get(server, "/../text"), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, RefusesWhatIsNoRequest) {
  const RunningServer server;
  const Client client(server);
  client.Send("what is this\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, RefusesHeadersWithoutEnd) {
  const RunningServer server;
  const Client client(server);
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
  EXPECT_THAT(client.ReadAll(), testing::AnyOf(StartsWith("HTTP/1.1 400 "), ""));
}

TEST(HttpServer, SaysWhatTheHandlerThrew) {
  const RunningServer server;
  EXPECT_THAT(Get(server, "/fail"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(Get(server, "/fail"), EndsWith("the handler failed\n"));
  EXPECT_THAT(Get(server, "/file"), StartsWith("HTTP/1.1 500 ")) << "the file is not there";
}

TEST(HttpServer, ClosesConnectionsOnWhichNothingHappens) {
  const RunningServer server({.idle_limit = std::chrono::milliseconds(100)});
  const Client silent(server);
  EXPECT_EQ(silent.ReadAll(), "");
}

TEST(HttpServer, LetsFurtherConnectionsWait) {
  const RunningServer server({.max_connections = 1, .idle_limit = std::chrono::milliseconds(200)});
  const Client first(server);
  EXPECT_THAT(Get(server, "/text"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(first.ReadAll(), "");
}

TEST(HttpServer, SaysThatAPortIsInUse) {
  const RunningServer server;
  const std::string port = std::to_string(server.port());
  EXPECT_THAT([&] { HttpServer({.port = server.port()}, {}); },
              testing::ThrowsMessage<Error>(HasSubstr("port " + port + " of 127.0.0.1 is in use")));
}

TEST(HttpServer, SaysThatAHostIsNotOfThisMachine) {
  EXPECT_THAT([&] { HttpServer({.host = "192.0.2.1"}, {}); },
              testing::ThrowsMessage<Error>(HasSubstr("cannot listen on 192.0.2.1:0: ")));
}

TEST(HttpServer, HasAUrlForBothKindsOfAddress) {
  const HttpServer server({}, {});
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()) + "/");
  EXPECT_THAT(server.url(), Not(EndsWith(":0/")));
}

}  // namespace
}  // namespace carat::server
