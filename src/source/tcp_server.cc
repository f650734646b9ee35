#include "source/tcp_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace orbwatch::source {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kRead = std::size_t{64} << 10;  // bytes read of a connection before the next one's turn
constexpr std::size_t kGroup = std::size_t{2} << 20;  // bytes handed over at once
constexpr int kAcceptedAtOnce = 64;
constexpr std::size_t kDrained = std::size_t{1} << 20;  // bytes that are not wanted, read before closing
constexpr std::uint32_t kHangUp = EPOLLRDHUP;           // epoll reports errors besides
constexpr milliseconds kRetryFull{20};
constexpr milliseconds kRetryFailed{500};
constexpr milliseconds kAcceptPause{200};  // after accept() failed for want of descriptors or memory
constexpr milliseconds kTick{500};         // how often time-outs are looked for
constexpr milliseconds kReadOnFor{1000};   // after stop()
constexpr milliseconds kGiveFor{3000};     // after stop()

struct Connection {
  Descriptor socket;
  std::unique_ptr<SSL, void (*)(SSL*)> tls{nullptr, ::SSL_free};
  core::Ip peer;
  std::uint16_t peer_port = 0;
  std::unique_ptr<RecordCutter> cutter;
  CutCounts counted;          // of the cutter's counts: what the server has counted
  bool acknowledged = false;  // the sender is told what was taken
  std::string pending;        // whole records that the Intake has not taken yet
  std::uint64_t pending_records = 0;
  std::string answers;  // to the sender, not sent yet; while there are some nothing is read, so nothing is pending
  core::Nanoseconds received = 0;  // when the last of them came
  Clock::time_point last_byte;
  bool handshaken = true;
  bool ended = false;             // nothing more will be read
  bool again = false;             // has more to read than its turn allowed, epoll need not say so
  std::uint32_t wants = EPOLLIN;  // what it waits for when nothing is pending
  std::uint32_t watched = 0;      // for what it is in the epoll set; 0: it is not
};

class TcpServer final : public Collector {
 public:
  TcpServer(std::string name, const TcpOptions& options, ArrivalKind kind, MakeCutter make_cutter, Intake& intake,
            Log log)
      : options_(options),
        kind_(kind),
        make_cutter_(std::move(make_cutter)),
        intake_(intake),
        log_(std::move(log), std::move(name)),
        buffer_(std::make_unique_for_overwrite<char[]>(kRead)) {}
  ~TcpServer() override { stop(); }

  core::Expected<void> start() override {
    if (options_.tls) {
      if (auto opened = tls_.open(*options_.tls); !opened) return opened;
    }
    if (auto opened = stop_.open(); !opened) return opened;
    epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.open()) return core::fail("no epoll descriptor", system_text(errno), "raise the limit of open files");
    auto listener = bind_socket(SOCK_STREAM, options_.listen);
    if (!listener) return std::unexpected(listener.error());
    listener_ = std::move(*listener);
    options_.listen.port = local_port(listener_.get());
    watch(stop_.descriptor(), EPOLLIN, &stop_);
    watch(listener_.get(), EPOLLIN, &listener_);
    auto thread = quiet_thread("collect-tcp", [this] { run(); });
    if (!thread) return std::unexpected(thread.error());
    thread_ = std::move(*thread);
    return {};
  }

  void stop() override {
    if (!thread_.joinable()) return;
    stop_.raise();
    thread_.join();
  }

  void renew_certificate(bool at_once) override { tls_.look(at_once, log_); }
  CertificateStatus certificate() const override { return tls_.status(); }
  Counters counters() const override { return counters_.read(); }
  std::vector<SenderLoss> shed_by_sender() const override { return losses_.read(); }
  std::uint16_t port() const override { return options_.listen.port; }

 private:
  void watch(int descriptor, std::uint32_t events, void* what) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = what;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  }
  void unwatch(int descriptor) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

  void run() {
    std::array<epoll_event, 256> events;
    bool stopping = false;
    while (!stopping) {
      const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_time());
      now_ = Clock::now();
      for (int i = 0; i < n; ++i) {
        void* const what = events[static_cast<std::size_t>(i)].data.ptr;
        if (what == &stop_) {
          stopping = true;
        } else if (what == &listener_) {
          accept_some();
        } else if (Connection& c = *static_cast<Connection*>(what); c.watched == kHangUp) {
          forsake(c);
        } else {
          serve(c);
        }
      }
      serve_again();
      give();
      settle();
      if (now_ >= next_tick_) tick();
    }
    wind_up();
  }

  int wait_time() const {
    if (any_again_) return 0;
    Clock::time_point next = next_tick_;
    if (retry_ != Clock::time_point{}) next = std::min(next, retry_);
    const auto left = std::chrono::ceil<milliseconds>(next - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kTick.count()));
  }

  // --- connections

  void accept_some() {
    for (int i = 0; i < kAcceptedAtOnce; ++i) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      Descriptor socket(
          ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket.open()) {
        if (errno == EAGAIN) return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          counters_.add(&Counters::errors);
          log_.say(LogLevel::kError, "accept", "cannot accept connections: " + system_text(errno));
          // It stays readable: without a pause this would be a loop.
          unwatch(listener_.get());
          accept_again_ = now_ + kAcceptPause;
          return;
        }
        continue;  // that connection is gone already
      }
      const core::Ip peer = ip_of(address);
      if (!admitted(options_.admitted, peer)) {
        counters_.add(&Counters::refused);
        continue;
      }
      if (connections_.size() >= options_.most_connections) {
        counters_.add(&Counters::refused);
        log_.say(LogLevel::kWarning, "connections",
                 "a connection of " + peer.text() + " was refused: " + std::to_string(options_.most_connections) +
                     " are open");
        continue;
      }
      open(std::move(socket), peer, port_of(address));
    }
  }

  void open(Descriptor socket, const core::Ip& peer, std::uint16_t port) {
    counters_.add(&Counters::connections);
    counters_.add(&Counters::open_connections);
    auto connection = std::make_unique<Connection>();
    Connection& c = *connection;
    // Senders that vanish without closing must not hold their places.
    const auto set = [&](int level, int name, int value) {
      ::setsockopt(socket.get(), level, name, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
    c.cutter = make_cutter_();
    c.acknowledged = c.cutter->acknowledges();
    // An answer must not wait for the one before it to be confirmed.
    if (c.acknowledged) set(IPPROTO_TCP, TCP_NODELAY, 1);
    c.socket = std::move(socket);
    c.peer = peer;
    c.peer_port = port;
    c.last_byte = now_;
    if (tls_.opened()) {
      c.tls.reset(::SSL_new(tls_.context().get()));
      c.handshaken = false;
      if (!c.tls || ::SSL_set_fd(c.tls.get(), c.socket.get()) != 1) {
        counters_.add(&Counters::failed_handshakes);
        ERR_clear_error();
        c.ended = true;
      } else {
        ::SSL_set_accept_state(c.tls.get());
      }
    }
    if (!c.ended) resume(c);
    connections_.push_back(std::move(connection));
  }

  // Puts it into the epoll set for these events, 0: takes it out.
  void watch_for(Connection& c, std::uint32_t events) {
    if (c.watched == events) return;
    if (events == 0) {
      unwatch(c.socket.get());
    } else if (c.watched == 0) {
      watch(c.socket.get(), events, &c);
    } else {
      epoll_event event{};
      event.events = events;
      event.data.ptr = &c;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.socket.get(), &event);
    }
    c.watched = events;
  }
  void resume(Connection& c) {
    if (!c.ended) watch_for(c, c.wants);
  }
  // Not by an empty set of events: errors and hang-ups would still be reported, again and again. Where senders are told
  // what was taken they are wanted: see forsake().
  void rest(Connection& c) { watch_for(c, c.acknowledged && !c.pending.empty() ? kHangUp : 0); }

  // Reads what is there, up to one turn, and cuts it.
  void serve(Connection& c) {
    if (c.ended || !c.pending.empty()) return;
    c.again = false;
    if (!c.handshaken && !shake_hands(c)) return;
    if (!c.answers.empty() && !send(c)) return;
    std::size_t size = 0;
    bool drained = false;
    bool closed = false;
    if (c.tls) {
      read_tls(c, size, drained, closed);
    } else {
      const ssize_t n = ::recv(c.socket.get(), buffer_.get(), kRead, 0);
      if (n > 0) size = static_cast<std::size_t>(n);
      drained = size < kRead;
      closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    }
    if (size != 0) {
      c.last_byte = now_;
      c.received = now();
      closed |= !c.cutter->feed({buffer_.get(), size}, c.pending);
    }
    if (closed) {
      end(c);
    } else if (drained) {
      c.cutter->pause(c.pending);
    } else {
      c.again = any_again_ = true;
    }
    count(c);
    if (c.pending.empty()) answer(c);
  }

  // All that it gave was taken, or it gave nothing.
  void answer(Connection& c) {
    c.cutter->answer(c.answers);
    send(c);
  }

  // Sends its answers, as far as the kernel takes them. True: none are left. One that cannot be sent to has ended.
  bool send(Connection& c) {
    if (c.answers.empty()) return true;
    std::string_view rest = c.answers;
    bool broken = tls_.opened() && !c.tls;  // TLS broke off
    while (!rest.empty() && !broken) {
      std::size_t sent = 0;
      std::uint32_t wants = 0;
      if (c.tls) {
        ERR_clear_error();
        if (::SSL_write_ex(c.tls.get(), rest.data(), rest.size(), &sent) != 1) {
          const int error = ::SSL_get_error(c.tls.get(), 0);
          if (error == SSL_ERROR_WANT_READ) wants = EPOLLIN;
          if (error == SSL_ERROR_WANT_WRITE) wants = EPOLLOUT;
          broken = wants == 0;
          if (broken) c.tls.reset();  // SSL_shutdown is not allowed then
          ERR_clear_error();
        }
      } else {
        const ssize_t n = ::send(c.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n > 0) sent = static_cast<std::size_t>(n);
        if (n < 0 && errno == EAGAIN) wants = EPOLLOUT;
        broken = n < 0 && errno != EAGAIN && errno != EINTR;
      }
      rest.remove_prefix(sent);
      if (wants == 0) continue;
      want(c, wants);
      c.answers.erase(0, c.answers.size() - rest.size());
      return false;
    }
    c.answers.clear();
    if (c.answers.capacity() > kRead) c.answers = {};
    if (broken && !c.ended) {
      end(c);
      count(c);
    } else if (!c.ended) {
      want(c, EPOLLIN);
    }
    return !broken;
  }

  // The connection ends before its records were taken. The sender was not told that they are and sends them again:
  // taken later they would be there twice.
  void forsake(Connection& c) {
    counters_.add(&Counters::unacknowledged, c.pending_records);
    log_.say(LogLevel::kNote, "forsaken",
             std::to_string(c.pending_records) + " records of " + c.peer.text() +
                 " were not taken before its connection ended: it has to send them again");
    c.pending.clear();
    c.pending_records = 0;
    end(c);
    count(c);
    rest(c);
  }

  bool shake_hands(Connection& c) {
    ERR_clear_error();
    const int result = ::SSL_do_handshake(c.tls.get());
    if (result == 1) {
      c.handshaken = true;
      c.last_byte = now_;
      want(c, EPOLLIN);
      return true;
    }
    const int error = ::SSL_get_error(c.tls.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      want(c, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
      return false;
    }
    counters_.add(&Counters::failed_handshakes);
    log_.say(LogLevel::kWarning, "handshake", "TLS with " + c.peer.text() + " failed: " + tls_error_text());
    c.tls.reset();  // no farewell in a language that was not agreed upon
    c.ended = true;
    rest(c);
    return false;
  }

  void want(Connection& c, std::uint32_t events) {
    c.wants = events;
    if (c.watched != 0 && c.watched != kHangUp) watch_for(c, events);
  }

  void read_tls(Connection& c, std::size_t& size, bool& drained, bool& closed) {
    ERR_clear_error();
    while (size < kRead) {
      std::size_t n = 0;
      if (::SSL_read_ex(c.tls.get(), buffer_.get() + size, kRead - size, &n) == 1) {
        size += n;
        continue;
      }
      const int error = ::SSL_get_error(c.tls.get(), 0);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        want(c, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
        drained = true;
        return;
      }
      if (error == SSL_ERROR_SSL) {
        counters_.add(&Counters::errors);
        log_.say(LogLevel::kWarning, "tls", "TLS with " + c.peer.text() + " broke off: " + tls_error_text());
      }
      if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) c.tls.reset();  // SSL_shutdown is not allowed then
      ERR_clear_error();
      closed = true;
      return;
    }
  }

  // Nothing more will be read: what is left of a record is one.
  void end(Connection& c) {
    if (c.ended) return;
    c.cutter->finish(c.pending);
    if (c.received == 0) c.received = now();
    c.ended = true;
    c.again = false;
    rest(c);
  }

  void count(Connection& c) {
    const CutCounts& all = c.cutter->counts();
    c.pending_records += all.records - c.counted.records;
    counters_.add(&Counters::oversize, all.oversize - c.counted.oversize);
    counters_.add(&Counters::unfinished, all.unfinished - c.counted.unfinished);
    counters_.add(&Counters::misframed, all.misframed - c.counted.misframed);
    counters_.add(&Counters::empty, all.empty - c.counted.empty);
    counters_.add(&Counters::unacknowledged, all.unacknowledged - c.counted.unacknowledged);
    if (all.invalid != c.counted.invalid) {
      counters_.add(&Counters::invalid, all.invalid - c.counted.invalid);
      log_.say(LogLevel::kWarning, "invalid", "a message of " + c.peer.text() + " could not be read");
    }
    c.counted = all;
    if (!c.pending.empty()) rest(c);
  }

  void serve_again() {
    if (!any_again_) return;
    any_again_ = false;
    for (const auto& c : connections_) {
      if (c->again) serve(*c);
    }
  }

  // --- handing over

  // All that is pending, as far as the Intake takes it. After a refusal another connection is the first to be tried, so
  // that one with much does not keep out those with little.
  void give() {
    if (retry_ != Clock::time_point{} && now_ < retry_) return;
    retry_ = {};
    std::size_t at = 0;
    while (at < connections_.size()) {
      arrivals_.clear();
      std::size_t bytes = 0;
      const std::size_t begin = at;
      for (; at < connections_.size(); ++at) {
        const Connection& c = *connections_[at];
        if (c.pending.empty()) continue;
        // After a refusal each connection is tried alone: a little may fit where much does not.
        if (!arrivals_.empty() && (careful_ || bytes + c.pending.size() > kGroup)) break;
        Arrival& arrival = arrivals_.emplace_back();
        arrival.source = options_.source;
        arrival.kind = kind_;
        arrival.peer = c.peer;
        arrival.peer_port = c.peer_port;
        arrival.received = c.received;
        arrival.bytes = c.pending;
        bytes += c.pending.size();
      }
      if (arrivals_.empty()) break;
      const Intake::Taken taken = intake_.take(arrivals_);
      if (taken != Intake::Taken::kYes) {
        const bool full = taken == Intake::Taken::kFull;
        counters_.add(full ? &Counters::intake_full : &Counters::intake_failed);
        log_.say(full ? LogLevel::kWarning : LogLevel::kError, full ? "full" : "failed",
                 full ? "the journal is full: senders are slowed down" : "the journal cannot write: senders wait");
        retry_ = now_ + (full ? kRetryFull : kRetryFailed);
        std::rotate(connections_.begin(), connections_.begin() + static_cast<std::ptrdiff_t>(careful_ ? at : begin),
                    connections_.end());
        careful_ = true;
        return;
      }
      for (std::size_t i = begin; i < at; ++i) {
        Connection& c = *connections_[i];
        if (c.pending.empty()) continue;
        counters_.add(&Counters::records, c.pending_records);
        counters_.add(&Counters::bytes, c.pending.size());
        c.pending_records = 0;
        c.pending.clear();
        if (c.pending.capacity() > 2 * kRead) c.pending = {};
        answer(c);
        if (c.ended) continue;
        resume(c);
        // TLS may hold bytes already, of which epoll knows nothing.
        c.again |= c.tls != nullptr;
        any_again_ |= c.again;
      }
    }
    careful_ = false;
  }

  // Closes what has ended and was handed over.
  void settle() {
    std::erase_if(connections_, [&](const std::unique_ptr<Connection>& c) {
      if (!c->ended || !c->pending.empty()) return false;
      if (c->acknowledged) take_leave(*c);
      if (c->tls && c->handshaken) {
        ERR_clear_error();
        ::SSL_shutdown(c->tls.get());
        ERR_clear_error();
      }
      counters_.subtract(&Counters::open_connections);
      return true;
    });
  }

  // The last answers. With bytes that nobody read the kernel would close by a reset, and throw them away.
  void take_leave(Connection& c) {
    if (c.handshaken) {
      c.cutter->farewell(c.answers);
      send(c);
    }
    for (std::size_t left = kDrained; left >= kRead; left -= kRead) {
      if (::recv(c.socket.get(), buffer_.get(), kRead, 0) <= 0) break;
    }
  }

  void tick() {
    next_tick_ = now_ + kTick;
    if (accept_again_ != Clock::time_point{} && now_ >= accept_again_) {
      accept_again_ = {};
      watch(listener_.get(), EPOLLIN, &listener_);
    }
    for (const auto& connection : connections_) {
      Connection& c = *connection;
      if (c.ended) continue;
      if (!c.pending.empty()) {
        c.last_byte = now_;  // it is us who do not read
      } else if (!c.handshaken && now_ - c.last_byte > options_.handshake) {
        counters_.add(&Counters::failed_handshakes);
        c.tls.reset();
        end(c);
      } else if (options_.idle.count() != 0 && now_ - c.last_byte > options_.idle) {
        counters_.add(&Counters::idle_closed);
        end(c);
        count(c);
      }
    }
    give();
    settle();
  }

  // --- the end

  void wind_up() {
    unwatch(listener_.get());
    listener_.reset();
    const auto begin = Clock::now();
    while (true) {
      now_ = Clock::now();
      const bool read_on = now_ - begin < kReadOnFor;
      for (const auto& connection : connections_) {
        Connection& c = *connection;
        if (c.ended || !c.pending.empty()) continue;
        c.again = true;
        if (read_on && c.handshaken) serve(c);
        if (!c.again || !read_on || !c.handshaken) {  // nothing is left, or no time
          end(c);
          count(c);
        }
      }
      give();
      settle();
      if (connections_.empty()) break;
      if (now_ - begin > kGiveFor) break;
      if (retry_ != Clock::time_point{}) std::this_thread::sleep_until(retry_);
    }
    std::uint64_t lost = 0;
    for (const auto& connection : connections_) {
      Connection& c = *connection;
      end(c);
      count(c);
      if (c.acknowledged) {
        if (!c.pending.empty()) forsake(c);
        continue;
      }
      lost += c.pending_records;
      losses_.add(c.peer, c.pending_records);
      c.pending.clear();
    }
    if (lost != 0) {
      counters_.add(&Counters::shed, lost);
      log_.say(LogLevel::kError, "shed",
               "stopped while the journal takes nothing: " + std::to_string(lost) + " records are lost");
    }
    settle();
  }

  TcpOptions options_;
  ArrivalKind kind_;
  MakeCutter make_cutter_;
  Intake& intake_;
  RareLog log_;
  SharedCounters counters_;
  LossTable losses_;
  StopSignal stop_;
  RenewedTls tls_;
  Descriptor epoll_;
  Descriptor listener_;
  std::thread thread_;

  // Of the thread alone:
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Arrival> arrivals_;
  Clock::time_point now_;
  Clock::time_point next_tick_;
  Clock::time_point retry_;         // the Intake refused: not again before; epoch: it did not
  Clock::time_point accept_again_;  // epoch: connections are accepted
  bool careful_ = false;
  bool any_again_ = false;
};

}  // namespace

std::unique_ptr<Collector> make_tcp_server(std::string name, const TcpOptions& options, ArrivalKind kind,
                                           MakeCutter make_cutter, Intake& intake, Log log) {
  return std::make_unique<TcpServer>(std::move(name), options, kind, std::move(make_cutter), intake, std::move(log));
}

}  // namespace orbwatch::source
