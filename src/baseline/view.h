// The read-only face of the baseline for one event: the profiles that it touches, looked up once for all detectors.
#pragma once

#include "baseline/edge_probes.h"
#include "baseline/forecast.h"
#include "baseline/marks.h"
#include "baseline/profile.h"
#include "baseline/tunnels.h"
#include "core/network_facts.h"
#include "event/event.h"

namespace orbwatch::baseline {

// Pointers are null where the event names no such thing or nothing is known of it; never dangling while the event is
// being judged (nothing is learned meanwhile).
struct View {
  Nanoseconds now = 0;
  double unit = 1;  // weight of one observation made now: divide decayed weights by it to get counts
  const core::NetworkView* networks = nullptr;  // never null
  const core::NetworkFacts* source = nullptr;   // facts of event.source_ip; never null
  const UserProfile* user = nullptr;
  const SourceProfile* source_profile = nullptr;
  const GroupProfile* group = nullptr;          // peer group of the user
  const GroupProfile* everyone = nullptr;       // never null
  const StrangerFailures* strangers = nullptr;  // never null
  const EdgeProbes* edge = nullptr;             // never null
  // Share of all log-ins that came from the source's AS, and weight of the whole; 0 where unknown.
  double system_share = 0;
  // Share of all log-ins that came from any AS that this user is known for.
  double known_systems_share = 0;
  // The user's two most used providers, for people to read: name (none: not kept), AS number, share of his log-ins that
  // are remembered. `users`: how many are known.
  struct Usual {
    Symbol name;
    std::uint32_t asn = 0;
    double share = 0;
  };
  std::array<Usual, 2> usual;
  std::size_t users = 0;
  // Of a log-in: the chance of each Familiarity for this user, before this log-in is seen (baseline/forecast.h).
  std::array<double, kFamiliarities> chances = {0.9, 0.03, 0.02, 0.025, 0.02, 0.005};
  // Of a log-in of an account that was never seen (`user` is null): the chance that an ordinary log-in is the first one
  // of its account, and the share of the accounts that still wait to be seen; both 0..1 (Accounts,
  // baseline/forecast.h).
  double first_login = 1;
  double unseen_accounts = 1;
  // How the distance from the user's prefixes is distributed for a prefix new to him of a known provider: where his own
  // line has moved, and for other customers' lines.
  double distance_own = 1;
  double distance_others = 1;
  // The prefix is known, but the user never came from this address (IPv6: /64) in it; and the chance of that where his
  // own line got a new address.
  bool neighbour = false;
  double readdressed = 0.2;
  std::uint64_t network_key = 0;  // of what is new: prefix_key, address_key of a neighbour
  // Whether another user, but not this one, logged in from the source lately, and not yet so many that it is an office.
  bool shared_lately = false;
  // The chance that a user whose line seems to have moved is seen on the older one afterwards.
  double returned = 0.25;
  // Set when the event is judged once more because the user has come back (Baseline::left): from where and when, and
  // whether it was to an older line of the same provider.
  Nanoseconds back_at = 0;
  Ip back_ip;
  std::uint32_t back_place = 0;
  bool line_kept = false;
  // Set when it is judged once more because of what the user did since (and for a network that alarmed before):
  // FollowUp bits, and whether kProbation is over, so that nothing more can follow.
  bool followed = false;
  bool follow_up_closed = false;
  std::uint8_t follow_up = 0;
  // The strangest other log-in of the user within kProbation from another network new to him: log-odds of its evidence,
  // prior left out; 0 if there is none.
  double other_login = 0;
  Nanoseconds other_login_at = 0;
  Ip other_login_ip;
  // Accounts of others that intruders seem to have within some days of this log-in, in expectation; how many log-ins of
  // anybody there were in these days; and whose is the strangest (score/intrusion_wave.h).
  double other_accounts = 0;
  double logins_then = 0;
  Symbol strangest_account;
  double strangest_probability = 0;
  // Set when it is judged once more because a session of it has ended.
  const SessionShape* session = nullptr;
  // Set when it is judged once more because of what a session of it reached inside; and what is normal for that: for
  // the user (null: nothing is known), for everybody's sessions from their own networks and from new ones.
  const Reached* reached = nullptr;
  const DestinationProfile* destinations = nullptr;
  const ReachShapes* reach_everyone = nullptr;  // of its Acquaintance; never null where `reached` is not
  const ReachShapes* reach_away = nullptr;      // likewise
  double reachable = 0;                         // destinations that anybody is known to use
  // Of a log-in from a network or address new to the user: what else is strange about it.
  Strangeness strange;
  // Share of the accounts that strangers tried within some days, 0..1.
  double accounts_tried = 0;
  Client client;
  // Share of log-ins with a known client that used this very version, or (client_change kOther) this model; 0..1.
  double client_share = 0;
  MarksSeen marks;           // of a log-in of a known user
  std::uint16_t method = 0;  // method_key of the event
  bool login = false;        // a log-in that succeeded (stitched)
  bool failed_login = false;
  bool remote = false;  // the source is outside: not private, not declared as own
  // Meaningful if login or failed_login, and user. On probation (network_since: since when, 0 = not) a network is what
  // it was at first sight; a client is not known until one of the user's own lines vouches for it.
  Familiarity familiarity = Familiarity::kNewCountry;
  Nanoseconds network_since = 0;
  ClientChange client_change = ClientChange::kOther;
};

// Of a log-in from a network of this familiarity (or, `neighbour`, from an address new to the user in a known one).
// source: of its address, null if nothing is known. Points into `user`.
// resumed: Tunnels::resumed().
Strangeness strangeness(const UserProfile& user, const SourceProfile* source, const event::Event& event,
                        const core::NetworkFacts& facts, Familiarity level, bool neighbour,
                        const Tunnel* resumed = nullptr);

}  // namespace orbwatch::baseline
