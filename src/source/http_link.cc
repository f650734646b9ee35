#include "source/http_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace orbwatch::source {
namespace {

using std::size_t;
using std::chrono::milliseconds;

constexpr size_t kDrained = size_t{1} << 20;  // of a body that is not wanted, read so that the answer arrives
constexpr milliseconds kDrainFor{1000};
constexpr milliseconds kHandshake{10'000};
constexpr milliseconds kGrace{2000};  // after the stop: for requests that are being received

}  // namespace

HttpLink::HttpLink(Descriptor socket, const core::Ip& peer, std::uint16_t port, int stop)
    : socket_(std::move(socket)),
      peer_(peer),
      port_(port),
      stop_(stop),
      tls_(nullptr, ::SSL_free),
      buffer_(size_t{16} << 10, '\0') {}

HttpLink::~HttpLink() {
  if (tls_ && agreed_) ::SSL_shutdown(tls_.get());
  ERR_clear_error();
}

bool HttpLink::shake_hands(SSL_CTX* context) {
  set_deadline(kHandshake);
  ERR_clear_error();
  tls_.reset(::SSL_new(context));
  if (!tls_ || ::SSL_set_fd(tls_.get(), socket_.get()) != 1) return false;
  while (true) {
    const int result = ::SSL_accept(tls_.get());
    if (result == 1) return agreed_ = true;
    if (!wait_for_tls(result)) return false;
  }
}

bool HttpLink::wait_for_request(milliseconds idle) {
  left_ = kMostHeader;
  if (begin_ != end_) return true;
  set_deadline(idle);
  between_requests_ = true;
  const bool came = fill();
  between_requests_ = false;
  return came;
}

void HttpLink::set_deadline(milliseconds time) { deadline_ = std::min(Clock::now() + time, last_); }

void HttpLink::drain() {
  if (!tls_) ::shutdown(socket_.get(), SHUT_WR);
  set_deadline(kDrainFor);
  for (size_t n = 0; n < kDrained; n += end_ - begin_) {
    begin_ = end_ = 0;
    if (!fill()) return;
  }
}

ssize_t HttpLink::read(char* out, size_t size) {
  if (left_ == 0 || (begin_ == end_ && !fill())) return -1;
  const size_t n = std::min({size, end_ - begin_, left_});
  std::copy_n(buffer_.data() + begin_, n, out);
  begin_ += n;
  left_ -= n;
  return static_cast<ssize_t>(n);
}

ssize_t HttpLink::write(const char* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    if (tls_) {
      size_t n = 0;
      ERR_clear_error();
      const int result = ::SSL_write_ex(tls_.get(), bytes + done, size - done, &n);
      if (result == 1) {
        done += n;
      } else if (!wait_for_tls(result)) {
        return -1;
      }
      continue;
    }
    const ssize_t n = ::send(socket_.get(), bytes + done, size - done, MSG_NOSIGNAL);
    if (n >= 0) {
      done += static_cast<size_t>(n);
    } else if (errno != EINTR && (errno != EAGAIN || !wait(POLLOUT))) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

void HttpLink::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = peer_.text();
  port = port_;
}

void HttpLink::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

bool HttpLink::fill() {
  begin_ = end_ = 0;
  while (true) {
    if (tls_) {
      ERR_clear_error();
      const int result = ::SSL_read_ex(tls_.get(), buffer_.data(), buffer_.size(), &end_);
      if (result == 1) return true;
      end_ = 0;
      if (!wait_for_tls(result)) return false;
      continue;
    }
    const ssize_t n = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (n > 0) {
      end_ = static_cast<size_t>(n);
      return true;
    }
    if (n == 0 || (errno != EINTR && (errno != EAGAIN || !wait(POLLIN)))) return false;
  }
}

bool HttpLink::wait_for_tls(int result) {
  const int error = ::SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return wait(POLLIN);
  if (error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT);
  if (error != SSL_ERROR_ZERO_RETURN) agreed_ = false;  // SSL_shutdown is not allowed then
  return false;
}

bool HttpLink::wait(short events) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> both{{{socket_.get(), events, 0}, {stop_, POLLIN, 0}}};
    const int n = ::poll(both.data(), stopping_ ? 1 : 2, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (n > 0 && both[0].revents != 0) return true;
    if (n > 0 && both[1].revents != 0) {
      if (between_requests_) return false;
      stopping_ = true;
      last_ = Clock::now() + kGrace;
      deadline_ = std::min(deadline_, last_);
    }
  }
}

std::unique_ptr<HttpLink> accept_link(int listener, int stop, const std::function<void(int)>& exhausted) {
  while (true) {
    std::array<pollfd, 2> both{{{listener, POLLIN, 0}, {stop, POLLIN, 0}}};
    ::poll(both.data(), 2, -1);
    if (both[1].revents != 0) return nullptr;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor socket(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.open()) {
      if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) continue;
      exhausted(errno);
      pollfd stopped{stop, POLLIN, 0};
      ::poll(&stopped, 1, 200);
      continue;
    }
    // An answer is written in two pieces, and many senders wait for it before they go on.
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return std::make_unique<HttpLink>(std::move(socket), ip_of(address), port_of(address), stop);
  }
}

}  // namespace orbwatch::source
