#include "evaluate/injection.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cmath>

namespace orbwatch::evaluate {
namespace {

using core::Ip;
using core::kDay;
using core::kHour;
using core::kMinute;

constexpr Nanoseconds kWeek = 7 * kDay;
constexpr Nanoseconds kAbout = 20 * kMinute;
constexpr Nanoseconds kLeastGap = 2 * kHour;
constexpr double kMeanGapDays = 2;
constexpr Nanoseconds kUsualSession = kHour;  // where no end was ever logged
constexpr double kLn2 = 0.6931471805599453;

// Streams of the random numbers.
constexpr std::uint64_t kVictimStream = 1;
constexpr std::uint64_t kIntrusionStream = 2;
constexpr std::uint64_t kSprayStream = 3;

template <typename T>
void shuffle(std::vector<T>& items, Rng& rng) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
}

Nanoseconds between(Nanoseconds low, Nanoseconds high, Rng& rng) {
  return low + static_cast<Nanoseconds>(rng.uniform() * static_cast<double>(std::max<Nanoseconds>(0, high - low)));
}

// The first moment of the operators' working time at or behind `time`, somewhere in its day.
Nanoseconds operators_time(Nanoseconds time, Rng& rng) {
  for (std::int64_t day = time / kDay;; ++day) {
    if ((day + 3) % 7 >= 5) continue;  // 1 January 1970 was a Thursday
    const Nanoseconds moment = between(day * kDay + kHour, day * kDay + 10 * kHour, rng);
    if (moment >= time) return moment;
  }
}

// The victim's own hour and day of the week, at or behind `time`: the nearest of his log-ins.
Nanoseconds victims_time(const UserHistory& user, Nanoseconds time, Rng& rng) {
  Nanoseconds best = INT64_MAX;
  for (const Nanoseconds m : user.moments) {
    Nanoseconds weeks = (time - m) / kWeek;
    Nanoseconds moment = m + weeks * kWeek;
    if (moment < time) moment += kWeek;
    best = std::min(best, moment);
  }
  if (best == INT64_MAX) best = time;
  return std::max(time, best + between(-kAbout, kAbout, rng));
}

Nanoseconds time_of(const UserHistory& user, Nanoseconds from, Hours hours, Rng& rng) {
  return hours == Hours::kOperator ? operators_time(from, rng) : victims_time(user, from, rng);
}

// The first log-in: any of his hours of the week within the tested time is as likely as he uses it. INT64_MAX: none
// lies in it.
Nanoseconds first_time(const UserHistory& user, Nanoseconds from, Nanoseconds last, Hours hours, Rng& rng) {
  if (last < from) return INT64_MAX;
  if (hours == Hours::kOperator) {
    const Nanoseconds moment = operators_time(between(from, last, rng), rng);
    return moment <= last ? moment : operators_time(from, rng);
  }
  constexpr int kTries = 16;
  for (int i = 0; i < kTries && !user.moments.empty(); ++i) {
    const Nanoseconds m = user.moments[rng.below(user.moments.size())];
    Nanoseconds moment = m + (from - m) / kWeek * kWeek;
    if (moment < from) moment += kWeek;
    if (moment > last) continue;
    moment += kWeek * static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>((last - moment) / kWeek + 1)));
    return std::clamp(moment + between(-kAbout, kAbout, rng), from, last);
  }
  return INT64_MAX;
}

// What the user's client said at a moment; of the same fields as the template has.
const ClientWords* client_at(const UserAtGateway& here, const ClientWords& like, Nanoseconds time) {
  const ClientWords* found = nullptr;
  for (const auto& [since, client] : here.clients) {
    if (since > time && found != nullptr) break;
    if (client.same_fields(like)) found = &client;
  }
  return found;
}

ClientWords words_of(const LoginTemplate& login) {
  ClientWords out;
  for (const Event& line : login.lines) out.fill(line);
  return out;
}

// Somebody else's client, with the same fields, that this user never had; the same gateway's before others'.
const ClientWords* other_client(const History& history, const UserHistory& user, Symbol gateway,
                                const ClientWords& like, Rng& rng) {
  const auto unknown_to_user = [&](const ClientWords& c) {
    return c.same_fields(like) && std::ranges::none_of(user.gateways, [&](const UserAtGateway& g) {
             return std::ranges::any_of(g.clients, [&](const auto& known) { return known.second.same_software(c); });
           });
  };
  std::vector<const ClientWords*> choice;
  const auto gather = [&](const GatewayHistory& g) {
    for (const ClientWords& c : g.clients) {
      if (unknown_to_user(c)) choice.push_back(&c);
    }
  };
  if (const auto here = history.gateways().find(gateway); here != history.gateways().end()) gather(here->second);
  if (choice.empty()) {
    for (const auto& [name, g] : history.gateways()) gather(g);
    std::ranges::sort(choice, {}, [](const ClientWords* c) {
      return std::pair(c->user_agent.text(), std::pair(c->client_os.text(), c->client_host.text()));
    });
  }
  return choice.empty() ? nullptr : choice[rng.below(choice.size())];
}

SessionShape shape_of(const UserHistory& user, Rng& rng) {
  SessionShape shape{kUsualSession, 0, 0};
  if (!user.sessions.empty()) shape = user.sessions[rng.below(user.sessions.size())];
  // Half of the intruders take more than the user does.
  if (rng.chance(0.5)) {
    const double more = 2 + 8 * rng.uniform();
    shape.source_bytes = static_cast<std::uint64_t>(static_cast<double>(shape.source_bytes) * more);
    shape.destination_bytes = static_cast<std::uint64_t>(static_cast<double>(shape.destination_bytes) * more);
  }
  return shape;
}

// Addresses and numbers of one injected log-in or attempt.
class Renaming {
 public:
  Renaming(const Ip& old, const Ip& node, std::uint32_t facts, std::string_view country, Rng& rng)
      : old_(old),
        node_(node),
        facts_(facts),
        country_(country),
        rng_(rng),
        port_(static_cast<std::uint16_t>(1024 + rng.below(64512))) {}

  void apply(Event& e) {
    if (e.source_ip == old_ && old_.present()) {
      e.source_ip = node_;
      e.source_facts = facts_;
      if (e.source_port != 0) e.source_port = port_;
      // PAN-OS writes the source's country; another firewall's free text cannot be guessed.
      if (e.region.present()) e.region = e.region.text().size() == 2 ? core::intern(country_) : Symbol();
    }
    if (e.assigned_ip == old_ && old_.present()) e.assigned_ip = node_;
    if (e.session_id != 0) {
      std::uint64_t& fresh = sessions_[e.session_id];
      if (fresh == 0) fresh = e.session_id <= UINT32_MAX ? 1 + rng_.below(UINT32_MAX) : rng_.next() | 1;
      e.session_id = fresh;
    }
    e.record = {.source = kInjectedSource};
  }

 private:
  Ip old_;
  Ip node_;
  std::uint32_t facts_;
  std::string_view country_;
  Rng& rng_;
  std::uint16_t port_;
  absl::flat_hash_map<std::uint64_t, std::uint64_t> sessions_;
};

Ip source_of(const std::vector<Event>& lines) {
  for (const Event& line : lines) {
    if (line.source_ip.present()) return line.source_ip;
  }
  return {};
}

void say(Event& e, const ClientWords& client) {
  const auto set = [](Symbol& to, Symbol from) {
    if (to.present() && from.present()) to = from;
  };
  set(e.user_agent, client.user_agent);
  set(e.client_os, client.client_os);
  set(e.client_host, client.client_host);
  set(e.fingerprint, client.fingerprint);
  set(e.banner, client.banner);
}

void in_order(std::vector<Event>& events) { std::ranges::stable_sort(events, {}, &Event::time); }

}  // namespace

std::string_view name(Cadence cadence) {
  switch (cadence) {
    case Cadence::kOneADay: return "one-a-day";
    case Cadence::kTenADay: return "ten-a-day";
    case Cadence::kBurst: return "burst";
  }
  return "";
}

std::string_view label(Cadence cadence) {
  switch (cadence) {
    case Cadence::kOneADay: return "one attempt per account and day";
    case Cadence::kTenADay: return "ten attempts per account and day";
    case Cadence::kBurst: return "three attempts per account within an hour";
  }
  return "";
}

std::string_view name(ClientChoice client) {
  switch (client) {
    case ClientChoice::kOther: return "other";
    case ClientChoice::kCopied: return "copied";
    case ClientChoice::kUnlogged: return "not-logged";
  }
  return "";
}

std::vector<const UserHistory*> victims(const History& history, Nanoseconds from,
                                        std::map<std::string, std::uint64_t>& untestable) {
  std::vector<const UserHistory*> out;
  for (const UserHistory* user : history.users()) {
    const SourcePlace* const home = user->home();
    if (user->logins_before(from) < kLeastLogins || user->days_before(from) < kLeastDays) {
      ++untestable["fewer than 5 log-ins on 3 days before the tested time"];
    } else if (user->too_many_networks) {
      ++untestable["so many networks that none is new to them"];
    } else if (2 * user->v6_logins > user->logins) {
      ++untestable["log in over IPv6, for which no exit nodes are drawn"];
    } else if (home == nullptr || home->country == 0) {
      ++untestable["the network facts know no provider or country of theirs"];
    } else if (std::ranges::none_of(user->gateways, [](const UserAtGateway& g) { return !g.templates.empty(); })) {
      ++untestable["no complete log-in to copy"];
    } else {
      out.push_back(user);
    }
  }
  return out;
}

std::vector<Event> covert_login(const LoginTemplate& like, const Ip& node, std::uint32_t node_facts,
                                std::string_view node_country, Nanoseconds time, const ClientWords* client,
                                const SessionShape& shape, Rng& rng) {
  std::vector<Event> out;
  if (like.lines.empty()) return out;
  Renaming renaming(source_of(like.lines), node, node_facts, node_country, rng);
  const Nanoseconds began = like.lines.front().time;
  for (Event e : like.lines) {
    e.time = time + (e.time - began);
    renaming.apply(e);
    if (client != nullptr) say(e, *client);
    out.push_back(e);
  }
  if (shape.length <= 0) return out;
  for (Event e : like.ends) {
    e.time = time + shape.length + (e.time - like.ends.front().time);
    renaming.apply(e);
    if (client != nullptr) say(e, *client);
    if (e.duration != 0) e.duration = shape.length;
    if (e.source_bytes != 0 && shape.source_bytes != 0) e.source_bytes = shape.source_bytes;
    if (e.destination_bytes != 0 && shape.destination_bytes != 0) e.destination_bytes = shape.destination_bytes;
    out.push_back(e);
  }
  return out;
}

Injection make_intrusions(const History& history, const ExitNodes& nodes, const core::NetworkView& networks,
                          const FactsOf& facts_of, std::span<const UserHistory* const> victims,
                          const InjectionOptions& options, std::uint64_t run) {
  Injection out;
  std::vector<const UserHistory*> chosen(victims.begin(), victims.end());
  Rng order(options.seed, {kVictimStream, run});
  shuffle(chosen, order);
  const auto wanted = static_cast<std::size_t>(std::ceil(options.share * static_cast<double>(chosen.size())));
  const std::size_t count = std::min({std::max<std::size_t>(wanted, kInjectionTiers), chosen.size(), kMostVictims});
  absl::flat_hash_set<Ip> used;
  for (std::size_t i = 0; i < chosen.size() && out.intrusions.size() < count; ++i) {
    const UserHistory& user = *chosen[i];
    Rng rng(options.seed, {kIntrusionStream, run, core::hash64(user.user.text())});
    std::uint32_t with_template = 0;
    for (const UserAtGateway& g : user.gateways) with_template += g.templates.empty() ? 0 : g.logins;
    if (with_template == 0) continue;
    std::uint64_t at = rng.below(with_template);
    const UserAtGateway* here = nullptr;
    for (const UserAtGateway& g : user.gateways) {
      if (g.templates.empty()) continue;
      here = &g;
      if (at < g.logins) break;
      at -= g.logins;
    }
    const LoginTemplate& like = here->templates[rng.below(here->templates.size())];
    const ClientWords words = words_of(like);

    const Nanoseconds last = options.until - kHour;
    Nanoseconds time = first_time(user, options.from, last, options.hours, rng);
    if (time > last) {
      ++out.skipped[{static_cast<InjectionTier>((out.intrusions.size() + run) % kInjectionTiers),
                     "no fitting hour in the tested time"}];
      continue;
    }

    // The tier whose turn it is, else the next that is possible for this user.
    Intrusion intrusion;
    const ClientWords* foreign = nullptr;
    std::optional<Ip> node;
    for (int turn = 0; turn < kInjectionTiers && !node; ++turn) {
      const auto tier =
          static_cast<InjectionTier>((out.intrusions.size() + run + static_cast<std::size_t>(turn)) % kInjectionTiers);
      const bool copies =
          tier == InjectionTier::kOwnProviderCopied || (tier != InjectionTier::kOwnProvider && rng.chance(0.5));
      intrusion.tier = tier;
      intrusion.client = !words.logged() ? ClientChoice::kUnlogged
                         : copies        ? ClientChoice::kCopied
                                         : ClientChoice::kOther;
      if (intrusion.client == ClientChoice::kOther) {
        foreign = other_client(history, user, here->gateway, words, rng);
        if (foreign == nullptr) {
          ++out.skipped[{tier, "no other client is known at the gateway"}];
          continue;
        }
      }
      node = nodes.draw(tier, user, used, rng);
      if (!node) ++out.skipped[{tier, "the network facts know no such prefix near the user"}];
    }
    if (!node) continue;

    intrusion.user = user.user;
    intrusion.gateway = here->gateway;
    intrusion.experience = user.logins_before(time);
    const double mean_life = options.node_median_days / kLn2;
    const auto life = [&] {
      return static_cast<Nanoseconds>(std::min(rng.exponential(mean_life), 10'000.0) * static_cast<double>(kDay));
    };
    Nanoseconds dies = time + life();
    const int logins = 1 + static_cast<int>(rng.below(3));
    for (int k = 0; k < logins; ++k) {
      if (k > 0) {
        const auto gap = static_cast<Nanoseconds>(rng.exponential(kMeanGapDays) * static_cast<double>(kDay));
        time = time_of(user, time + std::max(gap, kLeastGap), options.hours, rng);
        if (time > last) break;
        if (time > dies) {
          // Another node of the same network; if there is none, the intruder does not come back.
          const std::optional<Ip> next = nodes.draw(intrusion.tier, user, used, rng);
          if (!next) break;
          node = next;
          dies = time + life();
        }
      }
      used.insert(*node);
      if (std::ranges::find(intrusion.nodes, *node) == intrusion.nodes.end()) intrusion.nodes.push_back(*node);
      intrusion.logins.push_back(time);
      SessionShape shape = shape_of(user, rng);
      if (time + shape.length > options.until) shape.length = 0;
      const ClientWords* client = intrusion.client == ClientChoice::kOther    ? foreign
                                  : intrusion.client == ClientChoice::kCopied ? client_at(*here, words, time)
                                                                              : nullptr;
      const std::uint32_t facts = facts_of(*node);
      const auto lines = covert_login(like, *node, facts, core::unpack_country(networks.facts(facts).country).view(),
                                      time, client, shape, rng);
      for (const Event& line : lines) intrusion.end = std::max(intrusion.end, line.time);
      out.events.insert(out.events.end(), lines.begin(), lines.end());
    }
    out.intrusions.push_back(std::move(intrusion));
  }
  in_order(out.events);
  return out;
}

Injection make_spray(const History& history, const ExitNodes& nodes, const core::NetworkView& networks,
                     const FactsOf& facts_of, std::span<const UserHistory* const> victims,
                     const InjectionOptions& options, Cadence cadence, std::uint64_t run) {
  Injection out;
  Rng rng(options.seed, {kSprayStream, static_cast<std::uint64_t>(cadence), run});
  std::vector<std::pair<Symbol, const GatewayHistory*>> gateways;
  std::uint64_t logins = 0;
  for (const auto& [gateway, h] : history.gateways()) {
    if (h.failures.empty() || h.logins == 0) continue;
    gateways.emplace_back(gateway, &h);
    logins += h.logins;
  }
  if (gateways.empty() || victims.empty()) {
    out.no_spray = "no gateway has logged a failed log-in of a known user";
    return out;
  }
  std::ranges::sort(gateways, {}, [](const auto& g) { return g.first.text(); });
  std::uint64_t at = rng.below(std::min<std::uint64_t>(logins, UINT32_MAX));
  const auto* here = &gateways.back();
  for (const auto& g : gateways) {
    if (at < g.second->logins) {
      here = &g;
      break;
    }
    at -= g.second->logins;
  }
  Spray spray;
  spray.cadence = cadence;
  spray.gateway = here->first;
  for (const UserHistory* user : history.users()) {
    if (std::ranges::find(user->gateways, here->first, &UserAtGateway::gateway) != user->gateways.end())
      spray.accounts.push_back(user->user);
  }
  shuffle(spray.accounts, rng);
  // Nobody outside knows every account.
  spray.accounts.resize(std::min(kMostSprayed, (spray.accounts.size() * 4 + 4) / 5));

  const auto window_days = static_cast<int>((options.until - options.from) / kDay);
  const bool burst = cadence == Cadence::kBurst;
  const int days = burst ? 1 : std::clamp(window_days / 2, 1, kSprayDays);
  const int each = burst ? 3 : cadence == Cadence::kTenADay ? 10 : 1;
  const std::size_t attempts = spray.accounts.size() * static_cast<std::size_t>(each * days);
  const std::size_t most_nodes = std::min<std::size_t>(burst ? kBurstNodes : kSprayNodes, attempts);
  absl::flat_hash_set<Ip> used;
  for (std::size_t tries = 0; tries < 3 * most_nodes && spray.nodes.size() < most_nodes; ++tries) {
    const UserHistory& near = *victims[rng.below(victims.size())];
    const InjectionTier tier = rng.chance(0.5) ? InjectionTier::kOtherProvider : InjectionTier::kOtherCountry;
    const auto node = nodes.draw(tier, near, used, rng);
    if (!node) continue;
    used.insert(*node);
    spray.nodes.push_back(*node);
  }
  if (spray.nodes.empty() || spray.accounts.empty()) {
    out.no_spray = "the network facts know no consumer prefixes to spray from";
    return out;
  }
  const std::int64_t first_day = options.from / kDay + 1;
  const std::int64_t last_day = std::max(first_day, options.until / kDay - days);
  const std::int64_t begin =
      first_day + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(last_day - first_day + 1)));
  for (int d = 0; d < days; ++d) {
    const Nanoseconds from = (begin + d) * kDay + kHour;
    const Nanoseconds until = from + (burst ? kHour : 10 * kHour);
    for (const Symbol account : spray.accounts) {
      for (int k = 0; k < each; ++k) {
        const Nanoseconds time = between(from, until, rng);
        if (time > options.until) continue;
        const Ip node = spray.nodes[rng.below(spray.nodes.size())];
        const auto& like = here->second->failures[rng.below(here->second->failures.size())];
        const std::uint32_t facts = facts_of(node);
        Renaming renaming(source_of(like), node, facts, core::unpack_country(networks.facts(facts).country).view(),
                          rng);
        for (Event e : like) {
          e.time = time + (e.time - like.front().time);
          e.user = account;
          renaming.apply(e);
          out.events.push_back(e);
        }
        ++spray.attempts;
        if (spray.first == 0 || time < spray.first) spray.first = time;
        spray.last = std::max(spray.last, time);
      }
    }
  }
  in_order(out.events);
  if (spray.attempts > 0) out.spray = std::move(spray);
  if (!out.spray) out.no_spray = "the tested time is too short";
  return out;
}

}  // namespace orbwatch::evaluate
