#include "pipeline/verdict_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using score::Judgement;
using score::Verdict;

constexpr core::Nanoseconds kNow = 1'795'392'000 * core::kSecond;

class VerdictFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orbwatch_verdicts_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = name + "/verdicts.ndjson";
  }
  void TearDown() override { fs::remove_all(folder_); }
  static Verdict benign(std::string id) {
    Verdict v;
    v.id = std::move(id);
    v.time = kNow;
    v.author = "alice";
    v.says = Judgement::kBenign;
    v.reason = "a \"known\" provider";
    v.finding = "0123456789abcdef";
    v.log_odds = -3.25;
    v.users = {"bob"};
    v.sources = {*core::Ip::parse("2001:db8::7")};
    v.networks = {core::Prefix::neighbourhood(v.sources[0])};
    v.systems = {64496};
    v.gateway = "fw1";
    v.evidence = {{"new-network", 3.5}};
    v.scope = score::Scope::kUserSystem;
    return v;
  }
  static score::Finding finding(std::string id) {
    score::Finding f;
    f.id = std::move(id);
    f.time = f.end = kNow;
    f.log_odds = -2.5;
    f.user = "bob";
    f.source.ip = *core::Ip::parse("203.0.113.7");
    f.source.asn = 64496;
    f.gateway = "fw1";
    f.evidence = {{.kind = "new-network", .detector = "geo", .llr = 3.5, .says = "says \"{this}\""}};
    return f;
  }
  fs::path folder_;
  std::string path_;
};

TEST_F(VerdictFileTest, WhatIsAppendedIsRead) {
  const auto none = read_verdicts(path_);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->lines.empty());
  ASSERT_TRUE(append_verdict(path_, benign("a1")));
  Verdict end;
  end.id = "a2";
  end.time = kNow + core::kDay;
  end.author = "carol";
  end.says = Judgement::kWithdrawn;
  end.withdraws = "a1";
  end.reason = "wrong";
  ASSERT_TRUE(append_verdict(path_, end));
  const auto read = read_verdicts(path_);
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->lines.size(), 2U);
  EXPECT_EQ(to_json(read->lines[0].verdict), to_json(benign("a1")));
  EXPECT_EQ(to_json(read->lines[1].verdict), to_json(end));
  EXPECT_EQ(read->lines[1].end, fs::file_size(path_));
  EXPECT_EQ(read->all_damaged, 0U);
  const auto rest = read_verdicts(path_, read->lines[0].end, false);
  ASSERT_EQ(rest->lines.size(), 1U);
  struct stat meta{};
  ASSERT_EQ(::stat(path_.c_str(), &meta), 0);
  EXPECT_EQ(meta.st_mode & 07, 0U);
}

TEST_F(VerdictFileTest, DamagedLinesAreNamedAndLeftOut) {
  ASSERT_TRUE(append_verdict(path_, benign("a1")));
  std::ofstream(path_, std::ios::app) << "{\"id\":\"a2\",\"time\":\"soon\"}\n"
                                      << "\xff\n\n"
                                      << to_json(benign("a3")).substr(0, 40);  // cut by a failure
  ASSERT_TRUE(append_verdict(path_, benign("a4")));
  const auto read = read_verdicts(path_);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->lines.size(), 2U);
  EXPECT_EQ(read->lines[1].verdict.id, "a4");
  ASSERT_EQ(read->damaged.size(), 3U);
  EXPECT_EQ(read->damaged[0].number, 2U);
  EXPECT_EQ(read->damaged[1].number, 3U);
  EXPECT_EQ(read->damaged[2].number, 5U);
  EXPECT_NE(read->damaged[0].why.find("'time'"), std::string::npos);
}

TEST_F(VerdictFileTest, EntriesThatSayTooLittleAreRefused) {
  const std::string good = to_json(benign("a1"));
  ASSERT_TRUE(parse_verdict(good));
  const auto without = [&](const std::string& text, const std::string& in_place = "") {
    std::string line = good;
    const auto at = line.find(text);
    EXPECT_NE(at, line.npos) << text;
    line.replace(at, text.size(), in_place);
    const auto parsed = parse_verdict(line);
    return parsed ? "" : parsed.error().text();
  };
  EXPECT_NE(without("\"verdict\":\"benign\"", "\"verdict\":\"harmless\""), "");
  EXPECT_NE(without("\"case\":\"0123456789abcdef\"", "\"case\":\"'; DROP\""), "");
  EXPECT_NE(without("\"users\":[\"bob\"]", "\"users\":[]"), "") << "the scope goes by a user";
  EXPECT_NE(without("\"users\":[\"bob\"]", "\"users\":\"bob\""), "");
  EXPECT_NE(without("\"kind\":\"login\"", "\"kind\":\"weather\""), "");
  EXPECT_NE(without("-3.25", "1e999"), "");
  EXPECT_NE(without("\"expires\":\"never\"", "\"expires\":\"9999-99-99\""), "");
  EXPECT_NE(without("2001:db8::/48", "no network"), "");
  EXPECT_FALSE(parse_verdict(std::string(kMostVerdictLine + 1, ' ')));
  EXPECT_FALSE(parse_verdict("[[[[[[[["));
}

TEST_F(VerdictFileTest, NoLinkIsWrittenThrough) {
  std::ofstream(folder_ / "other") << "";
  fs::create_symlink(folder_ / "other", path_);
  const auto done = append_verdict(path_, benign("a1"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, core::ErrorKind::kOutput);
  EXPECT_EQ(fs::file_size(folder_ / "other"), 0U);
}

TEST_F(VerdictFileTest, ACaseIsFoundByTheBeginningOfItsId) {
  const std::string folder = folder_.string();
  EXPECT_FALSE(find_case_in_state(folder, "ab")) << "no service";
  const score::Finding one = finding("ab01");
  score::Finding two = finding("ab02");
  ASSERT_TRUE(append_to_index(folder, std::vector{one, two}));
  two.log_odds = 1.5;
  two.gateway = "fw2";
  ASSERT_TRUE(append_to_index(folder, std::vector{two}));
  const auto found = find_case_in_state(folder, "ab02");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->finding, "ab02");
  EXPECT_EQ(found->log_odds, 1.5);
  EXPECT_EQ(found->gateway, "fw2");
  EXPECT_EQ(found->users, std::vector<std::string>{"bob"});
  ASSERT_EQ(found->networks.size(), 1U);
  EXPECT_EQ(found->networks[0].text(), "203.0.113.0/24");
  EXPECT_EQ(found->systems, std::vector<std::uint32_t>{64496});
  ASSERT_EQ(found->evidence.size(), 1U);
  EXPECT_EQ(found->evidence[0].kind, "new-network");
  EXPECT_EQ(found->evidence[0].llr, 3.5);
  const auto both = find_case_in_state(folder, "ab");
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().text().find("ab01, ab02"), std::string::npos);
  EXPECT_FALSE(find_case_in_state(folder, "ac"));
  EXPECT_FALSE(find_case_in_state(folder, "' OR 1"));
  // The index is turned over, and the older half is still read.
  fs::rename(folder_ / "findings.index", folder_ / "findings.index.1");
  ASSERT_TRUE(append_to_index(folder, std::vector{finding("cd01")}));
  EXPECT_TRUE(find_case_in_state(folder, "ab01"));
  EXPECT_TRUE(find_case_in_state(folder, "cd"));
}

TEST_F(VerdictFileTest, ACaseIsFoundInAHuntsDatabase) {
  if (!store::available()) GTEST_SKIP();
  const std::string db = (folder_ / "hunt.duckdb").string();
  {
    auto store = store::Store::create(db);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->begin());
    score::Finding hidden = finding("ab02");
    hidden.suppressed_by = {
        .id = "77", .says = "benign", .author = "alice", .reason = "known", .time = kNow, .expires = 0};
    ASSERT_TRUE((*store)->append_findings(std::vector{finding("ab01"), hidden}));
    ASSERT_TRUE((*store)->finish());
  }
  const auto found = find_case_in_store(db, "ab01");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->log_odds, -2.5);
  EXPECT_EQ(found->users, std::vector<std::string>{"bob"});
  EXPECT_FALSE(find_case_in_store(db, "ab"));
  EXPECT_FALSE(find_case_in_store(db, "ff"));
  const auto hits = hits_in_store(db);
  ASSERT_TRUE(hits) << hits.error().text();
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ((*hits)[0].id, "77");
  EXPECT_EQ((*hits)[0].hits, 1U);
  EXPECT_EQ((*hits)[0].last, kNow);
}

TEST_F(VerdictFileTest, HitsAreKeptBesideTheVerdicts) {
  EXPECT_TRUE(read_hits(folder_.string()).empty());
  score::Verdicts all;
  Verdict v = benign("a1");
  v.scope = score::Scope::kUser;
  ASSERT_EQ(all.take(v), score::Verdicts::Taken::kYes);
  score::Finding f = finding("ab01");
  f.alert = true;
  f.user_count = f.source_count = 1;
  ASSERT_TRUE(all.annotate(f));
  ASSERT_TRUE(write_hits(folder_.string(), all));
  const auto hits = read_hits(folder_.string());
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].id, "a1");
  EXPECT_EQ(hits[0].hits, 1U);
  EXPECT_EQ(hits[0].last, kNow);
}

TEST_F(VerdictFileTest, EntriesOfFeedsAreTakenFromTheEvidenceAndKept) {
  score::Finding f = finding("0123456789abcdef");
  f.end = kNow + core::kHour;
  f.evidence.push_back(
      {.kind = "indicator",
       .detector = "indicator",
       .llr = 5,
       .says = "203.0.113.7 is in the feed nodes as 203.0.113.0/24, also in b: Quad7 is in the feed x"});
  f.evidence.push_back(
      {.kind = "indicator", .detector = "indicator", .llr = 5, .says = "203.0.113.7 is on the list a"});
  f.evidence.push_back({.kind = "new-network",
                        .detector = "geo",
                        .llr = 5,
                        .says = "203.0.113.7 is in the feed c: not by that detector"});
  ASSERT_TRUE(append_to_index(folder_, {&f, 1}));
  const auto found = find_case_in_state(folder_, "0123");
  ASSERT_TRUE(found);
  const std::vector<Verdict::Indicator> expected = {{"nodes", "203.0.113.0/24"}, {"b", "203.0.113.7"}};
  EXPECT_EQ(found->indicators, expected);
  EXPECT_EQ(found->seen, kNow + core::kHour);

  Verdict v = *found;
  v.time = kNow;
  v.says = Judgement::kFalse;
  v.id = verdict_id(v);
  const auto back = parse_verdict(to_json(v));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->indicators, expected);
  EXPECT_EQ(back->seen, v.seen);
  EXPECT_EQ(to_json(*back), to_json(v));

  // Whoever writes the file by hand.
  const auto with = [&](const std::string& members) {
    std::string line = to_json(v);
    line.pop_back();
    line = line.substr(0, line.find(",\"indicators\"")) + ",\"expires\":\"never\"," + members + "}";
    return parse_verdict(line);
  };
  EXPECT_TRUE(with(R"("indicators":[])"));
  for (const char* bad : {R"("indicators":{})", R"("indicators":[7])", R"("indicators":[{"feed":"../x","value":"a"}])",
                          R"("indicators":[{"feed":"a"}])", R"("seen":"yesterday")", R"("seen":7)"})
    EXPECT_FALSE(with(bad)) << bad;
  std::string many = R"("indicators":[)";
  for (int i = 0; i < 90; ++i)
    many += std::string(i > 0 ? "," : "") + R"({"feed":"a","value":")" + std::to_string(i) + R"("})";
  const auto cut = with(many + "]");
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->indicators.size(), Verdict::kMostIndicators);
}

}  // namespace
}  // namespace orbwatch::pipeline
