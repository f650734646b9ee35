// A made-up hunt result with every kind of finding, for the tests of what comes out. Documentation addresses and names
// only.
#pragma once

#include <cstdint>
#include <string>

#include "core/symbol.h"
#include "score/report.h"

namespace orbwatch::testing {

// Text that a careless page or terminal would obey. The page's script would show as window.pwned.
inline const std::string kHostile[] = {
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=\"window.pwned=1\">",
    "<!--<script>",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    // Two pieces: the last escape would take the "e" along.
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
    "line\xe2\x80\xa8separator\xe2\x80\xa9"
    "end",
    "\xe2\x80\xaegnp.exe",
    "broken \xff\xfe utf-8",
    "]]>{{constructor.constructor('window.pwned=1')()}}",
    "javascript:window.pwned=1",
    "__proto__",
};

inline score::Finding sample_finding(std::uint64_t i, bool hostile) {
  struct Place {
    const char *city, *country, *org, *type;
    double latitude, longitude;
  };
  static constexpr Place kPlaces[] = {
      {"Köln", "DE", "Example Cable", "consumer broadband", 50.94, 6.96},
      {"Rotterdam", "NL", "Example Hosting B.V.", "hosting", 51.92, 4.48},
      {"東京", "JP", "例示通信株式会社", "mobile", 35.68, 139.69},
      {"Denver", "US", "Example Fiber and Telephone Cooperative of the Western Slope", "consumer broadband", 39.74,
       -104.99},
      {"São Paulo", "BR", "Exemplo Telecom", "consumer broadband", -23.55, -46.63},
  };
  static constexpr const char* kUsers[] = {"alice", "bob", "carol.longname-of-subsidiary@corp.example", "dave",
                                           "王小明"};
  const std::uint64_t mixed = (i + 1) * 0x9E3779B97F4A7C15u;
  const Place& place = kPlaces[mixed >> 20 & 1023 ? (mixed >> 33) % 5 : 0];
  score::Finding f;
  char id[17];
  std::snprintf(id, sizeof id, "%016llx", static_cast<unsigned long long>(mixed));
  f.id = id;
  f.time = 1'763'942'400 * core::kSecond + static_cast<core::Nanoseconds>(mixed >> 40) % (7 * 86400) * core::kSecond;
  f.kind = i < 5 ? detect::FindingKind::kLogin : static_cast<detect::FindingKind>(i % 7);
  f.log_odds = 5.5 - static_cast<double>(i) * 0.7;
  if (i >= 12) f.log_odds = -3 - static_cast<double>(i % 97) / 40;
  f.score = 1 / (1 + __builtin_exp(-f.log_odds));
  f.severity = f.score > 0.99   ? score::Severity::kCritical
               : f.score > 0.9  ? score::Severity::kHigh
               : f.score > 0.5  ? score::Severity::kMedium
               : f.score > 0.05 ? score::Severity::kLow
                                : score::Severity::kInformational;
  f.alert = i < 6;
  f.user = kUsers[mixed >> 50 & 3];
  if (i == 2) f.user = kUsers[4];
  f.gateway = i % 3 == 0 ? "vpn-gw1.corp.example" : "vpn-gw2";
  f.outcome = i % 4 == 3 ? "failure" : "success";
  f.source.ip = core::Ip::v4(0xCB007100 + static_cast<std::uint32_t>(mixed >> 56));
  f.source.asn = 64496 + static_cast<std::uint32_t>(mixed >> 33) % 5;
  f.source.org = place.org;
  f.source.city = place.city;
  f.source.country = place.country;
  f.source.network_type = place.type;
  f.source.claims = std::string(place.type) + " (AS name), hosting (published list)";
  f.source.latitude = place.latitude;
  f.source.longitude = place.longitude;
  f.hypothesis = "A log-in through a hijacked home or office router close to the user's own town";
  f.attack = {"T1090.003", "T1584.008", "T1078"};
  const auto add = [&f](const char* kind, double llr, std::string says) {
    f.evidence.push_back({kind, "new-network", detect::Group::kPlace, f.kind, llr, std::move(says)});
  };
  add("new-network", 4.21,
      "First log-in of " + f.user + " from AS" + std::to_string(f.source.asn) + " (" + f.source.org +
          "); the 214 log-ins before came from two other providers");
  add("geo-shift", 1.3, "Only 4 km from where the user usually is, but another provider within 20 minutes");
  add("soho-source", 2.05, "The address answers on ports of a home router (8443, 7547)");
  add("usual-hour", -0.42, "The hour is usual for this user");
  f.records.push_back({"logs/vpn/2025-11-24.log.gz", 88231 + i, static_cast<std::uint32_t>(4711 + i),
                       "<166>Nov 24 2025 08:15:30 vpn-gw1 : %ASA-6-113039: Group <RemoteAccess> User <" + f.user +
                           "> IP <" + f.source.ip.text() + "> AnyConnect parent session started."});
  f.records.push_back({"logs/flows.pcap", 5120, 0, ""});
  f.advice =
      "Ask " + f.user + " by telephone whether this log-in was theirs; if not, end the session and reset the password.";
  if (i == 1) f.network = "net-7f3a";
  if (i == 0) {
    for (const score::Step what : {score::Step::kFailedLogin, score::Step::kLogin, score::Step::kSessionEnd}) {
      score::TimelineEntry step;
      step.time = f.time + (static_cast<int>(what) - 1) * core::kHour;
      step.what = what;
      step.source = f.source;
      if (what == score::Step::kLogin) step.log_odds = f.log_odds;
      step.alert = what == score::Step::kLogin;
      step.says = hostile                            ? kHostile[static_cast<std::size_t>(what)]
                  : what == score::Step::kSessionEnd ? "lasted 60 minutes, 1.2 GB to the client, 40 MB from it"
                                                     : f.evidence[0].says;
      f.timeline.push_back(step);
    }
    f.timeline_count = 3;
  }
  if (f.kind == detect::FindingKind::kSpray) {
    f.user.clear();
    for (std::uint32_t k = 0; k < 40; ++k) {
      score::SourceFacts s = f.source;
      s.ip = core::Ip::v4(0xC6336400 + k);
      f.sources.push_back(s);
      f.users.push_back("user" + std::to_string(k));
    }
    f.source_count = 412;
    f.user_count = 40;
    f.source = {};
  }
  if (hostile) {
    const std::size_t n = std::size(kHostile);
    f.user = kHostile[i % n];
    f.gateway = kHostile[(i + 1) % n];
    f.source.org = kHostile[(i + 2) % n];
    f.source.city = kHostile[(i + 3) % n];
    f.evidence[0].says = kHostile[(i + 4) % n];
    f.records[0].raw = kHostile[(i + 5) % n];
    f.records[0].file = kHostile[(i + 6) % n];
    f.advice = kHostile[(i + 7) % n];
    f.network = kHostile[(i + 8) % n];
    f.hypothesis = kHostile[(i + 9) % n];
    f.source.network_type = kHostile[i % n];
  }
  return f;
}

// One network with three nodes, linked, of which one is gone; the second in its history came out of it.
inline score::Network sample_network(std::uint64_t i, bool hostile) {
  const auto text = [&](std::size_t k, const char* plain) {
    return hostile ? kHostile[k % std::size(kHostile)] : std::string(plain);
  };
  score::Network n;
  n.id = i == 0 ? "00000000000000aa" : "00000000000000bb";
  n.first = 1'763'942'400 * core::kSecond;
  n.last = n.first + 20 * core::kDay;
  n.confidence = 0.9;
  n.cohesion = 5;
  for (std::uint32_t k = 0; k < 3; ++k) {
    score::NetworkNode& node = n.nodes.emplace_back();
    node.ip = core::Ip::v4(0xC6336400 + static_cast<std::uint32_t>(i) * 8 + k);
    node.first = n.first + k * core::kDay;
    node.last = node.first + 5 * core::kDay;
    node.active = k < 2;
    node.asn = 64496;
    node.provider = text(k, "Example Cable");
    node.city = text(k + 1, "Köln");
    node.country = "DE";
    node.latitude = 50.9 + k;
    node.longitude = 6.9 + k;
    node.role = k == 1 ? score::NodeRole::kOnRamp : score::NodeRole::kExit;
    node.role_why = text(k + 2, "came to gateways itself: 7 attempts");
    node.sightings = 7;
  }
  n.active_nodes = 2;
  n.traits = {{"client", text(3, "AnyConnect 4.8"), 2, 1, 0.001, 1000}};
  n.behaviour.gateways = {{"gateway", text(4, "vpn-gw2"), 2, 1, 0.5, 2}};
  n.behaviour.attempts_per_account_day = 1;
  n.providers = {{64496, text(5, "Example Cable"), 3, 1, 0.1}};
  n.history = {{n.first, score::NetworkChangeKind::kBorn, "", text(6, "3 nodes, 5.0 nats between nodes on average")}};
  n.links = {{0, 1, 4.5, text(7, "same client")}};
  n.known = {{text(8, "Example network"), 3, text(9, "client and ports match")}};
  n.overlaps = {{i == 0 ? "00000000000000bb" : "00000000000000aa", 1, 0.01, -2, 1, 0, 0}};
  n.size = score::Bounds{40, 30, 60};
  n.size_method = "Chao";
  n.half_life_days = score::Bounds{12, 9, 16};
  n.births_expected = score::Bounds{4, 1, 8};
  n.likely_providers = {{64496, text(1, "Example Cable"), {0.8, 0.6, 0.9}}};
  n.survival = {{0, 1}, {5, 0.7}, {9, 0.4}};
  return n;
}

inline score::HuntResult sample_report(std::uint64_t findings = 40, bool hostile = false) {
  score::HuntResult r;
  for (std::uint64_t i = 0; i < findings; ++i) r.findings.push_back(sample_finding(i, hostile));
  for (std::uint64_t i = 0; findings > 0 && i < 2; ++i) r.networks.push_back(sample_network(i, hostile));
  const auto fate = [](event::Counts& counts, std::uint64_t n, const char* format, std::uint64_t ignored,
                       std::uint64_t rejected) {
    for (std::uint64_t i = 0; i < n; ++i) counts.event(core::intern(format));
    for (std::uint64_t i = 0; i < ignored; ++i) counts.ignore(core::intern("message 305011"));
    for (std::uint64_t i = 0; i < rejected; ++i) counts.reject(core::intern("cisco_asa: no address"));
  };
  score::InputReport asa;
  asa.path = hostile ? kHostile[1] : "logs/vpn/2025-11-24.log.gz";
  asa.format = "cisco_asa";
  asa.bytes = 18'250'112;
  asa.first = 1'763'942'400 * core::kSecond;
  asa.last = asa.first + 7 * core::kDay;
  fate(asa.counts, 84211, "cisco_asa", 4120, 3);
  asa.rejects.push_back(
      {1822, 12, core::intern("cisco_asa: no address"), "%ASA-6-113039: Group <RemoteAccess> User <alice> IP <"});
  score::InputReport flows;
  flows.path = "logs/flows.pcap";
  flows.format = "netflow_v9";
  flows.bytes = 4'120'000;
  fate(flows.counts, 51203, "netflow_v9", 12, 0);
  score::InputReport broken;
  broken.path = "logs/old/archive-of-the-branch-office-firewall-2019-with-a-long-name.log.gz";
  broken.error = "the archive ends early (truncated gzip)";
  fate(broken.counts, 120, "cisco_asa", 0, 0);
  score::InputReport unknown;
  unknown.path = "logs/readme.txt";
  unknown.recognised = false;
  fate(unknown.counts, 0, "", 14, 0);
  r.inputs = {asa, flows, broken, unknown};
  for (const auto& in : r.inputs) r.total.add(in.counts);
  r.hypotheses = {
      {"new-network", "Log-ins come from a provider new for the user", true, "", 84211},
      {"distributed-spray", "Few attempts from each of many sources", true, "", 84211},
      {"soho-source", "The source answers like a home router", false, "no device observations in the data", 0},
      {"management-exposure", "An administration interface is reached from outside", false,
       "no connections to devices in the data", 0}};
  r.notes = {"No configuration was given: every network is treated as foreign.",
             "Geolocation and AS data: DB-IP Lite, CC BY 4.0, https://db-ip.com"};
  r.first = asa.first;
  r.last = asa.last;
  auto& o = r.overview;
  for (int h = 0; h < 168; ++h) {
    const int hour = h % 24, day = h / 24;
    const bool work = hour >= 7 && hour <= 18 && day < 5;
    o.logins_by_hour[h] = static_cast<std::uint64_t>(work ? 60 - (hour - 9) * (hour - 9) / 2 + day * 2 : hour / 6);
    o.failures_by_hour[h] = o.logins_by_hour[h] / 12 + (h == 75 ? 60 : 0);
  }
  for (int d = 0; d < 21; ++d) {
    auto& day = o.days[core::date_text(r.first + (d - 14) * core::kDay)];
    const bool weekend = d % 7 >= 5;
    day.events = static_cast<std::uint64_t>(weekend ? 1200 + d * 10 : 8200 + d * 37 % 900);
    day.logins = day.events / 18;
    day.failures = day.logins / 14 + (d == 17 ? 210 : 0);
  }
  static constexpr const char* kTypes[] = {"consumer broadband", "mobile", "hosting", "business"};
  static constexpr const char* kGateways[] = {"vpn-gw1.corp.example", "vpn-gw2", "ssh-bastion"};
  static constexpr const char* kUsers[] = {"alice", "bob",   "carol", "dave",  "erin",
                                           "frank", "grace", "heidi", "others"};
  for (std::uint64_t i = 0; i < 54; ++i) {
    const std::uint64_t t = i % 11 < 6 ? 0 : i % 11 < 9 ? 1 : i % 11 == 9 ? 2 : 3;
    o.paths.push_back({hostile ? kHostile[t] : kTypes[t], kGateways[i * 7 % 3],
                       hostile ? kHostile[i % 10] : kUsers[i * 5 % 9], 4 + i * 31 % 97});
  }
  o.places = {{50.94, 6.96, "Köln", "DE", 1820, 40},      {51.5, -0.12, "London", "GB", 420, 12},
              {48.86, 2.35, "Paris", "FR", 380, 9},       {52.52, 13.4, "Berlin", "DE", 900, 21},
              {40.71, -74, "New York", "US", 210, 4},     {35.68, 139.69, "東京", "JP", 77, 60},
              {-23.55, -46.63, "São Paulo", "BR", 12, 9}, {39.74, -104.99, "Denver", "US", 33, 2},
              {51.92, 4.48, "Rotterdam", "NL", 5, 140},   {-33.87, 151.2, "Sydney", "AU", 64, 1},
              {1.35, 103.8, "Singapore", "SG", 18, 3},    {28.6, 77.2, "Delhi", "IN", 140, 6}};
  if (hostile) o.places[0].city = kHostile[0];
  o.users = 214;
  o.sources = 3120;
  o.gateways = 3;
  return r;
}

}  // namespace orbwatch::testing
