// The covert networks of a world with variety: nodes that serve several times, small offices' routers, operators who
// err, stay, pass on or come seldom, and a spray from some three hundred nodes.
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.h"
#include "evaluate/simulator.h"

namespace orbwatch::evaluate {
namespace {

constexpr std::size_t kSprayNodes = 300;     // Quad7: 20 % of its nodes spray at a time
constexpr std::size_t kSprayAccounts = 300;  // a day, at most

// How an operator uses a session.
struct Manner {
  int least, most;  // minutes
  double bytes;
  double received_share;  // from his side: what he brings in or sends through the tunnel
  Purpose purpose;        // what he reaches
};
constexpr Manner kLook = {2, 12, 2e6, 0.3, Purpose::kLook};  // is the account good, what is there
constexpr Manner kWork = {8, 95, 9e7, 0.2, Purpose::kWork};  // as everybody's
constexpr Manner kCollect = {120, 420, 3e8, 1.5,
                             Purpose::kCollect};  // a long one, with much traffic into the organisation

Manner manner(Rng& rng) {
  const double how = rng.uniform();
  return how < 0.25 ? kLook : how < 0.65 ? kWork : kCollect;
}

}  // namespace

// What an operator rents to reach the network; he should not be seen coming from it.
Line Simulator::rented_server(std::uint64_t number) const {
  return {world_.hosting[mix(world_.seed, number) % world_.hosting.size()], mix(world_.seed, 900 + number), true};
}

void Simulator::varied_intrusions(const std::vector<int>& days) {
  constexpr std::array<std::string_view, 6> kPlacements = {
      "same-town-other-provider", "same-town-same-provider", "other-town",
      "same-town-other-provider", "same-town-same-provider", "abroad"};
  absl::flat_hash_set<std::size_t> victims;
  std::vector<const Node*> used;  // by earlier intrusions
  for (int c = 0; c < options_.covert_logins; ++c) {
    Rng rng(world_.seed, {kVariedIntrusion, static_cast<std::uint64_t>(c)});
    const std::string_view wanted = kPlacements[static_cast<std::size_t>(c) % kPlacements.size()];
    const bool copied = rng.chance(0.5);
    const bool usual_hours = rng.chance(0.6);
    const bool ssh = world_.bastion && c % 6 == 4;
    const bool weekly = c % 6 == 2;
    const bool business = rng.chance(0.2);
    const bool prefers_used = rng.chance(0.35);
    const bool keeps_node = rng.chance(0.4);
    int log_ins = rng.between(1, 3);
    int day = days[rng.below(days.size())];
    if (weekly) {
      log_ins = 1 + static_cast<int>(days.size()) / 7;
      day = days[rng.below(std::min<std::size_t>(days.size(), 3))];
    }
    std::size_t victim = rng.below(world_.users.size());
    for (int tries = 0; tries < 500; ++tries, victim = rng.below(world_.users.size())) {
      const User& u = world_.users[victim];
      if (!u.contractor && u.sharers.empty() && u.hired_day + 5 < day && u.left_day > day + 2 &&
          u.remote_share > 0.25 && !victims.contains(victim) && (!ssh || u.admin))
        break;
    }
    if (ssh && !world_.users[victim].admin) victim = 0;
    victims.insert(victim);
    const User& user = world_.users[victim];
    const Node* before = nullptr;
    std::vector<const Node*> own_nodes;
    for (int i = 0; i < log_ins && day <= days.back(); ++i, day += weekly ? rng.between(6, 8) : rng.between(1, 2)) {
      const Nanoseconds midnight = world_.midnight(day);
      double hour = user.start_hour + user.zone_shift + user.hours * rng.uniform();
      while (hour < 0) hour += 24;
      while (hour >= 24) hour -= 24;
      const auto office = kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Nanoseconds time = usual_hours ? midnight + static_cast<Nanoseconds>(hour * 3600) * kSecond
                                           : (midnight / kDay + 1) * kDay + office;
      const Line home = world_.home_of(user, time);
      const std::size_t town = world_.town_of(user, time);
      const std::string_view country = world_.towns[town].country;
      const auto placed = [&](const Node& n) -> std::string_view {
        if (n.line.network->country != country) return "abroad";
        if (n.town != town) return "other-town";
        return n.line.network == home.network ? "same-town-same-provider" : "same-town-other-provider";
      };
      Manner how = manner(rng);
      if (weekly) how.purpose = Purpose::kWeekly;
      const Nanoseconds length = rng.between(how.least, how.most) * kMinute;
      const Nanoseconds until = time + length + kHour;
      const auto find = [&](std::string_view placement, bool only_business) -> const Node* {
        const auto fits = [&](const Node& n) {
          return n.business == only_business && placed(n) == placement && n.born <= time && n.dies >= until;
        };
        if (keeps_node && before != nullptr && fits(*before)) return before;
        if (prefers_used) {
          for (const Node* n : used) {
            if (fits(*n)) return n;
          }
        }
        return exit_node(rng, time, until, fits);
      };
      // A business line lies seldom in the victim's town; then a home router does, or another place.
      const Node* node = business ? find(wanted, true) : nullptr;
      if (node == nullptr) node = find(wanted, false);
      if (node == nullptr) node = find("other-town", false);
      if (node == nullptr) node = find("abroad", false);
      if (node == nullptr) continue;
      before = node;
      own_nodes.push_back(node);
      // Passed on in the middle: the node failed or the operator changed it.
      const Node* second = nullptr;
      if (!ssh && !weekly && length > 20 * kMinute && rng.chance(0.15))
        second = exit_node(rng, time, until, [&](const Node& n) { return &n != node && placed(n) == placed(*node); });
      const bool on_ramp = !ssh && rng.chance(0.15);
      TruthItem item;
      item.kind = "covert-login";
      item.campaign = fmt::format("s{}-intrusion-{}", world_.seed, c + 1);
      item.id = fmt::format("{}-{}", item.campaign, i + 1);
      item.placement = placed(*node);
      item.provider = provider_of(user, node->line, time);
      item.client = ssh || !logs_client(user.gateway) ? "unseen" : copied ? "copied" : "different";
      item.disguise = score_disguise(item, usual_hours);
      item.relay = node->business ? "business-router" : "home-router";
      item.conduct = weekly                                        ? "weekly"
                     : second != nullptr                           ? "hand-over"
                     : std::ranges::find(used, node) != used.end() ? "reused-node"
                                                                   : "";
      item.gateway = name(ssh ? Gateway::kBastion : user.gateway);
      item.outcome = "success";
      item.users = {user.name};
      const std::uint64_t stream = rng.next();
      due_.emplace(world_.day_of(time),
                   [this, stream, victim, time, node, second, copied, ssh, on_ramp, how, length, usual_hours, item] {
                     Rng own(world_.seed, {kVariedIntrusion, stream});
                     const User& owner = world_.users[victim];
                     if (ssh) {
                       as_item(item, [&](TruthItem& truth) {
                         const IpText ip(world_.address(node->line, time));
                         truth.sources.emplace_back(ip);
                         ssh_session(own, time, own.between(3, 60) * kMinute, ip, owner.name, copied, 0);
                       });
                       return;
                     }
                     Session s;
                     s.user = owner.name;
                     s.user_number = victim;
                     s.group = group_of(owner);
                     s.client = copied ? world_.client_of(owner, world_.day_of(time)) : own.pick(kOperatorClients);
                     s.computer = copied ? Computer::kOwn : Computer::kOperators;
                     if (on_ramp) {
                       // He forgot the exit: a minute from his own server, then again the right way.
                       TruthItem slip = item;
                       slip.id += "-on-ramp";
                       slip.placement = "hosting";
                       slip.provider = "new";
                       slip.relay = "rented-server";
                       slip.conduct = "on-ramp-error";
                       slip.disguise = score_disguise(slip, usual_hours);
                       s.start = time - own.between(120, 240) * kSecond;
                       s.length = kMinute;
                       s.purpose = Purpose::kSlip;
                       s.mean_bytes = 20'000;
                       s.ip = world_.address(rented_server(own.below(3)), time);
                       as_item(slip, [&](TruthItem& truth) {
                         truth.sources.emplace_back(IpText(s.ip));
                         session(own, owner.gateway, s);
                       });
                     }
                     s.start = time;
                     s.length = length;
                     s.purpose = how.purpose;
                     s.mean_bytes = how.bytes;
                     s.received_share = how.received_share;
                     s.ip = world_.address(node->line, time);
                     s.source_port = node->source_port;
                     if (second != nullptr) {
                       const std::int64_t seconds = length / kSecond;
                       const double part = 0.3 + 0.4 * own.uniform();
                       s.moved_at = time + static_cast<Nanoseconds>(static_cast<double>(seconds) * part) * kSecond;
                       s.moved_to = world_.address(second->line, s.moved_at);
                     }
                     as_item(item, [&](TruthItem& truth) {
                       truth.sources.emplace_back(IpText(s.ip));
                       if (s.moved_to != 0) truth.sources.emplace_back(IpText(s.moved_to));
                       session(own, owner.gateway, s);
                     });
                   });
    }
    used.insert(used.end(), own_nodes.begin(), own_nodes.end());
  }
}

void Simulator::varied_spray(int campaign, int first_day, int last_day) {
  constexpr std::array<std::string_view, 16> kNames = {
      "administrator", "reception", "office", "service", "hr",       "finance",   "marketing", "mail",
      "printer",       "training",  "board",  "legal",   "helpdesk", "logistics", "purchase",  "archive"};
  Rng plan(world_.seed, {kVariedSpray, static_cast<std::uint64_t>(campaign)});
  const Gateway gateway = world_.served[plan.chance(0.7) ? 0 : 2];
  const int days = std::min(options_.spray_days, std::max(1, last_day - first_day + 1));
  // The accounts of this gateway, all of them or as many as a day bears.
  std::vector<std::size_t> accounts;
  for (std::size_t u = 0; u < world_.users.size(); ++u) {
    if (world_.users[u].gateway == gateway) accounts.push_back(u);
  }
  const auto shuffle = [](auto& items, Rng& rng) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
  };
  shuffle(accounts, plan);
  if (accounts.size() > kSprayAccounts) accounts.resize(kSprayAccounts);
  // Its share of the network: nodes that are alive when it begins.
  std::vector<const Node*> nodes;
  const Nanoseconds begin = world_.midnight(first_day);
  for (const Node& node : world_.nodes) {
    if (node.born <= begin + kDay && node.dies > begin && !node.business) nodes.push_back(&node);
  }
  shuffle(nodes, plan);
  if (nodes.size() > kSprayNodes) nodes.resize(kSprayNodes);
  const std::string name_of = fmt::format("s{}-spray-{}", world_.seed, campaign + 1);
  for (int d = 0; d < days && first_day + d < world_.days; ++d) {
    const int day = first_day + d;
    // Two accounts fall in a campaign, on its second and on its last day.
    std::optional<std::size_t> fallen;
    if (d == 1 || (d == days - 1 && d > 1)) {
      for (int tries = 0; tries < 500 && !fallen && !accounts.empty(); ++tries) {
        const std::size_t u = plan.pick(std::span<const std::size_t>(accounts));
        const User& user = world_.users[u];
        if (!user.contractor && user.sharers.empty() && user.hired_day < day && user.left_day > day) fallen = u;
      }
    }
    const std::uint64_t stream = plan.next();
    due_.emplace(day, [this, stream, day, d, gateway, accounts, nodes, fallen, name_of, kNames] {
      Rng rng(world_.seed, {kVariedSpray, stream});
      const Nanoseconds midnight = world_.midnight(day);
      // The nodes take turns, so that each is used for few accounts.
      std::size_t turn = rng.below(std::max<std::size_t>(nodes.size(), 1));
      const auto next_node = [&](Nanoseconds t) -> const Node* {
        for (std::size_t tries = 0; tries < nodes.size(); ++tries) {
          const Node* node = nodes[turn++ % nodes.size()];
          if (node->born <= t && node->dies > t + kMinute) return node;
        }
        return nullptr;
      };
      TruthItem item;
      item.kind = "spray";
      item.campaign = name_of;
      item.id = fmt::format("{}-day-{}", name_of, d + 1);
      item.gateway = name(gateway);
      item.outcome = "failure";
      as_item(item, [&](TruthItem& truth) {
        const auto attempt = [&](std::string_view user) {
          // One attempt an account and day in four cases of five (Microsoft, 31 October 2024), else a second.
          for (int i = rng.chance(0.8) ? 1 : 2; i > 0; --i) {
            const Nanoseconds t = midnight + static_cast<Nanoseconds>(rng.below(86'000)) * kSecond;
            const Node* node = next_node(t);
            if (node == nullptr) continue;
            const std::uint32_t ip = world_.address(node->line, t);
            truth.sources.emplace_back(IpText(ip));
            truth.users.emplace_back(user);
            failed_login(rng, gateway, t, ip, user, node->source_port);
          }
        };
        for (const std::size_t u : accounts) {
          if (fallen == u || world_.users[u].hired_day > day) continue;
          attempt(world_.users[u].name);
        }
        for (const std::string_view guessed : kNames) attempt(guessed);
      });
      if (!fallen) return;
      // The hit, and its use some hours later from a node near the victim.
      const User& user = world_.users[*fallen];
      TruthItem success;
      success.kind = "credential-success-after-spray";
      success.campaign = name_of;
      success.id = fmt::format("{}-hit-{}", name_of, d + 1);
      const Nanoseconds first = midnight + 8 * kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Nanoseconds second = first + kHour + static_cast<Nanoseconds>(rng.below(4 * 3600)) * kSecond;
      const std::size_t town = world_.town_of(user, second);
      const Node* guesser = next_node(first);
      const Node* near = exit_node(rng, second, second + 2 * kHour, [&](const Node& n) {
        return n.town == town && n.line.network != world_.home_of(user, second).network;
      });
      if (near == nullptr) near = next_node(second);
      if (guesser == nullptr || near == nullptr) return;
      success.placement = near->town == town                                          ? "same-town-other-provider"
                          : near->line.network->country != world_.towns[town].country ? "abroad"
                                                                                      : "other-town";
      success.provider = provider_of(user, near->line, second);
      success.relay = near->business ? "business-router" : "home-router";
      as_item(success, [&](TruthItem& truth) {
        const auto log_in = [&](const Node& n, Nanoseconds t, Nanoseconds length, double bytes, Purpose purpose) {
          Session s;
          s.user = user.name;
          s.user_number = *fallen;
          s.group = group_of(user);
          s.start = t;
          s.length = length;
          s.ip = world_.address(n.line, t);
          s.source_port = n.source_port;
          s.client = kOperatorClients[1];
          s.computer = Computer::kOperators;
          s.mean_bytes = bytes;
          s.purpose = purpose;
          truth.sources.emplace_back(IpText(s.ip));
          session(rng, user.gateway, s);
        };
        truth.users.push_back(user.name);
        truth.gateway = name(user.gateway);
        truth.outcome = "success";
        truth.client = !logs_client(user.gateway) ? "unseen" : "different";
        truth.disguise = score_disguise(truth, true);
        log_in(*guesser, first, kMinute, 1000, Purpose::kSlip);
        const Nanoseconds lasts = rng.between(10, 80) * kMinute;
        log_in(*near, second, lasts, 9e7, Purpose::kWork);
      });
    });
  }
}

}  // namespace orbwatch::evaluate
