// `orbwatch share` as an analyst uses it: a hunt, a verdict, what partners get, and what they do not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "hunt.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }
std::string between(const std::string& text, const std::string& before, const std::string& after,
                    std::size_t from = 0) {
  const auto at = text.find(before, from);
  if (at == text.npos) return "";
  return text.substr(at + before.size(), text.find(after, at + before.size()) - at - before.size());
}

class Share : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string log = (fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/fortigate.log").string();
    const HuntRun first = hunt({"--all", log});
    // Of the strongest log-in: id, user, source. Somebody has looked at the source.
    const auto login = first.findings.rfind('\n', first.findings.find("\"kind\":\"login\""));
    best_ = first.findings.substr(login == first.findings.npos ? 0 : login + 1);
    best_ = best_.substr(0, best_.find('\n'));
    id_ = between(best_, "\"id\":\"", "\"");
    user_ = between(best_, "\"user\":\"", "\"");
    source_ = between(best_, "\"ip\":\"", "\"");
    ASSERT_NE(source_, "") << best_;
    ASSERT_NE(user_, "") << best_;
    const std::string scan =
        dir_.write("scan.json", "{\"ip_str\":\"" + source_ +
                                    "\",\"port\":22,\"transport\":\"tcp\",\"timestamp\":\"2026-01-02T08:15:30.000000\","
                                    "\"data\":\"SSH-2.0-dropbear_2019.78\\r\\n\"}\n")
            .string();
    const HuntRun run = hunt({"--all", "--db", db_, log, scan});
    if (has(run.run.err, "without DuckDB")) GTEST_SKIP();
    findings_ = run.findings;
    ASSERT_TRUE(has(findings_, id_)) << run.run.err;
  }
  RunResult share(std::vector<std::string> words) const {
    std::vector<std::string> argv = {orbwatch_binary(), "share", "--store", db_};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  }
  void say(const std::string& what) const {
    const RunResult r =
        run({orbwatch_binary(), "verdict", id_, what, "--db", db_, "--verdicts", verdicts_, "--reason", "x"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
  }

  TempDir dir_;
  std::string db_ = (dir_ / "hunt.duckdb").string();
  std::string verdicts_ = (dir_ / "verdicts.ndjson").string();
  std::string findings_, best_, id_, user_, source_;
};

TEST_F(Share, GivesWhatWasConfirmedAndNothingOfPeople) {
  const RunResult none = share({"--format", "csv"});
  EXPECT_EQ(none.exit_code, 0) << none.err;
  EXPECT_EQ(lines_of(none.out), 1U) << none.out;
  EXPECT_TRUE(has(none.err, "left out: finding: not confirmed by a verdict: " + std::to_string(lines_of(findings_))))
      << none.err;
  EXPECT_TRUE(has(none.err, "no networks of the organisation are known"));

  say("true");
  for (const std::string format : {"stix", "misp", "csv", "edl"}) {
    const RunResult r =
        share({"--format", format, "--verdicts", verdicts_, "--most-age", "0", "--identity", "Example Ltd"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_TRUE(has(r.out, source_)) << format << r.out;
    EXPECT_TRUE(has(r.err, "1 of ")) << r.err;
    EXPECT_EQ(r.out.find(user_), r.out.npos) << format;
    for (const char* key : {"\"gateway\":\"", "\"file\":\"", "\"city\":\"", "\"org\":\""}) {
      const std::string secret = between(best_, key, "\"");
      if (!secret.empty()) {
        EXPECT_EQ(r.out.find(secret), r.out.npos) << format << " " << key;
      }
    }
    const bool tells_traits = format == "stix" || format == "misp" || format == "csv";
    EXPECT_EQ(has(r.out, "SSH-2.0-dropbear_2019.78"), tells_traits) << format;
  }
  // Everything that nobody has said anything of.
  const RunResult all = share({"--format", "csv", "--all"});
  EXPECT_GT(lines_of(all.out), 2U);
  EXPECT_LT(lines_of(share({"--format", "csv", "--all", "--least", "0.999999"}).out), lines_of(all.out));
  EXPECT_EQ(lines_of(share({"--format", "csv", "--all", "--since", "2099-01-01"}).out), 1U);
  EXPECT_TRUE(has(share({"--format", "edl", "--all", "--most-age", "1"}).err, "last seen too long ago"));
}

TEST_F(Share, AFileIsReplacedAndWhatIsTakenBackIsRevoked) {
  const std::string out = (dir_ / "given.json").string();
  say("true");
  const RunResult first = share({"--verdicts", verdicts_, "--out", out, "--json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(has(first.out, "\"given\":1,")) << first.out;
  EXPECT_TRUE(has(first.out, "\"tlp\":\"amber\""));
  const std::string was = read_file(out);
  ASSERT_EQ(share({"--verdicts", verdicts_, "--out", out}).exit_code, 0);
  EXPECT_EQ(read_file(out), was) << "what has not changed keeps its version";
  EXPECT_FALSE(fs::exists(out + ".partial"));
  say("false");
  const RunResult back = share({"--verdicts", verdicts_, "--out", out, "--json"});
  EXPECT_TRUE(has(back.out, "\"given\":0,")) << back.out;
  const std::string pattern = "'" + source_ + "'";
  // Revoked as long as it would be valid: the example may be older.
  EXPECT_EQ(has(read_file(out), pattern), has(back.out, "\"revoked\":1")) << back.out;
  EXPECT_FALSE(has(read_file(out), "\"confidence\":"));
}

TEST_F(Share, OwnNetworksStay) {
  say("true");
  const std::string config =
      dir_.write("orbwatch.yaml",
                 "verdicts: " + verdicts_ + "\nnetworks:\n  - {prefix: " + source_ + "/32, name: lab}\n")
          .string();
  const RunResult r = share({"--format", "csv", "--config", config});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.out.find(source_), r.out.npos);
  EXPECT_TRUE(has(r.err, "left out: address: the organisation's own: 1")) << r.err;
}

// A running service's database cannot be opened; what it told stands beside it.
TEST_F(Share, AServicesStateIsEnough) {
  const fs::path state = dir_ / "state";
  std::string index = "9.1 " + best_ + "\n";
  std::string older = index, cut = "1.0 {\"id\":\"" + id_ + "\",\"kind\"";
  older.replace(older.find(source_), source_.size(), "198.51.100.200");
  dir_.write("state/findings.index.1", older);
  dir_.write("state/findings.index", index + cut);
  const auto given = [&](std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "share", "--state", state.string(), "--format", "csv"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  };
  EXPECT_EQ(lines_of(given({}).out), 1U) << "nobody has said anything";
  say("true");
  fs::copy_file(verdicts_, state / "verdicts.ndjson");
  const RunResult r = given({});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(has(r.out, "\n" + source_ + ",")) << r.out;
  EXPECT_FALSE(has(r.out, "198.51.100.200")) << "as it was told last";
  EXPECT_EQ(given({"--store", db_}).exit_code, 2);
  fs::remove_all(state);
  EXPECT_EQ(given({}).exit_code, 3);
}

TEST_F(Share, WrongOptionsAreSaid) {
  EXPECT_EQ(run({orbwatch_binary(), "share"}).exit_code, 2);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--format", "xml"},
                                             {"--tlp", "white"},
                                             {"--since", "soon"},
                                             {"--json"},
                                             {"--least", "2"},
                                             {"--identity", "two\nlines"},
                                             {"--most-age", "-1"},
                                             {"--config", (dir_ / "none").string()}})
    EXPECT_EQ(share(words).exit_code, 2) << words[0];
  EXPECT_EQ(share({"--verdicts", (dir_ / "none").string()}).exit_code, 3);
  const std::string damaged = dir_.write("damaged.ndjson", "{\n").string();
  const RunResult r = share({"--verdicts", damaged});
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_TRUE(has(r.err, "line 1")) << r.err;
  EXPECT_EQ(run({orbwatch_binary(), "share", "--store", (dir_ / "none").string()}).exit_code, 3);
  EXPECT_EQ(share({"--out", (dir_ / "no/such/folder.json").string()}).exit_code, 4);
}

// What it says when it runs: tests/sharing/taxii_client.py.
TEST(TaxiiCommand, DoesNotStartAsItMustNot) {
  const TempDir dir;
  const std::string open = dir.write("open", "hush\n").string();
  fs::permissions(open, fs::perms::all);
  const auto taxii = [&](std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "taxii"};
    argv.insert(argv.end(), words.begin(), words.end());
    if (std::ranges::find(words, "--listen") == words.end()) argv.insert(argv.end(), {"--listen", "127.0.0.1:0"});
    return run(argv);
  };
  const std::string folder = dir.path().string();
  for (const auto& [words, says] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "--folder"},
           {{"--folder", folder + "/none"}, "no such folder"},
           {{"--folder", folder, "--listen", "0.0.0.0:0"}, "--insecure"},
           {{"--folder", folder, "--listen", "nowhere"}, "nowhere"},
           {{"--folder", folder, "--user", "ann"}, "belong together"},
           {{"--folder", folder, "--user", "a:b", "--secret-file", open}, "colon"},
           {{"--folder", folder, "--user", "ann", "--secret-file", open}, "others"},
           {{"--folder", folder, "--token-file", folder + "/none"}, "none"},
           {{"--folder", folder, "--tls", "cert.pem"}, "CERTIFICATE,KEY"},
           {{"--folder", folder, "--tls", fmt::format("{0}/c.pem,{0}/k.pem", folder)}, "c.pem"},
           {{"--folder", folder, "--public-url", "share.example"}, "https://"}}) {
    const RunResult r = taxii(words);
    EXPECT_EQ(r.exit_code, 2) << says << r.err;
    EXPECT_TRUE(has(r.err, says)) << says << ": " << r.err;
  }
}

}  // namespace
}  // namespace orbwatch::test
