// Claim: judging takes at most one microsecond an event on one core with the profiles of 100,000 users in memory, and a
// profile at most 2 KiB (its size is asserted in baseline/profile_test.cc). Here the processor time of
// pipeline::Judge::take() is measured, from an enriched event to its evidence and back into the profiles:
//
//   taskset -c 1 score_bench [--users N, default 100000] [--new N, of 1,000 log-ins; default 10] [--json]
//
// The warm-up fills the profiles: 30 days on which two of five users log in. A third of them always come from home, a
// third through a mobile provider three times in ten, a third from a second place three times in ten; some log-ins
// come from a network that is new to the user, and as many from another address of the home prefix. Then each kind of
// event is measured by itself over days of the same sort, and in the end a mix as a firewall with remote access writes
// it. Making the events is not measured; their facts (place, provider) have been looked up before, as in the pipeline.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "enrich/enrich.h"
#include "pipeline/judge.h"

namespace {

using namespace orbwatch;
using core::Ip;
using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using core::Nanoseconds;
using event::Event;

constexpr Nanoseconds kMonday = 1'795'392'000 * kSecond;  // 2026-11-23T00:00:00Z
constexpr std::uint32_t kNetworks = 2000;                 // /16 each, from 20.0.0.0 on
constexpr std::uint32_t kLine = 160;                      // bytes of a raw record
constexpr std::uint32_t kLines = 4096;
constexpr std::size_t kKnocks = 80'000;  // denied connections a day, in the warm-up as later: no scan is under way

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Memory of the process that is in use, in bytes.
double resident() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, pages = 0;
  file >> all >> pages;
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Where the networks stand: 50 countries with 40 networks each, of all kinds that people come from.
std::shared_ptr<const intel::Organisation> places() {
  static constexpr core::NetworkType kTypes[] = {
      core::NetworkType::kConsumer, core::NetworkType::kConsumer, core::NetworkType::kConsumer,
      core::NetworkType::kMobile,   core::NetworkType::kBusiness, core::NetworkType::kHosting,
  };
  std::vector<intel::DeclaredNetwork> networks;
  for (std::uint32_t n = 0; n < kNetworks; ++n) {
    intel::DeclaredNetwork network;
    network.prefix = *core::Prefix::parse(fmt::format("{}.{}.0.0/16", 20 + n / 256, n % 256));
    network.name = fmt::format("network {}", n);
    network.type = n % 8 == 0 ? core::NetworkType::kMobile : kTypes[n % std::size(kTypes)];
    const std::uint32_t country = n / 40;
    network.country = {static_cast<char>('A' + country % 26), static_cast<char>('A' + country / 26)};
    network.latitude = -50.0F + 2.1F * static_cast<float>(country) + 0.2F * static_cast<float>(n % 40);
    network.longitude = -120.0F + 4.7F * static_cast<float>(country) + 0.1F * static_cast<float>(n % 40);
    network.own = false;
    networks.push_back(std::move(network));
  }
  return std::make_shared<const intel::Organisation>(*intel::Organisation::make(std::move(networks)));
}

class World {
 public:
  World(const enrich::Enricher& enricher, std::uint32_t users, std::uint32_t new_networks)
      : enricher_(enricher), new_networks_(new_networks), users_(users) {
    static constexpr const char* kClients[] = {"AnyConnect Windows 4.10.07061", "AnyConnect Windows 5.1.2.42",
                                               "AnyConnect Darwin_i386 5.1.2.42", "AnyConnect Linux_64 4.10.07061"};
    for (std::uint32_t u = 0; u < users; ++u) {
      User& user = users_[u];
      user.name = core::intern(fmt::format("user.number.{}", u));
      user.client = core::intern(kClients[draw() % std::size(kClients)]);
      user.phone = core::intern("AnyConnect AppleSSLVPN_Darwin_ARM 5.0.05207");
      const auto country = static_cast<std::uint32_t>(draw() % 10);  // most people live in few countries
      user.country = draw() % 10 != 0 ? 0 : country;
      user.home = address(user.country * 40 + 1 + static_cast<std::uint32_t>(draw() % 39));
      user.second = address(user.country * 40 + 1 + static_cast<std::uint32_t>(draw() % 39));
      user.mobile = address(user.country * 40 + 8 * static_cast<std::uint32_t>(draw() % 5));
      user.habit = static_cast<std::uint32_t>(draw() % 3);
      user.hour = 6 * kHour + static_cast<Nanoseconds>(draw() % (5 * 3600)) * kSecond;
    }
    for (std::uint32_t g = 0; g < 4; ++g) gateways_.push_back(core::intern(fmt::format("gateway-{}", g)));
    for (std::uint32_t i = 0; i < 50'000; ++i) strangers_.push_back(address(static_cast<std::uint32_t>(draw())));
    auto chunk = std::make_shared<event::Chunk>();
    chunk->bytes.assign(std::size_t{kLine} * kLines, 'x');
    batch.chunk = std::move(chunk);
  }

  // The log-ins of a day in the order of time, each of so many lines.
  std::vector<Event> logins(Nanoseconds day, double share, std::uint32_t lines) {
    std::vector<Event> out;
    sessions_.clear();
    for (User& user : users_) {
      if (static_cast<double>(draw() % 10'000) >= share * 10'000) continue;
      Event e = of(user, day + user.hour + static_cast<Nanoseconds>(draw() % 1800) * kSecond);
      e.event_class = event::Class::kSession;
      e.activity = event::Activity::kStart;
      e.outcome = event::Outcome::kSuccess;
      e.auth_method = event::AuthMethod::kSaml;
      e.user_agent = user.client;
      e.source_ip = user.home;
      const std::uint64_t where = draw() % 1000;
      if (where < new_networks_) {
        e.source_ip = address(draw() % 4 == 0 ? static_cast<std::uint32_t>(draw())
                                              : user.country * 40 + static_cast<std::uint32_t>(draw() % 40));
      } else if (where < 2 * new_networks_) {
        e.source_ip.bytes[15] = static_cast<std::uint8_t>(draw());
      } else if (draw() % 10 < 3) {
        if (user.habit == 1) {
          e.source_ip = user.mobile;
          e.source_ip.bytes[15] = static_cast<std::uint8_t>(draw());
          e.user_agent = user.phone;
        } else if (user.habit == 2) {
          e.source_ip = user.second;
        }
      }
      ++logins_;
      const std::uint64_t prefix = baseline::prefix_key(e.source_ip);
      if (std::ranges::find(user.seen, prefix) == user.seen.end()) {
        user.seen.push_back(prefix);
        ++first_seen_;
      }
      e.source_facts = enricher_.lookup(e.source_ip);
      sessions_.push_back(e);
      for (std::uint32_t line = 0; line < lines; ++line) {
        Event part = e;
        part.time += line * 300 * core::kMillisecond;
        if (line > 0) part.activity = event::Activity::kUpdate;
        if (line + 1 < lines) part.user_agent = {};
        if (line + 1 == lines) part.assigned_ip = Ip::v4(0x0A000000 + static_cast<std::uint32_t>(draw() % 60'000));
        place(part);
        out.push_back(part);
      }
    }
    return sorted(std::move(out));
  }
  // The ends of the sessions that the last call of logins() began.
  std::vector<Event> ends() {
    std::vector<Event> out;
    for (const Event& start : sessions_) {
      Event e = start;
      e.activity = event::Activity::kEnd;
      e.time = start.time + 6 * kHour + static_cast<Nanoseconds>(draw() % (2 * 3600)) * kSecond;
      e.duration = e.time - start.time;
      e.source_bytes = draw() % 50'000'000;
      e.destination_bytes = draw() % 500'000'000;
      place(e);
      out.push_back(e);
    }
    return sorted(std::move(out));
  }
  // Three of four are a user's own slip, the others a stranger's guess.
  std::vector<Event> failures(Nanoseconds from, Nanoseconds length, std::size_t count) {
    std::vector<Event> out;
    for (std::size_t i = 0; i < count; ++i) {
      const User& user = users_[draw() % users_.size()];
      Event e = of(user, from + moment(length));
      e.event_class = event::Class::kAuthentication;
      e.activity = event::Activity::kLogon;
      e.outcome = event::Outcome::kFailure;
      e.source_ip = draw() % 4 != 0 ? user.home : strangers_[draw() % strangers_.size()];
      e.source_facts = enricher_.lookup(e.source_ip);
      place(e);
      out.push_back(e);
    }
    return sorted(std::move(out));
  }
  // What the Internet knocks on; three of ten knocks are on ports of the edge (baseline::kEdgePorts).
  std::vector<Event> denied(Nanoseconds from, Nanoseconds length, std::size_t count) {
    static constexpr std::uint16_t kPorts[] = {23, 445, 2323, 5060, 8088, 1433, 6379, 443, 22, 8443};
    std::vector<Event> out;
    for (std::size_t i = 0; i < count; ++i) {
      Event e = packet(from + moment(length), kPorts[draw() % std::size(kPorts)]);
      e.event_class = event::Class::kConnection;
      e.action = event::Action::kDenied;
      e.source_ip = strangers_[draw() % strangers_.size()];
      e.destination_ip = Ip::v4(0xC0000200 + static_cast<std::uint32_t>(draw() % 254));
      e.source_facts = enricher_.lookup(e.source_ip);
      place(e);
      out.push_back(e);
    }
    return sorted(std::move(out));
  }
  // Allowed connections, one line for the beginning and one for the end, and flows, from inside to web and name
  // servers: no detector wants them.
  std::vector<Event> traffic(Nanoseconds from, Nanoseconds length, std::size_t count) {
    std::vector<Event> out;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t kind = draw() % 4;
      Event e = packet(from + moment(length), draw() % 4 == 0 ? 53 : 443);
      e.event_class = kind < 2 ? event::Class::kFlow : event::Class::kConnection;
      e.activity = kind < 2 ? event::Activity::kTraffic : kind == 2 ? event::Activity::kStart : event::Activity::kEnd;
      e.action = kind < 2 ? event::Action::kNone : event::Action::kAllowed;
      e.source_ip = Ip::v4(0x0A000000 + static_cast<std::uint32_t>(draw() % 60'000));
      e.destination_ip = strangers_[draw() % strangers_.size()];
      e.source_packets = e.destination_packets = 10;
      e.source_bytes = e.destination_bytes = 5000;
      e.destination_facts = enricher_.lookup(e.destination_ip);
      place(e);
      out.push_back(e);
    }
    return sorted(std::move(out));
  }
  static std::vector<Event> sorted(std::vector<Event> events) {
    std::ranges::stable_sort(events, {}, &Event::time);
    return events;
  }

  // Share of the log-ins since the last call whose prefix the user had not come from before.
  double take_new_share() {
    const double share = logins_ == 0 ? 0 : static_cast<double>(first_seen_) / static_cast<double>(logins_);
    logins_ = first_seen_ = 0;
    return share;
  }

  event::EventBatch batch;

 private:
  struct User {
    core::Symbol name, client, phone;
    Ip home, second, mobile;
    std::vector<std::uint64_t> seen;  // prefixes
    std::uint32_t country = 0;
    std::uint32_t habit = 0;  // 1: a phone, too; 2: a second place
    Nanoseconds hour = 0;
  };
  std::uint64_t draw() { return random_(); }
  Nanoseconds moment(Nanoseconds length) {
    return static_cast<Nanoseconds>(draw() % static_cast<std::uint64_t>(length));
  }
  Ip address(std::uint32_t network) {
    network %= kNetworks;
    return Ip::v4((20U << 24) + (network << 16) + static_cast<std::uint32_t>(draw() % 65536));
  }
  Event of(const User& user, Nanoseconds time) {
    Event e;
    e.time = time;
    e.service = event::Service::kVpn;
    e.user = user.name;
    e.group = core::intern(user.country % 2 == 0 ? "staff" : "branch");
    e.observer = gateways_[user.country % gateways_.size()];
    return e;
  }
  Event packet(Nanoseconds time, std::uint16_t port) {
    Event e;
    e.time = time;
    e.observer = gateways_[0];
    e.protocol = port == 53 ? 17 : 6;
    e.source_port = static_cast<std::uint16_t>(32768 + draw() % 28000);
    e.destination_port = port;
    return e;
  }
  void place(Event& e) { e.record = {draw() % kLines * kLine, static_cast<std::uint32_t>(++line_), kLine - 1, 0, 0}; }

  const enrich::Enricher& enricher_;
  std::uint32_t new_networks_;
  std::uint64_t logins_ = 0;
  std::uint64_t first_seen_ = 0;
  std::mt19937_64 random_{1};
  std::vector<User> users_;
  std::vector<core::Symbol> gateways_;
  std::vector<Ip> strangers_;
  std::vector<Event> sessions_;
  std::uint64_t line_ = 0;
};

struct Row {
  const char* name;
  const char* key;
  std::uint64_t events = 0;
  double seconds = 0;
  double nanoseconds() const { return events == 0 ? 0 : seconds * 1e9 / static_cast<double>(events); }
};

void append(std::vector<Event>& to, std::vector<Event> from) { to.insert(to.end(), from.begin(), from.end()); }

bool number(std::string_view text, std::uint32_t& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

int usage() {
  std::fprintf(stderr, "score_bench [--users N, 1 to 1000000] [--new N, of 1000 log-ins, at most 500] [--json]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint32_t users = 100'000;
  std::uint32_t new_networks = 10;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--json") {
      json = true;
    } else if (option == "--users" && i + 1 < argc) {
      if (!number(argv[++i], users) || users == 0 || users > 1'000'000) return usage();
    } else if (option == "--new" && i + 1 < argc) {
      if (!number(argv[++i], new_networks) || new_networks > 500) return usage();
    } else {
      return usage();
    }
  }

  // A profile in its table, and nothing else.
  double profile_bytes = 0;
  {
    const double before = resident();
    absl::flat_hash_map<std::uint32_t, std::unique_ptr<baseline::UserProfile>> table;
    for (std::uint32_t u = 1; u <= users; ++u) table.emplace(u, std::make_unique<baseline::UserProfile>());
    profile_bytes = (resident() - before) / users;
  }

  const enrich::Enricher enricher(nullptr, places());
  World world(enricher, users, new_networks);
  const std::vector<std::string> names = {"vpn.log"};
  pipeline::Judge judge(enricher, nullptr, 5, names);

  const auto run = [&](Row& row, const std::vector<Event>& events, bool settle) {
    const double start = processor_seconds();
    for (const Event& e : events) judge.take(e, world.batch);
    // All log-ins of the row are judged within it.
    if (settle && !events.empty()) judge.advance(events.back().time + 2 * enrich::kSettle);
    row.seconds += processor_seconds() - start;
    row.events += events.size();
  };

  Row warm_up{"warm-up: log-ins and session ends", "warm_up"};
  std::uint64_t warm_up_logins = 0;
  Nanoseconds day = kMonday;
  double grown = 0;
  for (int d = 0; d < 30; ++d, day += kDay) {
    const std::vector<Event> logins = world.logins(day, 0.4, 1);
    const std::vector<Event> ends = world.ends();
    const std::vector<Event> knocks = world.denied(day + 22 * kHour, kHour, kKnocks);
    const std::vector<Event> slips = world.failures(day + 21 * kHour, kHour, users / 100);
    const double before = resident();
    run(warm_up, logins, true);
    run(warm_up, ends, false);
    Row others{};
    run(others, slips, false);
    run(others, knocks, false);
    grown += resident() - before;
    warm_up_logins += logins.size();
  }

  world.take_new_share();

  Row login{"log-in, one line", "login"};
  Row end{"end of a session", "session_end"};
  Row login_lines{"line of a log-in of five lines", "login_line"};
  Row failure{"failed log-in", "failure"};
  Row denied{"denied connection", "denied"};
  Row traffic{"connection or flow that no detector wants", "traffic"};
  Row mix{"mix", "mix"};
  for (int d = 0; d < 5; ++d, day += kDay) {
    run(login, world.logins(day, 0.4, 1), true);
    run(end, world.ends(), false);
    run(failure, world.failures(day + 21 * kHour, kHour, users / 10), false);
    run(denied, world.denied(day + 22 * kHour, kHour, kKnocks), false);
    run(traffic, world.traffic(day + 23 * kHour, kHour - kMinute, 500'000), false);
  }
  const double new_share = world.take_new_share();
  for (int d = 0; d < 3; ++d, day += kDay) {
    run(login_lines, world.logins(day, 0.2, 5), true);
    Row ends{};
    run(ends, world.ends(), false);
  }
  // Of 1,000 events: 890 connections and flows, 80 denied, 10 failures, 10 log-ins of one line, 10 session ends.
  for (int d = 0; d < 3; ++d, day += kDay) {
    std::vector<Event> events = world.logins(day, 0.1, 1);
    const std::size_t n = events.size();
    append(events, world.ends());
    append(events, world.failures(day + 6 * kHour, 14 * kHour, n));
    append(events, world.denied(day + 6 * kHour, 14 * kHour, 8 * n));
    append(events, world.traffic(day + 6 * kHour, 14 * kHour, 89 * n));
    run(mix, World::sorted(std::move(events)), true);
  }

  // An hour with five times the knocks of an ordinary day: coordinated-scan looks closer.
  Row loud{"denied connection on a day five times as loud", "denied_loud"};
  run(loud, world.denied(day + 22 * kHour, kHour, 5 * kKnocks), false);

  const baseline::Baseline& known = judge.baseline();
  const double per_user = grown / static_cast<double>(known.users());
  const Row* rows[] = {&login, &login_lines, &end, &failure, &denied, &loud, &traffic, &mix};
  if (json) {
    fmt::print(
        "{{\"users\":{},\"sources\":{},\"warm_up_logins\":{},\"new_network_share\":{:.4f},\"bytes\":{{\"profile\":{},"
        "\"profile_resident\":{:.0f},"
        "\"judge_resident_per_user\":{:.0f}}},\"nanoseconds_per_event\":{{",
        known.users(), known.sources(), warm_up_logins, new_share, sizeof(baseline::UserProfile), profile_bytes,
        per_user);
    for (const Row* row : rows) fmt::print("{}\"{}\":{:.1f}", row == rows[0] ? "" : ",", row->key, row->nanoseconds());
    fmt::print("}}}}\n");
    return 0;
  }
  fmt::print(
      "{} users, {} source addresses, {} log-ins learned in the warm-up; of the log-ins measured by themselves {:.1f} "
      "% "
      "from a prefix new to the user\n\n",
      known.users(), known.sources(), warm_up_logins, new_share * 100);
  fmt::print("| event | measured | ns an event |\n|---|--:|--:|\n");
  for (const Row* row : rows) fmt::print("| {} | {} | {:.0f} |\n", row->name, row->events, row->nanoseconds());
  fmt::print(
      "\nA user profile: {} bytes, {:.0f} resident in its table; all that the judge holds after the warm-up: {:.0f} "
      "bytes a user\n",
      sizeof(baseline::UserProfile), profile_bytes, per_user);
  return 0;
}
