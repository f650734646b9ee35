// Hypothesis 1: a log-in from a network that is new for this user, above all consumer broadband, even in the same town.
//
// Three pieces of evidence, each a log-likelihood ratio (docs/detectors/new-network.md):
//  - how familiar the network is to the user (baseline::Familiarity), against how often this user, the peer group and
//  everybody
//    log in from places that unfamiliar, given the user's experience;
//  - or, of an account that was never seen, how seldom accounts begin here;
//  - what type of network it is, against the types that this user comes from;
//  - several users behind one address that nobody knew: an exit node that serves several stolen accounts;
//  - a second session while another one of the same user is open elsewhere.
#include <fmt/format.h>

#include <array>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using baseline::View;
using core::NetworkType;
using event::Class;
using event::Event;

// Where an operator's exit node stands as seen from the victim: near him, elsewhere in a country that he comes from, or
// abroad. The advisory: "geographically co-located with the target"; the shares are a model, not a measurement. They
// say how the alert budget is spent, and are no parts of one whole: an intruder from abroad is expected to be found in
// nearly every case.
constexpr double kExitNear = 0.32;
constexpr double kExitFar = 0.49;
constexpr double kExitAbroad = 0.22;
// The share of the staff at the user's providers is that of his surroundings; elsewhere others are common.
constexpr double kSameFar = 0.5;
constexpr double kChosenProvider = 0.2;
// In the very prefix of the victim, and of these on his own line: a router of his that was hijacked.
constexpr double kExitBeside = 0.004;
constexpr double kSameLine = 0.05;

// The chance that a session from elsewhere is open at a log-in from a network new to the user, before any data: where
// addresses tell the place, and on phones; and for an intruder, who comes when he likes.
constexpr double kOrdinaryConcurrent[2] = {0.04, 0.15};
constexpr double kCovertConcurrent = 0.25;
constexpr double kStrength = 20;
// Of log-ins from networks new to the user: that they go on with a session which was opened at home. He takes the
// telephone and leaves; an intruder would have to have stolen the session's cookie (as with CVE-2023-4966), which
// seldom comes through a covert network.
constexpr double kOrdinaryResumed[2] = {0.02, 0.1};
constexpr double kCovertResumed = 0.003;
constexpr double kWorthSaying = 0.05;  // that it is a log-in of its own, where sessions seldom go on

constexpr double kMostSeldom = 2;

// Log-ins a day of the account for which the prior holds (score/combine.h), and how many log-ins it weighs.
constexpr double kUsualRate = 0.5;
constexpr double kRateStrength = 2;
constexpr double kMostRate = 2.5;
// People's journeys come partly by the day, partly by the log-in: what is forecast of a log-in tells heavy users from
// seldom ones already, by half of what there is to tell.
constexpr double kByTheDay = 0.5;

// New starters come in waves, and who reads the logs of a new system sees everybody for the first time.
constexpr double kLeastFirst = -1;
constexpr double kMostFirst = 4;

// Network types of exit nodes: hijacked consumer devices first, then rented servers (domain facts: Raptor Train, Quad7,
// SPACEHOP).
constexpr double attack_type(NetworkType type) {
  switch (type) {
    case NetworkType::kConsumer: return 0.62;
    case NetworkType::kHosting: return 0.10;
    case NetworkType::kBusiness: return 0.08;
    case NetworkType::kUnknown: return 0.08;
    case NetworkType::kMobile: return 0.03;
    case NetworkType::kVpn: return 0.03;
    case NetworkType::kTor: return 0.01;
    case NetworkType::kEducation: return 0.02;
    case NetworkType::kSatellite: return 0.01;
    case NetworkType::kGovernment: return 0.01;
    case NetworkType::kCgnat: return 0.005;
    case NetworkType::kInternal: return 0.005;
  }
  return 0.01;
}

// Network types of what is new for ordinary people before any data is seen: phones, hotels, customers, friends' homes.
constexpr double ordinary_type(NetworkType type) {
  switch (type) {
    case NetworkType::kConsumer: return 0.42;
    case NetworkType::kMobile: return 0.20;
    case NetworkType::kBusiness: return 0.12;
    case NetworkType::kUnknown: return 0.12;
    case NetworkType::kHosting: return 0.04;
    case NetworkType::kVpn: return 0.04;
    case NetworkType::kEducation: return 0.02;
    case NetworkType::kCgnat: return 0.02;
    case NetworkType::kSatellite: return 0.01;
    default: return 0.005;
  }
}

constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "new-network",
    "Inbound VPN or remote access from consumer broadband or another network that this user never used",
    "T1090.003,T1584.008",
    "a changed provider, a new home or office, a first log-in from a phone, travel",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

std::string place_text(const View& v, const Event& e) {
  const auto city = v.networks->city(e.source_facts);
  const auto country = core::unpack_country(v.source->country);
  if (city.empty() && country.view().empty()) return "an unknown place";
  if (city.empty()) return std::string(country.view());
  return fmt::format("{}, {}", city, country.view());
}

std::string system_text(const View& v, const Event& e) {
  if (v.source->asn == 0) return "an unannounced network";
  return fmt::format("{} (AS{})", v.networks->as_name(e.source_facts), v.source->asn);
}

class NewNetwork final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.networks->is_allowed(e.source_facts)) return;
    familiarity(e, v, sink);
    type(v, sink);
    shared(v, sink);
    concurrent(e, v, sink);
    resumed(e, v, sink);
    kept(e, v, sink);
  }

 private:
  // A line that got a new address has lost the old one. If the user is back on the old one, this was another line.
  static void kept(const Event& e, const View& v, EvidenceSink& sink) {
    if (!v.line_kept) return;
    Evidence out{
        "line-kept", kInfo.name, Group::kLine, FindingKind::kLogin, std::clamp(log_ratio(0.8, v.returned), 0.0, 4.0),
        {}};
    if (sink.wants_text()) {
      out.says =
          fmt::format("no new address of {}'s own line: {} is in use again {:.1f} hours later", e.user.text(),
                      v.back_ip.text(), static_cast<double>(v.back_at - e.time) / static_cast<double>(core::kHour));
    }
    sink.add(std::move(out));
  }

  // Without a table of networks whatever is new is as new as can be, an exit node near the user as well.
  static bool nothing_told(const View& v) {
    return v.source->asn == 0 && v.source->country == 0 && v.user->systems.size() == 0 && v.user->countries.size() == 0;
  }

  static void familiarity(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.user == nullptr) {
      first_login(e, v, sink);
      return;
    }
    const double ordinary = v.chances[static_cast<std::size_t>(v.familiarity)];
    // The chance that an exit node shares the user's provider: the provider's share of the staff. Near him it is more,
    // for some operators choose the provider as well as the town.
    const double same = std::clamp(v.known_systems_share, 0.2, 0.6);
    const double same_near = kChosenProvider + (1 - kChosenProvider) * same;
    const double distance = std::clamp(log_ratio(v.distance_others, v.distance_own), -2.5, 2.5);
    double llr = 0;
    switch (v.familiarity) {
      case Familiarity::kSamePrefix:
        llr = v.neighbour ? log_ratio(kExitBeside, ordinary * v.readdressed)
                          : log_ratio(kExitBeside * kSameLine, ordinary * (1 - v.readdressed));
        llr += seldom(*v.user, e);
        break;
      case Familiarity::kSameSystemNear: llr = log_ratio(kExitNear * same_near, ordinary) + distance; break;
      case Familiarity::kSameSystemFar: llr = log_ratio(kExitFar * kSameFar * same, ordinary) + distance; break;
      case Familiarity::kNewSystemNear: llr = log_ratio(kExitNear * (1 - same_near), ordinary); break;
      case Familiarity::kNewSystemFar: llr = log_ratio(kExitFar * (1 - same), ordinary); break;
      case Familiarity::kNewCountry: llr = log_ratio(nothing_told(v) ? 1.0 : kExitAbroad, ordinary); break;
    }
    llr += kByTheDay * account_use(*v.user, v);
    // A provider that the staff use is a likelier new home than one that nobody here ever used.
    if (v.familiarity >= Familiarity::kNewSystemNear && v.source->asn != 0) {
      const double world = v.networks->as_share_in_country(v.source->asn, v.source->country) + 1e-6;
      const double staff = std::max(v.system_share, 0.0);
      llr += std::clamp(log_ratio(0.5 * staff + 0.5 * world, 0.85 * staff + 0.15 * world), -1.0, 1.5);
    }
    Evidence out{"new-network", kInfo.name, Group::kPlace, FindingKind::kLogin, llr, {}};
    if (sink.wants_text()) {
      out.says = sentence(e, v);
      if (v.network_since != 0)
        out.says += fmt::format("; it first appeared {:.0f} hours before",
                                static_cast<double>(e.time - v.network_since) / static_cast<double>(core::kHour));
    }
    sink.add(std::move(out));
  }

  // Whoever has stolen an account uses it as often as he likes, whether or not its owner logs in daily: of the log-ins
  // of a seldom used account the larger part would be his.
  static double account_use(const baseline::UserProfile& user, const View& v) {
    const double half_life = static_cast<double>(baseline::kHalfLife) / static_cast<double>(core::kDay);
    const double age =
        static_cast<double>(std::max<core::Nanoseconds>(0, v.now - user.first_seen)) / static_cast<double>(core::kDay);
    // As many days as his log-ins are weighed for.
    const double days = half_life / std::log(2.0) * (1 - std::exp2(-age / half_life));
    const double rate = (user.logins / v.unit + kRateStrength) / (days + kRateStrength / kUsualRate);
    return std::clamp(log_ratio(kUsualRate, rate), -kMostRate, kMostRate);
  }

  // A node beside the user may stand in any of his prefixes, he himself comes from some of them more often than from
  // others.
  static double seldom(const baseline::UserProfile& user, const Event& e) {
    const double here = user.prefixes.weight(baseline::prefix_key(e.source_ip));
    double all = 0;
    for (std::size_t i = 0; i < user.prefixes.size(); ++i) all += user.prefixes.weight_at(i);
    if (here <= 0 || all <= here) return 0;
    return std::clamp(log_ratio(1.0 / static_cast<double>(user.prefixes.size()), here / all), -kMostSeldom,
                      kMostSeldom);
  }

  // An account that nobody used as long as the logs reach is used for the first time. Its network is new by definition;
  // what speaks is that people begin seldom, while an intruder has any account.
  static void first_login(const Event& e, const View& v, EvidenceSink& sink) {
    const double llr = log_ratio(v.unseen_accounts, v.first_login);
    Evidence out{
        "first-log-in", kInfo.name, Group::kPlace, FindingKind::kLogin, std::clamp(llr, kLeastFirst, kMostFirst), {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "first log-in ever seen of {}, through {} from {}; {:.2f} % of log-ins here are the first "
          "of their account",
          e.user.text(), system_text(v, e), place_text(v, e), 100 * v.first_login);
    }
    sink.add(std::move(out));
  }

  static std::string sentence(const Event& e, const View& v) {
    const std::string_view user = e.user.text();
    switch (v.familiarity) {
      case Familiarity::kSamePrefix:
        if (v.neighbour)
          return fmt::format(
              "{} logged in from this prefix before, but never from {}; lines here get another address "
              "in {:.1f} % of log-ins",
              user, e.source_ip.text(), 100 * v.readdressed);
        return fmt::format("{} logged in from this address before", user);
      case Familiarity::kSameSystemNear:
        return fmt::format("{}; this one is through {}, too, but from a prefix that {} never used", history(e, v),
                           system_text(v, e), user);
      case Familiarity::kSameSystemFar:
        return fmt::format("{}; this one is through {}, too, but from {}, where {} never was", history(e, v),
                           system_text(v, e), place_text(v, e), user);
      case Familiarity::kNewSystemNear:
        return fmt::format("{}; this one is through {}, though in the usual area ({}); {}", history(e, v),
                           system_text(v, e), place_text(v, e), others(v));
      case Familiarity::kNewSystemFar:
        return fmt::format("{}; this one is through {} and from {}; {}", history(e, v), system_text(v, e),
                           place_text(v, e), others(v));
      case Familiarity::kNewCountry:
        return fmt::format("{}; this one is from {}, through {}; {}", history(e, v), place_text(v, e),
                           system_text(v, e), others(v));
    }
    return {};
  }

  // What the user does otherwise: "alice: 212 log-ins since 2026-03-03, 98 % of them through A and B".
  static std::string history(const Event& e, const View& v) {
    std::string out = fmt::format("{}: {} log-in{} since {}", e.user.text(), v.user->count,
                                  v.user->count == 1 ? "" : "s", core::date_text(v.user->first_seen));
    double share = 0;
    std::string names;
    for (const View::Usual& usual : v.usual) {
      if (usual.asn == 0 || usual.share <= 0) continue;
      share += usual.share;
      names += names.empty() ? "" : " and ";
      names += usual.name.present() ? std::string(usual.name.text()) : fmt::format("AS{}", usual.asn);
    }
    if (names.empty()) return out;
    return out + (share > 0.995 ? fmt::format(", all through {}", names)
                                : fmt::format(", {:.0f} % of them through {}", 100 * share, names));
  }

  // Who else comes through this provider.
  static std::string others(const View& v) {
    if (v.system_share <= 0) return fmt::format("none of {} users here ever came through it", v.users);
    return fmt::format("{:.2g} % of log-ins here come through it", 100 * v.system_share);
  }

  // What kind of network it is, given that it is new: novelty itself was weighed above.
  static void type(const View& v, EvidenceSink& sink) {
    const auto index = static_cast<std::size_t>(v.source->type);
    if (index >= core::kNetworkTypes) return;
    if (v.user != nullptr && v.familiarity < Familiarity::kNewSystemNear) return;
    // Of a user who was never seen nothing is known to be new: all log-ins are compared with.
    const auto types = v.user != nullptr ? &baseline::GroupProfile::new_types : &baseline::GroupProfile::types;
    const double p = probability<core::kNetworkTypes>(index, nullptr, v.group != nullptr ? &(v.group->*types) : nullptr,
                                                      v.everyone->*types, ordinary_type(v.source->type), v.unit);
    Evidence out{"network-type",
                 kInfo.name,
                 Group::kSource,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(attack_type(v.source->type), p), -3.0, 3.0),
                 {}};
    if (sink.wants_text()) {
      out.says = v.user != nullptr
                     ? fmt::format("the source is {}; so are {:.0f} % of the networks that are new for somebody here",
                                   core::label(v.source->type), 100 * p)
                     : fmt::format("the source is {}; colleagues come from such networks in {:.1f} % of log-ins",
                                   core::label(v.source->type), 100 * p);
    }
    sink.add(std::move(out));
  }

  static void shared(const View& v, EvidenceSink& sink) {
    if (v.source->type == NetworkType::kMobile || v.source->type == NetworkType::kCgnat ||
        v.source->type == NetworkType::kBusiness)
      return;
    if (!v.shared_lately) return;  // nobody, or long known, or known to many: an office
    // A family, a hotel, a meeting at somebody's home: as rare here as it is counted.
    const double seen = (v.everyone->shared + v.everyone->unshared) / v.unit;
    const double ordinary = back_off(v.everyone->shared / v.unit, seen, 0.02, 50);
    Evidence out{"shared-source",
                 kInfo.name,
                 Group::kSource,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(0.15, ordinary), 0.0, 3.0),
                 {}};
    if (sink.wants_text()) {
      const int others = v.source_profile->user_count;
      out.says = fmt::format("{} other user{} logged in from this very address since {}", others,
                             others == 1 ? "" : "s", core::rfc3339(v.source_profile->first_seen));
    }
    sink.add(std::move(out));
  }

  static void concurrent(const Event& e, const View& v, EvidenceSink& sink) {
    const baseline::UserProfile::OpenSession* open = v.strange.open;
    if (open == nullptr) return;
    // From home to phone and back happens: as often as it is counted.
    const double ordinary = among_new(v, &baseline::Circumstances::concurrent, &baseline::Circumstances::logins,
                                      kOrdinaryConcurrent[v.strange.roams], kStrength);
    Evidence out{"concurrent-session",
                 kInfo.name,
                 Group::kTime,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(kCovertConcurrent, ordinary), 0.0, 3.0),
                 {}};
    if (sink.wants_text()) {
      out.says = fmt::format("another session of {} from {} was open since {}", e.user.text(), open->ip.text(),
                             core::rfc3339(open->start));
    }
    sink.add(std::move(out));
  }

  static void resumed(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.user == nullptr || (v.familiarity == Familiarity::kSamePrefix && !v.neighbour)) return;
    const baseline::Strangeness& strange = v.strange;
    if (strange.resumed && !strange.resumed_from_known) return;  // as new as where it was opened
    const double ordinary = among_new(v, &baseline::Circumstances::resumed, &baseline::Circumstances::logins,
                                      kOrdinaryResumed[strange.roams], kStrength);
    Evidence out{
        "resumed-session",
        kInfo.name,
        Group::kTime,
        FindingKind::kLogin,
        std::clamp(strange.resumed ? log_ratio(kCovertResumed, ordinary) : log_ratio(1 - kCovertResumed, 1 - ordinary),
                   -4.0, 3.0),
        {}};
    if (!strange.resumed && out.llr < kWorthSaying) return;
    if (sink.wants_text()) {
      out.says = strange.resumed
                     ? fmt::format(
                           "goes on with the session that {} had opened from {}; so do {:.2g} % of log-ins from "
                           "such networks",
                           e.user.text(), strange.resumed_from.text(), 100 * ordinary)
                     : fmt::format(
                           "a log-in of its own, where {:.2g} % from such networks go on with a session that was "
                           "opened at home",
                           100 * ordinary);
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_new_network(const Context&) { return std::make_unique<NewNetwork>(); }

}  // namespace orbwatch::detect
