// A server on the loopback for one test: accepts connections one after the other, each served by a function on the
// peer's thread. With or without TLS.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace orbwatch::test {

// A socket bound to a free port of 127.0.0.1.
inline int bound_socket(int type, unsigned& port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

// One accepted connection. read() and line() wait at most ten seconds; "" = the end.
class Client {
 public:
  Client(int fd, SSL_CTX* tls) : fd_(fd), tls_(tls) {}
  ~Client() {
    if (ssl_ != nullptr) {
      SSL_shutdown(ssl_);
      SSL_free(ssl_);
    }
    ::close(fd_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool start_tls() {
    ssl_ = SSL_new(tls_);
    SSL_set_fd(ssl_, fd_);
    return SSL_accept(ssl_) == 1;
  }
  std::string read() {
    char buffer[4096];
    if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 10'000) <= 0) return {};
    }
    const long n = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer) : ::recv(fd_, buffer, sizeof buffer, 0);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
  }
  std::string line() {
    while (rest_.find('\n') == rest_.npos) {
      const std::string more = read();
      if (more.empty()) return {};
      rest_ += more;
    }
    const std::string line = rest_.substr(0, rest_.find('\n') + 1);
    rest_.erase(0, line.size());
    return line;
  }
  // A message with its length in front (RFC 6587).
  std::string counted() {
    while (rest_.find(' ') == rest_.npos) {
      const std::string more = read();
      if (more.empty()) return {};
      rest_ += more;
    }
    const std::size_t size = std::stoul(rest_);
    const std::size_t begin = rest_.find(' ') + 1;
    while (rest_.size() < begin + size) {
      const std::string more = read();
      if (more.empty()) return {};
      rest_ += more;
    }
    const std::string message = rest_.substr(begin, size);
    rest_.erase(0, begin + size);
    return message;
  }
  void write(const std::string& text) {
    if (ssl_ != nullptr) {
      SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    } else {
      ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    }
  }
  // Closes so that the other side sees a reset.
  void reset() const {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  int fd_;
  SSL_CTX* tls_;
  SSL* ssl_ = nullptr;
  std::string rest_;
};

class Peer {
 public:
  using Serve = std::function<void(Client&)>;
  // certificate, key: PEM files; "" = no TLS. tls_at_once: before the first byte, else when Client::start_tls() is
  // called.
  explicit Peer(Serve serve, const std::filesystem::path& certificate = {}, const std::filesystem::path& key = {},
                bool tls_at_once = true, unsigned port = 0)
      : serve_(std::move(serve)), port_(port), tls_at_once_(tls_at_once) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL on this side
    if (!certificate.empty()) {
      tls_ = SSL_CTX_new(TLS_server_method());
      if (SSL_CTX_use_certificate_chain_file(tls_, certificate.c_str()) != 1 ||
          SSL_CTX_use_PrivateKey_file(tls_, key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("certificate");
    }
    fd_ = bound_socket(SOCK_STREAM, port_);
    ::listen(fd_, 16);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Peer() {
    thread_.request_stop();
    thread_.join();
    ::close(fd_);
    SSL_CTX_free(tls_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  unsigned port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 20) <= 0) continue;
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) continue;
      ++connections_;
      Client client(fd, tls_);
      if (tls_ != nullptr && tls_at_once_ && !client.start_tls()) continue;
      serve_(client);
    }
  }

  Serve serve_;
  unsigned port_ = 0;
  bool tls_at_once_;
  SSL_CTX* tls_ = nullptr;
  int fd_ = -1;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

}  // namespace orbwatch::test
