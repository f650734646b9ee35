#include "evaluate/injection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/network_view_test_util.h"

namespace orbwatch::evaluate {
namespace {

using core::intern;
using core::Ip;
using core::kDay;
using core::kHour;
using core::kSecond;
using core::NetworkType;

constexpr Nanoseconds kStart = Nanoseconds{20'000} * kDay;  // a Friday
constexpr int kDays = 30;

// A small world of networks: the second octet of 11.x.0.0/16 says which.
struct World {
  enum Net : std::uint32_t { kHome, kNeighbour, kOtherTown, kAbroad, kHosting, kSameProviderOtherTown, kNets };

  World() {
    const auto net = [&](std::uint32_t asn, NetworkType type, std::string_view country, std::string_view city) {
      core::NetworkFacts f;
      f.asn = asn;
      f.type = type;
      f.latitude = 50;
      f.longitude = 8;
      f.country = core::pack_country(country);
      index.push_back(networks.add(f, "Example Net", city));
    };
    net(64500, NetworkType::kConsumer, "DE", "Exampletown");
    net(64501, NetworkType::kConsumer, "DE", "Exampletown");
    net(64502, NetworkType::kConsumer, "DE", "Elsewhere");
    net(64503, NetworkType::kConsumer, "FR", "Exempleville");
    net(64504, NetworkType::kHosting, "DE", "Exampletown");
    net(64500, NetworkType::kConsumer, "DE", "Elsewhere");
  }
  std::uint32_t facts_of(std::uint32_t address) const {
    const std::uint32_t net = (address >> 16) - 0x0b00;
    return address >> 24 == 11 && net < kNets && net != without ? index[net] : 0;
  }
  static Net net_of(const Ip& ip) { return static_cast<Net>((ip.v4_value() >> 16) - 0x0b00); }
  ExitNodes nodes(const History& history, std::span<const UserHistory* const> users) {
    return ExitNodes::make(
        networks, static_cast<std::uint32_t>(index.back() + 1),
        [this](std::span<const std::uint32_t> in, std::span<std::uint32_t> out) {
          for (std::size_t i = 0; i < in.size(); ++i) out[i] = facts_of(in[i]);
        },
        history, users, 7);
  }

  core::test::FakeNetworks networks;
  std::vector<std::uint32_t> index;
  std::uint32_t without = kNets;  // as if the table did not know it
};

Ip home_address(int user) { return Ip::v4(0x0b000000U | static_cast<std::uint32_t>(user) << 8 | 20U); }

// Users who log in on each day, as an ASA writes it: a line without an address, one with, one with the client, an end.
class InjectionTest : public testing::Test {
 protected:
  Event line(int user, Nanoseconds time) {
    Event e;
    e.time = time;
    e.observer = intern("asa-1");
    e.dataset = intern("cisco_asa");
    e.user = intern("user" + std::to_string(user));
    e.group = intern("Staff");
    e.service = event::Service::kVpn;
    e.record = {.offset = 5, .line = 6, .length = 7, .source = 1};
    return e;
  }
  void login(History& history, int user, Nanoseconds time, const std::string& agent) {
    Event auth = line(user, time);
    auth.event_class = event::Class::kAuthentication;
    auth.activity = event::Activity::kLogon;
    auth.outcome = event::Outcome::kSuccess;
    auth.code = intern("113004");
    history.take(auth);
    Event start = line(user, time + kSecond);
    start.event_class = event::Class::kSession;
    start.activity = event::Activity::kStart;
    start.source_ip = home_address(user);
    start.source_facts = world_.facts_of(start.source_ip.v4_value());
    start.source_port = 50000;
    start.session_id = 4711;
    start.code = intern("722022");
    history.take(start);
    Event client = start;
    client.time += kSecond;
    client.activity = event::Activity::kUpdate;
    client.source_port = 0;
    client.user_agent = intern(agent);
    client.code = intern("722055");
    history.take(client);
    Event end = start;
    end.time = time + 3 * kHour;
    end.activity = event::Activity::kEnd;
    end.source_bytes = 1000;
    end.destination_bytes = 2000;
    end.duration = 3 * kHour - kSecond;
    history.take(end);
  }
  void failure(History& history, int user, Nanoseconds time) {
    Event e = line(user, time);
    e.event_class = event::Class::kAuthentication;
    e.activity = event::Activity::kLogon;
    e.outcome = event::Outcome::kFailure;
    e.source_ip = home_address(user);
    e.source_facts = world_.facts_of(e.source_ip.v4_value());
    history.take(e);
  }
  History history() {
    History out(world_.networks);
    for (int day = 0; day < kDays; ++day) {
      for (int user = 0; user < kUsers; ++user) {
        const Nanoseconds time = kStart + day * kDay + 8 * kHour + user * core::kMinute;
        if (user < kUsers - 1 || day < 2) {  // the last one has too little history
          if (day % 7 == user % 7) failure(out, user, time - core::kMinute);
          login(out, user, time, "AnyConnect for OS " + std::to_string(user % 3));
        }
      }
    }
    out.finish();
    return out;
  }
  InjectionOptions options() {
    InjectionOptions o;
    o.seed = 3;
    o.from = kStart + 20 * kDay;
    o.until = kStart + kDays * kDay;
    return o;
  }
  FactsOf facts_of() {
    return [this](const Ip& ip) { return world_.facts_of(ip.v4_value()); };
  }

  static constexpr int kUsers = 31;
  World world_;
};

TEST_F(InjectionTest, NodesStandWhereTheirTierSays) {
  const History h = history();
  const auto users = h.users();
  const ExitNodes nodes = world_.nodes(h, users);
  const std::pair<InjectionTier, World::Net> expected[] = {{InjectionTier::kOtherCountry, World::kAbroad},
                                                           {InjectionTier::kOtherProvider, World::kOtherTown},
                                                           {InjectionTier::kSameTownOtherProvider, World::kNeighbour},
                                                           {InjectionTier::kOwnProvider, World::kHome},
                                                           {InjectionTier::kOwnProviderCopied, World::kHome}};
  Rng rng(1, {});
  for (const auto& [tier, net] : expected) {
    absl::flat_hash_set<Ip> used;
    for (int i = 0; i < 50; ++i) {
      const auto ip = nodes.draw(tier, *users[0], used, rng);
      ASSERT_TRUE(ip) << name(tier);
      EXPECT_EQ(World::net_of(*ip), net) << name(tier) << " " << ip->text();
      EXPECT_FALSE(h.seen(ip->v4_value() >> 8)) << "an injected source is never one of the history's: " << ip->text();
      EXPECT_TRUE(used.insert(*ip).second);
    }
  }
}

TEST_F(InjectionTest, ATierThatTheFactsDoNotKnowIsNotInvented) {
  const History h = history();
  const auto users = h.users();
  world_.without = World::kNeighbour;
  const ExitNodes nodes = world_.nodes(h, users);
  Rng rng(1, {});
  EXPECT_FALSE(nodes.draw(InjectionTier::kSameTownOtherProvider, *users[0], {}, rng));
  EXPECT_TRUE(nodes.draw(InjectionTier::kOwnProvider, *users[0], {}, rng));

  std::map<std::string, std::uint64_t> untestable;
  const auto targets = victims(h, options().from, untestable);
  auto o = options();
  o.share = 0.5;
  const Injection made = make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, 0);
  std::uint64_t skipped = 0;
  for (const auto& [key, count] : made.skipped)
    skipped += key.first == InjectionTier::kSameTownOtherProvider ? count : 0;
  EXPECT_GT(skipped, 0u) << "it is counted";
  EXPECT_TRUE(std::ranges::none_of(made.intrusions,
                                   [](const Intrusion& i) { return i.tier == InjectionTier::kSameTownOtherProvider; }));
}

TEST_F(InjectionTest, UsersWithLittleHistoryAreCountedNotTested) {
  const History h = history();
  std::map<std::string, std::uint64_t> untestable;
  const auto targets = victims(h, options().from, untestable);
  EXPECT_EQ(targets.size(), static_cast<std::size_t>(kUsers - 1));
  ASSERT_EQ(untestable.size(), 1u);
  EXPECT_EQ(untestable.begin()->second, 1u);
}

// Nothing gives an injected log-in away but what an intruder cannot avoid.
TEST_F(InjectionTest, AnInjectedLoginHasTheFieldsOfARealOne) {
  const History h = history();
  const UserHistory& user = *h.users()[0];
  ASSERT_EQ(user.gateways.size(), 1u);
  ASSERT_FALSE(user.gateways[0].templates.empty());
  const LoginTemplate& like = user.gateways[0].templates[0];
  ASSERT_EQ(like.lines.size(), 3u) << "the line without an address belongs to it";
  ASSERT_EQ(like.ends.size(), 1u);
  const Ip node = *Ip::parse("11.0.200.9");
  ClientWords other;
  other.user_agent = intern("OpenConnect 9");
  other.client_os = intern("Linux");  // the gateway logs none: it must stay away
  const SessionShape shape{2 * kHour, 111, 222};
  const Nanoseconds time = kStart + 25 * kDay;
  for (const ClientWords* client :
       {static_cast<const ClientWords*>(nullptr), static_cast<const ClientWords*>(&other)}) {
    Rng rng(1, {});
    const auto lines = covert_login(like, node, 4, "DE", time, client, shape, rng);
    ASSERT_EQ(lines.size(), like.lines.size() + like.ends.size());
    EXPECT_EQ(lines.front().time, time);
    std::set<std::uint64_t> sessions;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool end = i >= like.lines.size();
      const Event& real = end ? like.ends[i - like.lines.size()] : like.lines[i];
      Event e = lines[i];
      // Absent fields stay absent, present ones present.
      EXPECT_EQ(e.source_ip.present(), real.source_ip.present());
      EXPECT_EQ(e.source_port != 0, real.source_port != 0);
      EXPECT_EQ(e.session_id != 0, real.session_id != 0);
      EXPECT_EQ(e.user_agent.present(), real.user_agent.present());
      EXPECT_FALSE(e.client_os.present());
      if (e.source_ip.present()) {
        EXPECT_EQ(e.source_ip, node);
        EXPECT_EQ(e.source_facts, 4u);
      }
      if (e.session_id != 0) {
        EXPECT_NE(e.session_id, real.session_id);
        EXPECT_LE(e.session_id, UINT32_MAX) << "as large as the gateway's numbers";
        sessions.insert(e.session_id);
      }
      if (client != nullptr && e.user_agent.present()) {
        EXPECT_EQ(e.user_agent, other.user_agent);
      }
      EXPECT_EQ(e.record.source, kInjectedSource);
      if (!end) {
        EXPECT_EQ(e.time - lines.front().time, real.time - like.lines.front().time);
      } else {
        EXPECT_EQ(e.time, time + shape.length);
        EXPECT_EQ(e.source_bytes, shape.source_bytes);
        EXPECT_EQ(e.destination_bytes, shape.destination_bytes);
        EXPECT_EQ(e.duration, shape.length);
        e.source_bytes = real.source_bytes;
        e.destination_bytes = real.destination_bytes;
        e.duration = real.duration;
      }
      // Everything else is the real line's.
      e.time = real.time;
      e.source_ip = real.source_ip;
      e.source_port = real.source_port;
      e.session_id = real.session_id;
      e.user_agent = real.user_agent;
      EXPECT_EQ(event::to_json(e), event::to_json(real));
      EXPECT_EQ(e.destination_facts, real.destination_facts);
    }
    EXPECT_EQ(sessions.size(), 1u) << "one session has one number";
  }
}

TEST_F(InjectionTest, TheCountryThatARecordClaimsIsTheNodes) {
  LoginTemplate like;
  Event e = line(1, kStart);
  e.source_ip = home_address(1);
  e.region = intern("DE");
  like.lines = {e};
  e.region = intern("some free text");
  like.lines.push_back(e);
  Rng rng(1, {});
  const auto lines = covert_login(like, *Ip::parse("11.3.0.1"), 4, "FR", kStart, nullptr, {}, rng);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].region.text(), "FR");
  EXPECT_EQ(lines[1].region.text(), "") << "nobody knows what the firewall would have written";
}

TEST_F(InjectionTest, IntrusionsAreFewSpreadAndOneAUser) {
  const History h = history();
  std::map<std::string, std::uint64_t> untestable;
  const auto o = options();
  const auto targets = victims(h, o.from, untestable);
  const ExitNodes nodes = world_.nodes(h, targets);
  std::set<InjectionTier> tiers;
  for (std::uint64_t run = 0; run < 3; ++run) {
    const Injection made = make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, run);
    EXPECT_EQ(made.intrusions.size(), 6u) << "a fifth of thirty";
    std::set<std::string_view> users;
    std::set<std::string> sources;
    for (const Intrusion& i : made.intrusions) {
      EXPECT_TRUE(users.insert(i.user.text()).second);
      tiers.insert(i.tier);
      ASSERT_FALSE(i.logins.empty());
      for (const Nanoseconds time : i.logins) {
        EXPECT_GE(time, o.from);
        EXPECT_LT(time, o.until);
      }
      for (const Ip& node : i.nodes) EXPECT_TRUE(sources.insert(node.text()).second) << "nobody shares a node";
      EXPECT_EQ(i.client == ClientChoice::kOther,
                std::ranges::any_of(made.events,
                                    [&](const Event& e) {
                                      if (e.user != i.user || !e.user_agent.present()) return false;
                                      const auto own = std::stoi(std::string(i.user.text().substr(4))) % 3;
                                      return e.user_agent.text() != "AnyConnect for OS " + std::to_string(own);
                                    }))
          << i.user.text();
    }
    EXPECT_TRUE(std::ranges::is_sorted(made.events, {}, &Event::time));
    EXPECT_TRUE(std::ranges::all_of(made.events, [&](const Event& e) { return e.time <= o.until; }));
  }
  EXPECT_EQ(tiers.size(), static_cast<std::size_t>(kInjectionTiers));
}

TEST_F(InjectionTest, VictimsHoursAreTheirsAndOperatorsTheirs) {
  const History h = history();
  std::map<std::string, std::uint64_t> untestable;
  auto o = options();
  o.share = 0.5;
  const auto targets = victims(h, o.from, untestable);
  const ExitNodes nodes = world_.nodes(h, targets);
  for (const Intrusion& i : make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, 0).intrusions) {
    for (const Nanoseconds time : i.logins) {
      EXPECT_GE(time % kDay, 7 * kHour);
      EXPECT_LT(time % kDay, 10 * kHour);
    }
  }
  o.hours = Hours::kOperator;
  for (const Intrusion& i : make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, 0).intrusions) {
    for (const Nanoseconds time : i.logins) {
      EXPECT_GE(time % kDay, kHour);
      EXPECT_LT(time % kDay, 10 * kHour);
      EXPECT_LT((time / kDay + 3) % 7, 5) << "a working day";
    }
  }
}

TEST_F(InjectionTest, TheSameSeedGivesTheSame) {
  const auto text = [&](std::uint64_t seed, std::uint64_t run) {
    const History h = history();
    std::map<std::string, std::uint64_t> untestable;
    auto o = options();
    o.seed = seed;
    const auto targets = victims(h, o.from, untestable);
    const ExitNodes nodes = world_.nodes(h, targets);
    std::string out;
    for (const Event& e : make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, run).events)
      out += event::to_json(e) + "\n";
    for (const Event& e : make_spray(h, nodes, world_.networks, facts_of(), targets, o, Cadence::kOneADay, run).events)
      out += event::to_json(e) + "\n";
    return out;
  };
  const std::string once = text(3, 0);
  EXPECT_FALSE(once.empty());
  EXPECT_EQ(once, text(3, 0));
  EXPECT_NE(once, text(3, 1));
  EXPECT_NE(once, text(4, 0));
}

TEST_F(InjectionTest, ASlowSprayTriesEachAccountOnceADay) {
  const History h = history();
  std::map<std::string, std::uint64_t> untestable;
  const auto o = options();
  const auto targets = victims(h, o.from, untestable);
  const ExitNodes nodes = world_.nodes(h, targets);
  const auto spray = [&](Cadence c) { return make_spray(h, nodes, world_.networks, facts_of(), targets, o, c, 0); };
  const Injection slow = spray(Cadence::kOneADay);
  ASSERT_TRUE(slow.spray) << slow.no_spray;
  std::map<std::pair<std::string_view, std::int64_t>, int> tries;
  for (const Event& e : slow.events) {
    EXPECT_EQ(e.outcome, event::Outcome::kFailure);
    ++tries[{e.user.text(), e.time / kDay}];
  }
  EXPECT_TRUE(std::ranges::all_of(tries, [](const auto& t) { return t.second == 1; }));
  EXPECT_EQ(slow.spray->attempts, tries.size());
  EXPECT_EQ(slow.spray->accounts.size(), 25u) << "four fifths";

  const Injection ten = spray(Cadence::kTenADay);
  ASSERT_TRUE(ten.spray);
  EXPECT_EQ(ten.spray->attempts, 10 * slow.spray->attempts);
  EXPECT_EQ(ten.spray->nodes.size(), static_cast<std::size_t>(kSprayNodes));
  const Injection burst = spray(Cadence::kBurst);
  ASSERT_TRUE(burst.spray);
  EXPECT_LE(burst.spray->last - burst.spray->first, kHour);
  EXPECT_LE(burst.spray->nodes.size(), static_cast<std::size_t>(kBurstNodes));
}

// The client that is copied is the one of the time, not of some other.
TEST_F(InjectionTest, ACopiedClientIsTheOneOfTheTime) {
  History h(world_.networks);
  for (int day = 0; day < kDays; ++day) {
    for (int user = 0; user < 10; ++user)
      login(h, user, kStart + day * kDay + 8 * kHour + user * core::kMinute, day < 25 ? "Client 1.0" : "Client 2.0");
  }
  h.finish();
  std::map<std::string, std::uint64_t> untestable;
  auto o = options();
  o.share = 0.5;
  const auto targets = victims(h, o.from, untestable);
  const ExitNodes nodes = world_.nodes(h, targets);
  std::set<std::string_view> seen;
  for (std::uint64_t run = 0; run < 5; ++run) {
    for (const Event& e : make_intrusions(h, nodes, world_.networks, facts_of(), targets, o, run).events) {
      if (!e.user_agent.present() || e.activity == event::Activity::kEnd) continue;
      if (e.time < kStart + 25 * kDay) {
        EXPECT_EQ(e.user_agent.text(), "Client 1.0");
      } else if (e.time > kStart + 26 * kDay) {
        EXPECT_EQ(e.user_agent.text(), "Client 2.0");
      }
      seen.insert(e.user_agent.text());
    }
  }
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace orbwatch::evaluate
