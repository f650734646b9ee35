// `orbwatch evaluate` as users call it, with a tiny world and a table of network facts made for it.
#include <gtest/gtest.h>
#include <simdjson.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

class EvaluateCommand : public ::testing::Test {
 protected:
  // Any table will do: without one the command refuses.
  std::string table() {
    const std::string file = (dir_ / "table.orbnet").string();
    const std::string list = dir_.write("list.txt", "91.0.0.0/10\n").string();
    const RunResult built = run({orbwatch_binary(), "intel", "build", "--out", file, "--list", "consumer:" + list});
    EXPECT_EQ(built.exit_code, 0) << built.err;
    return file;
  }
  RunResult evaluate(std::vector<std::string> more) {
    std::vector<std::string> argv = {orbwatch_binary(), "evaluate", "--seeds", "100", "--users",         "40",
                                     "--days",          "14",       "--noise", "0.1", "--covert-logins", "6",
                                     "--networks",      table_};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv);
  }
  TempDir dir_;
  std::string table_ = table();
};

TEST_F(EvaluateCommand, WritesThePageAndTheNumbers) {
  const std::string page = (dir_ / "page.md").string();
  const std::string numbers = (dir_ / "numbers.json").string();
  const RunResult r = evaluate({"--out", page, "--json", numbers, "--threads", "1"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(r.err.find("seed 100"), r.err.npos) << r.err;
  EXPECT_EQ(r.out, "");
  const std::string text = read_file(page);
  for (const std::string_view part :
       {"Made by `orbwatch evaluate --seeds 100 --users 40 --days 14 --noise 0.1 --covert-logins 6`", "## Bars",
        "## Recall", "## False alerts", "## Beside reference rules", "| Freeman et al. 2016 |", "## Time to detect",
        "## Reliability of the score", "## Items not found"})
    EXPECT_NE(text.find(part), text.npos) << part << "\n" << text;
  EXPECT_EQ(text.find("## A larger organisation"), text.npos) << "with seeds of one's own";

  simdjson::dom::parser parser;
  const simdjson::padded_string json = simdjson::padded_string(read_file(numbers));
  simdjson::dom::element d;
  ASSERT_EQ(parser.parse(json).get(d), simdjson::SUCCESS);
  EXPECT_EQ(d["worlds"].at(0)["users"].get_uint64().value(), 40U);
  EXPECT_GT(d["worlds"].at(0)["items"].get_array().size(), 10U) << "the covert network acts within 14 days";
  EXPECT_GT(d["worlds"].at(0)["logins"].get_uint64().value(), 50U);

  const RunResult again = evaluate({"--threads", "3"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.out, text) << "without --out to standard output; the same with other threads";
}

TEST_F(EvaluateCommand, ALargerWorldIsReportedApart) {
  const RunResult r = evaluate({"--large-seeds", "101", "--large-users", "60"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(r.out.find("## A larger organisation\n\n60 users, seeds 101"), r.out.npos);
  EXPECT_NE(r.err.find("seed 101"), r.err.npos);
}

TEST_F(EvaluateCommand, ChecksTheBars) {
  // Of so few intrusions some rows are empty: nothing to measure is not proven.
  const RunResult r = evaluate({"--check"});
  EXPECT_EQ(r.exit_code, 1) << r.err;
  EXPECT_NE(r.err.find("does not hold: "), r.err.npos) << r.err;
  EXPECT_NE(r.out.find("**no**"), r.out.npos);
}

TEST_F(EvaluateCommand, RefusesWhatItCannotRead) {
  EXPECT_EQ(evaluate({"--large-seeds", "x"}).exit_code, 2);
  EXPECT_EQ(evaluate({"--networks", "none"}).exit_code, 2);
  EXPECT_EQ(evaluate({"--json", (dir_ / "no/such/folder.json").string()}).exit_code, 4);
}

}  // namespace
}  // namespace orbwatch::test
