#include "intel/profiles/profile_set.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "core/text.h"
#include "intel/profiles/embedded_profiles.h"
#include "intel/soho.h"
#include "support/temp_dir.h"

namespace orbwatch::intel::profiles {
namespace {

std::string profile_text(std::string_view name) {
  return "name: " + std::string(name) +
         "\nsummary: own\nactivity: {first: 2024, source: one}\n"
         "sources:\n  - {id: one, title: t, publisher: p, date: 2024, url: https://a.example/}\n";
}

TEST(ProfileSet, EveryShippedProfileIsRead) {
  const ProfileSet& set = embedded_profiles();
  for (const core::Error& error : set.errors) ADD_FAILURE() << error.text();
  EXPECT_EQ(set.profiles.size(), files::all.size());
  for (const std::string_view name : {"Raptor Train", "KV Botnet", "JDY", "Quad7", "LapDogs", "PolarEdge", "SPACEHOP",
                                      "FLORAHOX", "KadNap", "TheMoon", "AVrecon"}) {
    const Profile* p = find_profile(set.profiles, name);
    ASSERT_NE(p, nullptr) << name;
    EXPECT_EQ(p->name, name);
  }
}

TEST(ProfileSet, NoNameOrAliasMeansTwoNetworks) {
  std::set<std::string> names;
  for (const Profile& p : embedded_profiles().profiles) {
    EXPECT_TRUE(names.insert(core::lower(p.name)).second) << p.name;
    for (const std::string& alias : p.aliases) EXPECT_TRUE(names.insert(core::lower(alias)).second) << alias;
    if (!p.part_of.empty()) {
      EXPECT_NE(find_profile(embedded_profiles().profiles, p.part_of), nullptr) << p.part_of;
    }
  }
}

TEST(ProfileSet, FactsThatMustNotChangeByAccident) {
  const auto& all = embedded_profiles().profiles;
  const Profile* quad7 = find_profile(all, "covertnetwork 1658");
  ASSERT_NE(quad7, nullptr);
  EXPECT_EQ(quad7->name, "Quad7");
  EXPECT_EQ(quad7->families.size(), 5U);
  ASSERT_EQ(quad7->cadence.size(), 1U);
  EXPECT_EQ(quad7->cadence[0].share, 0.8);
  EXPECT_EQ(quad7->layers.at(0).life_days, 90);
  const Profile* raptor = find_profile(all, "Raptor Train");
  ASSERT_NE(raptor, nullptr);
  EXPECT_EQ(raptor->layers.at(0).life_days, 17);
  EXPECT_EQ(raptor->layers.at(1).life_days, 77);
}

TEST(ProfileSet, FindsByNameBeforeAlias) {
  const auto& all = embedded_profiles().profiles;
  ASSERT_NE(find_profile(all, "kv-BOTNET"), nullptr);
  EXPECT_EQ(find_profile(all, "kv-BOTNET")->name, "KV Botnet");
  EXPECT_EQ(find_profile(all, "JDYFJ")->name, "JDY");
  EXPECT_EQ(find_profile(all, "--"), nullptr);
  EXPECT_EQ(find_profile(all, "nobody"), nullptr);
}

TEST(ProfileSet, OwnProfilesAreAddedOrReplaceAndItIsSaid) {
  const std::vector<ProfileText> own = {{"a.yaml", profile_text("quad7")},
                                        {"b.yaml", profile_text("Newnet")},
                                        {"c.yaml", profile_text("NEWNET")},
                                        {"d.yaml", "name: x\ncolour: red\n"}};
  const ProfileSet set = with_own(own);
  EXPECT_EQ(set.profiles.size(), embedded_profiles().profiles.size() + 1);
  const Profile* quad7 = find_profile(set.profiles, "Quad7");
  ASSERT_NE(quad7, nullptr);
  EXPECT_EQ(quad7->file, "a.yaml");
  EXPECT_EQ(set.notes, std::vector<std::string>{"a.yaml: replaces the built-in profile of quad7"});
  ASSERT_EQ(set.errors.size(), 2U);
  EXPECT_EQ(set.errors[0].text(), "c.yaml: the name is taken by b.yaml: NEWNET");
  EXPECT_TRUE(set.errors[1].text().starts_with("d.yaml:2: unknown key")) << set.errors[1].text();
  EXPECT_NE(find_profile(embedded_profiles().profiles, "Quad7")->file, "a.yaml");
}

TEST(ProfileSet, AFolderIsReadByName) {
  const test::TempDir dir;
  dir.write("b.yml", profile_text("Bnet"));
  dir.write("a.yaml", profile_text("Anet"));
  dir.write(".hidden.yaml", profile_text("Hidden"));
  dir.write("notes.txt", "no profile");
  dir.write("long.yaml", std::string(kLongestProfile + 1, '#'));
  std::filesystem::create_directory(dir / "folder.yaml");
  ASSERT_EQ(mkfifo((dir / "pipe.yaml").c_str(), 0600), 0);  // would block whoever opens it
  const ProfileFolder folder = read_profile_folder(dir.path().string());
  ASSERT_EQ(folder.texts.size(), 2U);
  EXPECT_TRUE(folder.texts[0].file.ends_with("a.yaml"));
  EXPECT_TRUE(folder.texts[1].file.ends_with("b.yml"));
  ASSERT_EQ(folder.errors.size(), 3U);
  const ProfileSet set = load_profiles(dir.path().string());
  EXPECT_NE(find_profile(set.profiles, "Anet"), nullptr);
  EXPECT_NE(find_profile(set.profiles, "Bnet"), nullptr);
  EXPECT_EQ(find_profile(set.profiles, "Hidden"), nullptr);
  EXPECT_EQ(set.errors.size(), 3U);

  const ProfileSet none = load_profiles((dir / "missing").string());
  EXPECT_EQ(none.profiles.size(), embedded_profiles().profiles.size());
  ASSERT_EQ(none.errors.size(), 1U);
}

TEST(ProfileSet, FilesBeyondTheLimitAreCounted) {
  const test::TempDir dir;
  for (std::size_t i = 0; i < kMostProfileFiles + 3; ++i) {
    dir.write("n" + std::to_string(i) + ".yaml", profile_text("net" + std::to_string(i)));
  }
  const ProfileSet set = load_profiles(dir.path().string());
  EXPECT_EQ(set.files_left_out, 3U);
  EXPECT_EQ(set.profiles.size(), embedded_profiles().profiles.size() + kMostProfileFiles);
  ASSERT_EQ(set.errors.size(), 1U);
  EXPECT_NE(set.errors[0].message.find("3 left out"), std::string::npos);
}

TEST(ProfileSet, ThePageNamesEveryProfileAndItsSources) {
  const std::string page = test::read_file(ORBWATCH_ROOT "/docs/known-networks.md");
  for (const Profile& p : embedded_profiles().profiles) {
    EXPECT_NE(page.find("[" + p.name + "](../data/networks/" + p.file + ")"), std::string::npos) << p.name;
    for (const Source& s : p.sources) {
      const std::string title = s.title.starts_with('[') ? s.title.substr(1, s.title.size() - 2) : s.title;
      const std::string entry = s.url.empty() ? title : "[" + title + "](" + s.url + ")";
      EXPECT_NE(page.find("| " + p.name + " | " + entry + " | " + s.publisher + " | " + s.date.text() + " |"),
                std::string::npos)
          << p.name << ": " << s.title;
    }
  }
}

// data/soho-ports.csv and data/soho-banners.csv name networks, too: the profile must say the same. "Mirai and kin" is
// no covert network and has no profile.
TEST(ProfileSet, AgreesWithTheTablesOfSohoDevices) {
  const auto& all = embedded_profiles().profiles;
  std::size_t rows = 0;
  for (const SohoPort& row : soho_ports()) {
    if (row.network.empty() || row.network == "Mirai and kin") continue;
    ++rows;
    const Profile* p = find_profile(all, row.network);
    ASSERT_NE(p, nullptr) << row.network;
    EXPECT_TRUE(std::any_of(p->ports.begin(), p->ports.end(),
                            [&](const Port& port) {
                              return port.first == row.port && port.last == row.port && port.protocol == row.protocol;
                            }))
        << row.network << " " << row.port;
  }
  EXPECT_GE(rows, 8U);
  rows = 0;
  for (const SohoBanner& row : soho_banners()) {
    if (row.network.empty() || row.network == "Mirai and kin") continue;
    ++rows;
    const Profile* p = find_profile(all, row.network);
    ASSERT_NE(p, nullptr) << row.network;
    const auto same = [&](const std::string& text) { return core::equals_ignore_case(text, row.pattern); };
    bool found = false;
    if (row.field == BannerField::kBanner) {
      for (const Banner& b : p->banners) found |= same(b.text);
    } else {
      for (const Certificate& c : p->certificates) {
        found |= same(row.field == BannerField::kCertificateIssuer ? c.issuer : c.subject);
      }
    }
    EXPECT_TRUE(found) << row.network << " " << row.pattern;
  }
  EXPECT_GE(rows, 12U);
}

}  // namespace
}  // namespace orbwatch::intel::profiles
