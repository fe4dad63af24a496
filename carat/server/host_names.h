// By what names a server may be asked. A page from anywhere can have its own name resolve to
// 127.0.0.1 (DNS rebinding), and would then read what a server on this machine serves as if it were
// its own; the browser still sends that page's name in the Host field.

#ifndef CARAT_SERVER_HOST_NAMES_H_
#define CARAT_SERVER_HOST_NAMES_H_

#include <string_view>

namespace carat::server {

// True if `host`, a Host field ("localhost:8000"), names this machine as localhost, 127.0.0.1 or
// [::1], or is `listening_host`, the name or address that the server was told to listen on.
bool IsOwnHost(std::string_view host, std::string_view listening_host);

}  // namespace carat::server

#endif  // CARAT_SERVER_HOST_NAMES_H_
