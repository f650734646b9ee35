#include "intel/profiles/profile_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "intel/profiles/profile_reader.h"
#include "intel/profiles/profile_set.h"

namespace orbwatch::intel::profiles {
namespace {

// What somebody would see who saw everything that the profile reports, without lists that name it.
NetworkTraits traits_of(const Profile& p) {
  NetworkTraits t;
  for (const Port& port : p.ports) {
    std::string banner;
    for (const Banner& b : p.banners) {
      if (b.port != 0 && b.port == port.first) banner = b.text + " ";
    }
    t.ports.push_back({port.first, port.protocol, banner});
  }
  for (const Banner& b : p.banners) {
    if (b.port == 0) t.banners.push_back(b.text);
  }
  for (const Certificate& c : p.certificates) {
    t.certificates.push_back({"CN=x, O=" + c.issuer, "CN=" + c.subject, c.sha256, c.self_signed, c.valid_days});
  }
  for (const Fingerprint& f : p.fingerprints) t.fingerprints.push_back({f.kind, f.value});
  for (const Client& c : p.clients) t.clients.push_back(c.text);
  for (const Device& d : p.devices) {
    t.devices.push_back(d.maker.empty() ? std::string(name(d.kind)) : d.maker + " " + d.model);
  }
  for (const Cadence& c : p.cadence) t.attempts_per_account_and_day = c.attempts_per_account_and_day;
  for (const Target& target : p.targets) {
    t.asked_ports.insert(t.asked_ports.end(), target.ports.begin(), target.ports.end());
    t.services.insert(t.services.end(), target.services.begin(), target.services.end());
  }
  for (const NetworkTypeTrait& n : p.network_types) t.network_types.push_back({n.type, 10});
  for (const Country& c : p.countries) t.countries.push_back(c.code);
  for (const Provider& provider : p.providers) t.as_numbers.push_back(provider.asn);
  return t;
}

std::string first_of(const std::vector<ProfileMatch>& matches) {
  return matches.empty() ? "none" : matches.front().profile->name;
}

// A home line anywhere: what any detector of this program meets every day.
NetworkTraits background() {
  NetworkTraits t;
  t.ports = {{22, 6, "SSH-2.0-dropbear_2019.78"},
             {53, 17, ""},
             {80, 6, "mini_httpd/1.19"},
             {443, 6, ""},
             {7547, 6, ""},
             {8443, 6, ""},
             {8080, 6, "lighttpd"},
             {50123, 6, ""}};
  t.banners = {"SSH-2.0-OpenSSH_9.6", "nginx"};
  t.certificates = {{"CN=R11, O=Let's Encrypt, C=US", "CN=vpn.example.com", std::string(64, 'a'), false, 90},
                    {"CN=192.168.1.1", "CN=192.168.1.1", "", true, 3650}};
  t.fingerprints = {{FingerprintKind::kJa3, "cd08e31494f9531f560d64c695473da9"}};
  t.clients = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64)"};
  t.devices = {"TP-Link Archer C7", "ASUS RT-AX88U", "Buffalo AirStation", "Cisco RV340"};
  t.attempts_per_account_and_day = 40;
  t.asked_ports = {22, 23, 80, 443, 3389, 8080};
  t.services = {"Microsoft 365"};
  t.network_types = {{core::NetworkType::kConsumer, 20}};
  t.countries = {core::pack_country("US"), core::pack_country("JP"), core::pack_country("TW")};
  t.as_numbers = {3320, 7922};
  t.labels = {"Feodo Tracker", "tor exit nodes", "scanners"};
  return t;
}

TEST(ProfileMatcher, NothingSeenMatchesNothing) { EXPECT_TRUE(match({}).empty()); }

TEST(ProfileMatcher, BackgroundMatchesNone) {
  for (const ProfileMatch& m : match(background())) ADD_FAILURE() << m.score << " " << m.says;
}

TEST(ProfileMatcher, EveryNetworkIsFirstForItsOwnTraits) {
  for (const Profile& p : embedded_profiles().profiles) {
    NetworkTraits t = traits_of(p);
    const auto alone = match(t);
    // A network of which only makers and kinds of network are published cannot be told by them; it must then not be
    // said either.
    const bool telling = !p.certificates.empty() || !p.cadence.empty() ||
                         std::any_of(p.banners.begin(), p.banners.end(), [](const Banner& b) { return !b.weight; });
    EXPECT_EQ(first_of(alone), telling ? p.name : "none") << p.name;
    t.labels = {p.name + " nodes (2024)"};
    const auto named = match(t);
    ASSERT_EQ(first_of(named), p.name);
    if (named.size() > 1) {
      EXPECT_GT(named[0].score, named[1].score) << p.name;
    }
  }
}

TEST(ProfileMatcher, EveryTelltaleTraitAloneFindsItsNetwork) {
  for (const Profile& p : embedded_profiles().profiles) {
    for (const Banner& b : p.banners) {
      if (b.weight == Weight::kWeak) continue;
      NetworkTraits t;
      t.banners = {b.text};
      EXPECT_EQ(first_of(match(t)), p.name) << b.text;
    }
    for (const Certificate& c : p.certificates) {
      NetworkTraits t;
      t.certificates = {{c.issuer, c.subject, c.sha256, c.self_signed, {}}};
      EXPECT_EQ(first_of(match(t)), p.name) << c.issuer << c.subject << c.sha256;
    }
  }
}

TEST(ProfileMatcher, ASentenceSaysWhatMatched) {
  NetworkTraits t;
  t.ports = {{7777, 6, "xlogin:"}};
  t.attempts_per_account_and_day = 1.1;
  t.devices = {"TP-Link TL-WR841N"};
  const auto matches = match(t);
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(matches[0].says,
            "3 of 17 traits of Quad7: port 7777 with banner 'xlogin:' (strong), 1 attempt per account and day "
            "(medium), TP-Link routers (weak). Could not be seen: services tried, kinds of network.");
  EXPECT_EQ(matches[0].matched, 3U);
  EXPECT_EQ(matches[0].contradicted, 0U);
  EXPECT_NEAR(matches[0].score, kBannerWorth + std::log(8) + (kMakerWorth - std::log(2)), 1e-9);
  EXPECT_EQ(matches[0].profile->sources.at(matches[0].traits[0].sources[0]).id, "gi7w0rm");
}

TEST(ProfileMatcher, APortWithoutItsBannerIsWorthLess) {
  NetworkTraits t;
  t.ports = {{7777, 6, ""}};
  const auto open = match(t);
  ASSERT_EQ(first_of(open), "Quad7");
  EXPECT_DOUBLE_EQ(open[0].score, kRarePortWorth);
  EXPECT_NE(open[0].says.find("port 7777, its banner not seen (medium)"), std::string::npos) << open[0].says;
  // A game server is no node.
  t.ports = {{7777, 6, "Terraria"}};
  EXPECT_TRUE(match(t).empty());
  t.ports = {{7777, 6, "Terraria"}, {11288, 6, ""}};
  const auto mixed = match(t);
  ASSERT_EQ(first_of(mixed), "Quad7");
  EXPECT_EQ(mixed[0].contradicted, 1U);
  EXPECT_LT(mixed[0].score, open[0].score);
  EXPECT_NE(mixed[0].says.find("Against it: port 7777 answers 'Terraria', not 'xlogin:' (medium)."), std::string::npos)
      << mixed[0].says;
  // Another node answers as it should: the odd one is nothing against it.
  t.ports = {{7777, 6, "Terraria"}, {7777, 6, "xlogin: "}};
  EXPECT_EQ(match(t).at(0).contradicted, 0U);
  // UDP 7777 is another port.
  t.ports = {{7777, 17, ""}};
  EXPECT_TRUE(match(t).empty());
}

TEST(ProfileMatcher, OrdinaryPortsAndBannersSayNothing) {
  NetworkTraits t;
  t.ports = {{22, 6, ""}, {80, 6, ""}, {443, 6, ""}, {3389, 6, ""}, {8080, 6, ""}, {8443, 6, ""}, {40000, 6, ""}};
  EXPECT_TRUE(match(t).empty());
  t.banners = {"xlogin failed", "my xlogin:", "SSH-2.0-dropbear", "mini_httpd"};
  EXPECT_TRUE(match(t).empty());
}

TEST(ProfileMatcher, CertificatesAreComparedByWholeWords) {
  NetworkTraits t;
  t.certificates = {{"O=Clapdogs Ltd", "CN=clapdoor.example", "", true, {}}};
  EXPECT_TRUE(match(t).empty());
  t.certificates = {{"C=US, ST=California, O=lapd, CN=lapd.example", "", "", true, {}}};
  EXPECT_EQ(first_of(match(t)), "LapDogs");
  // Signed by somebody else: the reported ones are not.
  t.certificates[0].self_signed = false;
  EXPECT_TRUE(match(t).empty());
  t.certificates = {{"", "", "2B640582BBBFFE58C4EFB8AB5A0412E95130E70A587FD1E194FBCD4B33D432CF", {}, {}}};
  EXPECT_EQ(first_of(match(t)), "JDY");
}

TEST(ProfileMatcher, LabelsOfListsAreNormalised) {
  const auto named = [](std::string label) {
    NetworkTraits t;
    t.labels = {std::move(label)};
    return first_of(match(t));
  };
  EXPECT_EQ(named("KV-Botnet (Lumen, February 2024)"), "KV Botnet");
  EXPECT_EQ(named("kvbotnet"), "KV Botnet");
  EXPECT_EQ(named("RaptorTrain_Tier2"), "Raptor Train");
  EXPECT_EQ(named("malware:covertnetwork-1658"), "Quad7");
  EXPECT_EQ(named("7777-Botnet"), "Quad7");
  EXPECT_EQ(named("ORB3"), "SPACEHOP");
  EXPECT_EQ(named("SocksEscort"), "AVrecon");
  EXPECT_EQ(named("xlogin"), "Quad7");
  EXPECT_EQ(named("Storm-0940"), "none");  // who uses it: not enough alone
  EXPECT_EQ(named("moonlight"), "none");
  EXPECT_EQ(named("port 7777"), "none");
  EXPECT_EQ(named("---"), "none");
}

TEST(ProfileMatcher, AListAloneIsNoTrait) {
  NetworkTraits t;
  t.labels = {"KadNap"};
  const auto matches = match(t);
  ASSERT_EQ(first_of(matches), "KadNap");
  EXPECT_TRUE(matches[0].says.starts_with("0 of 3 traits of KadNap: a list names it: 'KadNap' (strong)."))
      << matches[0].says;
}

TEST(ProfileMatcher, AnActorWhoUsesSeveralNetworksSaysLess) {
  NetworkTraits t;
  t.certificates = {{"O=jdyfj", "", "", true, {}}};
  const double without = match(t).at(0).score;
  t.labels = {"APT: Volt Typhoon"};  // uses both parts of KV Botnet
  const auto matches = match(t);
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_NEAR(matches[0].score - without, kActorLabelWorth - std::log(2), 1e-9);
  EXPECT_NE(matches[0].says.find("a list names Volt Typhoon, who uses it (weak)"), std::string::npos)
      << matches[0].says;
}

TEST(ProfileMatcher, CadenceSpeaksForAndAgainst) {
  NetworkTraits t;
  t.banners = {"xlogin:"};
  const double without = match(t).at(0).score;
  t.attempts_per_account_and_day = 1;
  EXPECT_NEAR(match(t).at(0).score - without, std::log(0.8 / kUsualCadenceShare), 1e-9);
  t.attempts_per_account_and_day = 50;
  const auto against = match(t);
  EXPECT_NEAR(against.at(0).score - without, std::log(0.2 / 0.9), 1e-9);
  EXPECT_NE(against.at(0).says.find("50 attempts per account and day, not 1"), std::string::npos) << against[0].says;
}

TEST(ProfileMatcher, OtherMakersAndNetworksSpeakAgainst) {
  NetworkTraits t;
  t.certificates = {{"O=jdyfj", "", "", true, {}}};
  const double without = match(t).at(0).score;
  t.devices = {"Netis WF2419"};
  EXPECT_LT(match(t).at(0).score, without);
  t.devices.clear();
  t.network_types = {{core::NetworkType::kHosting, 10}};
  const auto hosted = match(t);
  EXPECT_LT(hosted.at(0).score, without);
  EXPECT_NE(hosted.at(0).says.find("Against it: hardly any nodes in consumer broadband"), std::string::npos)
      << hosted[0].says;
  // One node is too few to say so.
  t.network_types = {{core::NetworkType::kHosting, 1}};
  EXPECT_DOUBLE_EQ(match(t).at(0).score, without);
}

TEST(ProfileMatcher, SetsOfAskedPorts) {
  NetworkTraits t;
  t.asked_ports = {22, 23, 80, 443, 8080, 8443, 8888};
  EXPECT_EQ(first_of(match(t)), "JDY");
  t.asked_ports = {22, 23, 80, 443};
  EXPECT_TRUE(match(t).empty());
  t.asked_ports.clear();
  for (std::uint16_t port = 1; port < 10'000; ++port) t.asked_ports.push_back(port);  // somebody who asks for all
  EXPECT_TRUE(match(t).empty());
}

TEST(ProfileMatcher, FurtherTraitsOfOneKindCountHalf) {
  NetworkTraits t;
  t.banners = {"xlogin:"};
  const double one = match(t).at(0).score;
  t.banners.push_back("alogin:");
  EXPECT_DOUBLE_EQ(match(t).at(0).score, one + kBannerWorth / 2);
  t.banners.push_back("zylogin:");
  EXPECT_DOUBLE_EQ(match(t).at(0).score, one + kBannerWorth / 2 + kBannerWorth / 4);
}

TEST(ProfileMatcher, OneCertificateCountsOnce) {
  NetworkTraits t;
  t.certificates = {{"O=jdyfj, CN=jdyfj", "", "", true, {}}};
  EXPECT_DOUBLE_EQ(match(t).at(0).score, kCertificateTextWorth);
  t.certificates[0].subject = t.certificates[0].issuer;  // self-signed: the subject says the same
  EXPECT_DOUBLE_EQ(match(t).at(0).score, kCertificateTextWorth);
  // Another certificate is another observation.
  t.certificates.push_back({"", "", "2b640582bbbffe58c4efb8ab5a0412e95130e70a587fd1e194fbcd4b33d432cf", {}, {}});
  EXPECT_DOUBLE_EQ(match(t).at(0).score, kHashWorth + kCertificateTextWorth / 2);
}

// Kinds of traits that no shipped profile has.
class OwnProfileTest : public testing::Test {
 protected:
  void SetUp() override {
    auto profile = read_profile(
        "name: Testnet\nsummary: s\nactivity: {first: 2024, source: one}\n"
        "fingerprints: [{kind: jarm, value: 27d40d40d, source: one}]\n"
        "clients: [{text: curl/7.1, match: exact, source: one}]\n"
        "cadence: [{from_hour: 22, to_hour: 6, source: one}]\n"
        "providers: [{asn: 64500, title: Example, source: one}]\n"
        "certificates: [{issuer: fake, valid_days: 365, source: one}]\n"
        "ports: [{from: 5000, to: 5009, protocol: udp, meaning: relay, source: one}]\n"
        "sources: [{id: one, title: t, publisher: p, date: 2024, url: https://a.example/}]\n",
        "x.yaml");
    ASSERT_TRUE(profile) << profile.error().text();
    profiles_.push_back(std::move(*profile));
  }
  std::vector<ProfileMatch> match(const NetworkTraits& t) const { return ProfileMatcher(profiles_).match(t); }
  double score(const NetworkTraits& t) const {
    const auto all = match(t);
    return all.empty() ? 0 : all[0].score;
  }

  std::vector<Profile> profiles_;
};

TEST_F(OwnProfileTest, FingerprintsOfTheSameKindOnly) {
  NetworkTraits t;
  t.fingerprints = {{FingerprintKind::kJarm, "27D40D40D"}};
  EXPECT_DOUBLE_EQ(score(t), kFingerprintWorth);
  t.fingerprints = {{FingerprintKind::kJa3, "27d40d40d"}};
  EXPECT_DOUBLE_EQ(score(t), 0);
}

TEST_F(OwnProfileTest, ClientsHoursAndRanges) {
  NetworkTraits t;
  t.clients = {" CURL/7.1"};
  EXPECT_DOUBLE_EQ(score(t), kClientWorth);
  t.clients = {"curl/7.19"};
  EXPECT_DOUBLE_EQ(score(t), 0);
  t.clients = {"curl/7.1"};
  t.activity_by_hour.emplace();
  for (const std::size_t h : {22U, 23U, 0U, 5U}) (*t.activity_by_hour)[h] = 3;
  EXPECT_NEAR(score(t), kClientWorth + std::log(0.8 * 24 / 8), 1e-9);
  (*t.activity_by_hour)[12] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NEAR(score(t), kClientWorth + std::log(0.8 * 24 / 8), 1e-9);
  t.activity_by_hour->fill(0);
  EXPECT_DOUBLE_EQ(score(t), kClientWorth);
  t.activity_by_hour.reset();
  t.clients.clear();
  t.ports = {{5009, 17, ""}};
  EXPECT_DOUBLE_EQ(score(t), kRarePortWorth);
  t.as_numbers = {64500};
  EXPECT_DOUBLE_EQ(score(t), kRarePortWorth + kProviderWorth);
  t.activity_by_hour.emplace();
  (*t.activity_by_hour)[12] = 5;
  EXPECT_LT(score(t), kRarePortWorth + kProviderWorth);
}

TEST_F(OwnProfileTest, ValidityOfCertificates) {
  NetworkTraits t;
  t.certificates = {{"CN=fake", "", "", {}, 365.5}};
  EXPECT_DOUBLE_EQ(score(t), kCertificateTextWorth);
  t.certificates[0].valid_days = 90;
  EXPECT_DOUBLE_EQ(score(t), 0);
}

TEST_F(OwnProfileTest, TheSameTraitInTwoNetworksCountsLess) {
  NetworkTraits t;
  t.fingerprints = {{FingerprintKind::kJarm, "27d40d40d"}};
  profiles_.push_back(profiles_[0]);
  profiles_[1].name = "Another";
  const auto both = match(t);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_DOUBLE_EQ(both[0].score, kFingerprintWorth - std::log(2));
  EXPECT_EQ(both[0].profile->name, "Another");  // equal scores: by name
}

// Observed texts may be anything.
TEST(ProfileMatcher, HostileTraits) {
  NetworkTraits t;
  const std::string bytes("\x00\xff\x1b[31m'\"", 9);
  t.ports = {{7777, 6, bytes}, {11288, 6, std::string(100'000, 'x')}};
  t.banners = {"", bytes, std::string(1'000'000, ' ')};
  t.certificates = {{bytes, bytes, bytes, {}, std::numeric_limits<double>::infinity()}};
  t.devices = {"", bytes};
  t.labels = {"", bytes, "Quad7" + bytes};
  t.attempts_per_account_and_day = std::numeric_limits<double>::quiet_NaN();
  t.network_types = {{core::NetworkType::kConsumer, std::numeric_limits<double>::quiet_NaN()},
                     {core::NetworkType::kHosting, -5}};
  for (const ProfileMatch& m : match(t)) {
    EXPECT_TRUE(std::isfinite(m.score)) << m.says;
    EXPECT_EQ(m.says.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace orbwatch::intel::profiles
