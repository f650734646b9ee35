#include "baseline/marks.h"

#include <gtest/gtest.h>

#include <string>

#include "baseline/profile.h"
#include "event/event.h"

namespace orbwatch::baseline {
namespace {

using core::kDay;
using event::Event;
using event::Mfa;

constexpr Nanoseconds kNow = 1'795'392'000 * core::kSecond;

const MarkSeen& of(const MarksSeen& seen, Mark kind) { return seen[static_cast<std::size_t>(kind)]; }

Event login(const char* user = "alice", const char* computer = "PC-ALICE") {
  Event e;
  e.time = kNow;
  e.user = core::intern(user);
  e.observer = core::intern("fw1");
  e.group = core::intern("Staff");
  e.client_host = core::intern(computer);
  e.fingerprint = core::intern("t13d1516h2_8daaf6152771_b0da82dd1658");
  e.mfa = Mfa::kYes;
  return e;
}

TEST(Marks, EachKindByItself) {
  const MarkKeys keys = marks_of(login());
  for (std::size_t kind = 0; kind < kMarks; ++kind) {
    EXPECT_NE(keys[kind], 0U);
    EXPECT_EQ(kind_of_mark(keys[kind]), kind);
  }
  EXPECT_EQ(marks_of(Event{}), MarkKeys{});
  Event other = login();
  other.group = core::intern("Contractors");
  EXPECT_NE(marks_of(other)[0], keys[0]) << "the same gateway, another group";
  other = login();
  other.mfa = Mfa::kNo;
  EXPECT_NE(marks_of(other)[3], keys[3]);
}

TEST(Marks, NamesOfAddressesAreNoComputers) {
  for (const char* name :
       {"p5b0c2f11.dip0.t-ipconnect.de", "host.corp.example", "2001:db8::1", "localhost", "N/A", "-"})
    EXPECT_EQ(marks_of(login("alice", name))[1], 0U) << name;
  EXPECT_NE(marks_of(login("alice", "DESKTOP-4F2K9"))[1], 0U);
}

TEST(Marks, TellsWhatTheUserHas) {
  Marks marks;
  UserProfile alice, bob;
  for (int i = 0; i < 6; ++i) marks.learn(alice, login(), 1);
  for (int i = 0; i < 2; ++i) marks.learn(alice, login("alice", "LT-ALICE"), 1);
  for (int i = 0; i < 8; ++i) marks.learn(bob, login("bob", "PC-BOB"), 1);
  const MarkSeen own = of(marks.seen(alice, login(), 1, true), Mark::kComputer);
  EXPECT_EQ(own.own, 6);
  EXPECT_EQ(own.all, 8);
  EXPECT_EQ(own.known, 2U);
  EXPECT_DOUBLE_EQ(own.share, 6.0 / 16);
  EXPECT_DOUBLE_EQ(own.known_share, 0.5);
  const MarkSeen fresh = of(marks.seen(alice, login("alice", "PC-BOB"), 1, true), Mark::kComputer);
  EXPECT_EQ(fresh.own, 0);
  EXPECT_DOUBLE_EQ(fresh.share, 0.5);
  EXPECT_EQ(of(marks.seen(alice, login("alice", ""), 1, true), Mark::kComputer).key, 0U) << "not told";
  EXPECT_EQ(of(marks.seen(alice, login(), 1, true), Mark::kGateway).known_share, 1);
  // Half a life later everything weighs half.
  EXPECT_EQ(of(marks.seen(alice, login(), 2, true), Mark::kComputer).own, 3);
}

TEST(Marks, CountsHowOftenPeopleShowSomethingNew) {
  Marks marks;
  UserProfile alice;
  marks.count(alice, login(), 1, true, true);
  EXPECT_EQ(of(marks.seen(alice, login(), 1, true), Mark::kComputer).counted, 0) << "of a stranger nothing is new";
  for (int i = 0; i < 3; ++i) marks.learn(alice, login(), 1);
  for (int i = 0; i < 9; ++i) marks.count(alice, login(), 1, true, true);
  marks.count(alice, login("alice", "NEW"), 1, true, true);
  marks.count(alice, login("alice", "NEW"), 1, true, false);
  const MarkSeen computer = of(marks.seen(alice, login(), 1, true), Mark::kComputer);
  EXPECT_EQ(computer.counted, 10) << "once for a network that is on probation";
  EXPECT_EQ(computer.changed, 1);
  EXPECT_EQ(of(marks.seen(alice, login(), 1, true), Mark::kGateway).changed, 0);
  EXPECT_EQ(of(marks.seen(alice, login(), 1, false), Mark::kComputer).counted, 0) << "at home it may be otherwise";
}

TEST(Marks, RemembersForWhomAComputerWasStrange) {
  Marks marks;
  UserProfile alice, bob;
  for (int i = 0; i < 3; ++i) marks.learn(alice, login(), 1);
  for (int i = 0; i < 3; ++i) marks.learn(bob, login("bob", "PC-BOB"), 1);
  const auto strange_for = [&](const UserProfile& user, const char* name, Nanoseconds later) {
    Event e = login(name, "KALI");
    e.time += later;
    return std::string(of(marks.seen(user, e, 1, true), Mark::kComputer).strange_for.text());
  };
  EXPECT_EQ(strange_for(alice, "alice", 0), "");
  marks.count(bob, login("bob", "KALI"), 1, true, true);
  EXPECT_EQ(strange_for(alice, "alice", kDay), "bob");
  EXPECT_EQ(strange_for(bob, "bob", kDay), "") << "only for himself";
  marks.count(alice, login("alice", "KALI"), 1, true, true);
  EXPECT_EQ(strange_for(bob, "bob", kDay), "alice");
  EXPECT_EQ(strange_for(alice, "alice", kDay), "bob");
  EXPECT_EQ(strange_for(alice, "alice", 15 * kDay), "");
}

}  // namespace
}  // namespace orbwatch::baseline
