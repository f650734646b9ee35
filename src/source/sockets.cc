#include "source/sockets.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/text.h"

namespace orbwatch::source {
namespace {

constexpr int kBacklog = 1024;  // connections that wait to be accepted; the kernel holds it below net.core.somaxconn

std::string hint_of(int number, int type) {
  switch (number) {
    case EACCES: return "ports below 1024 need the capability CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=)";
    case EADDRINUSE:
      return std::string("another program listens there; `ss -") + (type == SOCK_STREAM ? "lt" : "lu") + "pn` names it";
    case EADDRNOTAVAIL: return "this machine has no such address";
    default: return {};
  }
}

socklen_t fill(sockaddr_storage& out, const Endpoint& endpoint, bool v4) {
  std::memset(&out, 0, sizeof out);
  if (v4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    if (endpoint.address.present()) std::memcpy(&address.sin_addr, endpoint.address.bytes.data() + 12, 4);
    std::memcpy(&out, &address, sizeof address);
    return sizeof address;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  std::memcpy(&address.sin6_addr, endpoint.address.bytes.data(), 16);
  std::memcpy(&out, &address, sizeof address);
  return sizeof address;
}

}  // namespace

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

core::Expected<Endpoint> Endpoint::parse(std::string_view text) {
  const auto wrong = [&](const char* message) {
    return core::fail(message, core::printable(text), "write 514, 192.0.2.1:514, [2001:db8::1]:514 or *:514");
  };
  const std::string_view whole = text;
  Endpoint endpoint;
  const auto colon = text.rfind(':');
  const std::string_view host = colon == text.npos ? std::string_view{} : text.substr(0, colon);
  const auto port = core::parse_number<std::uint16_t>(colon == whole.npos ? text : text.substr(colon + 1));
  if (!port) return wrong("no port from 0 to 65535");
  endpoint.port = *port;
  if (host.empty() || host == "*") return endpoint;
  if (host.find(':') != host.npos && !host.starts_with('[')) return wrong("an IPv6 address stands in brackets");
  const auto address = core::Ip::parse(host);
  if (!address) return wrong("not an IP address");
  endpoint.address = *address;
  return endpoint;
}

std::string Endpoint::text() const {
  std::string out = "*";
  if (address.present()) out = address.is_v4() ? address.text() : "[" + address.text() + "]";
  return out + ":" + std::to_string(port);
}

core::Expected<void> StopSignal::open() {
  event_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.open()) return core::fail("no event descriptor", system_text(errno), "raise the limit of open files");
  return {};
}

void StopSignal::raise() const {
  const std::uint64_t one = 1;
  // Cannot fail in a way that matters: the counter is far from its end.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

core::Expected<Descriptor> bind_socket(int type, const Endpoint& endpoint, Reuse reuse) {
  const auto failed = [&](const char* what) {
    const int number = errno;
    return core::fail(std::string(what) + " " + endpoint.text() + (type == SOCK_STREAM ? " (TCP)" : " (UDP)"),
                      system_text(number), hint_of(number, type));
  };
  bool v4 = endpoint.address.is_v4();
  Descriptor socket(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open() && errno == EAFNOSUPPORT && !endpoint.address.present()) {  // a kernel without IPv6
    v4 = true;
    socket = Descriptor(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  if (!socket.open()) return failed("cannot open a socket for");
  const int on = 1;
  const int off = 0;
  if (!v4) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, endpoint.address.present() ? &on : &off, sizeof on);
  }
  // A restart must not wait until old connections have timed out.
  if (type == SOCK_STREAM) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse == Reuse::kPort && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return failed("no SO_REUSEPORT on");
  }
  sockaddr_storage address;
  const socklen_t size = fill(address, endpoint, v4);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return failed("cannot listen on");
  if (type == SOCK_STREAM && ::listen(socket.get(), kBacklog) != 0) return failed("cannot listen on");
  return socket;
}

core::Expected<void> bind_sockets(int type, Endpoint& endpoint, std::span<Descriptor> sockets) {
  if (endpoint.port != 0 || sockets.size() == 1) {
    auto alone = bind_socket(type, endpoint);
    if (!alone) return std::unexpected(alone.error());
    if (sockets.size() == 1) {
      endpoint.port = local_port(alone->get());
      sockets[0] = std::move(*alone);
      return {};
    }
  }
  for (Descriptor& socket : sockets) {
    auto bound = bind_socket(type, endpoint, Reuse::kPort);
    if (!bound) return std::unexpected(bound.error());
    socket = std::move(*bound);
    endpoint.port = local_port(socket.get());
  }
  return {};
}

std::uint16_t local_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return port_of(address);
}

core::Ip ip_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return core::Ip::from_v4_bytes(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  }
  if (address.ss_family == AF_INET6) {
    return core::Ip::from_v6_bytes(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  }
  return {};
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string system_text(int number) {
  char text[128];
  return strerror_r(number, text, sizeof text);  // the GNU form returns the text, which need not lie in the buffer
}

core::Expected<std::thread> quiet_thread(const char* name, std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // A thread begins with the mask of the one that starts it.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  core::Expected<std::thread> thread;
  try {
    thread = std::thread(std::move(work));
    ::pthread_setname_np(thread->native_handle(), name);
  } catch (const std::system_error& error) {
    thread = core::fail("cannot start a thread", error.what(), "raise the limit of tasks (systemd: TasksMax=)");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

bool admitted(std::span<const core::Prefix> prefixes, const core::Ip& sender) {
  return prefixes.empty() ||
         std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return prefix.contains(sender); });
}

}  // namespace orbwatch::source
