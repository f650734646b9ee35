// Public data with labels, where it is there: what orbwatch says beside what the labels say. The labels are those of
// the data's makers or of a sensor; docs/evaluation.md ("Public labelled data") says how far they fit the hypotheses.
// Bounds are wide: they hold what must not get lost, not today's figures.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

// Beside the sources, or where ORBWATCH_TEST_DATA says.
const fs::path kData = [] {
  const char* given = std::getenv("ORBWATCH_TEST_DATA");
  return given != nullptr ? fs::path(given) : fs::path(ORBWATCH_ROOT) / "../shared/data";
}();

using Names = std::set<std::string>;

struct Found {
  std::string kind, user, device;
  Names sources{};
  Names evidence{};
};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string text_of(dom::element object, const char* name) {
  std::string_view out;
  return object[name].get(out) == simdjson::SUCCESS ? std::string(out) : std::string();
}

// All findings, also those below the budget.
std::vector<Found> hunt_all(std::vector<std::string> arguments) {
  arguments.emplace_back("--all");
  const HuntRun h = hunt(std::move(arguments));
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  std::vector<Found> out;
  dom::parser parser;
  for (const std::string& line : split_lines(h.findings)) {
    dom::element finding;
    if (parser.parse(line).get(finding) != simdjson::SUCCESS) {
      ADD_FAILURE() << line;
      continue;
    }
    Found f{.kind = text_of(finding, "kind"), .user = text_of(finding, "user"), .device = text_of(finding, "device")};
    dom::array list;
    dom::element one;
    if (finding["sources"].get(list) == simdjson::SUCCESS) {
      for (const dom::element source : list) f.sources.insert(text_of(source, "ip"));
    } else if (finding["source"].get(one) == simdjson::SUCCESS) {
      f.sources.insert(text_of(one, "ip"));
    }
    f.sources.erase("");
    if (finding["evidence"].get(list) == simdjson::SUCCESS) {
      for (const dom::element e : list) f.evidence.insert(text_of(e, "kind"));
    }
    out.push_back(std::move(f));
  }
  return out;
}

std::size_t common(const Names& a, const Names& b) {
  return static_cast<std::size_t>(std::ranges::count_if(a, [&](const std::string& x) { return b.contains(x); }));
}

// loghub: four hours of an SSH server on the Internet; each line has the number of its template. The labels are the
// templates of failed log-ins (E9, E10, E13) and of the one log-in that was accepted (E1).
TEST(LabelledData, GuessingAtAnSshServer) {
  const fs::path log = kData / "auth/loghub/OpenSSH_2k.log";
  const fs::path labels = kData / "auth/loghub/OpenSSH_2k.log_structured.csv";
  if (!fs::exists(log) || !fs::exists(labels)) GTEST_SKIP() << "no labelled data at " << log;
  std::map<std::string, int> guesses;  // by source; 0: it only named a user who does not exist
  Names accepted;
  const std::regex row(R"( from (\d+\.\d+\.\d+\.\d+).*,(E1|E9|E10|E13),)");
  for (const std::string& line : split_lines(read_file(labels))) {
    std::smatch m;
    if (!std::regex_search(line, m, row)) continue;
    if (m[2] == "E1") {
      accepted.insert(m[1]);
    } else {
      guesses[m[1]] += m[2] == "E13" ? 0 : 1;
    }
  }
  ASSERT_GT(guesses.size(), 20U);
  ASSERT_EQ(accepted.size(), 1U);

  Names guessers, little;
  for (const auto& [source, times] : guesses) {
    guessers.insert(source);
    if (times <= 3) little.insert(source);
  }
  const std::vector<Found> findings = hunt_all({"--year", "2016", log.string()});
  ASSERT_FALSE(findings.empty()) << "many strangers who each try a little";
  Names named;
  for (const Found& f : findings) {
    EXPECT_EQ(f.kind, "spray");
    named.insert(f.sources.begin(), f.sources.end());
  }
  EXPECT_EQ(common(named, guessers), named.size()) << "nobody is named who did not guess";
  EXPECT_EQ(common(named, accepted), 0U);
  EXPECT_GE(common(little, named) * 2, little.size()) << "half of those who tried a little";
}

// crowdsec: brute force by one source (by 22 in one set), with the alert that the peer's scenario raises. Many tries of
// few sources are not what a covert network does, and nothing that orbwatch should call one.
TEST(LabelledData, BruteForceOfOneSourceIsNoSprayAndNoCovertLogin) {
  const fs::path sets = kData / "logs/crowdsec-hub";
  if (!fs::is_directory(sets)) GTEST_SKIP() << "no labelled data at " << sets;
  int with_events = 0;
  for (const fs::directory_entry& set : fs::directory_iterator(sets)) {
    if (!set.path().filename().string().ends_with("-bf") || !fs::exists(set.path() / "scenario.assert")) continue;
    std::vector<std::string> arguments = {"--year", "2026", "--all"};
    for (const fs::directory_entry& file : fs::directory_iterator(set.path())) {
      if (file.path().extension() == ".log") arguments.push_back(file.path().string());
    }
    if (arguments.size() == 3) continue;
    const HuntRun h = hunt(arguments);
    ASSERT_EQ(h.run.signal, 0) << set.path();
    if (h.run.exit_code != 0 || h.summary.total.events == 0) continue;  // a product that orbwatch does not read
    ++with_events;
    for (const std::string_view kind : {"\"kind\":\"spray\"", "\"kind\":\"login\""})
      EXPECT_EQ(h.findings.find(kind), h.findings.npos) << set.path() << "\n" << h.findings;
  }
  EXPECT_GE(with_events, 10);
}

// crowdsec: two log-ins of a user within three seconds; the label is the scenario's alert, the countries are those in
// its events. The places are declared, because no table of network facts is used here.
TEST(LabelledData, ImpossibleTravel) {
  const fs::path log = kData / "logs/crowdsec-hub/sshd-impossible-travel-user/sshd-success-logs.log";
  if (!fs::exists(log)) GTEST_SKIP() << "no labelled data at " << log;
  const TempDir dir;
  const auto config = [&](const char* second) {
    return dir
        .write("orbwatch.yaml",
               std::string("networks:\n"
                           "  - {prefix: 1.2.3.0/24, name: one, country: AU, latitude: -27.5, longitude: 153.0, own: "
                           "false}\n  - {prefix: 9.8.8.0/24, name: two, ") +
                   second + ", own: false}\n")
        .string();
  };
  const auto travels = [&](const char* second) {
    const auto findings = hunt_all({"--year", "2026", "--config", config(second), log.string()});
    return std::ranges::any_of(findings, [](const Found& f) {
      return f.kind == "login" && f.user == "vagrant" && f.evidence.contains("impossible-travel") &&
             f.sources.contains("9.8.8.8");
    });
  };
  EXPECT_TRUE(travels("country: US, latitude: 37.4, longitude: -122.1"));
  EXPECT_FALSE(travels("country: AU, latitude: -27.6, longitude: 153.1")) << "the same log-ins in one town";
}

// Invictus: half a year of log-ins to a Google Workspace with several attacks. The label is Google's own is_suspicious.
TEST(LabelledData, ALogInThatItsServiceCallsSuspicious) {
  const fs::path log = kData / "logs/invictus-gws/login.json";
  if (!fs::exists(log)) GTEST_SKIP() << "no labelled data at " << log;
  const simdjson::padded_string text(read_file(log));
  dom::parser parser;
  dom::element document;
  ASSERT_EQ(parser.parse(text).get(document), simdjson::SUCCESS);
  // The file begins with the newest record, as the service hands them out; a log begins with the oldest.
  std::vector<std::pair<std::string, std::string>> records;
  std::map<std::string, int> used;
  std::vector<std::pair<std::string, std::string>> suspicious;  // user, address
  dom::array activities;
  ASSERT_EQ(document["activities"].get(activities), simdjson::SUCCESS);
  for (const dom::element activity : activities) {
    dom::array events;
    ASSERT_EQ(activity["events"].get(events), simdjson::SUCCESS);
    records.emplace_back(text_of(activity["id"].value(), "time"), simdjson::minify(activity));
    const std::string address = text_of(activity, "ipAddress");
    const std::string user = text_of(activity["actor"].value(), "email");
    ++used[address];
    for (const dom::element event : events) {
      dom::array parameters;
      if (event["parameters"].get(parameters) != simdjson::SUCCESS) continue;
      for (const dom::element p : parameters) {
        bool yes = false;
        if (text_of(p, "name") == "is_suspicious" && p["boolValue"].get(yes) == simdjson::SUCCESS && yes)
          suspicious.emplace_back(user.substr(0, user.find('@')), address);
      }
    }
  }
  ASSERT_GT(records.size(), 50U);
  ASSERT_FALSE(suspicious.empty());
  std::ranges::stable_sort(records, {}, &std::pair<std::string, std::string>::first);
  std::string lines;
  for (const auto& [time, record] : records) lines += record + "\n";
  const TempDir dir;
  const std::vector<Found> findings = hunt_all({dir.write("login.json", lines).string()});
  for (const auto& [user, address] : suspicious) {
    EXPECT_TRUE(std::ranges::any_of(
        findings, [&](const Found& f) { return f.kind == "login" && f.user == user && f.sources.contains(address); }))
        << user << " from " << address;
  }
  const auto usual = std::ranges::max_element(used, {}, &std::pair<const std::string, int>::second);
  for (const Found& f : findings)
    EXPECT_FALSE(f.sources.contains(usual->first)) << "the address of most records is not strange";
}

// CTU (Stratosphere): flows of an infected host to its masters, labelled one by one; and scans inside a network. All of
// it leaves or stays inside: no hypothesis is about it, and nothing must be said.
TEST(LabelledData, MalwareThatCallsHomeIsNoHypothesis) {
  const fs::path folder = kData / "behaviour/slips";
  if (!fs::exists(folder / "test5-mixed.binetflow")) GTEST_SKIP() << "no labelled data at " << folder;
  int malicious = 0;
  for (const std::string& line : split_lines(read_file(folder / "test5-mixed.binetflow")))
    malicious += line.find("flow=Malware") != line.npos ? 1 : 0;
  EXPECT_GT(malicious, 200);
  for (const char* set : {"test5-mixed.binetflow", "test2-malicious.binetflow", "test11-portscan.binetflow",
                          "port-scans/horizontal/conn.log", "port-scans/vertical/conn.log"}) {
    if (!fs::exists(folder / set)) continue;
    const HuntRun h = hunt({"--all", (folder / set).string()});
    EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
    EXPECT_GT(h.summary.total.events, 10U) << set;
    EXPECT_EQ(h.findings, "") << set;
  }
}

// CTU: Suricata before a host on the Internet. The labels are the alerts of the sensor's own lists of bad addresses.
TEST(LabelledData, WhoTalksToAnOpenDeviceHasABadName) {
  const fs::path log = kData / "behaviour/slips/test6-malicious.suricata.json";
  if (!fs::exists(log)) GTEST_SKIP() << "no labelled data at " << log;
  Names labelled, senders;
  dom::parser parser;
  for (const std::string& line : split_lines(read_file(log))) {
    dom::element e;
    if (parser.parse(line).get(e) != simdjson::SUCCESS) continue;
    const std::string source = text_of(e, "src_ip");
    if (text_of(e, "event_type") == "alert") labelled.insert(source);
    if (text_of(e, "event_type") == "flow") senders.insert(source);
  }
  ASSERT_GT(labelled.size(), 300U);
  Names devices, sources;
  for (const Found& f : hunt_all({log.string()})) {
    ASSERT_EQ(f.kind, "exposure") << "a scanner whose own port is 7777 is no hijacked router";
    devices.insert(f.device);
    sources.insert(f.sources.begin(), f.sources.end());
  }
  for (const char* device : {"192.168.1.129:22", "192.168.1.129:23", "192.168.1.129:8291"})
    EXPECT_TRUE(devices.contains(device)) << device;
  ASSERT_FALSE(sources.empty());
  EXPECT_EQ(common(sources, senders), sources.size());
  EXPECT_GE(common(sources, labelled) * 2, sources.size());
}

// Eight scanners knocked at 7777, the port of an implant, and were refused.
TEST(LabelledData, ARefusedKnockIsNoImplant) {
  const fs::path day = kData / "behaviour/rita-day";
  if (!fs::exists(day)) GTEST_SKIP() << "no data at " << day;
  std::size_t exposures = 0;
  for (const Found& f : hunt_all({day.string()})) {
    EXPECT_NE(f.kind, "device");
    exposures += f.kind == "exposure" ? 1 : 0;
  }
  EXPECT_EQ(exposures, 2U) << "it was read";
}

}  // namespace
}  // namespace orbwatch::test
