// Stitches the lines of one log-in together: a VPN gateway writes five to ten lines for it (AAA, session started,
// client type, address assigned ...), a RADIUS server or domain controller writes more. Detectors shall see one event
// per log-in, with everything that is known of it.
//
// How: lines belong together if user and source address agree (a line without address: user and device) and no more
// than kJoinWithin passes between them, on one device or on several. The log-in is handed out once kSettle of event
// time has passed since its first line, so that later lines can still fill in client, assigned address and group. All
// by event time: the same lines give the same log-ins however they are cut into batches.
//
// Memory: kMostPending log-ins, as many lines without an address, and kMostOpen open sessions; beyond that the oldest
// are handed out or forgotten early.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.h"
#include "event/event.h"

namespace orbwatch::enrich {

using core::Ip;
using core::Nanoseconds;
using core::Symbol;
using event::Event;

constexpr Nanoseconds kSettle = 90 * core::kSecond;
constexpr Nanoseconds kJoinWithin = 5 * core::kMinute;
// Without an end line a session counts as open for this long.
constexpr Nanoseconds kLongestSession = 24 * core::kHour;
constexpr std::size_t kMostPending = 100'000;
constexpr std::size_t kMostOpen = 1'000'000;

// Whether the event is a line of a log-in that succeeded: begins or completes one.
bool is_login_line(const Event& event);
// Whether it ends the session of one.
bool is_end_line(const Event& event);

struct RawLine {
  event::RecordRef place;
  std::string text;  // at most 2 KiB
};

// One log-in that succeeded, complete.
struct Login {
  Event event;                 // first line, completed by the others; class session or authentication, outcome success
  std::vector<RawLine> lines;  // at most kMostLines
  Event end;                   // its end line, if that came before the log-in was handed out; else time == 0
  static constexpr std::size_t kMostLines = 12;
};

// A finished session, for the store: what the end line says, joined with the start.
struct Session {
  Symbol user;
  Symbol gateway;
  Ip source_ip;
  Ip assigned_ip;
  Nanoseconds start = 0;
  Nanoseconds end = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t destination_bytes = 0;
};

class SessionStitcher {
 public:
  explicit SessionStitcher(std::size_t most_pending = kMostPending, std::size_t most_open = kMostOpen)
      : most_pending_(most_pending), most_open_(most_open) {}

  enum class Role : std::uint8_t {
    kNone,         // no log-in line: flows, connections, handshakes, failures; score it by itself
    kJoined,       // taken up: it begins or completes a log-in, or moves a session on, or ends one
    kEndsPending,  // taken up: it ends the session of a log-in that is not handed out yet (Login::end)
  };

  // Events must come in (nearly) ascending time. `raw` is kept with the log-in.
  Role take(const Event& event, std::string_view raw);
  // The next log-in that has settled by `now`, in order of time; false if there is none.
  bool next(Nanoseconds now, Login& out);
  // At the end of the input everything has settled.
  bool drain(Login& out) { return next(INT64_MAX, out); }

  // Sessions that ended since the last call.
  std::vector<Session> take_ended() { return std::move(ended_); }

  std::uint64_t sessions() const { return sessions_; }

  // All that it holds, the limits excepted: a restored stitcher goes on as the saved one would have. Errors stick to
  // the reader; after one this is to be thrown away. Behind load() the facts of the events (event/persist.h) and the
  // inputs that records stand in must be put right: each_event() shows every event, each_place() the place of every
  // line.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);
  template <typename Visit>
  void each_event(Visit&& visit) {
    for (Login& login : pending_) {
      visit(login.event);
      visit(login.end);
    }
    for (auto& [account, line] : nameless_) visit(line.event);
  }
  template <typename Visit>
  void each_place(Visit&& visit) {
    for (Login& login : pending_) {
      for (RawLine& line : login.lines) visit(line.place);
    }
  }

 private:
  struct Key {
    Symbol user;
    Ip source;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.user, k.source);
    }
  };
  struct Open {
    Nanoseconds start = 0;
    Nanoseconds last = 0;   // of its newest line
    Nanoseconds burst = 0;  // of the first line behind the last pause of more than kJoinWithin; 0 = there was none
    bool ended = false;
    std::uint64_t pending = 0;  // number of the pending log-in + 1, 0 = handed out
    Ip assigned;
    Symbol gateway;
    std::uint8_t devices = 0;
  };
  void complete(Event& login, const Event& line) const;
  void forget(Nanoseconds now);
  void forget_nameless(Nanoseconds now);
  template <typename Archive>
  void persist(Archive& archive);

  absl::flat_hash_map<Key, Open> open_;
  // A user's newest log-in line without an address (ASA 113004), so that the session line that follows can take its
  // facts.
  struct Nameless {
    Event event;
    std::string raw;
  };
  struct Account {
    Symbol user;
    Symbol device;
    friend bool operator==(const Account&, const Account&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Account& a) {
      return H::combine(std::move(h), a.user, a.device);
    }
  };
  absl::flat_hash_map<Account, Nameless> nameless_;
  std::deque<Login> pending_;
  std::uint64_t first_pending_ = 0;  // number of pending_.front()
  std::uint64_t sessions_ = 0;
  std::vector<Session> ended_;
  std::size_t most_pending_;
  std::size_t most_open_;
};

}  // namespace orbwatch::enrich
