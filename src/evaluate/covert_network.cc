// The covert network of a simulated world: what it does, and the truth about it.
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <optional>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

int Simulator::score_disguise(const TruthItem& item, bool usual_hours) {
  int score = item.placement == "same-town-same-provider"    ? 3
              : item.placement == "same-town-other-provider" ? 2
              : item.placement == "other-town"               ? 1
                                                             : 0;
  if (item.client == "copied") ++score;
  if (usual_hours) ++score;
  return score;
}

// Whether the user himself is a customer of the line's provider, or was.
std::string_view Simulator::provider_of(const User& user, const Line& line, Nanoseconds time) {
  const auto same = [&](const PlanNetwork* network) { return network != nullptr && network->asn == line.network->asn; };
  const bool own = same(user.home.network) || (time >= user.moves && same(user.next_home.network)) ||
                   same(user.second_home.network) || same(user.mobile);
  return own ? "own" : "new";
}

// A node that is alive from `time` to `until`; null if none fits.
const Node* Simulator::exit_node(Rng& rng, Nanoseconds time, Nanoseconds until,
                                 const std::function<bool(const Node&)>& fits) const {
  std::vector<const Node*> candidates;
  for (const Node& node : world_.nodes) {
    if (node.born <= time && node.dies >= until && fits(node)) candidates.push_back(&node);
  }
  return candidates.empty() ? nullptr : candidates[rng.below(candidates.size())];
}

void Simulator::intrusion(Rng& rng, std::size_t number, Nanoseconds time, const Node& node, bool copied, bool ssh,
                          TruthItem item) {
  const User& user = world_.users[number];
  const int day = world_.day_of(time);
  as_item(std::move(item), [&](TruthItem& truth) {
    const std::uint32_t ip = world_.address(node.line, time);
    truth.users.push_back(user.name);
    truth.sources.push_back(std::string(IpText(ip)));
    truth.outcome = "success";
    if (ssh) {
      // The stolen thing is the password; the owner mostly uses a key.
      truth.gateway = name(Gateway::kBastion);
      truth.client = "unseen";
      ssh_session(rng, time, rng.between(3, 60) * kMinute, IpText(ip), user.name, copied, 0);
      return;
    }
    Session s;
    s.user = user.name;
    s.user_number = number;
    s.group = group_of(user);
    s.start = time;
    s.length = rng.between(8, 95) * kMinute;
    s.ip = ip;
    s.source_port = node.source_port;
    s.mean_bytes = 9e7;
    s.purpose = Purpose::kWork;
    s.client = copied ? world_.client_of(user, day) : rng.pick(kOperatorClients);
    s.computer = copied ? Computer::kOwn : Computer::kOperators;
    const Gateway gateway = user.gateway;
    truth.gateway = name(gateway);
    truth.client = !logs_client(gateway) ? "unseen" : copied ? "copied" : "different";
    session(rng, gateway, s);
  });
}

void Simulator::covert_logins(const std::vector<int>& days) {
  constexpr std::array<std::string_view, 6> kPlacements = {
      "same-town-other-provider", "same-town-same-provider", "other-town",
      "same-town-other-provider", "same-town-same-provider", "abroad"};
  absl::flat_hash_set<std::size_t> victims;
  for (int c = 0; c < options_.covert_logins; ++c) {
    Rng rng(world_.seed, {kCovert, static_cast<std::uint64_t>(c)});
    const std::string_view placement = kPlacements[static_cast<std::size_t>(c) % kPlacements.size()];
    const bool copied = rng.chance(0.5);
    const bool usual_hours = rng.chance(0.6);
    const int log_ins = rng.between(1, 3);
    int day = days[rng.below(days.size())];
    const bool ssh = world_.bastion && c % 6 == 4;  // one in six at the bastion, with an administrator's credentials
    // A victim who is neither contractor nor newly hired; stolen credentials are of people who use them.
    std::size_t victim = rng.below(world_.users.size());
    for (int tries = 0; tries < 500; ++tries, victim = rng.below(world_.users.size())) {
      const User& u = world_.users[victim];
      if (!u.contractor && u.hired_day + 5 < day && u.remote_share > 0.25 && !victims.contains(victim) &&
          (!ssh || u.admin))
        break;
    }
    if (ssh && !world_.users[victim].admin) victim = 0;
    victims.insert(victim);
    const User& user = world_.users[victim];
    for (int i = 0; i < log_ins && day < world_.days; ++i, day += rng.between(1, 2)) {
      // Either in the victim's hours or in the operators' (09:00 to 18:00 in China, 01:00 to 10:00 UTC).
      const Nanoseconds midnight = world_.midnight(day);
      const Nanoseconds time =
          usual_hours
              ? midnight + static_cast<Nanoseconds>((user.start_hour + user.hours * rng.uniform()) * 3600) * kSecond
              : (midnight / kDay + 1) * kDay + kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Line home = world_.home_of(user, time);
      const Node* node = exit_node(rng, time, time + 2 * kHour, [&](const Node& n) {
        if (placement == "abroad") return n.town == SIZE_MAX;
        if (placement == "other-town") return n.town != SIZE_MAX && n.town != user.town;
        return n.town == user.town && (n.line.network == home.network) == (placement == "same-town-same-provider");
      });
      if (node == nullptr) continue;
      TruthItem item;
      item.kind = "covert-login";
      item.campaign = fmt::format("s{}-intrusion-{}", world_.seed, c + 1);
      item.id = fmt::format("{}-{}", item.campaign, i + 1);
      item.placement = placement;
      item.provider = provider_of(user, node->line, time);
      item.client = ssh || !logs_client(user.gateway) ? "unseen" : copied ? "copied" : "different";
      item.disguise = score_disguise(item, usual_hours);
      const std::uint64_t stream = rng.next();
      due_.emplace(world_.day_of(time), [this, stream, victim, time, node, copied, ssh, item] {
        Rng own(world_.seed, {kCovert, stream});
        intrusion(own, victim, time, *node, copied, ssh, item);
      });
    }
  }
}

void Simulator::spray(int campaign, int first_day) {
  // Quad7's way (Microsoft, 31 October 2024): each account once a day, each source once or twice, over the working day;
  // a hit is used within the day by another node, near the victim.
  constexpr std::array<std::string_view, 16> kNames = {
      "administrator", "reception", "office", "service", "hr",       "finance",   "marketing", "mail",
      "printer",       "training",  "board",  "legal",   "helpdesk", "logistics", "purchase",  "archive"};
  Rng plan(world_.seed, {kSpray, static_cast<std::uint64_t>(campaign)});
  const Gateway gateway = world_.served[plan.chance(0.7) ? 0 : 2];
  std::vector<std::size_t> accounts;
  for (std::size_t u = 0; u < world_.users.size(); ++u) {
    if (plan.chance(world_.users.size() > 400 ? 240.0 / static_cast<double>(world_.users.size()) : 0.6))
      accounts.push_back(u);
  }
  const std::string name_of = fmt::format("s{}-spray-{}", world_.seed, campaign + 1);
  for (int d = 0; d < options_.spray_days && first_day + d < world_.days; ++d) {
    const int day = first_day + d;
    const bool hit_day = d == 1 || d == 3;
    // The account that falls: one that this gateway serves.
    std::optional<std::size_t> fallen;
    if (hit_day) {
      for (int tries = 0; tries < 500 && !fallen; ++tries) {
        const std::size_t u = plan.below(world_.users.size());
        const User& user = world_.users[u];
        if ((user.gateway == world_.served[2]) == (gateway == world_.served[2]) && !user.contractor &&
            user.hired_day < day)
          fallen = u;
      }
    }
    const std::uint64_t stream = plan.next();
    due_.emplace(day, [this, stream, day, d, gateway, accounts, fallen, name_of, kNames] {
      Rng rng(world_.seed, {kSpray, stream});
      const Nanoseconds midnight = world_.midnight(day);
      TruthItem item;
      item.kind = "spray";
      item.campaign = name_of;
      item.id = fmt::format("{}-day-{}", name_of, d + 1);
      item.gateway = name(gateway);
      item.outcome = "failure";
      const auto any_node = [&](Nanoseconds t) {
        return exit_node(rng, t, t + kMinute, [](const Node&) { return true; });
      };
      as_item(item, [&](TruthItem& truth) {
        const Node* node = nullptr;
        int uses = 0;
        const auto attempt = [&](std::string_view user) {
          const Nanoseconds t = midnight + 7 * kHour + static_cast<Nanoseconds>(rng.below(11 * 3600)) * kSecond;
          if (node == nullptr || --uses <= 0 || node->born > t || node->dies < t) {
            node = any_node(t);
            uses = rng.chance(0.8) ? 1 : 2;
          }
          if (node == nullptr) return;
          const std::uint32_t ip = world_.address(node->line, t);
          truth.sources.push_back(std::string(IpText(ip)));
          truth.users.emplace_back(user);
          failed_login(rng, gateway, t, ip, user, node->source_port);
        };
        for (const std::size_t u : accounts) {
          if (fallen == u || world_.users[u].hired_day > day) continue;
          attempt(world_.users[u].name);
        }
        for (const std::string_view guessed : kNames) attempt(guessed);
      });
      if (!fallen) return;
      // The hit, and its use some hours later.
      const User& user = world_.users[*fallen];
      TruthItem success;
      success.kind = "credential-success-after-spray";
      success.campaign = name_of;
      success.id = fmt::format("{}-hit-{}", name_of, d + 1);
      const Nanoseconds first = midnight + 9 * kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Nanoseconds second = first + kHour + static_cast<Nanoseconds>(rng.below(4 * 3600)) * kSecond;
      const Node* guesser = any_node(first);
      const Node* near = exit_node(rng, second, second + 2 * kHour, [&](const Node& n) {
        return n.town == user.town && n.line.network != world_.home_of(user, second).network;
      });
      if (near == nullptr) near = any_node(second);
      if (guesser == nullptr || near == nullptr) return;
      success.placement = near->town == user.town  ? "same-town-other-provider"
                          : near->town == SIZE_MAX ? "abroad"
                                                   : "other-town";
      success.provider = provider_of(user, near->line, second);
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
          truth.sources.push_back(std::string(IpText(s.ip)));
          session(rng, user.gateway, s);
        };
        truth.users.push_back(user.name);
        truth.gateway = name(user.gateway);
        truth.outcome = "success";
        truth.client = !logs_client(user.gateway) ? "unseen" : "different";
        truth.disguise = score_disguise(truth, true);
        log_in(*guesser, first, kMinute, 1000, Purpose::kSlip);
        log_in(*near, second, rng.between(10, 80) * kMinute, 9e7, Purpose::kWork);
      });
    });
  }
}

void Simulator::slow_scan(int campaign, int first_day) {
  // JDY's way (Lumen, June 2026): a few ports, many homes, one or two probes from each a day.
  constexpr std::array<std::uint16_t, 7> kPorts = {22, 23, 80, 443, 8080, 8443, 8888};
  const std::string name_of = fmt::format("s{}-scan-{}", world_.seed, campaign + 1);
  for (int d = 0; d < 3 && first_day + d < world_.days; ++d) {
    const int day = first_day + d;
    due_.emplace(day, [this, campaign, day, d, name_of, kPorts] {
      Rng rng(world_.seed, {kScan, static_cast<std::uint64_t>(campaign), static_cast<std::uint64_t>(day)});
      TruthItem item;
      item.kind = "slow-scan";
      item.campaign = name_of;
      item.id = fmt::format("{}-day-{}", name_of, d + 1);
      item.gateway = name(Gateway::kAsa1);
      as_item(item, [&](TruthItem& truth) {
        for (int i = 0; i < 45; ++i) {
          const Nanoseconds t = world_.midnight(day) + static_cast<Nanoseconds>(rng.below(86'000)) * kSecond;
          const Node* node = exit_node(rng, t, t + kHour, [](const Node&) { return true; });
          if (node == nullptr) continue;
          const IpText ip(world_.address(node->line, t));
          truth.sources.push_back(std::string(ip));
          for (int k = rng.between(1, 3); k > 0; --k) {
            const std::uint16_t port = rng.pick(kPorts);
            const std::uint16_t from = node->source_port != 0 ? node->source_port : ephemeral(rng);
            const Nanoseconds at = t + k * 7 * kSecond;
            if (port == 443) {
              connection(rng, Gateway::kAsa1, at, ip, from, kAsaAddress[0], 443, 2 * kSecond, 600 + rng.below(4000));
            } else {
              denied(rng, Gateway::kAsa1, at, ip, from, port);
            }
          }
        }
      });
    });
  }
}

void Simulator::management_probe(int number, int day) {
  due_.emplace(day, [this, number, day] {
    Rng rng(world_.seed, {kManagement, static_cast<std::uint64_t>(number)});
    TruthItem item;
    item.kind = "management-probe";
    item.campaign = fmt::format("s{}-management-{}", world_.seed, number + 1);
    item.id = item.campaign + "-1";
    const bool on_asa = number % 2 == 0;
    item.gateway = name(on_asa ? Gateway::kAsa1 : administered());
    item.outcome = on_asa ? "failure" : "success";
    item.users = {on_asa ? "admin" : "netadmin"};
    const Nanoseconds begin =
        world_.midnight(day) + 2 * kHour + static_cast<Nanoseconds>(rng.below(6 * 3600)) * kSecond;
    as_item(item, [&](TruthItem& truth) {
      Nanoseconds t = begin;
      for (int i = 0; i < 4; ++i) {
        const Node* node = exit_node(rng, t, t + kHour, [](const Node&) { return true; });
        if (node == nullptr) continue;
        const IpText text(world_.address(node->line, t));
        const std::string_view ip = text;
        truth.sources.emplace_back(ip);
        const std::uint16_t port = node->source_port != 0 ? node->source_port : ephemeral(rng);
        if (on_asa) {
          connection(rng, Gateway::kAsa1, t, ip, port, kAsaAddress[0], 443, 9 * kSecond, 2500 + rng.below(2000));
          asa(Gateway::kAsa1, t + 4 * kSecond,
              FMT_COMPILE("6-113015: AAA user authentication Rejected : reason = Invalid password : local database : "
                          "user = admin : user IP = {}"),
              ip);
          asa(Gateway::kAsa1, t + 4 * kSecond,
              FMT_COMPILE("6-605004: Login denied from {}/{} to outside:{}/https for user \"admin\""), ip, port,
              kAsaAddress[0]);
        } else {
          admin_login(rng, t, ip, "netadmin", i == 3);
        }
        t += rng.between(10, 70) * kMinute;
      }
    });
  });
}

void Simulator::attacks() {
  attack_from_ = options_.attack_from >= 0 ? options_.attack_from : std::max(1, world_.days * 2 / 5);
  const int length = options_.attack_days > 0 ? options_.attack_days : std::max(1, world_.days * 45 / 100);
  std::vector<int> days;
  for (int d = attack_from_; d < std::min(world_.days, attack_from_ + length); ++d) days.push_back(d);
  if (days.empty()) return;
  Rng plan(world_.seed, {kAttackPlan});
  const int last = days.back();
  // Recon first, then the spray; each fits into the window if the window is long enough for it.
  for (int i = 0; i < options_.scans; ++i)
    slow_scan(i, std::min(last, attack_from_ + plan.between(0, std::max(0, (last - attack_from_) / 3))));
  for (int i = 0; i < options_.sprays; ++i) {
    const int latest = std::max(attack_from_, last - (options_.spray_days - 1));
    const int first =
        std::min(latest, attack_from_ + plan.between(std::min(2, latest - attack_from_), latest - attack_from_));
    if (world_.variety) {
      varied_spray(i, first, last);
    } else {
      spray(i, first);
    }
  }
  for (int i = 0; i < options_.management_probes; ++i) management_probe(i, days[plan.below(days.size())]);
  if (world_.variety) {
    varied_intrusions(days);
  } else {
    covert_logins(days);
  }
}

}  // namespace orbwatch::evaluate
