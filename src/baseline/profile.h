// Profiles: what is normal for a user, a peer group, a gateway, a source address and the whole organisation.
//
// Every profile has a bounded size, whatever the traffic. Counts decay exponentially with a half-life of kHalfLife.
// Instead of touching all counts as time goes by, what is added grows: an observation at time t weighs 2^((t - origin)
// / half-life), and a reader divides by the weight of "now". Ratios need no correction at all.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "baseline/client.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::baseline {

using core::Ip;
using core::Nanoseconds;
using core::Symbol;

constexpr Nanoseconds kHalfLife = 30 * core::kDay;

// At most N keys with weights; when full, the lightest makes room. Key 0 is never stored.
template <typename Key, std::size_t N>
class TopWeights {
 public:
  // Weight of the key, 0 if it is not there.
  float weight(Key key) const {
    for (std::size_t i = 0; i < used_; ++i) {
      if (keys_[i] == key) return weights_[i];
    }
    return 0;
  }
  bool contains(Key key) const { return weight(key) > 0; }
  void add(Key key, float weight) {
    if (key == Key{}) return;
    std::size_t lightest = 0;
    for (std::size_t i = 0; i < used_; ++i) {
      if (keys_[i] == key) {
        weights_[i] += weight;
        return;
      }
      if (weights_[i] < weights_[lightest]) lightest = i;
    }
    if (used_ < N) {
      keys_[used_] = key;
      weights_[used_++] = weight;
    } else {
      keys_[lightest] = key;
      weights_[lightest] = weight;
    }
  }
  void remove(Key key) {
    for (std::size_t i = 0; i < used_; ++i) {
      if (keys_[i] != key) continue;
      keys_[i] = keys_[--used_];
      weights_[i] = weights_[used_];
      return;
    }
  }
  // Takes back what was added. What is left of it by rounding alone goes, too.
  void subtract(Key key, float weight) {
    for (std::size_t i = 0; i < used_; ++i) {
      if (keys_[i] != key) continue;
      const float before = weights_[i];
      weights_[i] -= weight;
      if (weights_[i] <= before / 1000) remove(key);
      return;
    }
  }
  std::size_t size() const { return used_; }
  Key key(std::size_t i) const { return keys_[i]; }
  float weight_at(std::size_t i) const { return weights_[i]; }
  // For core/archive.h: what is used, in its order (of equals the first makes room first). each_key(key) persists a
  // key.
  template <typename Archive, typename EachKey>
  void persist(Archive& a, EachKey&& each_key) {
    a.bounded(used_, static_cast<std::uint32_t>(N));
    for (std::size_t i = 0; i < used_; ++i) {
      each_key(keys_[i]);
      a(weights_[i]);
    }
  }

 private:
  std::array<Key, N> keys_{};
  std::array<float, N> weights_{};
  std::uint32_t used_ = 0;
};

// How familiar the network of a log-in is to its user, from the same neighbourhood to nothing alike.
enum class Familiarity : std::uint8_t {
  kSamePrefix,      // the /24 (IPv4) or /48 (IPv6) was used before
  kSameSystemNear,  // same provider (AS), new prefix, within kNear of a known place (or place unknown)
  kSameSystemFar,   // same provider, another place
  kNewSystemNear,   // new provider, within kNear of a known place
  kNewSystemFar,    // new provider and place, known country
  kNewCountry       // nothing of it was seen
};
constexpr std::size_t kFamiliarities = 6;
constexpr bool same_system(Familiarity level) {
  return level == Familiarity::kSameSystemNear || level == Familiarity::kSameSystemFar;
}
constexpr double kNearKilometres = 60;  // databases place a subscriber within some tens of kilometres

// Log-ins of experience: how many the user had before. Novelty is ordinary for a newcomer, and the rarer the longer
// somebody is known (as the chance of a new species falls with the size of the sample: Good, Biometrika 40, 1953).
constexpr std::size_t kExperienceBins = 7;  // none, 1-2, 3-5, 6-10, 11-20, 21-40, 41 and more
inline std::size_t experience_bin(double logins) {
  constexpr std::array<double, kExperienceBins - 1> kBelow = {0.5, 2.5, 5.5, 10.5, 20.5, 40.5};
  std::size_t bin = 0;
  while (bin < kBelow.size() && logins >= kBelow[bin]) ++bin;
  return bin;
}

using Levels = std::array<float, kFamiliarities>;

// What is new for a user stays on probation for this long: it neither becomes part of what is normal for him, nor does
// it weigh less when he comes back. Otherwise the second visit of an intruder whose first was not alarming would look
// known.
constexpr Nanoseconds kProbation = 7 * core::kDay;
constexpr Nanoseconds kLongestProbation = 3 * kProbation;  // of what was seen on one day only
// The first log-ins of a user are all there is to know of him: learned at once.
constexpr std::uint32_t kLearnedAtOnce = 3;

// What the user did while a network new to him was on probation, as bits: came from it again (from its provider, if
// that was new too); logged in from a network that he is known for, of another provider than this one if it is his own;
// showed up in a further new network.
enum FollowUp : std::uint8_t { kAgain = 1, kCarriedOn = 2, kElsewhere = 4 };
constexpr std::size_t kFollowUps = 8;
// New networks of a known provider and of one that is new to the user are told apart in what follows them.
constexpr std::size_t kNovelties = 2;

// How far the address stands from the user's nearest known prefix in address space, by shared leading bits. A provider
// that gives a line a new address takes it from the same pool for the most part (Padmanabhan et al., "Reasons Dynamic
// Addresses Change", IMC 2016); another customer's line stands anywhere.
enum class Distance : std::uint8_t { kPool, kBlock, kRegion, kFarther };  // IPv4 /20, /16, /12; IPv6 /44, /40, /32
constexpr std::size_t kDistances = 4;
// Where lines get another address of the same prefix more rarely than this, one is news.
constexpr double kKeepsAddress = 0.1;
Distance distance(std::uint64_t prefix_key_a, std::uint64_t prefix_key_b);

// A place on a grid of a tenth of a degree, packed; 0 = unknown.
std::uint32_t pack_place(float latitude, float longitude);
void unpack_place(std::uint32_t place, double& latitude, double& longitude);
double kilometres(double latitude_a, double longitude_a, double latitude_b, double longitude_b);

// Networks whose addresses say little about where the person is.
constexpr bool roams(core::NetworkType type) {
  return type == core::NetworkType::kMobile || type == core::NetworkType::kCgnat || type == core::NetworkType::kVpn ||
         type == core::NetworkType::kSatellite || type == core::NetworkType::kTor;
}

// The time between a log-in at home and one far away, in units of the time that an ordinary journey takes from door to
// door: below a half, up to one, up to two, up to four, more.
constexpr std::size_t kJourneyBins = 5;
double journey_hours(double kilometres);
std::size_t journey_bin(Nanoseconds between, double kilometres);

// The time between two log-ins at home that follow each other, in units of the user's usual break (usual_break()):
// below a half, up to one, up to two, up to four, more.
constexpr std::size_t kBreakBins = 5;
std::size_t break_bin(double hours, double usual);

std::uint64_t prefix_key(const Ip& ip);   // of Prefix::neighbourhood
std::uint64_t address_key(const Ip& ip);  // of the line: an IPv4 address, an IPv6 /64; never equal to a prefix_key

// Service and authentication method together; 0 if the record names no method. Keys of one service have the same
// method_service().
constexpr std::uint16_t method_key(std::uint8_t service, std::uint8_t method) {
  return method == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>((service + 1) << 8 | method);
}
constexpr std::uint16_t method_service(std::uint16_t key) { return static_cast<std::uint16_t>(key >> 8); }

std::size_t hour_of_week(Nanoseconds time);  // 0 = Monday 0:00 UTC
std::size_t day_hour(Nanoseconds time);      // 0-23 weekday, 24-47 weekend

// What a remote-access session was like, as its end tells: length, bytes in both directions, the share of them that the
// client sent.
constexpr std::size_t kLengthBins = 9;  // below 2, 5, 15, 30 minutes, 1, 2, 4, 8 hours; more
constexpr std::size_t kVolumeBins = 6;  // below 100 kB, 1, 10, 100 MB, 1 GB; more
constexpr std::size_t kUploadBins = 6;  // below 5, 15, 35, 65, 90 %; more
struct SessionShape {
  Nanoseconds length = 0;          // 0 = not told
  std::uint64_t source_bytes = 0;  // sent by the client
  std::uint64_t destination_bytes = 0;

  bool has_volume() const { return source_bytes != 0 || destination_bytes != 0; }
  std::size_t length_bin() const;
  std::size_t volume_bin() const;
  std::size_t upload_bin() const;
};
struct SessionShapes {
  std::array<float, kLengthBins> lengths{};
  std::array<float, kVolumeBins> volumes{};
  std::array<float, kUploadBins> uploads{};
  void add(const SessionShape& shape, float weight);
};

struct UserProfile {
  Nanoseconds first_seen = 0;
  Nanoseconds last_seen = 0;
  float logins = 0;  // decayed weight of all log-ins learned
  std::uint32_t count = 0;
  TopWeights<std::uint64_t, 24> prefixes;
  TopWeights<std::uint64_t, 16> addresses;  // address_key
  // Of log-ins from known prefixes: from a known address, and from a new one.
  float address_kept = 0;
  float readdressed = 0;
  TopWeights<std::uint32_t, 10> systems;  // AS numbers
  TopWeights<std::uint32_t, 10> moves;    // AS numbers: log-ins from a new prefix of a system known before
  TopWeights<std::uint32_t, 10> places;
  TopWeights<std::uint16_t, 8> countries;
  std::array<float, core::kNetworkTypes> types{};
  TopWeights<Client, 12> clients;
  std::array<float, kClientChanges> client_changes{};  // how the clients learned differed from those known by then
  TopWeights<std::uint16_t, 6> methods;                // method_key: how the user proves who he is
  TopWeights<std::uint32_t, 12> marks;                 // baseline/marks.h
  std::array<float, 48> hours{};                       // weekday hours 0-23, weekend hours 24-47, UTC
  Levels familiarity{};  // how its log-ins were, newcomer's and those of networks on probation excepted
  // What is on probation, since when (0 = free). Full rings forget the oldest, which is then new again.
  struct RecentNetwork {
    std::uint64_t prefix = 0;
    std::uint64_t address = 0;  // address_key if only the address is new, in a known prefix; else 0
    std::uint64_t first = 0;    // address_key with which it came up
    Nanoseconds since = 0;
    std::uint32_t system = 0;
    Familiarity level = Familiarity::kNewCountry;  // at first sight
    bool left = false;           // the user was seen on an older line of the same provider, or at home, since
    bool alarmed = false;        // in quarantine: no return makes it known, but leaving it is still told
    std::uint8_t follow_up = 0;  // FollowUp
    std::uint32_t place = 0;     // 0 where it says nothing
    std::uint16_t visits = 1;    // days on which the user came from it, at most kMostVisits
    std::uint16_t last_day = 0;  // the last of them, since 1970
    static constexpr std::uint16_t kMostVisits = 100;
    // It is the user's as far as can be said: it came up a while ago, and he has been back. Who comes once a week has
    // not shown that he belongs there when the first week is over.
    bool passed(Nanoseconds now) const { return visits >= 2 && now - since >= kProbation; }
    bool on_probation(Nanoseconds now) const {
      return !passed(now) && now - since < (visits >= 2 ? kProbation : kLongestProbation);
    }
    std::uint64_t key() const { return address != 0 ? address : prefix; }
  };
  std::array<RecentNetwork, 6> recent_networks{};
  struct RecentClient {
    Client client;
    Nanoseconds since = 0;
  };
  std::array<RecentClient, 3> recent_clients{};
  // The last log-in with a known place; one without does not make it forgotten.
  Nanoseconds last_login = 0;
  Ip last_ip;
  std::uint32_t last_place = 0;
  std::uint32_t last_system = 0;
  core::NetworkType last_type = core::NetworkType::kUnknown;
  // The last log-in from a network that is known, near, and tells the place.
  Nanoseconds home_login = 0;
  Ip home_ip;
  std::uint32_t home_place = 0;
  // Of the breaks between log-ins at home with no journey in them: sum of hours and of their squares, decayed.
  float break_hours = 0;
  float break_squares = 0;
  SessionShapes sessions;  // from networks that are his
  // Sessions believed open.
  struct OpenSession {
    std::uint32_t system = 0;
    Nanoseconds start = 0;
    Ip ip;
  };
  std::array<OpenSession, 4> open{};
  // The last failed attempt from a source that nobody had used before.
  Nanoseconds stranger_failure = 0;
  Ip stranger_ip;
};

// What else is strange about a log-in from a network new to the user.
struct Strangeness {
  std::size_t roams = 0;  // index of Circumstances
  bool travels = false;   // the place of the log-in before is known, and this one's
  bool impossible_travel = false;
  double kilometres = 0;  // from the log-in before
  double hours = 0;
  const UserProfile::OpenSession* open = nullptr;  // a session from elsewhere
  bool tried = false;                              // UserProfile::stranger_failure was within kTriedLately
  // It goes on with a session that was opened from elsewhere, without a log-in of its own: of where that was and
  // whether the user is known to come from there.
  bool resumed = false;
  bool resumed_from_known = false;
  Ip resumed_from;
  int guessed = 0;  // accounts that the address failed on (SourceProfile::failed_users) before its first success
};
constexpr Nanoseconds kTriedLately = 3 * core::kDay;

// How long the break is, in hours, into which a moment falls that has nothing to do with the user: the mean of the
// breaks weighed by their own length. Some 30 hours while nothing is known.
double usual_break(const UserProfile& user, double unit);

// How often ordinary log-ins from networks new to their user look strange in other ways, too. Counted among these
// alone: what comes with every journey is no further sign of an intruder beside the journey itself. Index: whether
// addresses of the network say little of the place (roams()).
struct Circumstances {
  std::array<float, 2> logins{};
  std::array<float, 2> travels{};  // of them: the place of the log-in before is known, too
  std::array<float, 2> impossible_travels{};
  std::array<float, 2> concurrent{};  // while a session from elsewhere was open
  std::array<float, 2> tried{};       // soon after a stranger had failed on the account
  std::array<float, 2> guessed{};     // from an address that had only failed so far, on other accounts
  std::array<float, 2> resumed{};     // going on with a session that was opened from a network known to be the user's
};

struct GroupProfile {  // a peer group, a gateway, or all
  float logins = 0;
  std::array<Levels, kExperienceBins> familiarity{};
  std::array<float, core::kNetworkTypes> types{};
  std::array<float, core::kNetworkTypes> new_types{};  // of log-ins through a provider new to the user
  // Log-ins from an address new to the user: where a stranger to him had logged in lately, and all.
  float shared = 0;
  float unshared = 0;
  std::array<float, 168> hours{};  // hour of the week, UTC, Monday first
  std::array<float, 48> day_hours{};
  TopWeights<std::uint16_t, 24> methods;
  std::array<float, kClientChanges> client_changes{};  // of log-ins (newcomers excepted)
  // Of log-ins from a network new to the user: what followed, by FollowUp bits.
  std::array<std::array<float, kFollowUps>, kNovelties> follow_ups{};
  std::array<float, kJourneyBins> journeys{};  // out and back, where the network away was new
  // Breaks between log-ins at home, by break_bin: by hours where the user stayed, by number where a network far away
  // and new to him came up within.
  std::array<float, kBreakBins> breaks_home{};
  std::array<float, kBreakBins> breaks_away{};
  // Sessions: from users' own networks, and from networks that were new to the user (alarms excepted).
  SessionShapes sessions;
  SessionShapes new_sessions;
  // Circumstances of log-ins from networks new to the user, by what was new (of kSamePrefix: the address).
  std::array<Circumstances, kFamiliarities> circumstances{};
};

// A provider (AS) as its customers here show it.
struct SystemProfile {
  Symbol name;
  float logins = 0;
  // Of users who had used it before: log-ins from a known prefix, and from a new one.
  float stayed = 0;
  float moved = 0;
  float returned = 0;  // of the moved: the user was back on his older line afterwards
  // Of log-ins from a known prefix: from a known address, from a new one; of these: he was back on the older one.
  float address_kept = 0;
  float readdressed = 0;
  float address_returned = 0;
  std::array<float, kDistances> own{};     // of the moved: distance from the user's own prefixes
  std::array<float, kDistances> others{};  // distance of a log-in from another customer's prefixes
  std::array<Symbol, 4> customers{};       // some users who used it lately
  std::uint32_t next_customer = 0;
};

struct SourceProfile {
  Nanoseconds first_seen = 0;
  Nanoseconds last_seen = 0;
  std::uint32_t successes = 0;
  std::uint32_t failures = 0;
  std::uint32_t denied = 0;
  std::array<std::uint32_t, 3> users{};         // symbol ids of the first users that logged in from here
  std::array<std::uint32_t, 3> failed_users{};  // and of the first that failed
  std::uint32_t stranger_hour = 0;  // hours since the epoch when StrangerFailures::sources last counted it, 0 = never
  std::uint16_t soho_port = 0;      // the strongest trait of a small device seen at this address: its port
  std::uint16_t soho_day = 0;       // days since the epoch, if a scan showed it; 0: seen in the traffic
  std::uint8_t soho_weight = 0;     // 0 none, 1 weak, 2 medium, 3 strong (intel::SohoWeight + 1)
  std::uint8_t soho_banner = 0;     // if it is no port: its number in intel::soho_banners(), from 1; 0 = not known
  // Distinct users, exact up to the size of the arrays; the value behind it means "more".
  std::uint8_t user_count = 0;
  std::uint8_t failed_user_count = 0;

  bool has_user(Symbol user) const {
    for (const auto id : users) {
      if (id == user.id()) return true;
    }
    return false;
  }
  // Whether StrangerFailures::sources has it within its window.
  bool counted_as_stranger(Nanoseconds now) const;
};

// Failures by sources that nobody knows and that try little: the raw material of a distributed spray.
struct StrangerFailures {
  static constexpr std::size_t kHours = 24;
  // A source counts once within the window, however often it comes back on later days.
  std::array<std::uint32_t, kHours> failures{};
  std::array<std::uint32_t, kHours> sources{};
  std::array<std::uint32_t, kHours> consumer{};  // of the sources, in consumer networks
  std::int64_t hour = 0;                         // hours since the epoch of the newest bucket
  // Finished days, in a ring: failures, sources, of these in consumer networks; and those of the day that runs.
  static constexpr std::size_t kDays = 28;
  std::array<std::uint32_t, kDays> days{};
  std::array<std::uint32_t, kDays> source_days{};
  std::array<std::uint32_t, kDays> consumer_days{};
  std::uint32_t day_count = 0;
  std::uint32_t source_day_count = 0;  // of source_days and consumer_days
  std::int64_t day = 0;
  std::uint32_t today = 0;
  std::uint32_t today_sources = 0;
  std::uint32_t today_consumer = 0;
  // Accounts tried by strangers, each once a day, on the last days (index: day modulo size).
  static constexpr std::size_t kAccountDays = 4;
  std::array<std::uint32_t, kAccountDays> accounts{};
  std::int64_t account_day = 0;

  std::uint32_t failures_24h() const;
  std::uint32_t sources_24h() const;
  std::uint32_t consumer_24h() const;
  void close_day();
  // Ends the day that is being counted; days up to `next_day` (since 1970) are unknown, not quiet.
  void skip_to(std::int64_t next_day);
  double ordinary_day() const;  // median of the finished days; 3 without history
  // What a day has ordinarily: a negative binomial count of this mean and dispersion k (variance mean + mean^2 / k). By
  // median and quartiles of the finished days, so that the days of a spray do not make the next one ordinary; with few
  // of them wide.
  struct Ordinary {
    double mean;
    double dispersion;
  };
  Ordinary ordinary_sources() const;
  Ordinary ordinary_consumer() const;
  void add_account(std::int64_t on_day);
  // Sum over the last kAccountDays days up to `on_day`: an upper bound of the accounts tried in them.
  std::uint32_t accounts_until(std::int64_t on_day) const;
};

inline bool SourceProfile::counted_as_stranger(Nanoseconds now) const {
  return stranger_hour != 0 && now / core::kHour < static_cast<std::int64_t>(stranger_hour + StrangerFailures::kHours);
}

}  // namespace orbwatch::baseline
