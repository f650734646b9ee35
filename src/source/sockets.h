// Listening sockets and what is needed around them, IPv4 and IPv6.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/ip.h"

namespace orbwatch::source {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }

  int get() const { return number_; }
  bool open() const { return number_ >= 0; }
  void reset();

 private:
  int number_ = -1;
};

// Where to listen. An absent address (::) means every address of both families.
struct Endpoint {
  core::Ip address;
  std::uint16_t port = 0;  // 0: the kernel chooses one

  // "514", ":514", "*:514", "192.0.2.1:514", "[2001:db8::1]:514". "0.0.0.0:514" means IPv4 alone.
  static core::Expected<Endpoint> parse(std::string_view text);
  std::string text() const;
};

// Tells threads that wait in poll() or epoll that they shall end. Thread-safe.
class StopSignal {
 public:
  core::Expected<void> open();
  void raise() const;
  int descriptor() const { return event_.get(); }  // readable from raise() on

 private:
  Descriptor event_;
};

enum class Reuse : std::uint8_t { kNo, kPort };  // kPort: SO_REUSEPORT, several sockets share a port

// A non-blocking socket bound to the endpoint; SOCK_STREAM: listening, too. Errors name the endpoint and say what to
// do.
core::Expected<Descriptor> bind_socket(int type, const Endpoint& endpoint, Reuse reuse = Reuse::kNo);
// `count` such sockets on one port. Fails, too, if somebody else listens there already, although with SO_REUSEPORT the
// kernel would let both share what comes.
core::Expected<void> bind_sockets(int type, Endpoint& endpoint, std::span<Descriptor> sockets);

std::uint16_t local_port(int socket);  // 0 on an error
core::Ip ip_of(const sockaddr_storage& address);
std::uint16_t port_of(const sockaddr_storage& address);

// Of errno: "Permission denied".
std::string system_text(int number);

// A thread in which no signal is handled: those of the process go to the threads of the program, and writing to a
// closed connection is an error, no SIGPIPE. `name`: at most 15 bytes, as `top -H` shows it.
core::Expected<std::thread> quiet_thread(const char* name, std::function<void()> work);

// Is the sender within one of the prefixes, or are there none?
bool admitted(std::span<const core::Prefix> prefixes, const core::Ip& sender);

}  // namespace orbwatch::source
