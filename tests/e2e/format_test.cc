// A format of one's own: proposed, tried, and used by a hunt; mappings named by the configuration.
#include <gtest/gtest.h>

#include <sstream>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

constexpr std::string_view kSample =
    "When,Account,Client address,Result\n"
    "20.11.2026 08:15:30,alice,203.0.113.10,OK\n"
    "20.11.2026 08:15:31,bob,203.0.113.11,FAILED\n"
    "20.11.2026 08:15:32,carol,203.0.113.12,OK\n";

std::string kv_mapping(const std::string& name) {
  return "name: " + name + "\nkind: kv\nmatch: by=" + name +
         "\ntime: {field: t}\nconstants: {class: authentication, activity: logon}\nfields: {user.name: u, source.ip: "
         "a}\n";
}

class Format : public ::testing::Test {
 protected:
  static RunResult orbwatch(std::vector<std::string> words, std::string_view input = {}) {
    words.insert(words.begin(), orbwatch_binary());
    return run(words, input);
  }
  TempDir dir_;
  std::string sample_ = dir_.write("gate export.csv", kSample).string();
};

TEST_F(Format, IsProposedTriedAndUsed) {
  const RunResult proposed = orbwatch({"format", "new", sample_});
  ASSERT_EQ(proposed.exit_code, 0) << proposed.err;
  EXPECT_NE(proposed.out.find("name: gate_export\n"), proposed.out.npos) << proposed.out;
  EXPECT_NE(proposed.err.find("3 of the 4 records"), proposed.err.npos) << proposed.err;
  const std::string mapping = dir_.write("gate.yaml", proposed.out).string();

  const RunResult tried = orbwatch({"format", "test", "--events", "1", mapping, sample_});
  EXPECT_EQ(tried.exit_code, 0) << tried.out << tried.err;
  EXPECT_NE(tried.out.find("4 records read = 3 events + 1 ignored + 0 rejected"), tried.out.npos) << tried.out;
  EXPECT_NE(tried.out.find("\"user.name\":\"alice\""), tried.out.npos) << tried.out;
  EXPECT_EQ(tried.out.find("\"user.name\":\"bob\""), tried.out.npos) << "--events 1";

  const HuntRun h = hunt({"--mapping", mapping, sample_});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.summary.total.events_by_format.at("gate_export"), 3U);
}

TEST_F(Format, TestSaysWhatWasNotReadAndFails) {
  const std::string mapping = dir_.write("one.yaml", kv_mapping("one")).string();
  const std::string log = dir_.write("one.log",
                                     "by=one t=2026-11-20T08:15:30Z u=alice a=203.0.113.10\n"
                                     "by=one t=2026-11-20T08:15:31Z u=bob a=nowhere\n"
                                     "by=one t=never u=carol a=203.0.113.12\n"
                                     "something else\n")
                              .string();
  const RunResult r = orbwatch({"format", "test", mapping, log});
  EXPECT_EQ(r.exit_code, 3) << r.err;
  EXPECT_NE(r.out.find("4 records read = 2 events + 0 ignored + 2 rejected"), r.out.npos) << r.out;
  EXPECT_NE(r.out.find("not read: nowhere"), r.out.npos) << r.out;
  EXPECT_NE(r.out.find("one: no time, first at line 3"), r.out.npos) << r.out;
  EXPECT_NE(r.out.find("no known format, first at line 4: something else"), r.out.npos) << r.out;
}

TEST_F(Format, ExitCodes) {
  const std::string wrong = dir_.write("wrong.yaml", "name: x\nkind: csv\nheader: maybe\n").string();
  const RunResult mistake = orbwatch({"format", "test", wrong, sample_});
  EXPECT_EQ(mistake.exit_code, 2);
  EXPECT_NE(mistake.err.find(wrong + ":3:9: header must be true or false"), mistake.err.npos) << mistake.err;
  EXPECT_EQ(orbwatch({"format", "test", "/no/such.yaml", sample_}).exit_code, 2);
  EXPECT_EQ(orbwatch({"format"}).exit_code, 2);
  const std::string good = dir_.write("one.yaml", kv_mapping("one")).string();
  EXPECT_EQ(orbwatch({"format", "test", good, "/no/such.log"}).exit_code, 3);
  EXPECT_EQ(orbwatch({"format", "test", good, dir_.write("empty.log", "").string()}).exit_code, 3);
  EXPECT_EQ(orbwatch({"format", "new", "/no/such.log"}).exit_code, 3);
  const RunResult prose = orbwatch({"format", "new", "-"}, "once upon a time\nthere was a log\n");
  EXPECT_EQ(prose.exit_code, 3);
  EXPECT_EQ(prose.out, "");
  EXPECT_EQ(lines_of(prose.err), 1U) << prose.err;
}

TEST_F(Format, ConfigurationNamesAFolderAndAMistakeLeavesTheOthersWorking) {
  dir_.write("formats/one.yaml", kv_mapping("one"));
  dir_.write("formats/three.yml", kv_mapping("three"));
  dir_.write("formats/two.yaml", "name: two\nkind: nonsense\n");
  dir_.write("formats/again.yaml", kv_mapping("one"));
  dir_.write("formats/notes.txt", "not a mapping");
  const std::string config = dir_.write("orbwatch.yaml", "mappings: " + (dir_ / "formats").string() + "\n").string();
  const std::string log = dir_.write("both.log",
                                     "by=one t=2026-11-20T08:15:30Z u=alice a=203.0.113.10\n"
                                     "by=three t=2026-11-20T08:15:31Z u=bob a=203.0.113.11\n")
                              .string();
  const HuntRun h = hunt({"--config", config, log});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.summary.total.events_by_format.at("one"), 1U);
  EXPECT_EQ(h.summary.total.events_by_format.at("three"), 1U);
  EXPECT_NE(h.run.err.find("formats/two.yaml:2:7: unknown kind"), h.run.err.npos) << h.run.err;
  EXPECT_NE(h.run.err.find("formats/one.yaml: the name is taken by"), h.run.err.npos) << h.run.err;
  EXPECT_EQ(lines_of(h.run.err), 2U) << h.run.err;
  const RunResult check = orbwatch({"config", "check", config});
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_NE(check.err.find("formats/two.yaml:2:7: unknown kind"), check.err.npos) << check.err;
}

TEST_F(Format, ListsExamplesThatAreRecognised) {
  const RunResult plain = orbwatch({"formats"});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_EQ(orbwatch({"format", "list"}).out, plain.out);
  const RunResult json = orbwatch({"formats", "--json"});
  simdjson::dom::parser parser;
  std::size_t shown = 0;
  std::istringstream rows(json.out);
  for (std::string line; std::getline(rows, line);) {
    const simdjson::dom::object row = parser.parse(line);
    const std::string name(std::string_view{row["name"]});
    EXPECT_EQ(std::string(std::string_view(row["page"])), "docs/formats/" + name + ".md");
    std::string_view example;
    if (row["example"].get(example) != simdjson::SUCCESS) continue;
    ++shown;
    EXPECT_FALSE(example.empty()) << name;
    // Their records need the header before them, the object around them or their line ends.
    if (name == "zeek" || name == "argus" || name == "silk" || name == "azure_flow" || name == "radius_detail")
      continue;
    const RunResult told = orbwatch({"explain", "--networks", "none", "-"}, example);
    EXPECT_NE(told.out.find("\"dataset\":\"" + name + "\""), told.out.npos) << name << "\n"
                                                                            << example << "\n"
                                                                            << told.out;
  }
  EXPECT_GT(shown, 8U);
}

}  // namespace
}  // namespace orbwatch::test
