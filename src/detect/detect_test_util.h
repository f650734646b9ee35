// What the tests of detectors share: a small world of networks, hand-built profiles and both passes over one event.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/view.h"
#include "core/network_view_test_util.h"
#include "detect/all.h"
#include "detect/detector.h"
#include "event/event.h"

namespace orbwatch::detect::test {

constexpr core::Nanoseconds kNoon = 1'795'435'200 * core::kSecond;  // 2026-11-23T12:00:00Z, a Monday

inline core::Ip ip(const char* text) { return *core::Ip::parse(text); }

// Alice lives in Berlin with AS64500; everything else is relative to that. Addresses are global ones, since
// documentation addresses are never "remote".
struct World {
  core::test::FakeNetworks networks;
  std::uint32_t home = networks.add(64500, core::NetworkType::kConsumer, 52.5F, 13.4F, "DE", "Home Net", "Berlin");
  std::uint32_t town = networks.add(64501, core::NetworkType::kConsumer, 52.4F, 13.1F, "DE", "Town Cable", "Potsdam");
  std::uint32_t far = networks.add(64502, core::NetworkType::kHosting, 48.1F, 11.6F, "DE", "Rented Servers", "Munich");
  std::uint32_t abroad =
      networks.add(64503, core::NetworkType::kConsumer, 40.7F, -74.0F, "US", "Abroad DSL", "New York");
  std::uint32_t phone = networks.add(64504, core::NetworkType::kMobile, 52.5F, 13.4F, "DE", "Mobile", "Berlin");
  std::uint32_t office = networks.add(64510, core::NetworkType::kBusiness, 52.5F, 13.4F, "DE", "Our Office", "Berlin");
  std::uint32_t partner = networks.add(64511, core::NetworkType::kBusiness, 40.7F, -74.0F, "US", "Partner", "New York");

  baseline::UserProfile user;
  baseline::GroupProfile everyone;
  baseline::GroupProfile group;
  baseline::SourceProfile source;
  baseline::StrangerFailures strangers;
  baseline::EdgeProbes edge;
  event::Event event;
  baseline::View view;
  double moved = 0.15;                        // baseline::chances()
  const baseline::Tunnel* resumed = nullptr;  // the session that goes on with the log-in

  World() {
    networks.set_own(office);
    networks.set_allowed(partner);
    user.first_seen = kNoon - 90 * core::kDay;
    user.logins = 50;
    user.count = 50;
    user.prefixes.add(baseline::prefix_key(ip("5.1.1.1")), 50);
    user.systems.add(64500, 50);
    user.places.add(baseline::pack_place(52.5F, 13.4F), 50);
    user.countries.add(core::pack_country("DE"), 50);
    user.types[static_cast<std::size_t>(core::NetworkType::kConsumer)] = 50;
    user.familiarity[0] = 49;
    user.familiarity[1] = 1;
    everyone.logins = 1000;
    for (auto& levels : everyone.familiarity) levels = {880, 50, 20, 25, 20, 5};
    everyone.types[static_cast<std::size_t>(core::NetworkType::kConsumer)] = 900;
    everyone.types[static_cast<std::size_t>(core::NetworkType::kMobile)] = 100;
    view.networks = &networks;
    view.everyone = &everyone;
    view.strangers = &strangers;
    view.edge = &edge;
    view.user = &user;
    view.login = true;
    view.remote = true;
    view.now = kNoon;
    view.unit = 1;
    view.known_systems_share = 0.3;
    view.usual[0] = {core::intern("Home Net"), 64500, 1};
    view.users = 800;
    event.time = kNoon;
    event.event_class = event::Class::kSession;
    event.activity = event::Activity::kStart;
    event.outcome = event::Outcome::kSuccess;
    event.service = event::Service::kVpn;
    event.user = core::intern("alice");
    event.observer = core::intern("fw1");
    from("5.1.1.1", home, baseline::Familiarity::kSamePrefix);
  }
  World(const World&) = delete;  // the view points into it
  World& operator=(const World&) = delete;

  void from(const char* address, std::uint32_t facts, baseline::Familiarity familiarity) {
    event.source_ip = ip(address);
    event.source_facts = facts;
    view.source = &networks.facts(facts);
    view.familiarity = familiarity;
  }
  void fail() {
    view.login = false;
    view.failed_login = true;
    event.event_class = event::Class::kAuthentication;
    event.activity = event::Activity::kLogon;
    event.outcome = event::Outcome::kFailure;
  }

  // The view with what follows from the profiles, as the baseline gives it.
  baseline::View complete() const {
    baseline::View v = view;
    if (v.user == nullptr || !v.login) return v;
    v.chances = baseline::chances(baseline::novelty_chances(*v.user, v.group, *v.everyone, v.unit), moved);
    v.strange = baseline::strangeness(*v.user, v.source_profile, event, *v.source, v.familiarity, v.neighbour, resumed);
    return v;
  }
  // Both passes; checks what holds for every detector: the first leaves `says` empty, the second gives the same numbers
  // and one sentence each.
  std::vector<Evidence> run(const Detector& detector) const {
    EvidenceSink numbers(false), text(true);
    const baseline::View seen = complete();
    detector.evidence(event, seen, numbers);
    detector.evidence(event, seen, text);
    EXPECT_EQ(numbers.evidence().size(), text.evidence().size());
    for (std::size_t i = 0; i < numbers.evidence().size() && i < text.evidence().size(); ++i) {
      const Evidence& a = numbers.evidence()[i];
      const Evidence& b = text.evidence()[i];
      EXPECT_TRUE(a.says.empty()) << a.kind << " writes text that nobody wants";
      EXPECT_FALSE(b.says.empty()) << b.kind << " has no words";
      EXPECT_EQ(b.says.find("{}"), b.says.npos) << b.says;
      EXPECT_NE(b.says.back(), '.') << b.says;
      EXPECT_EQ(a.kind, b.kind);
      EXPECT_EQ(a.llr, b.llr);
      EXPECT_EQ(a.detector, detector.info().name);
      EXPECT_TRUE(std::isfinite(a.llr)) << a.kind;
    }
    EXPECT_TRUE(text.evidence().empty() || detector.wants(event)) << "gives evidence on what it does not want";
    return text.evidence();
  }
  // The evidence of one kind, if any.
  std::optional<Evidence> run(const Detector& detector, std::string_view kind) const {
    for (Evidence& e : run(detector)) {
      if (e.kind == kind) return e;
    }
    return std::nullopt;
  }
  // Its ratio; fails the test if it is silent.
  double llr(const Detector& detector, std::string_view kind) const {
    const auto found = run(detector, kind);
    EXPECT_TRUE(found.has_value()) << kind << " is silent";
    return found ? found->llr : 0;
  }
  // Detectors of what is unusual for a user speak of this log-in, but not if nothing is known of the user, if it came
  // from inside or if it failed. Leaves it failed.
  void expect_only_remote_logins_of_known_users(const Detector& detector) {
    view.user = nullptr;
    EXPECT_TRUE(run(detector).empty()) << "nothing is known of the user";
    view.user = &user;
    expect_only_remote_logins(detector);
  }

  // The same of detectors that know what to say of a user of whom nothing is known.
  void expect_only_remote_logins(const Detector& detector) {
    EXPECT_FALSE(run(detector).empty());
    view.remote = false;
    EXPECT_TRUE(run(detector).empty()) << "from inside";
    view.remote = true;
    fail();
    EXPECT_TRUE(run(detector).empty()) << "it failed";
  }
};

}  // namespace orbwatch::detect::test
