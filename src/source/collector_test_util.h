// What the tests of the collectors share: an Intake in memory that can be full, fail or wait, and senders.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "source/collector.h"
#include "source/intake.h"
#include "source/sockets.h"

namespace orbwatch::source::test {

// Waits for a condition, long enough for the slowest machine; true when it holds.
inline bool eventually(const std::function<bool()>& condition, std::chrono::seconds most = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class MemoryIntake final : public Intake {
 public:
  struct Stored {
    Arrival arrival;  // without bytes
    std::string bytes;
  };

  Taken take(std::span<const Arrival> arrivals) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    ++waiting_;
    opened_.wait(lock, [&] { return !closed_; });
    --waiting_;
    if (answer_ != Taken::kYes) return answer_;
    std::size_t size = 0;
    for (const Arrival& arrival : arrivals) size += arrival.bytes.size();
    if (size > room_) return Taken::kFull;
    room_ -= size;
    for (const Arrival& arrival : arrivals) {
      EXPECT_LE(arrival.bytes.size(), kMostArrival);
      EXPECT_NE(arrival.received, 0);
      Stored& stored = stored_.emplace_back();
      stored.arrival = arrival;
      stored.arrival.bytes = {};
      stored.bytes = arrival.bytes;
      if (arrival.stream != 0) positions_[arrival.stream] = arrival.position;
    }
    return Taken::kYes;
  }
  std::uint64_t position(std::uint64_t stream) const override {
    const std::scoped_lock lock(mutex_);
    const auto at = positions_.find(stream);
    return at == positions_.end() ? 0 : at->second;
  }

  void answer(Taken taken) {
    const std::scoped_lock lock(mutex_);
    answer_ = taken;
  }
  // How many bytes are taken before it is full.
  void set_room(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    room_ = bytes;
  }
  // While closed, take() waits.
  void close(bool closed) {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = closed;
    }
    opened_.notify_all();
  }
  int waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_;
  }
  std::uint64_t calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  std::vector<Stored> stored() const {
    const std::scoped_lock lock(mutex_);
    return stored_;
  }
  std::string bytes() const {
    const std::scoped_lock lock(mutex_);
    std::string all;
    for (const Stored& stored : stored_) all += stored.bytes;
    return all;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    const std::string all = bytes();
    EXPECT_TRUE(all.empty() || all.back() == '\n');
    for (std::size_t at = 0; at < all.size();) {
      const auto end = all.find('\n', at);
      lines.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }
  // The payloads of arrivals of kind kDatagrams.
  std::vector<std::string> datagrams() const {
    std::vector<std::string> out;
    for (const Stored& stored : stored()) {
      EXPECT_EQ(stored.arrival.kind, ArrivalKind::kDatagrams);
      for (std::size_t at = 0; at < stored.bytes.size();) {
        EXPECT_LE(at + 2, stored.bytes.size());
        const std::size_t size = static_cast<unsigned char>(stored.bytes[at]) |
                                 static_cast<std::size_t>(static_cast<unsigned char>(stored.bytes[at + 1])) << 8;
        EXPECT_LE(at + 2 + size, stored.bytes.size());
        out.push_back(stored.bytes.substr(at + 2, size));
        at += 2 + size;
      }
    }
    return out;
  }
  void forget_records() {
    const std::scoped_lock lock(mutex_);
    stored_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool closed_ = false;
  Taken answer_ = Taken::kYes;
  std::size_t room_ = SIZE_MAX;
  int waiting_ = 0;
  std::uint64_t calls_ = 0;
  std::vector<Stored> stored_;
  std::map<std::uint64_t, std::uint64_t> positions_;
};

// Keeps what a collector says.
class Said {
 public:
  Log log() {
    return [this](LogLevel, const std::string& text) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(text);
    };
  }
  bool has(std::string_view part) const {
    const std::scoped_lock lock(mutex_);
    return std::any_of(lines_.begin(), lines_.end(), [&](const auto& line) { return line.find(part) != line.npos; });
  }
  std::size_t count(std::string_view part) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line.find(part) != line.npos; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline Endpoint loopback() { return *Endpoint::parse("127.0.0.1:0"); }

// A blocking socket connected to a port of the loopback address.
inline Descriptor connect_to(int type, std::uint16_t port, bool v6 = false) {
  Descriptor socket(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(socket.open());
  if (v6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_addr = in6addr_loopback;
    to.sin6_port = htons(port);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << system_text(errno);
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << system_text(errno);
  }
  return socket;
}

// Sends all of it; false when the other side closed.
inline bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// True when the other side closes within a minute.
inline bool closed_by_peer(int socket) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  char piece[4096];
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd wait{socket, POLLIN, 0};
    if (::poll(&wait, 1, 100) > 0 && ::recv(socket, piece, sizeof piece, MSG_DONTWAIT) <= 0) return true;
  }
  return false;
}

}  // namespace orbwatch::source::test
