#include "export/outputs/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/ip.h"
#include "core/no_sigpipe.h"

namespace orbwatch::exporting {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<core::Error> failed(std::string message, std::string seen, std::string hint = {}) {
  return std::unexpected(core::Error{std::move(message), std::move(seen), std::move(hint), core::ErrorKind::kOutput});
}
std::string system_text(int error) { return std::generic_category().message(error); }

// Waits until the socket is ready, in slices, so that a stop is seen.
core::Expected<void> wait_for(int fd, short events, Clock::time_point deadline, const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) return failed("stopped", "");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return failed("timed out", "");
    pollfd p{fd, events, 0};
    const int n = ::poll(&p, 1, static_cast<int>(std::min<long>(left, 100)));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return failed("cannot wait for the connection", system_text(errno));
  }
}

struct Addresses {
  ~Addresses() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
  addrinfo* list = nullptr;
};

core::Expected<void> resolve(Addresses& to, const std::string& host, unsigned port, int type) {
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &to.list);
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {  // hosts that have the loopback only
    hints.ai_flags = AI_NUMERICSERV;
    error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &to.list);
  }
  if (error != 0) return failed("cannot find the address of " + host, ::gai_strerror(error));
  return {};
}

std::string tls_text(SSL* ssl) {
  std::string text;
  if (const long verified = ssl != nullptr ? SSL_get_verify_result(ssl) : X509_V_OK; verified != X509_V_OK)
    text = X509_verify_cert_error_string(verified);
  if (const unsigned long error = ERR_get_error(); text.empty() && error != 0) {
    const char* reason = ERR_reason_error_string(error);
    text = reason != nullptr ? reason : fmt::format("error {}", error);
  }
  ERR_clear_error();
  return text;
}

}  // namespace

struct Connection::Tls {
  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
};

Connection::Connection() = default;

Connection::~Connection() {
  if (tls_ && tls_->ssl != nullptr && SSL_is_init_finished(tls_->ssl)) {
    const core::NoSigpipe no_sigpipe;
    SSL_shutdown(tls_->ssl);
    ERR_clear_error();
  }
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
}

core::Expected<std::unique_ptr<Connection>> Connection::open(const ConnectionSettings& settings,
                                                             const std::stop_token& stop) {
  std::unique_ptr<Connection> connection(new Connection());
  connection->settings_ = settings;
  if (auto connected = connection->connect(stop); !connected) return std::unexpected(connected.error());
  if (settings.tls) {
    if (auto started = connection->start_tls(stop); !started) return std::unexpected(started.error());
  }
  return connection;
}

core::Expected<void> Connection::connect(const std::stop_token& stop) {
  Addresses addresses;
  if (auto resolved = resolve(addresses, settings_.host, settings_.port, SOCK_STREAM); !resolved) return resolved;
  const auto deadline = Clock::now() + settings_.timeout;
  std::string seen = "no address";
  for (const addrinfo* a = addresses.list; a != nullptr; a = a->ai_next) {
    const int fd = ::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) {
      seen = system_text(errno);
      continue;
    }
    int error = ::connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      if (auto ready = wait_for(fd, POLLOUT, deadline, stop); !ready) {
        ::close(fd);
        seen = ready.error().message;
        continue;
      }
      socklen_t size = sizeof error;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) {
      const int on = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      fd_ = fd;
      return {};
    }
    ::close(fd);
    seen = system_text(error);
  }
  return failed("cannot connect", seen);
}

core::Expected<void> Connection::start_tls(const std::stop_token& stop) {
  const core::NoSigpipe no_sigpipe;
  ERR_clear_error();
  tls_ = std::make_unique<Tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  if (tls_->context == nullptr) return failed("cannot prepare TLS", tls_text(nullptr));
  SSL_CTX_set_min_proto_version(tls_->context, TLS1_2_VERSION);
  SSL_CTX_set_verify(tls_->context, SSL_VERIFY_PEER, nullptr);
  // Receivers that close without a word of TLS are many. Nothing is read from them that could be cut short.
  SSL_CTX_set_options(tls_->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  const bool trusted = settings_.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(tls_->context) == 1
                           : SSL_CTX_load_verify_locations(tls_->context, settings_.ca_file.c_str(), nullptr) == 1;
  if (!trusted) return failed("cannot read the CA certificates", tls_text(nullptr), "ca_file");
  if (!settings_.certificate_file.empty() &&
      (SSL_CTX_use_certificate_chain_file(tls_->context, settings_.certificate_file.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(tls_->context, settings_.key_file.c_str(), SSL_FILETYPE_PEM) != 1)) {
    return failed("cannot use the client certificate", tls_text(nullptr), "certificate_file, key_file");
  }
  tls_->ssl = SSL_new(tls_->context);
  if (tls_->ssl == nullptr) return failed("cannot prepare TLS", tls_text(nullptr));
  if (core::Ip::parse(settings_.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_->ssl), settings_.host.c_str());
  } else {
    SSL_set1_host(tls_->ssl, settings_.host.c_str());
    SSL_set_tlsext_host_name(tls_->ssl, settings_.host.c_str());
  }
  SSL_set_fd(tls_->ssl, fd_);
  const auto deadline = Clock::now() + settings_.timeout;
  for (;;) {
    const int n = SSL_connect(tls_->ssl);
    if (n == 1) return {};
    const int error = SSL_get_error(tls_->ssl, n);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return failed("TLS was not agreed on", tls_text(tls_->ssl));
    if (auto ready = wait_for(fd_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, stop); !ready)
      return failed("TLS was not agreed on", ready.error().message);
  }
}

Connection::State Connection::state() {
  const core::NoSigpipe no_sigpipe;
  char buffer[1024];
  // A peer that talks without end does not keep us: bounded.
  for (int i = 0; i < 64; ++i) {
    if (tls_) {
      ERR_clear_error();
      const int n = SSL_read(tls_->ssl, buffer, sizeof buffer);
      if (n > 0) continue;
      const int error = SSL_get_error(tls_->ssl, n);
      ERR_clear_error();
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return State::kOpen;
      return error == SSL_ERROR_ZERO_RETURN ? State::kClosed : State::kBroken;
    }
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) return State::kClosed;
    if (n < 0 && errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK ? State::kOpen : State::kBroken;
  }
  return State::kOpen;
}

core::Expected<void> Connection::send(std::string_view bytes, const std::stop_token& stop) {
  const core::NoSigpipe no_sigpipe;
  const auto deadline = Clock::now() + settings_.timeout;
  while (!bytes.empty()) {
    short events = POLLOUT;
    if (tls_) {
      ERR_clear_error();
      const int n = SSL_write(tls_->ssl, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 16384)));
      if (n > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
        continue;
      }
      const int error = SSL_get_error(tls_->ssl, n);
      if (error == SSL_ERROR_WANT_READ) {
        events = POLLIN;
      } else if (error != SSL_ERROR_WANT_WRITE) {
        return failed("the connection broke", tls_text(tls_->ssl));
      }
    } else {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return failed("the connection broke", system_text(errno));
    }
    if (auto ready = wait_for(fd_, events, deadline, stop); !ready) return ready;
  }
  // Until the peer's system has it: what lies in our own buffers is lost when the peer goes.
  for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(100))) {
    int left = 0;
    if (::ioctl(fd_, SIOCOUTQ, &left) != 0 || left == 0) break;
    if (stop.stop_requested() || Clock::now() > deadline) return failed("the receiver does not acknowledge", "");
    pollfd p{fd_, 0, 0};
    if (::poll(&p, 1, static_cast<int>(pause.count())) > 0 && (p.revents & (POLLERR | POLLHUP)) != 0)
      return failed("the connection broke", "");
  }
  return {};
}

core::Expected<int> open_datagram_socket(const std::string& host, unsigned port) {
  Addresses addresses;
  if (auto resolved = resolve(addresses, host, port, SOCK_DGRAM); !resolved) return std::unexpected(resolved.error());
  std::string seen = "no address";
  for (const addrinfo* a = addresses.list; a != nullptr; a = a->ai_next) {
    const int fd = ::socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd >= 0 && ::connect(fd, a->ai_addr, a->ai_addrlen) == 0) return fd;
    seen = system_text(errno);
    if (fd >= 0) ::close(fd);
  }
  return failed("cannot reach the address", seen);
}

}  // namespace orbwatch::exporting
