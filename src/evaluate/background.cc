// The Internet's background noise, and what machines and administrators do by rote.
#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

void Simulator::noise_day(int day) {
  const double scale = options_.noise * std::max(1.0, static_cast<double>(world_.users.size()) / 150.0);
  if (scale <= 0) return;
  const Nanoseconds midnight = world_.midnight(day);
  const auto at = [&](Rng& rng) { return midnight + static_cast<Nanoseconds>(rng.below(86'000'000)) * kMillisecond; };
  const auto number = static_cast<std::uint64_t>(day);

  // Scanners: a few hosts sweep many ports and addresses.
  Rng rng(world_.seed, {kScanNoise, number});
  constexpr std::array<std::uint16_t, 24> kSwept = {21,   22,   23,   25,   80,   81,   110,  143,
                                                    443,  445,  993,  1433, 1723, 2222, 3306, 3389,
                                                    5060, 5432, 5900, 6379, 8000, 8080, 8443, 9200};
  for (int i = rng.poisson(22 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[rng.below(world_.hosting.size())];
    const IpText ip(world_.fixed_address(network, rng.below(400)));
    Nanoseconds t = at(rng);
    for (int k = rng.between(4, 28); k > 0; --k) {
      const Gateway gateway = firewall(rng.chance(0.5) ? Gateway::kAsa1 : Gateway::kAsa2);
      const std::uint16_t port = ephemeral(rng);
      denied(rng, gateway, t, ip, port, rng.pick(kSwept));
      t += rng.between(1, 40) * kSecond;
    }
  }
  // Worms of the Mirai kind: single packets from homes all over the world. Ordinary, and alike to a covert network's
  // scanning.
  constexpr std::array<std::uint16_t, 7> kWormPorts = {23, 2323, 23, 5555, 37215, 8080, 81};
  for (int i = rng.poisson(150 * scale); i > 0; --i) {
    const bool abroad = rng.chance(0.8);
    const PlanNetwork* network = abroad ? world_.abroad[rng.below(world_.abroad.size())] : nullptr;
    if (network == nullptr) {
      const Town& town = world_.towns[rng.below(world_.towns.size())];
      network = town.homes[rng.below(town.homes.size())];
    }
    const IpText ip(world_.fixed_address(*network, 100'000 + rng.below(1u << 20)));
    const Gateway gateway = firewall(rng.chance(0.5) ? Gateway::kAsa1 : Gateway::kAsa2);
    const Nanoseconds t = at(rng);
    const std::uint16_t port = ephemeral(rng);
    denied(rng, gateway, t, ip, port, rng.pick(kWormPorts));
  }
  // Password guessing at the VPN: few hosts, many attempts each.
  constexpr std::array<std::string_view, 14> kGuessed = {"admin",   "test", "vpn",  "guest", "user",
                                                         "cisco",   "root", "info", "scan",  "sales",
                                                         "support", "it",   "demo", "backup"};
  Rng guess(world_.seed, {kNoise, number});
  for (int i = guess.poisson(2.5 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[guess.below(world_.hosting.size())];
    const std::uint32_t ip = world_.fixed_address(network, 500 + guess.below(100));
    const Gateway gateway = world_.served[guess.chance(0.5) ? 0 : guess.chance(0.5) ? 1 : 2];
    Nanoseconds t = at(guess);
    for (int k = guess.between(5, 30); k > 0; --k) {
      failed_login(guess, gateway, t, ip, guess.pick(kGuessed), 0);
      t += guess.between(3, 60) * kSecond;
    }
  }
  // SSH guessing.
  constexpr std::array<std::string_view, 12> kSshNames = {"root",     "admin", "ubuntu", "test",   "oracle", "git",
                                                          "postgres", "pi",    "user",   "hadoop", "ftp",    "mysql"};
  for (int i = guess.poisson(9 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[guess.below(world_.hosting.size())];
    const std::uint32_t ip = world_.fixed_address(network, 700 + guess.below(300));
    Nanoseconds t = at(guess);
    for (int k = guess.between(3, 16); k > 0; --k) {
      const std::string_view user = guess.pick(kSshNames);
      ssh_guess(guess, t, ip, user, user == "root");
      t += guess.between(2, 30) * kSecond;
    }
  }
  // Customers at the web server: consumer broadband and phones, mostly of the region.
  Rng web(world_.seed, {kWebTraffic, number});
  for (int i = web.poisson(260 * scale); i > 0; --i) {
    const Town& town = world_.towns[web.below(world_.towns.size())];
    const PlanNetwork* network = town.homes[web.below(town.homes.size())];
    std::uint32_t ip = world_.fixed_address(*network, 2'000'000 + web.below(1u << 20));
    if (std::ranges::find(world_.cgnat_asns, network->asn) != world_.cgnat_asns.end() && web.chance(0.6)) {
      // The staff's neighbours behind the carrier's NAT.
      ip = world_.address({network, 2'000'000 + web.below(1u << 20), false, true}, midnight);
    }
    if (web.chance(0.3)) {
      const PlanNetwork& mobile = *world_.mobiles[web.below(world_.mobiles.size())];
      ip = world_.cgnat_address(mobile, web.below(48));
    }
    // the hours of the day have their weight: nights are quiet
    const double hour = 14 + 4.2 * web.bell();
    const Nanoseconds t = midnight + static_cast<Nanoseconds>(std::clamp(hour, 0.0, 23.9) * 3600) * kSecond;
    const std::uint16_t port = ephemeral(web);
    const Nanoseconds lasts = web.between(1, 240) * kSecond;
    connection(web, Gateway::kAsa1, t, IpText(ip), port, kServerAddress, 443, lasts,
               static_cast<std::uint64_t>(web.exponential(90'000)) + 2000);
  }
}

void Simulator::services_day(int day) {
  const Nanoseconds midnight = world_.midnight(day);
  Rng rng(world_.seed, {kMonitoring, static_cast<std::uint64_t>(day)});
  // A branch watches the bastion; its IPsec peer renews its keys.
  const IpText branch(world_.fixed_address(*world_.businesses[0], 1));
  for (int hour = 0; hour < 24; hour += 2) {
    ssh_session(rng, midnight + hour * kHour + 5 * kMinute + rng.between(0, 5) * kSecond, 4 * kSecond, branch,
                "monitor", true, 0);
    const std::uint32_t id = connection_id(midnight + hour * kHour, rng);
    asa(Gateway::kAsa1, midnight + hour * kHour,
        FMT_COMPILE(
            "6-302015: Built inbound UDP connection {} for outside:{}/500 ({}/500) to identity:{}/500 ({}/500)"),
        id, std::string_view(branch), std::string_view(branch), kAsaAddress[0], kAsaAddress[0]);
    asa(Gateway::kAsa1, midnight + hour * kHour + 2 * kMinute,
        FMT_COMPILE(
            "6-302016: Teardown UDP connection {} for outside:{}/500 to identity:{}/500 duration 0:02:01 bytes {}"),
        id, std::string_view(branch), kAsaAddress[0], 900 + rng.below(900));
  }
  // The build server's deployments, out of a cloud.
  const IpText cloud(world_.fixed_address(*world_.vdis[0], 42));
  const int deployments = world_.weekday(day) < 5 ? rng.between(1, 5) : rng.between(0, 1);
  for (int i = 0; i < deployments; ++i) {
    const Nanoseconds t = midnight + 8 * kHour + static_cast<Nanoseconds>(rng.below(10 * 3600)) * kSecond;
    const Nanoseconds lasts = rng.between(10, 90) * kSecond;
    ssh_session(rng, t, lasts, cloud, "deploy", true, 0);
  }
  // Administrators at the devices, from inside.
  if (world_.weekday(day) < 5) {
    const User& admin = world_.users[0];
    const Nanoseconds t = midnight + 9 * kHour + rng.between(0, 7 * 3600) * kSecond;
    asa(Gateway::kAsa1, t, FMT_COMPILE("6-113012: AAA user authentication Successful : local database : user = {}"),
        admin.name);
    asa(Gateway::kAsa1, t, FMT_COMPILE("6-611101: User authentication succeeded: IP address: 10.1.0.50, Uname: {}"),
        admin.name);
    asa(Gateway::kAsa1, t,
        FMT_COMPILE("6-605005: Login permitted from 10.1.0.50/{} to inside:10.1.0.1/ssh for user \"{}\""),
        ephemeral(rng), admin.name);
    admin_login(rng, t + kHour, "10.1.0.50", admin.name, true);
  }
  // A service provider keeps the FortiGate from its own office once a week: an exposure that is known and ordinary
  // here.
  if (world_.weekday(day) == 2) {
    const std::uint32_t ip = world_.fixed_address(*world_.businesses[1 % world_.businesses.size()], 2);
    const IpText text(ip);
    TruthItem item;
    item.kind = "exposure";
    item.campaign = "service-provider";
    item.id = fmt::format("s{}-exposure-{}", world_.seed, day);
    item.grey = true;
    item.users = {"svc-netcare"};
    item.sources = {std::string(text)};
    item.gateway = name(administered());
    item.outcome = "success";
    as_item(item, [&](TruthItem&) {
      const Nanoseconds t = midnight + 10 * kHour + rng.between(0, 5 * 3600) * kSecond;
      admin_login(rng, t, text, "svc-netcare", true);
    });
  }
}

}  // namespace orbwatch::evaluate
