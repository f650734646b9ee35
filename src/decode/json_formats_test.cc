// Hostile and real input for the formats that read JSON (and for OpenSSH's lines and Zeek's tables): whatever comes in,
// every record is counted once and nothing crashes. The goldens say what good records mean.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"
#include "decode/mapping.h"
#include "decode/text.h"

namespace fs = std::filesystem;

namespace orbwatch::decode {
namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

Options options_for(std::string_view format) {
  Options options;
  options.format = format;
  options.reference = 1798761600 * core::kSecond;  // 2027-01-01
  return options;
}

// Decodes the whole text at once; `input` gets its padding here.
EventBatch decode(std::string input, const Options& options) {
  EventBatch batch;
  const auto what = recognise(std::string_view(input).substr(0, 65536), options);
  auto decoder = make_decoder(what, options);
  EXPECT_TRUE(decoder) << decoder.error().text();
  if (!decoder) return batch;
  const std::size_t size = input.size();
  input.resize(size + core::kPadding);
  (*decoder)->feed(std::string_view(input).substr(0, size), batch);
  (*decoder)->finish(batch);
  return batch;
}

void expect_balance(const EventBatch& batch, std::string_view where) {
  EXPECT_EQ(batch.counts.records, batch.counts.events + batch.counts.ignored + batch.counts.rejected) << where;
  EXPECT_EQ(batch.counts.events, batch.size()) << where;
}

std::uint64_t rejected(const EventBatch& batch, std::string_view reason) {
  const auto found = batch.counts.rejected_by.find(core::intern(reason));
  return found == batch.counts.rejected_by.end() ? 0 : found->second;
}

std::vector<std::string> golden_lines(std::string_view format) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(fs::path(ORBWATCH_ROOT) / "tests/golden" / format)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".ndjson") || name.ends_with(".options")) continue;
    std::istringstream in(read(entry.path()));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
  }
  return lines;
}

// Each record in a container is counted by itself, also where the container was cut off.
bool is_container(const std::string& line) { return framing_of(line) != Framing::kLines; }

class HostileInput : public testing::TestWithParam<const char*> {};

TEST_P(HostileInput, EveryTruncationIsCounted) {
  const Options options = options_for(GetParam());
  for (const std::string& line : golden_lines(GetParam())) {
    if (line.empty()) continue;
    std::string all;
    std::uint64_t count = 0;
    for (std::size_t cut = 1; cut <= line.size(); cut += 3) {
      all += line.substr(0, cut);
      all += '\n';
      ++count;
    }
    // A first line that is one whole object keeps the frame at lines.
    const EventBatch batch = decode("{}\n" + all, options);
    expect_balance(batch, line);
    EXPECT_GE(batch.counts.records, count + 1) << line;
    if (!is_container(line)) {
      EXPECT_EQ(batch.counts.records, count + 1) << line;
    }
  }
}

TEST_P(HostileInput, DamagedBytesAreCounted) {
  const Options options = options_for(GetParam());
  std::uint64_t state = 7;
  const auto random = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % bound;
  };
  constexpr std::string_view kSpecial = "\"\\{}[]:, \t\x01\xff\xc3\xe2\x80";
  std::string all;
  std::uint64_t count = 0;
  bool containers = false;
  for (const std::string& line : golden_lines(GetParam())) {
    if (line.size() < 20) continue;
    containers |= is_container(line);
    for (int round = 0; round < 40; ++round) {
      std::string damaged = line;
      for (std::uint64_t n = 1 + random(4); n > 0; --n)
        damaged[random(damaged.size())] = kSpecial[random(kSpecial.size())];
      if (random(4) == 0) damaged.erase(random(damaged.size()), random(20));
      if (random(4) == 0) damaged.insert(random(damaged.size()), damaged.substr(random(damaged.size()), random(40)));
      all += damaged;
      all += '\n';
      ++count;
    }
  }
  const EventBatch batch = decode("{}\n" + all, options);
  expect_balance(batch, GetParam());
  EXPECT_GE(batch.counts.records, count + 1);
  if (!containers) {
    EXPECT_EQ(batch.counts.records, count + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, HostileInput,
                         testing::Values("openssh", "suricata_eve", "windows_security", "zeek", "zeek_json",
                                         "entra_signin", "okta", "aws_cloudtrail", "google_workspace", "duo",
                                         "m365_audit", "keycloak", "cloudflare_access", "zscaler", "teleport",
                                         "gcp_vpc_flow", "nfdump_text", "argus", "silk", "paloalto_json",
                                         "azure_activity", "netskope", "json_flow"),
                         [](const auto& row) { return std::string(row.param); });

TEST(SuricataEve, SkipsDeepNestingWithoutRecursion) {
  const std::string open(200000, '[');
  const std::string close(200000, ']');
  const std::string record =
      "{\"timestamp\":\"2026-11-20T08:15:30.0+0000\",\"flow_id\":1,\"event_type\":\"flow\",\"deep\":" + open + close +
      ",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"flow\":{}}\n";
  const EventBatch batch = decode(record, options_for("suricata_eve"));
  expect_balance(batch, "deep nesting");
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].source_ip.text(), "192.0.2.1");
}

TEST(SuricataEve, TakesTheLastOfEqualKeys) {
  const EventBatch batch = decode(
      "{\"timestamp\":\"2026-11-20T08:15:30.0+0000\",\"flow_id\":1,\"event_type\":\"flow\",\"src_ip\":\"192.0.2.1\","
      "\"src_ip\":\"192.0.2.9\","
      "\"dest_ip\":\"192.0.2.2\",\"flow\":{},\"flow\":{\"bytes_toserver\":5},\"flow\":[]}\n",
      options_for("suricata_eve"));
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].source_ip.text(), "192.0.2.9");
  EXPECT_EQ(batch[0].source_bytes, 5U);
}

TEST(WindowsSecurity, BoundsNestedContainers) {
  std::string deep;
  std::string end;
  for (int i = 0; i < 5000; ++i) {
    deep += "{\"Event\":";
    end += '}';
  }
  const EventBatch batch = decode(
      "{\"EventID\":4624,\"Channel\":\"Security\",\"EventTime\":\"2026-11-20T08:15:30Z\",\"TargetUserName\":\"alice\","
      "\"Event\":" +
          deep + "1" + end + "}\n",
      options_for("windows_security"));
  expect_balance(batch, "nested containers");
  EXPECT_EQ(batch.counts.records, 1U);
}

TEST(Zeek, ForgetsTheHeaderAtItsClose) {
  const std::string header =
      "#separator "
      "\\x09\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
  const std::string row = "1763712930.5\tC1\t192.0.2.1\t1\t192.0.2.2\t2\ttcp\n";
  EXPECT_EQ(decode(header + row, options_for("zeek")).size(), 1U);
  EXPECT_EQ(decode(header + "#close\t2026\n" + row, options_for("zeek")).size(), 0U);
  EXPECT_EQ(decode(row, options_for("zeek")).size(), 0U);
}

struct BadMapping {
  const char* yaml;
  const char* says;
};

TEST(Mapping, NamesLineAndColumnOfAnError) {
  const BadMapping cases[] = {
      {"name: [", "not YAML"},
      {"- a\n", "must be a YAML mapping"},
      {"name: x\nkind: csv\nheader: true\ncolour: red\n", "line 4, column 1: unknown key: colour"},
      {"name: X Y\nkind: csv\n", "line 1, column 7: name must be"},
      {"name: x\nkind: xml\n", "line 2, column 7: unknown kind: xml"},
      {"name: x\nkind: csv\n", "needs `header: true` or `columns`"},
      {"name: x\nkind: csv\ncolumns: [a]\n", "match is missing"},
      {"name: x\nkind: json\n", "match is missing"},
      {"name: x\nkind: csv\nheader: true\n", "time is missing"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t, format: sundial}\n",
       "line 4, column 26: unknown time format: sundial"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\n", "fields is missing"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nfields:\n  source.ipp: a\n",
       "line 6, column 3: unknown event field: source.ipp"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nfields: {source.ip: a}\n", "class is missing"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nconstants:\n  class: login\nfields: {source.ip: a}\n",
       "line 6, column 10: unknown value: login"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nconstants: {class: flow}\nfields: {source.port: a}\n",
       "one of source.ip"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nconstants: {class: flow}\nfields: {source.ip: "
       "a}\nvalues:\n  outcome: {a: success}\n",
       "line 8, column 3: values of a field that is not under fields: outcome"},
      {"name: x\nkind: csv\nheader: true\ntime: {field: t}\nconstants: {class: flow}\nfields: {source.ip: a, outcome: "
       "o}\nvalues:\n  outcome: {a: "
       "good}\n",
       "line 8, column 16: unknown value: good"},
      {"name: x\nkind: csv\nmatch: m\ncolumns: [t, a]\ntime: {field: t}\nconstants: {class: flow}\nfields: {source.ip: "
       "b}\n",
       "line 7, column 21: no such column: b"},
      {"name: x\nkind: csv\nmatch: m\ncolumns: [t, a]\ntime: {field: u}\nconstants: {class: flow}\nfields: {source.ip: "
       "a}\n",
       "no such column: u"},
      {"name: x\nkind: json\nkey: k\ndelimiter: ab\n", "line 4, column 12: delimiter must be one character"},
      {"name: x\nkind: csv\nheader: true\nprogram: gate\n", "line 4, column 10: program is for records behind syslog"},
      {"name: x\nkind: regex\npattern: '(?P<a>x'\n", "line 3, column 10: not a regular expression: missing )"},
  };
  for (const BadMapping& bad : cases) {
    const auto made = make_mapping(bad.yaml, core::TimeReader());
    ASSERT_FALSE(made) << bad.yaml;
    EXPECT_NE(made.error().text().find(bad.says), std::string::npos) << bad.yaml << "gave: " << made.error().text();
  }
}

TEST(Mapping, AnErrorReachesTheUser) {
  Options options;
  options.mappings = {{"name: x\n", "my.yaml"}};
  const auto made = make_decoder(recognise("a,b\n", options), options);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().text().starts_with("my.yaml:1:1: kind is missing")) << made.error().text();
}

TEST(Mapping, SeveralReadTheirOwnRecordsSideBySide) {
  const auto mapping = [](const std::string& name) {
    return MappingText{"name: " + name + "\nkind: kv\nmatch: by=" + name +
                           "\ntime: {field: [d, t]}\nconstants: {class: authentication}\nfields: {user.name: u}\n",
                       name + ".yaml"};
  };
  Options options = options_for("");
  options.mappings = {mapping("one"), mapping("two")};
  const EventBatch batch = decode(
      "by=two d=2026-11-20 t=08:15:30 u=alice\nby=one d=2026-11-20 t=08:15:31 u=bob\nby=two d=2026-11-20 t=never "
      "u=eve\n",
      options);
  expect_balance(batch, "two mappings");
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].dataset.text(), "two");
  EXPECT_EQ(core::rfc3339(batch[0].time), "2026-11-20T08:15:30Z");
  EXPECT_EQ(batch[1].dataset.text(), "one");
  EXPECT_EQ(rejected(batch, "two: no time"), 1U);
}

TEST(Mapping, ReadsDurationsWithUnitsAndValuesInQuotes) {
  Options options;
  options.mappings = {
      {"name: d\nkind: kv\nmatch: dur=\ntime: {field: t}\nconstants: {class: session}\nfields: {user.name: u, "
       "duration_s: dur}\n",
       ""}};
  const struct {
    const char* text;
    std::int64_t milliseconds;
  } cases[] = {{"12", 12000},        {"1.5", 1500},         {"12ms", 12},
               {"'1h 5m'", 3900000}, {"01:02:03", 3723000}, {"12 parsecs", 12000},
               {"12parsecs", 0},     {"soon", 0},           {"-5", 0}};
  for (const auto& c : cases) {
    std::string line = std::string("t=2026-11-20T08:15:30Z u='alice' dur=") + c.text + "\n";
    line.reserve(line.size() + core::kPadding);
    auto decoder = make_decoder(recognise(line, options), options);
    ASSERT_TRUE(decoder);
    EventBatch batch;
    (*decoder)->feed(line, batch);
    ASSERT_EQ(batch.size(), 1U) << c.text;
    EXPECT_EQ(batch[0].user.text(), "alice");
    EXPECT_EQ(batch[0].duration, c.milliseconds * 1'000'000) << c.text;
  }
}

TEST(Mapping, OfAProgramLeavesTheOthersAlone) {
  Options options;
  options.mappings = {
      {"name: p\nkind: regex\nsyslog: true\nprogram: gate\npattern: '^login (?P<u>.+)$'\nconstants: {class: "
       "authentication}\nfields: {user.name: u}\n",
       ""}};
  options.year = 2026;
  std::string lines = "Nov 20 08:15:30 gw gate[1]: login alice\nNov 20 08:15:30 gw other[1]: login bob\n";
  lines.reserve(lines.size() + core::kPadding);
  auto decoder = make_decoder(recognise(lines, options), options);
  ASSERT_TRUE(decoder);
  EventBatch batch;
  (*decoder)->feed(lines, batch);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].user.text(), "alice");
}

TEST(Mapping, ATrialTellsWhatEachFieldMet) {
  MappingTrial trial;
  auto made = make_mapping(
      "name: x\nkind: kv\nmatch: by=x\ntime: {field: t}\nconstants: {class: authentication}\nfields:\n"
      "  source.ip: a\n  source.port: p\n  outcome: r\nvalues:\n  outcome: {OK: success}\n",
      core::TimeReader(), "", &trial);
  ASSERT_TRUE(made) << made.error().text();
  for (std::string line :
       {"by=x t=2026-11-20T08:15:30Z a=192.0.2.1 p=0 r=OK", "by=x t=2026-11-20T08:15:31Z a=192.0.2.2 p=99999 r=BAD",
        "by=x t=yesterday a=192.0.2.3", "by=x t=2026-11-20T08:15:32Z a=here p=-"}) {
    TextRecord record;
    record.raw = record.message = line;
    Event e;
    made->decoder->decode(record, e);
  }
  const auto row = [&](std::size_t i) {
    const FieldTrial& f = trial.fields.at(i);
    return f.field + " " + f.from + " " + std::to_string(f.carried) + " " + std::to_string(f.read) + " " + f.unread;
  };
  EXPECT_EQ(row(0), "time t 4 3 yesterday");
  EXPECT_EQ(row(1), "source.ip a 3 2 here");
  EXPECT_EQ(row(2), "source.port p 2 1 99999");
  EXPECT_EQ(row(3), "outcome r 2 1 BAD");
}

TEST(Mapping, DoesNotTakeOtherFormatsRecords) {
  Options options = options_for("");
  options.mappings = {{read(fs::path(ORBWATCH_ROOT) / "examples/mapping.yaml"), "examples/mapping.yaml"}};
  std::string lines;
  for (const std::string& line : golden_lines("openssh")) lines += line + "\n";
  const EventBatch batch = decode(lines, options);
  EXPECT_EQ(batch.counts.events_by.at_or_zero(core::intern("acme_gate")), 0U);
  EXPECT_GT(batch.counts.events_by.at_or_zero(core::intern("openssh")), 0U);
}

// Real logs that may not be shipped: a folder beside the repository, or $ORBWATCH_DATA. Without it these tests are
// skipped.
fs::path shared_data() {
  const char* set = std::getenv("ORBWATCH_DATA");
  return set != nullptr ? fs::path(set) : fs::path(ORBWATCH_ROOT) / "../shared/data";
}

TEST(RealLogs, SuricataFlowsAlertsAndHandshakes) {
  const fs::path file = shared_data() / "behaviour/slips/test6-malicious.suricata.json";
  if (!fs::exists(file)) GTEST_SKIP() << "no shared data";
  const std::string text = read(file);
  std::uint64_t wanted = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (const char* type :
         {"\"event_type\":\"flow\"", "\"event_type\":\"alert\"", "\"event_type\":\"tls\"", "\"event_type\":\"ssh\""}) {
      wanted += line.find(type) != std::string::npos;
    }
  }
  const EventBatch batch = decode(text, options_for(""));
  expect_balance(batch, file.string());
  EXPECT_EQ(batch.size(), wanted);
  EXPECT_EQ(batch.counts.rejected, 0U);
}

TEST(RealLogs, OpenSshCountsEveryFailedPassword) {
  const fs::path file = shared_data() / "auth/loghub/OpenSSH_2k.log";
  if (!fs::exists(file)) GTEST_SKIP() << "no shared data";
  const std::string text = read(file);
  std::uint64_t wanted = 0;
  for (auto at = text.find("Failed password"); at != text.npos; at = text.find("Failed password", at + 1)) ++wanted;
  const EventBatch batch = decode(text, options_for(""));
  expect_balance(batch, file.string());
  std::uint64_t failed = 0;
  for (const Event& e : batch) {
    failed += e.activity == event::Activity::kLogon && e.outcome == event::Outcome::kFailure &&
              e.auth_method == event::AuthMethod::kPassword && e.source_ip.present();
  }
  EXPECT_EQ(failed, wanted);
  EXPECT_EQ(batch.counts.rejected, 0U);
}

TEST(RealLogs, ZeekLogsAreEventsIgnoredOrMasked) {
  const fs::path folder = shared_data() / "logs/zeek-baseline";
  if (!fs::exists(folder)) GTEST_SKIP() << "no shared data";
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || (name != "conn.log" && name != "ssl.log" && name != "ssh.log")) continue;
    const std::string text = read(entry.path());
    if (text.find("#fields") == std::string::npos) continue;        // cut out of a log, without its header
    if (text.find("#separator ||") != std::string::npos) continue;  // two characters: not supported
    const EventBatch batch = decode(text, options_for("zeek"));
    expect_balance(batch, entry.path().string());
    // These logs are expectations of Zeek's own tests: a first line of the test tool, many with masked times, no other
    // damage.
    EXPECT_LE(rejected(batch, "no known format"), 1U) << entry.path();
    EXPECT_EQ(batch.counts.rejected, rejected(batch, "zeek: no time") + rejected(batch, "no known format"))
        << entry.path();
    ++files;
  }
  EXPECT_GT(files, 50U);
  const EventBatch rita = decode(read(shared_data() / "behaviour/rita/proxy/conn.log"), options_for(""));
  EXPECT_EQ(rita.counts.rejected, 0U);
  EXPECT_GT(rita.size(), 0U);
}

}  // namespace
}  // namespace orbwatch::decode
