// What is ordinary about a world with variety, in words.
#include <algorithm>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

std::vector<Happening> Simulator::happenings() const {
  std::vector<Happening> all;
  if (!world_.variety) return all;
  const auto network = [](const PlanNetwork& n) { return fmt::format("{}, {}", n.name, n.town); };
  const auto day = [&](std::string_view kind, std::string_view what, int first, int last) {
    if (first < 0 || first >= world_.days) return;
    all.push_back({std::string(kind),
                   std::string(what),
                   world_.midnight(first),
                   world_.midnight(std::min(last, world_.days - 1) + 1),
                   {}});
  };
  for (const Outage& o : world_.outages) all.push_back({"outage", network(*o.network), o.from, o.until, {}});
  for (const Renumbering& r : world_.renumberings) all.push_back({"renumbering", network(*r.network), r.at, r.at, {}});
  for (const int d : world_.local_holidays) day("local-holiday", "", d, d);
  for (const int d : world_.term_breaks) day("term-break", "", d, d + 6);
  day("forced-upgrade", "", world_.forced_upgrade_day, world_.forced_upgrade_day);
  day("gateway-failover", name(world_.served[0]), world_.failover_day, world_.failover_day);
  day("company-event", "", world_.event_day, world_.event_day);
  for (const std::uint32_t asn : world_.cgnat_asns)
    all.push_back({"carrier-grade-nat", fmt::format("AS{}", asn), 0, 0, {}});
  // People of a kind, and what happens to single ones.
  const auto people = [&](std::string_view kind, const auto& fits) {
    Happening happening{std::string(kind), {}, 0, 0, {}};
    for (const User& user : world_.users) {
      if (fits(user)) happening.users.push_back(user.name);
    }
    if (!happening.users.empty()) all.push_back(std::move(happening));
  };
  people("shared-account", [](const User& u) { return !u.sharers.empty(); });
  people("service-company", [](const User& u) { return u.company; });
  people("student", [](const User& u) { return u.student; });
  people("rare", [](const User& u) { return u.rare; });
  people("commercial-vpn", [](const User& u) { return u.vpn_always; });
  people("hotspot", [](const User& u) { return u.hotspot > 0; });
  people("week-end-home", [](const User& u) { return u.weekend_home; });
  people("on-call", [](const User& u) { return u.on_call; });
  people("behind-carrier-nat", [](const User& u) { return u.home.cgnat; });
  for (int branch = 0; branch < 3; ++branch) {
    people("branch", [&](const User& u) { return u.branch == branch; });
    if (!all.empty() && all.back().kind == "branch" && all.back().what.empty())
      all.back().what = std::string(IpText(branch_address(branch)));
  }
  for (std::size_t town = world_.towns.size() - 3; town < world_.towns.size(); ++town) {
    const std::size_t before = all.size();
    people("staff-abroad", [&](const User& u) { return u.town == town && !u.merged; });
    people("merger", [&](const User& u) { return u.town == town && u.merged; });
    for (std::size_t i = before; i < all.size(); ++i) {
      all[i].what = world_.towns[town].country;
      if (all[i].kind != "merger" || world_.merger_day >= world_.days) continue;
      all[i].time = world_.midnight(world_.merger_day);
      all[i].end = world_.midnight(world_.days);
    }
  }
  const auto one = [&](std::string_view kind, const User& user, Nanoseconds from, Nanoseconds to,
                       std::string_view what) {
    all.push_back({std::string(kind), std::string(what), from, to, {user.name}});
  };
  for (const User& user : world_.users) {
    if (user.hired_day > 0 && user.hired_day < world_.days && !user.merged)
      one("starter", user, world_.midnight(user.hired_day), world_.midnight(user.hired_day), "");
    if (user.left_day < world_.days)
      one("leaver", user, world_.midnight(user.left_day), world_.midnight(user.left_day), "");
    if (user.moves < world_.midnight(world_.days)) {
      const std::string to = network(*user.next_home.network);
      one(user.next_town != user.town ? "house-move" : "new-line", user, user.moves, user.moves, to);
    }
    if (user.abroad_from >= 0)
      one("work-from-abroad", user, world_.midnight(user.abroad_from), world_.midnight(user.abroad_to + 1),
          user.abroad_line.network->country);
  }
  return all;
}

}  // namespace orbwatch::evaluate
