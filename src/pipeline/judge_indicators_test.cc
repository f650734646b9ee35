// What the judge learns about indicators: of verdicts, and of the nodes of covert networks.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/archive.h"
#include "detect/feed_hit.h"
#include "intel/feed_table.h"
#include "intel/table/indicator_table_writer.h"
#include "pipeline/judge.h"

namespace orbwatch::pipeline {
namespace {

using core::Ip;
using core::kDay;
using core::kHour;
using core::Nanoseconds;
using event::Event;

constexpr Nanoseconds kMonday = 1'795'392'000 * core::kSecond;  // 2026-11-23T00:00:00Z

std::shared_ptr<const intel::Organisation> organisation() {
  std::vector<intel::DeclaredNetwork> all;
  for (const char* prefix : {"5.1.0.0/16", "5.3.0.0/16"}) {
    intel::DeclaredNetwork n;
    n.prefix = *core::Prefix::parse(prefix);
    n.name = prefix;
    n.type = core::NetworkType::kConsumer;
    n.own = false;
    all.push_back(n);
  }
  return std::make_shared<const intel::Organisation>(*intel::Organisation::make(all));
}

class JudgeIndicatorsTest : public ::testing::Test {
 protected:
  JudgeIndicatorsTest() {
    intel::IndicatorTableWriter writer;
    intel::IndicatorStatement s;
    s.feed = writer.add_feed("nodes");
    s.label = "Quad7";
    s.first_seen = s.last_seen = static_cast<std::uint32_t>((kMonday + 60 * kDay) / core::kSecond);
    s.confidence = 80;
    writer.add(*core::Prefix::parse("5.3.1.0/24"), s);
    s.first_seen = s.last_seen = static_cast<std::uint32_t>((kMonday + 20 * kDay) / core::kSecond);
    writer.add(*core::Prefix::parse("5.3.2.9/32"), s);
    indicators_.use_feeds(std::make_unique<intel::FeedTable>(
        intel::FeedTable{std::move(*intel::IndicatorTable::from_bytes(*writer.image())), {}}));
    begin();
  }
  void begin() { judge_ = std::make_unique<Judge>(enricher_, &indicators_, 5, names_); }

  void take(Event e) {
    e.source_facts = enricher_.lookup(e.source_ip);
    judge_->take(e, batch_);
  }
  static Event session(Nanoseconds time, const std::string& user, const Ip& source,
                       event::Activity activity = event::Activity::kStart) {
    Event e;
    e.time = time;
    e.event_class = event::Class::kSession;
    e.activity = activity;
    e.service = event::Service::kVpn;
    e.user = core::intern(user);
    e.observer = core::intern("fw1");
    e.source_ip = source;
    return e;
  }
  static Event failure(Nanoseconds time, const std::string& user, const Ip& source) {
    Event e = session(time, user, source, event::Activity::kLogon);
    e.event_class = event::Class::kAuthentication;
    e.outcome = event::Outcome::kFailure;
    return e;
  }
  Nanoseconds work(Nanoseconds from, int days) {
    for (int d = 0; d < days; ++d, from += kDay) {
      take(session(from + 8 * kHour, "alice", *Ip::parse("5.1.1.7")));
      take(session(from + 17 * kHour, "alice", *Ip::parse("5.1.1.7"), event::Activity::kEnd));
    }
    return from;
  }
  // A log-in of a user who is not known, and the finding of it with the evidence of a feed.
  score::Finding visit(Nanoseconds time, const std::string& user, const char* from) {
    take(session(time, user, *Ip::parse(from)));
    judge_->advance(time + kHour);
    std::optional<score::Finding> out;
    judge_->changed([&](const score::Finding& f) {
      if (f.user == user) out = f;
    });
    EXPECT_TRUE(out) << user;
    return out.value_or(score::Finding{});
  }
  static const detect::Evidence& hit(const score::Finding& f) {
    static const detect::Evidence none;
    const auto found = std::ranges::find(f.evidence, "indicator", &detect::Evidence::kind);
    EXPECT_NE(found, f.evidence.end());
    return found == f.evidence.end() ? none : *found;
  }
  static score::Verdict said_of(const score::Finding& f, const char* id, score::Judgement says) {
    score::Verdict v;
    v.id = id;
    v.says = says;
    v.finding = f.id;
    v.kind = f.kind;
    v.log_odds = f.log_odds;
    v.users = {f.user};
    v.sources = {f.source.ip};
    v.networks = {core::Prefix::neighbourhood(f.source.ip)};
    v.seen = f.end;
    v.reason = "known";
    const auto named = detect::parse_feed_hit(hit(f).says);
    EXPECT_TRUE(named) << hit(f).says;
    if (!named) return v;
    for (const detect::FeedHit::Entry& e : named->entries) v.indicators.push_back({e.feed, e.value});
    return v;
  }
  void save_and_load() {
    core::ArchiveWriter writer;
    judge_->save(writer);
    ASSERT_TRUE(writer.finish());
    const std::string bytes = writer.take();
    begin();
    core::ArchiveReader reader(bytes);
    const auto loaded = judge_->load(reader);
    ASSERT_TRUE(loaded) << loaded.error().text();
  }

  // A network of home lines of which each comes twice a day to one account of a list, and dies at a constant rate.
  void network(Nanoseconds from, int days, double half_life, bool saved = false) {
    std::uint64_t state = 7;
    const auto random = [&state] {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return static_cast<double>(state >> 11) / 9007199254740992.0;
    };
    struct Node {
      Ip ip;
      double dies = 0;
    };
    std::vector<Node> nodes;
    std::uint32_t next = 0x05030400;
    for (int day = 0; day < days; ++day) {
      std::erase_if(nodes, [&](const Node& n) { return n.dies <= day; });
      while (nodes.size() < 40) {
        next += 3;
        nodes.push_back({Ip::v4(next), day - std::log2(1 - random()) * half_life});
      }
      int account = day * 7;
      std::vector<Event> today;
      for (int i = 0; i < 80; ++i) {
        const Node& node = nodes[static_cast<std::size_t>(random() * 40) % 40];
        Event e = failure(from + day * kDay + static_cast<Nanoseconds>(random() * static_cast<double>(kDay)),
                          fmt::format("user{}", account++ % 100), node.ip);
        e.user_agent = core::intern("odd client 1.0");
        today.push_back(e);
      }
      std::ranges::sort(today, {}, &Event::time);
      for (const Event& e : today) take(e);
      if (saved && day % 9 == 4) save_and_load();
    }
  }

  enrich::Enricher enricher_{nullptr, organisation()};
  std::vector<std::string> names_ = {"vpn.log"};
  event::EventBatch batch_;
  intel::Indicators indicators_;
  std::unique_ptr<Judge> judge_;
};

TEST_F(JudgeIndicatorsTest, AVerdictOnAHitCountsForTheEntryOfTheFeed) {
  const auto says = [&](bool restarted) {
    begin();
    std::vector<std::string> out;
    const Nanoseconds day = work(kMonday, 40);
    const auto next = [&](int n, const char* from) {
      if (restarted) save_and_load();
      const score::Finding f = visit(day + n * kHour, fmt::format("visitor{}", n), from);
      out.push_back(hit(f).says);
      return f;
    };
    const score::Finding first = next(1, "5.3.1.7");
    EXPECT_EQ(hit(first).says.find("here"), std::string::npos);
    judge_->take_verdict(said_of(first, "a1", score::Judgement::kFalse));
    // Another address of the prefix that the feed lists.
    const score::Finding second = next(2, "5.3.1.8");
    EXPECT_LT(hit(second).llr, hit(first).llr - 0.1);
    EXPECT_TRUE(hit(second).says.ends_with("; one earlier hit of this entry was found to be false here"))
        << hit(second).says;
    judge_->take_verdict(said_of(second, "a2", score::Judgement::kBenign));
    const score::Finding third = next(3, "5.3.1.9");
    EXPECT_TRUE(hit(third).says.ends_with("; two earlier hits of this entry were found to be false here"));
    // Another entry is another matter.
    EXPECT_EQ(hit(next(4, "5.3.2.9")).says.find("found to be"), std::string::npos);
    // Thought better of: the later verdict counts, the withdrawn one does not.
    judge_->take_verdict(said_of(first, "a3", score::Judgement::kTrue));
    score::Verdict end;
    end.id = "a4";
    end.says = score::Judgement::kWithdrawn;
    end.withdraws = "a2";
    EXPECT_EQ(judge_->take_verdict(end), score::Verdicts::Taken::kYes);
    const score::Finding fifth = next(5, "5.3.1.10");
    EXPECT_TRUE(hit(fifth).says.ends_with("; one earlier hit of this entry was found to be true here"))
        << hit(fifth).says;
    EXPECT_GT(hit(fifth).llr, hit(first).llr + 0.1) << "its age begins anew";
    return out;
  };
  EXPECT_EQ(says(false), says(true)) << "saving and loading changes nothing";
}

TEST_F(JudgeIndicatorsTest, VerdictsOfAHuntAreTakenBeforeTheFirstEventAndExpireByTheTimeOfTheEvents) {
  const Nanoseconds day = work(kMonday, 40);
  score::Verdict v = said_of(visit(day + kHour, "visitor", "5.3.1.7"), "a1", score::Judgement::kFalse);
  const auto says = [&](Nanoseconds expires) {
    begin();
    v.expires = expires;
    judge_->take_verdict(v);
    work(kMonday, 40);
    return hit(visit(day + kHour, "visitor", "5.3.1.7")).says;
  };
  EXPECT_NE(says(0).find("found to be false here"), std::string::npos);
  EXPECT_NE(says(day + 2 * kHour).find("found to be false here"), std::string::npos);
  EXPECT_EQ(says(day).find("found to be false here"), std::string::npos);
}

TEST_F(JudgeIndicatorsTest, AddressesDecayAsFastAsNodesDieHere) {
  const auto days_of = [&](bool use, bool saved) {
    begin();
    judge_->use_learned_half_lives(use);
    network(kMonday, 40, 5, saved);
    const std::string says = hit(visit(kMonday + 40 * kDay + kHour, "visitor", "5.3.2.9")).says;
    constexpr std::string_view kBefore = "half of it goes in ";
    return says.substr(says.find(kBefore));
  };
  EXPECT_EQ(days_of(false, false), "half of it goes in 12 days)");
  const std::string learned = days_of(true, false);
  // Nodes that are placed late are missing among those that die early: in so small a world the figure comes out long.
  EXPECT_TRUE(learned == "half of it goes in 5 days)" || learned == "half of it goes in 6 days)" ||
              learned == "half of it goes in 7 days)")
      << learned;
  EXPECT_EQ(days_of(true, true), learned);

  score::HuntResult result;
  judge_->finish(result);
  const auto home = std::ranges::find(result.half_lives, core::NetworkType::kConsumer, &score::NodeHalfLife::type);
  ASSERT_NE(home, result.half_lives.end());
  ASSERT_TRUE(home->learned_days);
  EXPECT_GT(home->days, 4.5);
  EXPECT_LT(home->days, 8);
  EXPECT_LT(home->days, home->prior_days - 3);
  EXPECT_GE(home->deaths, kFewestDeaths);
}

}  // namespace
}  // namespace orbwatch::pipeline
