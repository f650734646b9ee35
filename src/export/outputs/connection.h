// A stream to a receiver, with or without TLS, where every step has a deadline.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::exporting {

struct ConnectionSettings {
  std::string host;
  unsigned port = 0;
  bool tls = false;
  std::string ca_file, certificate_file, key_file;
  std::chrono::milliseconds timeout{30'000};  // of connecting, and of each send
};

class Connection {
 public:
  // TLS 1.2 or newer; the certificate is checked against the CAs and the name or address of the host.
  static core::Expected<std::unique_ptr<Connection>> open(const ConnectionSettings& settings,
                                                          const std::stop_token& stop);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // kClosed: the peer has closed in good order; kBroken: it was reset, or TLS says that something is wrong. What the
  // peer says is read and thrown away.
  enum class State : unsigned char { kOpen, kClosed, kBroken };
  State state();
  // Returns when the peer's system has acknowledged every byte. After an error the connection is of no more use.
  core::Expected<void> send(std::string_view bytes, const std::stop_token& stop);

 private:
  struct Tls;
  Connection();
  core::Expected<void> connect(const std::stop_token& stop);
  core::Expected<void> start_tls(const std::stop_token& stop);

  ConnectionSettings settings_;
  int fd_ = -1;
  std::unique_ptr<Tls> tls_;
};

// A datagram socket to the host; the caller closes it.
core::Expected<int> open_datagram_socket(const std::string& host, unsigned port);

}  // namespace orbwatch::exporting
