#include "enrich/sessions.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::enrich {
namespace {

using core::kHour;
using core::kMinute;
using core::kSecond;
using event::Activity;
using event::Class;
using event::Outcome;

constexpr Nanoseconds kMorning = 1'795'334'400 * kSecond;  // 2026-11-22T08:00:00Z
const Ip kHome = *Ip::parse("198.51.100.7");

// Lines as the Cisco ASA decoder gives them; `code` is the message number.
Event line(Nanoseconds time, std::string_view code, Class c, Activity activity, std::string_view user, const Ip& source,
           std::string_view device = "fw1") {
  Event e;
  e.time = time;
  e.event_class = c;
  e.activity = activity;
  e.user = core::intern(user);
  e.source_ip = source;
  e.observer = core::intern(device);
  e.code = core::intern(code);
  e.service = event::Service::kVpn;
  e.record.offset = static_cast<std::uint64_t>(time - kMorning);
  return e;
}
Event aaa(Nanoseconds time, std::string_view user, std::string_view device = "fw1") {  // 113004: no address
  Event e = line(time, "113004", Class::kAuthentication, Activity::kLogon, user, {}, device);
  e.outcome = Outcome::kSuccess;
  e.auth_method = event::AuthMethod::kRadius;
  return e;
}
Event parent(Nanoseconds time, std::string_view user, const Ip& source) {  // 113039: session started
  Event e = line(time, "113039", Class::kSession, Activity::kStart, user, source);
  e.group = core::intern("GP_Staff");
  return e;
}
Event assigned(Nanoseconds time, std::string_view user, const Ip& source) {  // 722051: address assigned
  Event e = line(time, "722051", Class::kSession, Activity::kUpdate, user, source);
  e.assigned_ip = *Ip::parse("10.99.0.5");
  return e;
}
Event disconnected(Nanoseconds time, std::string_view user, const Ip& source) {  // 113019
  Event e = line(time, "113019", Class::kSession, Activity::kEnd, user, source);
  e.source_bytes = 1000;
  e.destination_bytes = 2000;
  return e;
}

// Takes lines in order and collects the log-ins as they settle.
struct Fed {
  SessionStitcher stitcher;
  std::vector<Login> logins;

  SessionStitcher::Role take(const Event& e) {
    collect(e.time);
    return stitcher.take(e, std::string(e.code.text()) + " raw");
  }
  void collect(Nanoseconds now) {
    for (Login login; stitcher.next(now, login);) logins.push_back(login);
  }
  std::vector<Login>& drain() {
    for (Login login; stitcher.drain(login);) logins.push_back(login);
    return logins;
  }
};

TEST(Sessions, OneLogInOfAllLinesOfAnAsaSession) {
  Fed fed;
  EXPECT_EQ(fed.take(aaa(kMorning, "alice")), SessionStitcher::Role::kJoined);
  fed.take(parent(kMorning + 10 * kSecond, "alice", kHome));
  Event client = line(kMorning + 12 * kSecond, "722055", Class::kSession, Activity::kUpdate, "alice", kHome);
  client.user_agent = core::intern("AnyConnect Windows 4.10");
  client.client_os = core::intern("Windows");
  fed.take(client);
  fed.take(assigned(kMorning + 13 * kSecond, "alice", kHome));
  EXPECT_TRUE(fed.logins.empty()) << "handed out before it has settled";
  fed.collect(kMorning + 10 * kSecond + kSettle);
  ASSERT_EQ(fed.logins.size(), 1U);
  const Login& login = fed.logins[0];
  EXPECT_EQ(login.event.time, kMorning + 10 * kSecond) << "the first line with an address";
  EXPECT_EQ(login.event.outcome, Outcome::kSuccess);
  EXPECT_EQ(login.event.source_ip, kHome);
  EXPECT_EQ(login.event.assigned_ip.text(), "10.99.0.5");
  EXPECT_EQ(login.event.client_os.text(), "Windows");
  EXPECT_EQ(login.event.group.text(), "GP_Staff");
  EXPECT_EQ(login.event.auth_method, event::AuthMethod::kRadius) << "from the line without an address";
  ASSERT_EQ(login.lines.size(), 4U);
  EXPECT_EQ(login.lines[0].text, "113004 raw");
  EXPECT_EQ(login.lines[3].text, "722051 raw");
  EXPECT_EQ(login.end.time, 0);

  fed.take(disconnected(kMorning + kHour, "alice", kHome));
  EXPECT_EQ(fed.drain().size(), 1U) << "the end line is no log-in";
  const auto ended = fed.stitcher.take_ended();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].start, kMorning + 10 * kSecond);
  EXPECT_EQ(ended[0].end, kMorning + kHour);
  EXPECT_EQ(ended[0].assigned_ip.text(), "10.99.0.5");
  EXPECT_EQ(ended[0].source_bytes, 1000U);
  EXPECT_TRUE(fed.stitcher.take_ended().empty());
}

TEST(Sessions, SettlesAtTheMoment) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.collect(kMorning + kSettle - 1);
  EXPECT_TRUE(fed.logins.empty());
  fed.collect(kMorning + kSettle);
  EXPECT_EQ(fed.logins.size(), 1U);
}

TEST(Sessions, RadiusOnAnotherDeviceCompletesAndNeverReplaces) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  Event radius = line(kMorning + kSecond, "radius", Class::kAuthentication, Activity::kLogon, "alice", kHome, "nps1");
  radius.outcome = Outcome::kSuccess;
  radius.mfa = event::Mfa::kYes;
  radius.group = core::intern("Another");
  fed.take(radius);
  ASSERT_EQ(fed.drain().size(), 1U);
  EXPECT_EQ(fed.logins[0].event.observer.text(), "fw1");
  EXPECT_EQ(fed.logins[0].event.group.text(), "GP_Staff");
  EXPECT_EQ(fed.logins[0].event.mfa, event::Mfa::kYes);
  EXPECT_EQ(fed.logins[0].lines.size(), 2U);
}

TEST(Sessions, ALineWithoutAddressJoinsOnItsOwnDeviceOnlyAndNotForLong) {
  Fed other;
  other.take(aaa(kMorning, "alice", "fw2"));
  other.take(parent(kMorning + kSecond, "alice", kHome));
  ASSERT_EQ(other.drain().size(), 1U);
  EXPECT_EQ(other.logins[0].lines.size(), 1U);
  EXPECT_EQ(other.logins[0].event.auth_method, event::AuthMethod::kUnknown);

  Fed late;
  late.take(aaa(kMorning, "alice"));
  late.take(parent(kMorning + kJoinWithin + kSecond, "alice", kHome));
  ASSERT_EQ(late.drain().size(), 1U);
  EXPECT_EQ(late.logins[0].lines.size(), 1U);
}

TEST(Sessions, LoggingInAgainAfterTheEndIsANewLogIn) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(disconnected(kMorning + 20 * kMinute, "alice", kHome));
  fed.take(parent(kMorning + 21 * kMinute, "alice", kHome));
  ASSERT_EQ(fed.drain().size(), 2U);
  EXPECT_EQ(fed.stitcher.sessions(), 2U);
}

TEST(Sessions, TheEndOfAShortSessionIsHandedOutWithIt) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(disconnected(kMorning + 30 * kSecond, "alice", kHome));
  fed.take(parent(kMorning + 40 * kSecond, "alice", kHome));
  ASSERT_EQ(fed.drain().size(), 2U);
  EXPECT_EQ(fed.logins[0].end.time, kMorning + 30 * kSecond);
  EXPECT_EQ(fed.logins[1].end.time, 0) << "the second session goes on";
}

TEST(Sessions, OfSeveralEndLinesWhatEachTellsIsKept) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  Event first = disconnected(kMorning + 30 * kSecond, "alice", kHome);
  first.duration = 28 * kSecond;
  fed.take(first);
  Event second = disconnected(kMorning + 31 * kSecond, "alice", kHome);  // 716002: no more than that it is over
  second.source_bytes = second.destination_bytes = 0;
  second.duration = 0;
  fed.take(second);
  ASSERT_EQ(fed.drain().size(), 1U);
  EXPECT_EQ(fed.logins[0].end.time, kMorning + 30 * kSecond);
  EXPECT_EQ(fed.logins[0].end.duration, 28 * kSecond);
  EXPECT_EQ(fed.logins[0].end.source_bytes, first.source_bytes);
}

// A session that goes on from elsewhere ends there: here no end is seen.
TEST(Sessions, ALogInAfterASessionWentOnElsewhereIsNew) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.collect(kMorning + kMinute + kSettle);
  const Nanoseconds next = kMorning + 12 * core::kHour;
  Event policy = assigned(next, "alice", kHome);  // any line that comes before the start
  fed.take(policy);
  fed.take(parent(next + kSecond, "alice", kHome));
  fed.collect(next + kMinute + kSettle);
  ASSERT_EQ(fed.logins.size(), 2U);
  EXPECT_EQ(fed.logins[1].event.time, next + kSecond);
  // In the middle of a session that goes on a start is not a new log-in.
  for (int i = 1; i <= 40; ++i) fed.take(assigned(next + i * kMinute, "alice", kHome));
  fed.take(parent(next + 40 * kMinute + kSecond, "alice", kHome));
  EXPECT_EQ(fed.drain().size(), 2U);
}

TEST(Sessions, LinesBehindTheEndBelongToTheOldSession) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(disconnected(kMorning + 20 * kMinute, "alice", kHome));
  fed.take(assigned(kMorning + 20 * kMinute, "alice", kHome));
  EXPECT_EQ(fed.drain().size(), 1U);
}

TEST(Sessions, WithoutAnEndLineAStartIsANewLogInAndAnUpdateIsNot) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(assigned(kMorning + 2 * kHour, "alice", kHome));
  fed.take(assigned(kMorning + 4 * kHour, "alice", kHome));
  EXPECT_EQ(fed.stitcher.sessions(), 1U);
  fed.take(parent(kMorning + 5 * kHour, "alice", kHome));
  EXPECT_EQ(fed.stitcher.sessions(), 2U);
  fed.take(assigned(kMorning + 5 * kHour + kLongestSession + kSecond, "alice", kHome));
  EXPECT_EQ(fed.drain().size(), 3U) << "after a day of silence any line means a new session";
}

TEST(Sessions, AStartShortlyAfterTheFirstIsTheSameLogIn) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(line(kMorning + kSecond, "716001", Class::kSession, Activity::kStart, "alice", kHome));
  fed.take(parent(kMorning + kJoinWithin - kSecond, "alice", kHome));
  EXPECT_EQ(fed.drain().size(), 1U);
}

TEST(Sessions, UsersAndAddressesAreKeptApart) {
  Fed fed;
  fed.take(parent(kMorning, "alice", kHome));
  fed.take(parent(kMorning, "bob", kHome));
  fed.take(parent(kMorning, "alice", *Ip::parse("203.0.113.9")));
  EXPECT_EQ(fed.drain().size(), 3U);
}

TEST(Sessions, ALittleDisorderDoesNoHarm) {
  Fed fed;
  fed.take(assigned(kMorning + 2 * kSecond, "alice", kHome));
  fed.take(parent(kMorning, "alice", kHome));
  ASSERT_EQ(fed.drain().size(), 1U);
  EXPECT_EQ(fed.logins[0].event.group.text(), "GP_Staff");
  EXPECT_EQ(fed.logins[0].lines.size(), 2U);
}

TEST(Sessions, WhatIsNoLogInIsLeftAlone) {
  Fed fed;
  Event failed = aaa(kMorning, "alice");
  failed.source_ip = kHome;
  failed.outcome = Outcome::kFailure;
  EXPECT_EQ(fed.take(failed), SessionStitcher::Role::kNone);
  Event flow;
  flow.time = kMorning;
  flow.event_class = Class::kFlow;
  flow.source_ip = kHome;
  EXPECT_EQ(fed.take(flow), SessionStitcher::Role::kNone);
  EXPECT_EQ(fed.take(parent(kMorning, "", kHome)), SessionStitcher::Role::kNone) << "nobody logs in";
  EXPECT_EQ(fed.take(parent(0, "alice", kHome)), SessionStitcher::Role::kNone) << "undated";
  EXPECT_EQ(fed.take(parent(-kHour, "alice", kHome)), SessionStitcher::Role::kNone) << "before 1970";
  EXPECT_EQ(fed.take(disconnected(kMorning, "carol", kHome)), SessionStitcher::Role::kJoined);
  EXPECT_TRUE(fed.drain().empty());
  EXPECT_TRUE(fed.stitcher.take_ended().empty()) << "its start was never seen";
}

TEST(Sessions, LinesAndTheirTextAreBounded) {
  SessionStitcher stitcher;
  for (int i = 0; i < 30; ++i) stitcher.take(assigned(kMorning + i * kSecond, "alice", kHome), std::string(5000, 'x'));
  Login login;
  ASSERT_TRUE(stitcher.drain(login));
  EXPECT_EQ(login.lines.size(), Login::kMostLines);
  for (const RawLine& l : login.lines) EXPECT_EQ(l.text.size(), 2048U);
}

TEST(Sessions, TooManyPendingAreHandedOutEarly) {
  SessionStitcher stitcher(10, 1000);
  for (std::uint32_t i = 0; i < 11; ++i) stitcher.take(parent(kMorning, "alice", Ip::v4(0xc6336400 + i)), "");
  Login login;
  ASSERT_TRUE(stitcher.next(kMorning, login));
  EXPECT_EQ(login.event.source_ip, Ip::v4(0xc6336400)) << "the oldest";
  EXPECT_FALSE(stitcher.next(kMorning, login));
}

// Whatever is forgotten: every log-in is handed out once.
TEST(Sessions, ForgettingOpenSessionsLosesNoLogIn) {
  SessionStitcher stitcher(1'000'000, 100);
  const std::uint32_t many = 5000;
  std::uint32_t seen = 0;
  Login login;
  for (std::uint32_t i = 0; i < many; ++i) {
    const Nanoseconds now = kMorning + i * kSecond / 50;  // more than a hundred within a minute
    while (stitcher.next(now, login)) ++seen;
    stitcher.take(parent(now, "alice", Ip::v4(0x0a000000 + i)), "");
  }
  while (stitcher.drain(login)) ++seen;
  EXPECT_EQ(seen, many);
}

TEST(Sessions, OldLinesWithoutAddressMakeRoom) {
  SessionStitcher stitcher(3, 1000);
  for (const char* user : {"a", "b", "c"}) stitcher.take(aaa(kMorning, user), "113004 raw");
  const Nanoseconds later = kMorning + kJoinWithin + kMinute;
  stitcher.take(aaa(later, "alice"), "113004 raw");
  stitcher.take(parent(later + kSecond, "alice", kHome), "113039 raw");
  Login login;
  ASSERT_TRUE(stitcher.drain(login));
  EXPECT_EQ(login.lines.size(), 2U);
}

// By way of an archive.
SessionStitcher restored(const SessionStitcher& from) {
  core::ArchiveWriter writer;
  from.save(writer);
  EXPECT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  SessionStitcher to;
  to.load(reader);
  const auto whole = reader.finish();
  EXPECT_TRUE(whole) << whole.error().text();
  return to;
}

TEST(SessionStitcher, GoesOnWhereItWasSaved) {
  SessionStitcher before;
  before.take(parent(kMorning, "bob", kHome), "bob begins");
  before.take(disconnected(kMorning + kSecond, "bob", kHome), "bob ends");
  before.take(aaa(kMorning + 2 * kSecond, "alice"), "alice is known");
  before.take(parent(kMorning + 3 * kSecond, "carol", kHome), "carol begins");
  SessionStitcher after = restored(before);
  after.take(parent(kMorning + 4 * kSecond, "alice", kHome), "alice begins");
  after.take(assigned(kMorning + 5 * kSecond, "carol", kHome), "carol has an address");
  Login login;
  ASSERT_TRUE(after.drain(login));
  EXPECT_EQ(login.event.user.text(), "bob");
  EXPECT_EQ(login.end.time, kMorning + kSecond);
  ASSERT_TRUE(after.drain(login));
  EXPECT_EQ(login.event.user.text(), "carol");
  EXPECT_EQ(login.event.assigned_ip.text(), "10.99.0.5");
  ASSERT_EQ(login.lines.size(), 2U);
  EXPECT_EQ(login.lines[0].text, "carol begins");
  ASSERT_TRUE(after.drain(login));
  EXPECT_EQ(login.event.user.text(), "alice");
  EXPECT_EQ(login.event.auth_method, event::AuthMethod::kRadius) << "of the line without an address";
  ASSERT_EQ(login.lines.size(), 2U);
  EXPECT_EQ(login.lines[0].text, "alice is known");
  EXPECT_FALSE(after.drain(login));
  EXPECT_EQ(after.sessions(), 3U);
  ASSERT_EQ(after.take_ended().size(), 1U);
  // Handed out long ago, but open: the line belongs to it.
  SessionStitcher later = restored(after);
  later.take(assigned(kMorning + kHour, "carol", kHome), "");
  EXPECT_FALSE(later.drain(login));
}

}  // namespace
}  // namespace orbwatch::enrich
