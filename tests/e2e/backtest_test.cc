// `orbwatch backtest` on a simulated world: by logs and by the store, and what it must find and must not disturb. Needs
// the compiled network facts, as the simulated addresses are real ones.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

std::string table() {
  if (const char* given = std::getenv("ORBWATCH_NETWORKS"); given != nullptr && *given != 0) return given;
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string cache =
      xdg != nullptr && *xdg != 0 ? std::string(xdg) : std::string(home != nullptr ? home : "") + "/.cache";
  return cache + "/orbwatch/networks.orbnet";
}

struct Row {
  std::uint64_t tried = 0;
  std::vector<std::uint64_t> caught;  // by budget
};

class BacktestTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TempDir;
    const RunResult world = run({orbwatch_binary(), "simulate", "--seed", "104", "--users", "60", "--days", "21",
                                 "--covert-logins", "0", "--sprays", "0", "--out", logs()});
    ASSERT_EQ(world.exit_code, 0) << world.err;
  }
  static void TearDownTestSuite() {
    delete folder;
    folder = nullptr;
  }
  void SetUp() override {
    if (!std::filesystem::exists(table())) GTEST_SKIP() << "no network facts at " << table();
  }
  static std::string logs() { return (*folder / "logs").string(); }

  static std::string backtest(std::vector<std::string> arguments) {
    std::vector<std::string> argv = {orbwatch_binary(), "backtest", "--json", "--networks", table()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const RunResult result = run(argv, {}, {.timeout = std::chrono::minutes(5)});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  // By tier, in the order of the report.
  static std::vector<Row> tiers(const std::string& json) {
    std::vector<Row> out;
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(json).get(root) != simdjson::SUCCESS) return out;
    for (const auto tier : root["tiers"].get_array()) {
      Row row;
      row.tried = tier["tried"].get_uint64();
      for (const auto recall : tier["recall"].get_array()) row.caught.push_back(recall["caught"].get_uint64());
      out.push_back(std::move(row));
    }
    return out;
  }
  static std::uint64_t number(const std::string& json, const char* key) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::uint64_t value = UINT64_MAX;
    if (parser.parse(json).get(root) != simdjson::SUCCESS || root[key].get_uint64().get(value) != simdjson::SUCCESS)
      return UINT64_MAX;
    return value;
  }

  static TempDir* folder;
};
TempDir* BacktestTest::folder = nullptr;

TEST_F(BacktestTest, TheObviousIsFoundTheOthersStayAsTheyWereAndThreadsDoNotMatter) {
  const std::string json = backtest({"--runs", "6", "--threads", "2", logs()});
  const auto rows = tiers(json);
  ASSERT_EQ(rows.size(), 5u) << json;
  std::uint64_t tried = 0;
  for (const Row& row : rows) {
    ASSERT_EQ(row.caught.size(), 3u);
    EXPECT_LE(row.caught[0], row.caught[1]);
    EXPECT_LE(row.caught[1], row.caught[2]);
    tried += row.tried;
  }
  EXPECT_GE(tried, 30u);
  // Another country, at five alerts a day: most. At 60 users little is known of what is ordinary.
  ASSERT_GE(rows[0].tried, 5u);
  EXPECT_GE(static_cast<double>(rows[0].caught[1]), 0.7 * static_cast<double>(rows[0].tried));
  // What was put in changes at most a fifth of the alerts about others.
  const std::uint64_t others = number(json, "alerts_about_others");
  ASSERT_NE(others, UINT64_MAX);
  EXPECT_LE(number(json, "alerts_about_others_changed"), others / 5 + 1);

  EXPECT_EQ(json, backtest({"--runs", "6", "--threads", "1", logs()})) << "the same whatever the threads";
  EXPECT_NE(json, backtest({"--runs", "6", "--seed", "2", logs()}));
}

TEST_F(BacktestTest, TheStoreGivesWhatTheLogsGive) {
  const std::string db = (*folder / "events.duckdb").string();
  const RunResult stored = run({orbwatch_binary(), "hunt", "-q", "--networks", table(), "--db", db, logs()});
  if (stored.err.find("has no database") != std::string::npos) GTEST_SKIP() << "built without DuckDB";
  ASSERT_EQ(stored.exit_code, 0) << stored.err;
  const std::string from_logs = backtest({"--sprays", "0", logs()});
  const std::string from_store = backtest({"--sprays", "0", "--on", db});
  EXPECT_EQ(number(from_logs, "events"), number(from_store, "events"));
  EXPECT_EQ(number(from_logs, "users"), number(from_store, "users"));
  EXPECT_EQ(number(from_logs, "victims"), number(from_store, "victims"));
  const auto a = tiers(from_logs);
  const auto b = tiers(from_store);
  ASSERT_EQ(a.size(), b.size());
  std::uint64_t tried = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].tried, b[i].tried) << "the same victims in the same tiers";
    tried += a[i].tried;
    apart += a[i].caught[1] > b[i].caught[1] ? a[i].caught[1] - b[i].caught[1] : b[i].caught[1] - a[i].caught[1];
  }
  // The store orders simultaneous events of several gateways otherwise (docs/backtest.md).
  EXPECT_LE(apart, tried / 10);
}

TEST_F(BacktestTest, ThePageIsWritten) {
  const std::string page = (*folder / "backtest.html").string();
  const RunResult result = run(
      {orbwatch_binary(), "backtest", "--networks", table(), "--runs", "1", "--sprays", "0", "--html", page, logs()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("What would have been caught"), std::string::npos);
  EXPECT_NE(read_file(page).find("What would have been caught"), std::string::npos);
}

TEST_F(BacktestTest, ErrorsAreClear) {
  const auto fails = [](std::vector<std::string> arguments, int code, const std::string& says) {
    arguments.insert(arguments.begin(), {orbwatch_binary(), "backtest"});
    const RunResult result = run(arguments);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
  };
  fails({}, 2, "no history was named");
  fails({"--networks", "none", logs()}, 2, "no network facts");
  fails({"--networks", table(), "--on", (*folder / "missing.duckdb").string()}, 3, "no such database");
  fails({"--networks", table(), "--on", logs()}, 2, "no stored events");
  fails({"--networks", table(), "-"}, 2, "read twice");
  const std::string empty = folder->write("empty.log", "").string();
  fails({"--networks", table(), empty}, 3, "no history");
  const std::string few = folder
                              ->write("few.log",
                                      "Oct 06 2026 12:58:22 gw1 : %ASA-6-722022: Group <Staff> User <alice> IP "
                                      "<107.202.53.157> TCP SVC connection "
                                      "established without compression\n"
                                      "Oct 26 2026 12:58:22 gw1 : %ASA-6-722022: Group <Staff> User <alice> IP "
                                      "<107.202.53.157> TCP SVC connection "
                                      "established without compression\n")
                              .string();
  fails({"--networks", table(), few}, 3, "no user has enough history");
}

}  // namespace
}  // namespace orbwatch::test
