#include "serve/audit.h"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orbwatch_audit_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static AuditEntry entry(const std::string& action) {
    AuditEntry out;
    out.time = 1'791'172'659 * core::kSecond;
    out.action = action;
    return out;
  }
  std::string text(const std::string& file = "audit.ndjson") const {
    std::ifstream in(folder_ / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> lines(const std::string& file = "audit.ndjson") const {
    std::vector<std::string> out;
    std::ifstream in(folder_ / file);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }

  fs::path folder_;
};

bool sound(const std::string& line) {
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  return parser.parse(line).get(value) == simdjson::SUCCESS && value.is_object();
}

TEST_F(AuditTest, SaysWhenWhatAndWho) {
  AuditEntry e = entry("reload");
  e.outcome = "refused";
  e.facts = {{"reason", "a \"quoted\"\nreason"}, {"label", ""}};
  e.changed = {"collect.tcp.listen", "lateness"};
  ASSERT_TRUE(audit(folder_.string(), e));
  ASSERT_EQ(lines().size(), 1U);
  const std::string line = lines()[0];
  EXPECT_TRUE(sound(line)) << line;
  EXPECT_TRUE(line.starts_with(R"({"time":"2026-10-05T03:57:39Z","action":"reload","outcome":"refused","uid":)"))
      << line;
  EXPECT_NE(line.find("\"uid\":" + std::to_string(::getuid())), line.npos) << line;
  EXPECT_TRUE(line.ends_with(R"("reason":"a \"quoted\"?reason","changed":["collect.tcp.listen","lateness"]})")) << line;
  struct stat facts{};
  ASSERT_EQ(::stat((folder_ / "audit.ndjson").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07, 0U);
}

TEST_F(AuditTest, WhoeverSentASignalIsNamed) {
  AuditEntry e = entry("stop");
  e.asked_by = 0;
  EXPECT_NE(to_json(e).find(R"("uid":0,"user":"root")"), std::string::npos) << to_json(e);
  e.asked_by = 4'000'000'000;  // nobody's
  EXPECT_NE(to_json(e).find(R"("uid":4000000000)"), std::string::npos) << to_json(e);
  EXPECT_EQ(to_json(e).find("\"user\""), std::string::npos) << to_json(e);
}

TEST_F(AuditTest, ALineIsBounded) {
  AuditEntry e = entry("reload");
  e.facts = {{"reason", std::string(1 << 20, '"')}};
  e.changed.assign(100'000, std::string(10'000, 'x'));
  const std::string line = to_json(e);
  EXPECT_LT(line.size(), 64U << 10);
  EXPECT_TRUE(sound(line));
  EXPECT_NE(line.find("and 99900 more"), line.npos);
}

TEST_F(AuditTest, IsAppendedToAndTurnedOver) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(audit(folder_.string(), entry("action " + std::to_string(i)), 400));
  const std::string all = text("audit.ndjson.1") + text();
  EXPECT_LT(text("audit.ndjson.1").size(), 600U);
  EXPECT_LT(text().size(), 600U);
  EXPECT_NE(all.find("action 4"), all.npos);
  EXPECT_NE(all.find("action 3"), all.npos);
  for (int i = 5; i < 50; ++i) ASSERT_TRUE(audit(folder_.string(), entry("action " + std::to_string(i)), 400));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(AuditTest, ManyMayWriteAtOnce) {
  std::vector<std::thread> writers;
  writers.reserve(4);
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 25; ++i) EXPECT_TRUE(audit(folder_.string(), entry("action"), 20'000));
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::vector<std::string> all = lines("audit.ndjson.1");
  std::ranges::copy(lines(), std::back_inserter(all));
  EXPECT_EQ(all.size(), 100U);
  EXPECT_TRUE(std::ranges::all_of(all, sound));
}

TEST_F(AuditTest, ACutLineSpoilsNoOther) {
  std::ofstream(folder_ / "audit.ndjson") << "{\"time\":\"2026-10";
  ASSERT_TRUE(audit(folder_.string(), entry("start")));
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_TRUE(sound(lines()[1]));
}

TEST_F(AuditTest, WhatCannotBeWrittenIsAnError) {
  const auto why = [&](const fs::path& folder) {
    const auto done = audit(folder.string(), entry("start"));
    if (!done) {
      EXPECT_EQ(done.error().kind, core::ErrorKind::kOutput);
    }
    return done ? "" : done.error().text();
  };
  EXPECT_NE(why(folder_ / "none").find("cannot write the audit log"), std::string::npos);
  // Neither links lead elsewhere, nor does a FIFO hold anybody up.
  std::ofstream(folder_ / "elsewhere") << "kept";
  fs::create_symlink("elsewhere", folder_ / "audit.ndjson");
  EXPECT_NE(why(folder_), "");
  fs::remove(folder_ / "audit.ndjson");
  fs::create_hard_link(folder_ / "elsewhere", folder_ / "audit.ndjson");
  EXPECT_NE(why(folder_), "");
  fs::remove(folder_ / "audit.ndjson");
  EXPECT_EQ(text("elsewhere"), "kept");
  ASSERT_EQ(::mkfifo((folder_ / "audit.ndjson").c_str(), 0600), 0);
  EXPECT_NE(why(folder_), "");
  fs::remove(folder_ / "audit.ndjson");
  fs::create_directory(folder_ / "audit.ndjson");
  EXPECT_NE(why(folder_), "");
}

TEST_F(AuditTest, BelongsToTheOwnerOfTheState) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::chown(folder_.c_str(), 10001, 10001), 0);
  ASSERT_TRUE(audit(folder_.string(), entry("backup")));
  struct stat facts{};
  ASSERT_EQ(::stat((folder_ / "audit.ndjson").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 10001U);
}

}  // namespace
}  // namespace orbwatch::serve
