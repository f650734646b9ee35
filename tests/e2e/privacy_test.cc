// Names of users under a key, and the audit log, with the real binary: what stands on the disk and in outputs after a
// run, and what the holder of the key can do with it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/text.h"
#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

class Privacy : public ::testing::Test {
 protected:
  static RunResult orbwatch(std::vector<std::string> words) {
    words.insert(words.begin(), orbwatch_binary());
    return run(words);
  }
  std::string key_file() const { return (dir_ / "pseudonym.key").string(); }
  std::string state() const { return (dir_ / "state").string(); }
  std::string config(const std::string& more = {}) const {
    return "state: " + state() + "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\n" + more +
           "collect:\n  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n"
           "outputs:\n  - {name: archive, type: file, alerts_only: false, path: " +
           told() + "}\n";
  }
  std::string with_key() const { return config("pseudonyms:\n  key_file: " + key_file() + "\n"); }
  std::string told() const { return (dir_ / "findings.ndjson").string(); }
  void make_key() const {
    const RunResult made = orbwatch({"pseudonym", "key", "--key-file", key_file()});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  // Who stands in the example: `user="..."`. What others have tried ("root", "test", "vpn") are words of every text.
  static std::set<std::string> names(const std::string& log) {
    std::set<std::string> out;
    for (std::size_t at = 0; (at = log.find("user=\"", at)) != log.npos;) {
      at += 6;
      const std::string name = log.substr(at, log.find('"', at) - at);
      if (name.find('.') != name.npos) out.insert(name);
    }
    return out;
  }
  static std::string example() { return read_file(fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/fortigate.log"); }
  // Sends the example and a last line long after it, so that the log-ins are judged; gives what the service said.
  std::string work(const std::string& configuration) const {
    const std::string log = example();
    const auto lines = std::count(log.begin(), log.end(), '\n');
    ServiceProcess service(dir_.path(), configuration, {"--json", "--all"});
    EXPECT_TRUE(service.wait_ready()) << service.err();
    EXPECT_TRUE(send_tcp(service.port("tcp"), log));
    EXPECT_TRUE(service.wait_for("records", lines, "tcp")) << service.get("/status");
    EXPECT_TRUE(service.wait_for("findings", 5)) << service.get("/status");
    const std::string said = service.get("/status") + service.get("/metrics");
    service.signal(SIGTERM);
    EXPECT_EQ(service.wait(), 0) << service.err();
    return said + service.out() + service.err();
  }
  std::vector<std::string> audit_log() const {
    std::vector<std::string> out;
    std::string text = read_file(fs::path(state()) / "audit.ndjson");
    for (std::string_view rest = text; !rest.empty();) out.emplace_back(core::take_until(rest, '\n'));
    return out;
  }

  TempDir dir_;
};

TEST_F(Privacy, NoNameIsOnTheDiskOrToldAfterARun) {
  make_key();
  const std::string said = work(with_key());
  const std::set<std::string> people = names(example());
  ASSERT_GT(people.size(), 15U);
  std::string all = said + read_file(told());
  bool in_journal = false;
  for (const auto& entry : fs::recursive_directory_iterator(state())) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path());
    if (entry.path().parent_path().filename() == "journal") {
      in_journal |= core::contains_ignore_case(bytes, *people.begin());
    } else {
      all += bytes;
    }
    // What a file of the store holds is compressed.
    if (entry.path().extension() != ".duckdb") continue;
    const bool findings = entry.path().filename() == "findings.duckdb";
    for (const char* table : {"findings", "evidence", "finding_records", "events"}) {
      if (findings == (std::string(table) == "events")) continue;
      const RunResult asked = orbwatch({"sql", entry.path().string(), "--csv", std::string("SELECT * FROM ") + table});
      EXPECT_EQ(asked.exit_code, 0) << asked.err;
      EXPECT_NE(asked.out.find("user-"), std::string::npos) << table;
      all += asked.out;
    }
  }
  for (const std::string& name : people) EXPECT_FALSE(core::contains_ignore_case(all, name)) << name;
  // As documented: the journal keeps what came, as it came.
  EXPECT_TRUE(in_journal);

  // The holder of the key reads the output, and finds people in it.
  const std::string text = read_file(told());
  const auto at = text.find("\"user\":\"user-");
  ASSERT_NE(at, text.npos) << text.substr(0, 500);
  const std::string pseudonym = text.substr(at + 8, text.find('"', at + 8) - at - 8);
  const RunResult revealed = orbwatch({"pseudonym", "reveal", pseudonym, "--key-file", key_file()});
  ASSERT_EQ(revealed.exit_code, 0) << revealed.err;
  const std::string name = revealed.out.substr(0, revealed.out.find('\n'));
  EXPECT_TRUE(people.contains(name)) << name;
  EXPECT_EQ(orbwatch({"pseudonym", "show", name, "--key-file", key_file()}).out, pseudonym + "\n");
}

TEST_F(Privacy, AStateStaysWithItsKey) {
  make_key();
  work(with_key());
  struct Case {
    std::string config;
    std::string says;
  };
  ASSERT_EQ(orbwatch({"pseudonym", "key", "--key-file", key_file() + "2"}).exit_code, 0);
  for (const Case& c : {Case{config(), "no key is configured"},
                        Case{config("pseudonyms: {key_file: " + key_file() + "2}\n"), "another pseudonym key"},
                        Case{config("pseudonyms: {key_file: " + key_file() + "3}\n"), "cannot read the secret"}}) {
    ServiceProcess service(dir_.path(), c.config);
    EXPECT_FALSE(service.wait_ready());
    EXPECT_EQ(service.wait(), 2);
    const std::string said = service.err();
    EXPECT_NE(said.find(c.says), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  }
  // A running service does not take it, and goes on.
  ServiceProcess service(dir_.path(), with_key());
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const auto refused = [&](const std::string& configuration, const std::string& says) {
    service.write_config(configuration);
    service.signal(SIGHUP);
    for (int i = 0; i < 1000 && service.err().find(says) == std::string::npos; ++i) ::usleep(10'000);
    EXPECT_NE(service.err().find("not taken: " + says), std::string::npos) << service.err();
  };
  refused(config(), "'pseudonyms' cannot be switched on or off");
  refused(config("pseudonyms: {key_file: " + key_file() + "2}\n"), "the state folder was made with another");
  EXPECT_EQ(service.get("/ready"), "ready\n");
}

TEST_F(Privacy, KeysAndPseudonymsOnTheCommandLine) {
  make_key();
  struct stat facts{};
  ASSERT_EQ(::stat(key_file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  const std::string before = read_file(key_file());
  EXPECT_EQ(orbwatch({"pseudonym", "key", "--key-file", key_file()}).exit_code, 4);
  EXPECT_EQ(read_file(key_file()), before);

  ASSERT_EQ(orbwatch({"pseudonym", "key", "--key-file", key_file() + "2"}).exit_code, 0);
  std::string alice = orbwatch({"pseudonym", "show", "alice", "--key-file", key_file()}).out;
  ASSERT_TRUE(alice.starts_with("user-") && alice.ends_with('\n')) << alice;
  alice.pop_back();
  EXPECT_EQ(orbwatch({"pseudonym", "reveal", alice, "--key-file", key_file()}).out, "alice\n");
  const RunResult wrong = orbwatch({"pseudonym", "reveal", alice, "--key-file", key_file() + "2"});
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_EQ(wrong.out, "");
  EXPECT_NE(wrong.err.find("this key did not make this pseudonym"), std::string::npos) << wrong.err;
  EXPECT_EQ(orbwatch({"pseudonym", "reveal", "alice", "--key-file", key_file()}).exit_code, 3);

  ASSERT_EQ(::chmod(key_file().c_str(), 0644), 0);
  EXPECT_NE(orbwatch({"pseudonym", "show", "alice", "--key-file", key_file()}).err.find("others may read"),
            std::string::npos);
}

TEST_F(Privacy, TheAuditLogSaysWhatWasDone) {
  make_key();
  {
    ServiceProcess service(dir_.path(), with_key());
    ASSERT_TRUE(service.wait_ready()) << service.err();
    const auto reload = [&](const std::string& configuration, const std::string& says) {
      service.write_config(configuration);
      service.signal(SIGHUP);
      for (int i = 0; i < 1000 && service.err().find(says) == std::string::npos; ++i) ::usleep(10'000);
    };
    reload(config("pseudonyms:\n  key_file: " + key_file() + "\nalerts_per_day: 77\n"), "was read anew");
    reload(config("no_such_key: s3cret\n"), "was not taken");
    service.signal(SIGTERM);
    EXPECT_EQ(service.wait(), 0) << service.err();
  }
  const std::string copy = (dir_ / "copy").string();
  ASSERT_EQ(orbwatch({"backup", "--state", state(), "--out", copy}).exit_code, 0);
  const RunResult token = orbwatch({"token", "--state", state(), "--label", "firewall in Berlin"});
  ASSERT_EQ(token.exit_code, 0) << token.err;
  const std::string shown = orbwatch({"pseudonym", "show", "alice", "--key-file", key_file()}).out;
  const std::string pseudonym = shown.substr(0, shown.find('\n'));
  ASSERT_EQ(orbwatch({"pseudonym", "reveal", pseudonym, "--key-file", key_file(), "--state", state()}).exit_code, 0);
  ASSERT_EQ(orbwatch({"pseudonym", "key", "--key-file", key_file() + "2", "--state", state()}).exit_code, 0);

  const std::vector<std::string> log = audit_log();
  const std::vector<std::string> expected = {R"("action":"start")",
                                             R"("action":"reload","outcome":"accepted")",
                                             R"("action":"reload","outcome":"refused")",
                                             R"("action":"stop")",
                                             R"("action":"backup")",
                                             R"("action":"token made")",
                                             R"("action":"pseudonym revealed")",
                                             R"("action":"pseudonym key made")"};
  ASSERT_EQ(log.size(), expected.size()) << read_file(fs::path(state()) / "audit.ndjson");
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_NE(log[i].find(expected[i]), std::string::npos) << log[i];
    EXPECT_NE(log[i].find("\"uid\":" + std::to_string(::getuid())), std::string::npos) << log[i];
  }
  EXPECT_NE(log[1].find(R"("changed":["alerts_per_day"])"), std::string::npos) << log[1];
  EXPECT_NE(log[2].find("unknown key"), std::string::npos) << log[2];
  EXPECT_NE(log[5].find("firewall in Berlin"), std::string::npos) << log[5];
  EXPECT_NE(log[6].find(pseudonym), std::string::npos) << log[6];
  const std::string text = read_file(fs::path(state()) / "audit.ndjson");
  EXPECT_EQ(text.find("s3cret"), text.npos);
  EXPECT_EQ(text.find("alice"), text.npos);
  EXPECT_EQ(text.find(token.out.substr(7, 64)), text.npos);

  // The log goes with the backup, and on from there.
  const std::string there = (dir_ / "there").string();
  ASSERT_EQ(orbwatch({"restore", "--from", copy, "--state", there}).exit_code, 0);
  const std::string restored = read_file(fs::path(there) / "audit.ndjson");
  EXPECT_EQ(restored.find("\"action\":\"start\"") != restored.npos, true);
  EXPECT_NE(restored.find("\"action\":\"restore\""), restored.npos);
}

TEST_F(Privacy, AnAuditLogThatCannotBeWrittenIsTold) {
  fs::create_directories(fs::path(state()) / "audit.ndjson");  // a folder in its place
  ServiceProcess service(dir_.path(), config());
  ASSERT_TRUE(service.wait_ready()) << service.err();
  EXPECT_NE(service.err().find("cannot write the audit log"), std::string::npos) << service.err();
  EXPECT_EQ(service.get("/ready"), "ready\n");
  // A command that makes something does not do so in silence.
  const RunResult token = orbwatch({"token", "--state", state()});
  EXPECT_EQ(token.exit_code, 4);
  EXPECT_EQ(token.out, "");
  EXPECT_NE(token.err.find("cannot write the audit log"), std::string::npos) << token.err;
}

}  // namespace
}  // namespace orbwatch::test
