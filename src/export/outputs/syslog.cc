// Syslog over UDP (RFC 5426), TCP (RFC 6587 with octet counting) and TLS (RFC 5425).
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "export/formats.h"
#include "export/outputs/connection.h"
#include "export/outputs/make.h"

namespace orbwatch::exporting {
namespace {

class DatagramSyslog final : public Output {
 public:
  explicit DatagramSyslog(const OutputSettings& settings) : host_(settings.host), port_(settings.port) {}
  ~DatagramSyslog() override { close(); }

  Delivered deliver(const Message& message, std::stop_token) override {
    if (fd_ < 0) {
      const auto opened = open_datagram_socket(host_, port_);
      if (!opened) return std::unexpected(DeliveryError{opened.error()});
      fd_ = *opened;
    }
    ssize_t n = 0;
    do {
      n = ::send(fd_, message.body.data(), message.body.size(), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
      const int error = errno;
      close();  // the address may be another one by now
      const std::string seen = std::generic_category().message(error);
      if (error == EMSGSIZE) return refused("the message is too long for a datagram", seen, "transport: tcp");
      return try_again("cannot send to " + target(), seen);
    }
    // Where nobody listens, a near host says so at once.
    pollfd p{fd_, 0, 0};
    if (::poll(&p, 1, 20) > 0 && (p.revents & POLLERR) != 0) {
      close();
      return try_again("nobody listens at " + target());
    }
    return {};
  }

  std::string target() const override { return fmt::format("syslog udp {}:{}", host_, port_); }

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::string host_;
  unsigned port_;
  int fd_ = -1;
};

class StreamSyslog final : public Output {
 public:
  explicit StreamSyslog(const OutputSettings& settings) {
    settings_ = {settings.host,
                 settings.port,
                 settings.transport == "tls",
                 settings.ca_file,
                 settings.certificate_file,
                 settings.key_file,
                 std::chrono::seconds(settings.timeout_seconds)};
  }

  Delivered deliver(const Message& message, std::stop_token stop) override {
    if (connection_ && connection_->state() != Connection::State::kOpen) connection_.reset();
    if (!connection_) {
      auto opened = Connection::open(settings_, stop);
      if (!opened) return failed(opened.error());
      connection_ = std::move(*opened);
    }
    const auto sent = connection_->send(octet_counted(message.body), stop);
    if (!sent) {
      connection_.reset();
      return failed(sent.error());
    }
    // A receiver that refuses us (a client certificate that it does not know) says so at last now. One that closes in
    // good order after each message has read it.
    const Connection::State state = connection_->state();
    if (state != Connection::State::kOpen) connection_.reset();
    if (state == Connection::State::kBroken) return try_again(target() + " broke the connection");
    return {};
  }

  std::string target() const override {
    return fmt::format("syslog {} {}:{}", settings_.tls ? "tls" : "tcp", settings_.host, settings_.port);
  }

 private:
  std::unexpected<DeliveryError> failed(const core::Error& error) const {
    return try_again(target() + ": " + error.message, error.seen, error.hint);
  }

  ConnectionSettings settings_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

core::Expected<std::unique_ptr<Output>> make_syslog_output(const OutputSettings& settings) {
  if (settings.transport == "udp") return std::make_unique<DatagramSyslog>(settings);
  return std::make_unique<StreamSyslog>(settings);
}

}  // namespace orbwatch::exporting
