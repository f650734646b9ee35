// What a backtest puts into a history: covert log-ins of several tiers, and sprays of several cadences, as the events
// that the organisation's own gateways would write about them.
//
// A covert log-in copies the lines of a real one of the same user at the same gateway and changes the time, the source
// address and port, the numbers of the session, how long it lasted and how much went through, and, by the tier, what
// the client says of itself. Fields that the gateway leaves empty stay empty.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "evaluate/exit_nodes.h"
#include "evaluate/history.h"

namespace orbwatch::evaluate {

enum class Hours : std::uint8_t {
  kVictim,    // when the victim logs in himself: hour and day of the week of his own log-ins, 20 minutes about
  kOperator,  // Monday to Friday, 01:00 to 10:00 UTC: office hours in UTC+8
};
enum class Cadence : std::uint8_t {
  kOneADay,  // one attempt per account and day, from kSprayNodes nodes
  kTenADay,  // ten, from as many
  kBurst,    // three attempts per account within an hour, from kBurstNodes
};
constexpr int kCadences = 3;
std::string_view name(Cadence cadence);   // "one-a-day", ...
std::string_view label(Cadence cadence);  // for people

enum class ClientChoice : std::uint8_t { kOther, kCopied, kUnlogged };
std::string_view name(ClientChoice client);  // "other", "copied", "not-logged"

constexpr int kSprayNodes = 300;
constexpr int kBurstNodes = 20;
constexpr int kSprayDays = 4;  // fewer if the time that is tested is shorter than eight days
constexpr std::size_t kMostSprayed = 2000;
constexpr std::size_t kMostVictims = 1000;  // in one run
// RecordRef::source of what was injected: no input has it.
constexpr std::uint32_t kInjectedSource = 0x7fffffff;

// A user can be a victim if before the tested time he has logged in this often, on this many days: below, a hunt knows
// too little of him to tell strange from new.
constexpr std::uint32_t kLeastLogins = 5;
constexpr std::uint32_t kLeastDays = 3;

struct InjectionOptions {
  std::uint64_t seed = 1;
  Nanoseconds from = 0;  // the time that is tested
  Nanoseconds until = 0;
  double share = 0.2;            // of the users that can be victims, in one run; at least five, at most kMostVictims
  double node_median_days = 17;  // an exit node's life is exponential with this median
  Hours hours = Hours::kVictim;
};

struct Intrusion {
  InjectionTier tier = InjectionTier::kOtherCountry;
  ClientChoice client = ClientChoice::kOther;
  Symbol user;
  Symbol gateway;
  std::uint32_t experience = 0;  // the victim's log-ins before it
  std::vector<core::Ip> nodes;   // each once
  std::vector<Nanoseconds> logins;
  Nanoseconds end = 0;  // of its last line
};

struct Spray {
  Cadence cadence = Cadence::kOneADay;
  Symbol gateway;
  std::vector<core::Ip> nodes;
  std::vector<Symbol> accounts;
  std::uint64_t attempts = 0;
  Nanoseconds first = 0;
  Nanoseconds last = 0;
};

struct Injection {
  std::vector<Intrusion> intrusions;
  std::optional<Spray> spray;
  std::vector<Event> events;  // by time, those of one moment in the order in which they were made
  // Tiers that could not be made for a victim, with the reason.
  std::map<std::pair<InjectionTier, std::string>, std::uint64_t> skipped;
  std::string no_spray;  // why there is none, if one was asked for
};

// Users that can be victims, by name; the others are counted by the reason.
std::vector<const UserHistory*> victims(const History& history, Nanoseconds from,
                                        std::map<std::string, std::uint64_t>& untestable);

// Index of an address's facts.
using FactsOf = std::function<std::uint32_t(const core::Ip&)>;

// One log-in of `user` from `node` at `time`, as lines of `like`. `client`: what the client says, where the template
// says something; null: as in the template. `length` 0: without the lines about its end.
std::vector<Event> covert_login(const LoginTemplate& like, const core::Ip& node, std::uint32_t node_facts,
                                std::string_view node_country, Nanoseconds time, const ClientWords* client,
                                const SessionShape& shape, Rng& rng);

// At most one intrusion a user, tiers in turn, spread over the tested time. Run numbers give different victims. The
// same history, options and run give the same injection.
Injection make_intrusions(const History& history, const ExitNodes& nodes, const core::NetworkView& networks,
                          const FactsOf& facts_of, std::span<const UserHistory* const> victims,
                          const InjectionOptions& options, std::uint64_t run);
Injection make_spray(const History& history, const ExitNodes& nodes, const core::NetworkView& networks,
                     const FactsOf& facts_of, std::span<const UserHistory* const> victims,
                     const InjectionOptions& options, Cadence cadence, std::uint64_t run);

}  // namespace orbwatch::evaluate
