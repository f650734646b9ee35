// One HTTP connection as cpp-httplib reads and writes it, with what the library lacks: a deadline for a whole request,
// a limit for its headers, an end when the service stops. For HTTP servers that accept connections themselves.
#pragma once

#include <httplib.h>
#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ip.h"
#include "source/sockets.h"

namespace orbwatch::source {

// The library, for who has connections already.
class HttpLibrary final : public httplib::Server {
 public:
  using httplib::Server::process_request;
};

// Of one thread at a time. Reading goes through a buffer, since the library asks for headers byte by byte.
class HttpLink final : public httplib::Stream {
 public:
  static constexpr std::size_t kMostHeader = std::size_t{64} << 10;  // bytes of a request's line and headers

  // `stop`: readable when the service stops; requests that are being received then have two seconds.
  HttpLink(Descriptor socket, const core::Ip& peer, std::uint16_t port, int stop);
  ~HttpLink() override;
  HttpLink(const HttpLink&) = delete;
  HttpLink& operator=(const HttpLink&) = delete;

  const core::Ip& peer() const { return peer_; }
  std::uint16_t peer_port() const { return port_; }

  // Within ten seconds; false: the client did not manage.
  bool shake_hands(SSL_CTX* context);
  // Waits for the first byte of a request. False: none came in time, or the service stops.
  bool wait_for_request(std::chrono::milliseconds idle);
  void set_deadline(std::chrono::milliseconds time);
  // The headers were read: the body has a limit of its own.
  void allow(std::size_t bytes) { left_ = bytes; }
  // Reads what the sender is still sending, for a short time: closing with unread bytes would destroy the answer.
  void drain();

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // The library only compares it with the greatest number that select() takes, which is not used here.
  socket_t socket() const override { return 0; }

 private:
  using Clock = std::chrono::steady_clock;
  bool fill();
  bool wait_for_tls(int result);
  bool wait(short events);

  Descriptor socket_;
  core::Ip peer_;
  std::uint16_t port_;
  int stop_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_;
  bool agreed_ = false;  // upon TLS
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is in it
  std::size_t end_ = 0;
  std::size_t left_ = 0;  // bytes that the library may still read
  bool between_requests_ = false;
  bool stopping_ = false;
  Clock::time_point deadline_;
  Clock::time_point last_ = Clock::time_point::max();  // no deadline is later
};

// Waits for the next connection; null: it is time to stop. `exhausted` is told errno when the system has no room for
// one. One thread at a time.
std::unique_ptr<HttpLink> accept_link(int listener, int stop, const std::function<void(int)>& exhausted);

}  // namespace orbwatch::source
