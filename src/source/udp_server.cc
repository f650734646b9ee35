#include "source/udp_server.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

namespace orbwatch::source {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestDatagram = 65'535;
// More than the longest datagram, so that one that is cut shows; not a multiple of a page, so that the beginnings of
// the datagrams do not share their places in the cache.
constexpr std::size_t kSlot = 65'536 + 192;
constexpr std::size_t kPacked = std::size_t{4} << 20;  // bytes handed over at once
constexpr auto kDrainFor = std::chrono::seconds(1);    // after stop(): reading what the kernel still holds
constexpr int kMostWorkers = 64;

// The kernel counts what it drops in 32 bits, for each socket.
class DropCounter {
 public:
  // Drops since the last call.
  std::uint32_t fresh(int socket) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return 0;
    if (size <= SK_MEMINFO_DROPS * sizeof(std::uint32_t)) return 0;
    return info[SK_MEMINFO_DROPS] - std::exchange(last_, info[SK_MEMINFO_DROPS]);
  }

 private:
  std::uint32_t last_ = 0;
};

class UdpServer final : public Collector {
 public:
  UdpServer(std::string name, const UdpOptions& options, ArrivalKind kind, PackDatagram pack, Intake& intake, Log log)
      : options_(options), kind_(kind), pack_(pack), intake_(intake), log_(std::move(log), std::move(name)) {}
  ~UdpServer() override { stop(); }

  core::Expected<void> start() override {
    options_.workers = std::clamp(options_.workers, 1, kMostWorkers);
    if (auto opened = stop_.open(); !opened) return opened;
    std::vector<Descriptor> sockets(static_cast<std::size_t>(options_.workers));
    if (auto bound = bind_sockets(SOCK_DGRAM, options_.listen, sockets); !bound) return bound;
    for (const Descriptor& socket : sockets) set_receive_buffer(socket.get());
    {
      const std::scoped_lock lock(sockets_mutex_);
      sockets_ = std::move(sockets);
      drops_.resize(sockets_.size());
    }
    for (const Descriptor& socket : sockets_) {
      auto thread = quiet_thread("collect-udp", [this, number = socket.get()] { Worker(*this, number).run(); });
      if (!thread) {
        stop();
        return std::unexpected(thread.error());
      }
      threads_.push_back(std::move(*thread));
    }
    return {};
  }

  void stop() override {
    if (threads_.empty()) return;
    stopping_.store(true);
    stop_.raise();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    read_drops();
    const std::scoped_lock lock(sockets_mutex_);
    sockets_.clear();
  }

  Counters counters() const override {
    read_drops();
    return counters_.read();
  }
  std::vector<SenderLoss> shed_by_sender() const override { return losses_.read(); }
  std::uint16_t port() const override { return options_.listen.port; }

 private:
  // One socket and its thread.
  class Worker {
   public:
    Worker(UdpServer& server, int socket)
        : server_(server),
          socket_(socket),
          slots_(std::make_unique_for_overwrite<char[]>(kUdpBatch * kSlot)),
          packed_(std::make_unique_for_overwrite<char[]>(kPacked)) {
      for (std::size_t i = 0; i < kUdpBatch; ++i) {
        pieces_[i] = {slots_.get() + i * kSlot, kSlot};
        messages_[i] = {};
        messages_[i].msg_hdr.msg_name = &senders_[i];
        messages_[i].msg_hdr.msg_iov = &pieces_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
      }
      arrivals_.reserve(kUdpBatch);
      records_.reserve(kUdpBatch);
    }

    void run() {
      Clock::time_point give_up = Clock::time_point::max();
      while (true) {
        if (server_.stopping_.load(std::memory_order_relaxed)) {
          if (give_up == Clock::time_point::max()) give_up = Clock::now() + kDrainFor;
          if (Clock::now() > give_up) return;
        }
        const bool stopping = give_up != Clock::time_point::max();
        for (mmsghdr& message : messages_) message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        const int n = ::recvmmsg(socket_, messages_.data(), kUdpBatch, MSG_DONTWAIT, nullptr);
        if (n > 0) {
          hand_over(static_cast<std::size_t>(n));
          if (n == static_cast<int>(kUdpBatch) || stopping) continue;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
          server_.counters_.add(&Counters::errors);
          server_.log_.say(LogLevel::kWarning, "receive", "cannot receive: " + system_text(errno));
          if (stopping) return;
          pollfd stop{server_.stop_.descriptor(), POLLIN, 0};
          ::poll(&stop, 1, 100);
          continue;
        } else if (stopping && n < 0 && errno == EAGAIN) {
          return;
        }
        std::array<pollfd, 2> wait{{{socket_, POLLIN, 0}, {server_.stop_.descriptor(), POLLIN, 0}}};
        ::poll(wait.data(), stopping ? 1 : 2, stopping ? 0 : -1);
      }
    }

   private:
    void hand_over(std::size_t n) {
      const core::Nanoseconds received = now();
      const sockaddr_storage* sender = nullptr;
      socklen_t sender_size = 0;
      bool welcome = true;
      bool join = false;  // the last Arrival is of this sender
      std::uint64_t empty = 0;
      std::uint64_t refused = 0;
      std::uint64_t cut = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const msghdr& header = messages_[i].msg_hdr;
        if (sender == nullptr || header.msg_namelen != sender_size || !same(*sender, senders_[i], sender_size)) {
          sender = &senders_[i];
          sender_size = header.msg_namelen;
          join = false;
          welcome = server_.options_.admitted.empty() || admitted(server_.options_.admitted, ip_of(*sender));
        }
        if (!welcome) {
          ++refused;
          continue;
        }
        if (kPacked - used_ < kSlot) {
          flush();
          join = false;
        }
        cut += messages_[i].msg_len > kLongestDatagram || (header.msg_flags & MSG_TRUNC) != 0;
        const std::size_t size = std::min<std::size_t>(messages_[i].msg_len, kLongestDatagram);
        char* const out = packed_.get() + used_;
        const std::size_t written = size == 0 ? 0 : server_.pack_({slots_.get() + i * kSlot, size}, out);
        if (written == 0) {
          ++empty;
          continue;
        }
        used_ += written;
        if (join && arrivals_.back().bytes.size() + written <= kMostArrival) {
          Arrival& last = arrivals_.back();
          last.bytes = {last.bytes.data(), last.bytes.size() + written};
          ++records_.back();
          continue;
        }
        Arrival& arrival = arrivals_.emplace_back();
        arrival.source = server_.options_.source;
        arrival.kind = server_.kind_;
        arrival.peer = ip_of(*sender);
        arrival.peer_port = port_of(*sender);
        arrival.received = received;
        arrival.bytes = {out, written};
        records_.push_back(1);
        join = true;
      }
      flush();
      server_.counters_.add(&Counters::empty, empty);
      server_.counters_.add(&Counters::refused, refused);
      server_.counters_.add(&Counters::oversize, cut);
    }

    // Only address and port: the kernel leaves what lies around them alone, but need not.
    static bool same(const sockaddr_storage& a, const sockaddr_storage& b, socklen_t size) {
      if (size == sizeof(sockaddr_in)) return std::memcmp(&a, &b, offsetof(sockaddr_in, sin_zero)) == 0;
      return std::memcmp(&a, &b, std::min<std::size_t>(size, sizeof(sockaddr_in6))) == 0;
    }

    void flush() {
      if (!arrivals_.empty()) server_.give(arrivals_, records_, used_);
      arrivals_.clear();
      records_.clear();
      used_ = 0;
    }

    UdpServer& server_;
    int socket_;
    std::unique_ptr<char[]> slots_;
    std::unique_ptr<char[]> packed_;
    std::size_t used_ = 0;
    std::array<mmsghdr, kUdpBatch> messages_;
    std::array<iovec, kUdpBatch> pieces_;
    std::array<sockaddr_storage, kUdpBatch> senders_;
    std::vector<Arrival> arrivals_;
    std::vector<std::uint32_t> records_;  // of each Arrival
  };

  void give(const std::vector<Arrival>& arrivals, const std::vector<std::uint32_t>& records, std::size_t bytes) {
    std::uint64_t sum = 0;
    for (const std::uint32_t n : records) sum += n;
    const Intake::Taken taken = intake_.take(arrivals);
    if (taken == Intake::Taken::kYes) {
      counters_.add(&Counters::records, sum);
      counters_.add(&Counters::bytes, bytes);
      return;
    }
    counters_.add(taken == Intake::Taken::kFull ? &Counters::intake_full : &Counters::intake_failed);
    counters_.add(&Counters::shed, sum);
    for (std::size_t i = 0; i < arrivals.size(); ++i) losses_.add(arrivals[i].peer, records[i]);
    log_.say(taken == Intake::Taken::kFull ? LogLevel::kWarning : LogLevel::kError, "shed",
             std::string("the journal ") + (taken == Intake::Taken::kFull ? "is full" : "cannot write") +
                 ": datagrams are lost, the last of them from " + arrivals.back().peer.text());
  }

  void set_receive_buffer(int socket) {
    const auto asked = static_cast<int>(std::min<std::size_t>(options_.receive_buffer, std::size_t{1} << 30));
    if (asked <= 0) return;
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof asked) != 0) {
      ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked);
    }
    int doubled = 0;  // the kernel counts its own overhead in, socket(7)
    socklen_t size = sizeof doubled;
    ::getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &doubled, &size);
    counters_.set(&Counters::receive_buffer, static_cast<std::uint64_t>(doubled / 2));
    counters_.set(&Counters::receive_buffer_asked, static_cast<std::uint64_t>(asked));
    if (doubled / 2 < asked) {
      log_.say(LogLevel::kWarning, "buffer",
               "the kernel gives a receive buffer of " + std::to_string(doubled / 2) + " bytes instead of " +
                   std::to_string(asked) +
                   ": bursts may be lost (sysctl -w net.core.rmem_max=" + std::to_string(asked) + ")");
    }
  }

  void read_drops() const {
    std::uint64_t fresh = 0;
    {
      const std::scoped_lock lock(sockets_mutex_);
      for (std::size_t i = 0; i < sockets_.size(); ++i) fresh += drops_[i].fresh(sockets_[i].get());
      counters_.add(&Counters::kernel_drops, fresh);
    }
    if (fresh != 0) {
      log_.say(LogLevel::kWarning, "drops",
               std::to_string(fresh) +
                   " datagrams were dropped by the kernel: they came faster than they were read; "
                   "more workers or a larger receive buffer help");
    }
  }

  UdpOptions options_;
  ArrivalKind kind_;
  PackDatagram pack_;
  Intake& intake_;
  mutable RareLog log_;
  mutable SharedCounters counters_;
  LossTable losses_;
  StopSignal stop_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex sockets_mutex_;  // sockets_ and drops_; workers hold the descriptor's number
  std::vector<Descriptor> sockets_;
  mutable std::vector<DropCounter> drops_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Collector> make_udp_server(std::string name, const UdpOptions& options, ArrivalKind kind,
                                           PackDatagram pack, Intake& intake, Log log) {
  return std::make_unique<UdpServer>(std::move(name), options, kind, pack, intake, std::move(log));
}

}  // namespace orbwatch::source
