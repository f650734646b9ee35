#include "intel/network_type.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/text.h"
#include "intel/embedded.h"
#include "intel/networks.h"
#include "intel/test_table.h"

namespace orbwatch::intel {
namespace {

TypeClaim claim(NetworkType type, TypeSource source, float weight) { return {type, source, weight, "test"}; }

TEST(NetworkType, NamesAreReadBack) {
  for (int t = 0; t < core::kNetworkTypes; ++t) {
    const auto type = static_cast<NetworkType>(t);
    NetworkType read = NetworkType::kTor;
    EXPECT_TRUE(core::parse_network_type(core::name(type), read)) << core::name(type);
    EXPECT_EQ(read, type);
  }
  NetworkType untouched = NetworkType::kVpn;
  EXPECT_FALSE(core::parse_network_type("nonsense", untouched));
  EXPECT_EQ(untouched, NetworkType::kVpn);
}

TEST(NetworkType, CountriesPack) {
  EXPECT_EQ(core::unpack_country(core::pack_country("DE")).view(), "DE");
  EXPECT_EQ(core::pack_country("de"), core::pack_country("DE"));
  EXPECT_EQ(core::pack_country("D"), 0);
  EXPECT_EQ(core::pack_country("DEU"), 0);
  EXPECT_EQ(core::pack_country("1A"), 0);
  EXPECT_EQ(core::unpack_country(0).view(), "");
}

TEST(NetworkType, TheLargerSumWinsAndTheOtherIsADispute) {
  const TypeClaim claims[] = {claim(NetworkType::kConsumer, TypeSource::kAsName, 1),
                              claim(NetworkType::kHosting, TypeSource::kAsList, 2)};
  const TypeDecision decision = decide_type(claims);
  EXPECT_EQ(decision.type, NetworkType::kHosting);
  EXPECT_TRUE(decision.disputed);
  EXPECT_EQ(decision.sources, static_cast<int>(TypeSource::kAsName) | static_cast<int>(TypeSource::kAsList));
}

TEST(NetworkType, ClaimsForOneTypeAdd) {
  const TypeClaim claims[] = {claim(NetworkType::kConsumer, TypeSource::kAsName, 1.5F),
                              claim(NetworkType::kConsumer, TypeSource::kCurated, 3),
                              claim(NetworkType::kHosting, TypeSource::kPrefixList, 4)};
  EXPECT_EQ(decide_type(claims).type, NetworkType::kConsumer);
}

TEST(NetworkType, AVpnOverHostingIsAVpnWithoutDispute) {
  const TypeClaim claims[] = {claim(NetworkType::kHosting, TypeSource::kCurated, 3),
                              claim(NetworkType::kHosting, TypeSource::kAsList, 2),
                              claim(NetworkType::kVpn, TypeSource::kPrefixList, 4)};
  const TypeDecision decision = decide_type(claims);
  EXPECT_EQ(decision.type, NetworkType::kVpn);
  EXPECT_FALSE(decision.disputed);
}

TEST(NetworkType, AWeakVpnHintIsNoOverlay) {
  const TypeClaim claims[] = {claim(NetworkType::kConsumer, TypeSource::kCurated, 3),
                              claim(NetworkType::kVpn, TypeSource::kAsName, 1.5F)};
  EXPECT_EQ(decide_type(claims).type, NetworkType::kConsumer);
}

TEST(NetworkType, TheOrganisationAndTheUserOverrule) {
  const TypeClaim claims[] = {claim(NetworkType::kTor, TypeSource::kPrefixList, 4),
                              claim(NetworkType::kBusiness, TypeSource::kUserList, kWeightUserList)};
  EXPECT_EQ(decide_type(claims).type, NetworkType::kBusiness);
  const TypeClaim more[] = {claims[0], claims[1],
                            claim(NetworkType::kEducation, TypeSource::kOrganisation, kWeightOrganisation)};
  EXPECT_EQ(decide_type(more).type, NetworkType::kEducation);
}

TEST(NetworkType, NothingIsUnknown) {
  EXPECT_EQ(decide_type({}).type, NetworkType::kUnknown);
  EXPECT_EQ(explain_type({}), "");
}

TEST(NetworkType, ExplainsStrongestFirst) {
  const TypeClaim claims[] = {{NetworkType::kConsumer, TypeSource::kAsName, 1, "AS name ('broadband')"},
                              {NetworkType::kHosting, TypeSource::kAsList, 2, "list X"}};
  EXPECT_EQ(explain_type(claims), "hosting according to list X; consumer broadband according to AS name ('broadband')");
}

struct NameCase {
  std::string_view as_name;
  NetworkType type;
};

TEST(NetworkType, RulesReadNames) {
  const NameCase cases[] = {{"Example Hosting GmbH", NetworkType::kHosting},
                            {"EXAMPLE BROADBAND LTD", NetworkType::kConsumer},
                            {"Universitaet Musterstadt", NetworkType::kEducation},
                            {"Muster Bank AG", NetworkType::kBusiness},
                            {"Ministry of Examples", NetworkType::kGovernment},
                            {"Example Mobile Ltd", NetworkType::kMobile},
                            {"Example VPN Inc.", NetworkType::kVpn},
                            {"Qwertz", NetworkType::kUnknown},
                            {"", NetworkType::kUnknown}};
  for (const NameCase& c : cases) EXPECT_EQ(decide_type(claims_by_name(c.as_name)).type, c.type) << c.as_name;
}

TEST(NetworkType, WholeWordsAreNotFoundInsideOthers) {
  // "host" is a word rule: a ghost is no host.
  for (const TypeClaim& c : claims_by_name("Ghost Ghosts")) EXPECT_NE(c.type, NetworkType::kHosting) << c.says;
}

TEST(NetworkType, ALegalFormSaysNothing) {
  EXPECT_TRUE(claims_by_name("Qwertz Inc.").empty());
  EXPECT_TRUE(claims_by_name("Qwertz GmbH").empty());
}

TEST(NetworkType, EveryRowOfTheDataIsReadOnce) {
  EXPECT_EQ(curated_as().size(), data_rows(embedded_as_types()));
  EXPECT_GE(curated_as().size(), 300U);
  for (std::size_t i = 1; i < curated_as().size(); ++i) EXPECT_LT(curated_as()[i - 1].asn, curated_as()[i].asn);
  std::string_view rules = embedded_as_name_rules();
  while (!rules.empty()) {
    std::string_view line = take_line(rules);
    if (line.empty() || line.front() == '#' || line.starts_with("pattern,")) continue;
    const std::string whole(line);
    const std::string pattern = core::lower(take_field(line));
    const std::string_view match = take_field(line);
    NetworkType type{};
    EXPECT_TRUE(match == "word" || match == "prefix" || match == "part") << whole;
    EXPECT_TRUE(core::parse_network_type(take_field(line), type)) << whole;
    EXPECT_TRUE(parse_real(take_field(line))) << whole;
    // The rule must fire on its own pattern: a pattern with a hyphen, say, could never match.
    const auto claims = claims_by_name(pattern);
    EXPECT_TRUE(std::any_of(claims.begin(), claims.end(), [&](const TypeClaim& c) { return c.type == type; })) << whole;
  }
}

struct NamesOf final : AsNames {
  explicit NamesOf(const Networks& n) : networks(n) {}
  std::string_view name_of(std::uint32_t asn) const override { return networks.name_of_as(asn); }
  const Networks& networks;
};

// The curated rows were written from memory and experience: each must fit the name under which the number is
// registered.
TEST(NetworkTypeWithDataSet, CuratedNotesFitRegisteredNames) {
  const auto networks = Networks::open(Networks::default_path());
  if (!networks) GTEST_SKIP() << "no compiled table; tools/fetch-intel.sh makes it";
  for (const CuratedAs& row : curated_as()) {
    const std::string_view registered = networks->name_of_as(row.asn);
    if (registered.empty()) continue;  // withdrawn since
    std::string_view note = row.note;
    while (!note.empty()) {
      const std::string_view word = core::take_until(note, ' ');
      EXPECT_TRUE(core::contains_ignore_case(registered, word))
          << "AS" << row.asn << " " << row.note << " | " << registered;
    }
  }
}

TEST(NetworkTypeWithDataSet, NameRulesAreRightMoreOftenThanWrong) {
  const auto networks = Networks::open(Networks::default_path());
  if (!networks) GTEST_SKIP() << "no compiled table; tools/fetch-intel.sh makes it";
  const RuleCheck check = check_name_rules(NamesOf(*networks));
  std::printf("%s", check.text().c_str());
  EXPECT_GT(check.rows, 300U);
  EXPECT_EQ(check.rows, check.right + check.wrong + check.silent);
  EXPECT_GT(check.right, 4 * check.wrong);
}

}  // namespace
}  // namespace orbwatch::intel
