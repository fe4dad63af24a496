// Boost.Beast's view of a HttpBody: its "body" concept, whose writer gives the bytes in pieces.
// Only http_server.cc includes it.

#ifndef CARAT_SERVER_HTTP_BODY_H_
#define CARAT_SERVER_HTTP_BODY_H_

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/file_posix.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "carat/base/error.h"
#include "carat/server/http_message.h"

namespace carat::server {

// The body of one answer, open and with its size known.
class OpenedBody {
 public:
  OpenedBody() = default;

  // Throws Error if a file cannot be opened.
  explicit OpenedBody(HttpBody body) : body_(std::move(body)) {
    if (const auto* path = std::get_if<std::filesystem::path>(&body_)) {
      boost::beast::error_code error;
      file_.open(path->c_str(), boost::beast::file_mode::scan, error);
      if (!error) size_ = file_.size(error);
      if (error) throw Error("{}: cannot be read: {}", path->string(), error.message());
    } else {
      size_ = InMemory().size();
    }
  }

  uint64_t size() const { return size_; }
  bool is_file() const { return std::holds_alternative<std::filesystem::path>(body_); }

  // Of what is no file.
  std::span<const std::byte> InMemory() const {
    if (const auto* text = std::get_if<std::string>(&body_)) return std::as_bytes(std::span(*text));
    return std::get<std::span<const std::byte>>(body_);
  }

  // The file's next bytes; fewer than asked for only at its end.
  size_t Read(std::span<std::byte> bytes, boost::beast::error_code& error) {
    return file_.read(bytes.data(), bytes.size(), error);
  }

 private:
  HttpBody body_;
  boost::beast::file_posix file_;
  uint64_t size_ = 0;
};

struct BeastBody {
  using value_type = OpenedBody;

  static uint64_t size(const OpenedBody& body) { return body.size(); }

  class writer {
   public:
    using const_buffers_type = boost::asio::const_buffer;

    template <bool is_request, class Fields>
    writer(boost::beast::http::header<is_request, Fields>& /*header*/, OpenedBody& body)
        : body_(body), remaining_(body.size()) {}

    void init(boost::beast::error_code& error) { error = {}; }

    boost::optional<std::pair<const_buffers_type, bool>> get(boost::beast::error_code& error) {
      error = {};
      if (!body_.is_file()) {
        const std::span<const std::byte> bytes = body_.InMemory();
        return {{const_buffers_type(bytes.data(), bytes.size()), false}};
      }
      const auto wanted = static_cast<size_t>(std::min<uint64_t>(piece_.size(), remaining_));
      const size_t read = body_.Read(std::span(piece_).first(wanted), error);
      // A file that has become shorter: the answer cannot be ended as it was announced.
      if (!error && read < wanted)
        error = make_error_code(boost::beast::http::error::partial_message);
      if (error) return boost::none;
      remaining_ -= read;
      return {{const_buffers_type(piece_.data(), read), remaining_ > 0}};
    }

   private:
    static constexpr size_t kPieceBytes = size_t{64} << 10;

    OpenedBody& body_;
    uint64_t remaining_;
    std::array<std::byte, kPieceBytes> piece_;
  };
};

}  // namespace carat::server

#endif  // CARAT_SERVER_HTTP_BODY_H_
