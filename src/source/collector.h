// What the collectors of the service have in common. A collector receives bytes (sockets, files), cuts them into whole
// records and hands these to an Intake (intake.h); it decodes nothing.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/time.h"

namespace orbwatch::source {

// Of one collector since its start. A field that means nothing for a collector stays 0; counter_fields() says what each
// means.
struct Counters {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t empty = 0;
  std::uint64_t shed = 0;
  std::uint64_t kernel_drops = 0;
  std::uint64_t refused = 0;
  std::uint64_t unauthorized = 0;
  std::uint64_t invalid = 0;
  std::uint64_t refused_records = 0;
  std::uint64_t oversize = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t misframed = 0;
  std::uint64_t repeated = 0;
  std::uint64_t unacknowledged = 0;
  std::uint64_t intake_full = 0;
  std::uint64_t intake_failed = 0;
  std::uint64_t errors = 0;
  std::uint64_t connections = 0;
  std::uint64_t open_connections = 0;
  std::uint64_t failed_handshakes = 0;
  std::uint64_t idle_closed = 0;
  std::uint64_t requests = 0;
  std::uint64_t files = 0;
  std::uint64_t rotations = 0;
  std::uint64_t truncations = 0;
  std::uint64_t skipped_files = 0;
  std::uint64_t receive_buffer = 0;
  std::uint64_t receive_buffer_asked = 0;

  friend bool operator==(const Counters&, const Counters&) = default;
};

struct CounterField {
  std::string_view name;
  std::uint64_t Counters::* field;
  bool level;  // a present state that may fall; false: only ever grows
  std::string_view meaning;
};
// Every field of Counters once, in their order.
std::span<const CounterField> counter_fields();

enum class LogLevel : std::uint8_t { kNote, kWarning, kError };
// One line of text without its end. Called by the collectors' threads and by those that ask for counters, several at
// once: must be thread-safe and must not call the collector back. May be empty.
using Log = std::function<void(LogLevel, const std::string&)>;

// Records of one sender that were shed.
struct SenderLoss {
  core::Ip sender;  // absent: all senders beyond those that are kept apart
  std::uint64_t records = 0;
};

// The TLS certificate that new connections get.
struct CertificateStatus {
  core::Nanoseconds expires = 0;  // 0: the collector has none
  std::string trouble;            // why what lies in the files now is not used; "" if it is

  friend bool operator==(const CertificateStatus&, const CertificateStatus&) = default;
};

class Collector {
 public:
  virtual ~Collector() = default;  // stops it

  // Opens what it reads and starts its threads. Once. An error leaves nothing running.
  virtual core::Expected<void> start() = 0;
  // Takes nothing new, hands over what was read, ends the threads. Returns after some seconds at most, also when the
  // Intake is full: records that it does not take until then are counted as shed (files: they stay in the file).
  // Idempotent. Called by one thread, as start() is.
  virtual void stop() = 0;

  // Looks whether the files of the certificate have changed and takes the new ones for new connections
  // (RenewedTls::look()). Called by the thread of start() and stop(), about every second; `at_once`: by somebody's
  // wish.
  virtual void renew_certificate(bool /*at_once*/) {}
  virtual CertificateStatus certificate() const { return {}; }  // thread-safe

  virtual Counters counters() const = 0;                                 // thread-safe
  virtual std::vector<SenderLoss> shed_by_sender() const { return {}; }  // thread-safe; largest loss first
  virtual std::uint16_t port() const { return 0; }                       // after start(): where it listens; 0: nowhere
};

// Counters that several threads write and any thread reads.
class SharedCounters {
 public:
  void add(std::uint64_t Counters::* field, std::uint64_t n = 1) {
    if (n != 0) std::atomic_ref(counters_.*field).fetch_add(n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t Counters::* field, std::uint64_t n = 1) {
    std::atomic_ref(counters_.*field).fetch_sub(n, std::memory_order_relaxed);
  }
  void set(std::uint64_t Counters::* field, std::uint64_t n) {
    std::atomic_ref(counters_.*field).store(n, std::memory_order_relaxed);
  }
  Counters read() const;

 private:
  mutable Counters counters_;  // std::atomic_ref of C++23 takes no const object
};

// Says what is rare, and what is not rare but once a minute: each kind of message at most once in `interval`, with how
// many were left out. Thread-safe.
class RareLog {
 public:
  explicit RareLog(Log log, std::string name, std::chrono::seconds interval = std::chrono::seconds(60))
      : log_(std::move(log)), name_(std::move(name)), interval_(interval) {}

  // `kind` is static text and names the message; `text` begins with a small letter.
  void say(LogLevel level, std::string_view kind, const std::string& text);
  // For what cannot become frequent, such as what a person does.
  void always(LogLevel level, const std::string& text);

 private:
  struct Said {
    std::chrono::steady_clock::time_point when;
    std::uint64_t left_out = 0;
  };
  Log log_;
  std::string name_;  // of the collector, in front of each line
  std::chrono::seconds interval_;
  std::mutex mutex_;
  std::map<std::string_view, Said> said_;
};

// What each sender lost. At most kMost senders are kept apart; the losses of further ones are one sum. Thread-safe.
class LossTable {
 public:
  static constexpr std::size_t kMost = 4096;
  void add(const core::Ip& sender, std::uint64_t records);
  std::vector<SenderLoss> read() const;

 private:
  mutable std::mutex mutex_;
  std::map<core::Ip, std::uint64_t> senders_;
  std::uint64_t others_ = 0;
};

// Wall clock.
core::Nanoseconds now();

}  // namespace orbwatch::source
