// What a backtest learns from an organisation's own history before it puts anything into it: who logs in, from where,
// when, with which client, at which gateway, and what the gateway writes about it.
//
// A log-in here is what enrich::SessionStitcher makes one of: lines of one user from one source within kSettle of the
// first. Only log-ins from outside count. Of every user the lines of the newest two log-ins at each gateway are kept as
// templates, so that an injected one has exactly the lines and fields that the gateway writes for this user.
//
// Memory: kMostUsers users. Beyond that every second user by the hash of the name is left out, then every second of the
// rest, and so on: the sample does not depend on the order of events. Every list has its bound beside it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/symbol.h"
#include "core/time.h"
#include "event/event.h"

namespace orbwatch::evaluate {

using core::Nanoseconds;
using core::Symbol;
using event::Event;

// What a client says of itself, over all lines of one log-in.
struct ClientWords {
  Symbol user_agent;
  Symbol client_os;
  Symbol client_host;
  Symbol fingerprint;
  Symbol banner;

  bool logged() const { return user_agent.present() || client_os.present(); }
  // The same fields are there, whatever they hold.
  bool same_fields(const ClientWords& other) const;
  // Whether the software differs; the computer's name is none.
  bool same_software(const ClientWords& other) const {
    return user_agent == other.user_agent && client_os == other.client_os;
  }
  friend bool operator==(const ClientWords&, const ClientWords&) = default;
  // Takes what `line` says and this does not.
  void fill(const Event& line);
};

struct LoginTemplate {
  std::vector<Event> lines;  // at most History::kMostLines, in the order in which they came
  std::vector<Event> ends;   // lines about its end, at most History::kMostEndLines; empty if none was seen
};

struct SessionShape {
  Nanoseconds length = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t destination_bytes = 0;
};

struct UserAtGateway {
  Symbol gateway;
  std::uint32_t logins = 0;
  std::vector<LoginTemplate> templates;                      // the newest two
  std::vector<std::pair<Nanoseconds, ClientWords>> clients;  // from when on which one was used; newest kMostClients
};

// Where a log-in came from, as the facts tell.
struct SourcePlace {
  std::uint16_t country = 0;
  std::uint32_t city = 0;  // text offset of the facts
  std::uint32_t asn = 0;
  core::NetworkType type = core::NetworkType::kUnknown;
  friend bool operator==(const SourcePlace&, const SourcePlace&) = default;
};

struct UserHistory {
  Symbol user;
  std::uint32_t logins = 0;
  std::uint32_t v6_logins = 0;                                // of them from an IPv6 address
  bool too_many_networks = false;                             // beyond the bounds below
  std::vector<std::pair<std::int32_t, std::uint32_t>> days;   // day since 1970 (UTC) and log-ins; newest kMostDays
  std::vector<std::pair<SourcePlace, std::uint32_t>> places;  // at most kMostPlaces
  std::vector<std::uint32_t> prefixes;                        // /24s, as address >> 8; at most kMostPrefixes
  std::vector<Nanoseconds> moments;                           // times of log-ins, the newest kMostMoments
  std::vector<SessionShape> sessions;                         // the newest kMostSessions
  std::vector<UserAtGateway> gateways;                        // at most kMostGateways

  // Log-ins before a moment, and days with any: of what is still held.
  std::uint32_t logins_before(Nanoseconds time) const;
  std::uint32_t days_before(Nanoseconds time) const;
  // Where he mostly is: the place with the most log-ins, consumer networks before all others. Null: none is known.
  const SourcePlace* home() const;
};

struct GatewayHistory {
  std::uint64_t logins = 0;
  std::uint64_t with_client = 0;             // of them saying what the client is
  std::vector<ClientWords> clients;          // different ones, at most kMostGatewayClients, in order of appearance
  std::vector<std::vector<Event>> failures;  // lines of failed log-ins of a known name, the newest kMostFailures
};

// Not thread-safe.
class History {
 public:
  static constexpr std::size_t kMostUsers = 8192;
  static constexpr std::size_t kMostLines = 16;
  static constexpr std::size_t kMostEndLines = 4;
  static constexpr std::size_t kMostClients = 64;
  static constexpr std::size_t kMostDays = 400;
  static constexpr std::size_t kMostPlaces = 64;
  static constexpr std::size_t kMostPrefixes = 512;
  static constexpr std::size_t kMostMoments = 64;
  static constexpr std::size_t kMostSessions = 32;
  static constexpr std::size_t kMostGateways = 8;
  static constexpr std::size_t kMostGatewayClients = 256;
  static constexpr std::size_t kMostFailures = 16;
  static constexpr std::size_t kMostNamedGateways = 256;

  // `networks` must outlive the history.
  explicit History(const core::NetworkView& networks);

  // Enriched events in the order of time.
  void take(const Event& event);
  // No more come.
  void finish();

  // Of all dated events but observations of devices; 0 = there were none.
  Nanoseconds first() const { return first_; }
  Nanoseconds last() const { return last_; }
  // By name.
  std::vector<const UserHistory*> users() const;
  // One in how many users is here.
  std::uint64_t sampled() const { return sample_mask_ + 1; }
  const absl::flat_hash_map<Symbol, GatewayHistory>& gateways() const { return gateways_; }
  // Whether any event came from this /24 (address >> 8).
  bool seen(std::uint32_t prefix) const { return (seen_[prefix >> 6] >> (prefix & 63) & 1) != 0; }

 private:
  struct Growing {
    UserHistory user;
    std::vector<Event> nameless;  // newest lines without an address, before a log-in
    LoginTemplate pending;        // lines of the log-in that may still grow
    core::Ip source;              // of the newest session
    Nanoseconds start = 0;
    Nanoseconds last = 0;
    bool ended = false;
    std::size_t gateway = SIZE_MAX;  // in user.gateways, of the newest session
  };
  Growing* growing(Symbol user);
  void take_login_line(const Event& event);
  void take_end_line(const Event& event);
  void take_failure(const Event& event);
  void settle(Growing& user);
  bool outside(const Event& event) const;
  GatewayHistory* gateway(Symbol name);

  const core::NetworkView& networks_;
  absl::flat_hash_map<Symbol, Growing> users_;
  absl::flat_hash_map<Symbol, GatewayHistory> gateways_;
  absl::flat_hash_map<Symbol, std::vector<Event>> failing_;  // lines of the newest failed log-in, by gateway
  std::vector<std::uint64_t> seen_;
  std::uint64_t sample_mask_ = 0;
  Nanoseconds first_ = 0;
  Nanoseconds last_ = 0;
};

}  // namespace orbwatch::evaluate
