// Threat feeds beside a store file, with the real binary: score cards, looking back, and writing a feed into the
// configuration.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

class FeedsAndStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run({orbwatch_binary(), "sql", "none", "SELECT 1"}).err.find("has no database") != std::string::npos)
      GTEST_SKIP() << "built without DuckDB";
  }
  RunResult feeds(std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "feeds"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv, {}, {.directory = dir_.path()});
  }
  std::string config(const std::string& feeds) {
    return dir_.write("orbwatch.yaml", "feeds_folder: kept\nfeeds:\n" + feeds).string();
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }
  TempDir dir_;
};

TEST_F(FeedsAndStore, ScoresByFindingsAndVerdicts) {
  dir_.write("a.txt", "203.0.113.9\n203.0.113.10\n");
  dir_.write("b.txt", "203.0.113.10\n");
  const std::string file = config("  - {name: a, from: a.txt, price_per_year: 100}\n  - {name: b, from: b.txt}\n");
  EXPECT_EQ(feeds({"score", "--config", file}).exit_code, 3) << "nothing was read yet";
  ASSERT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  const std::string log =
      dir_.write("vpn.log", asa_login("alice", "198.51.100.7") + asa_login("bob", "203.0.113.9", 60)).string();
  const std::string db = (dir_ / "h.duckdb").string(), verdicts = (dir_ / "v.ndjson").string();
  const HuntRun found = hunt({"--config", file, "--all", "--db", db, log});
  const auto hit = found.findings.find("203.0.113.9 is in the feed a");
  ASSERT_NE(hit, found.findings.npos);
  const auto id_at = found.findings.rfind("\"id\":\"", hit) + 6;
  const std::string id = found.findings.substr(id_at, found.findings.find('"', id_at) - id_at);
  ASSERT_EQ(run({orbwatch_binary(), "verdict", id, "true", "--db", db, "--verdicts", verdicts}).exit_code, 0);
  const HuntRun again = hunt({"--config", file, "--all", "--db", db, "--verdicts", verdicts, log});
  EXPECT_TRUE(has(again.findings, "; one earlier hit of this entry was found to be true here")) << again.findings;
  EXPECT_FALSE(has(found.findings, "earlier hit"));

  const RunResult r = feeds({"score", "--config", file, "--store", db, "--networks", "none"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(has(r.out, "a: 2 indicators\n  50 % of it in no other feed; 50 % in b\n")) << r.out;
  EXPECT_TRUE(has(r.out, "1 hits: 1 true, 0 false, 0 not judged; 1 true ones that no other feed named")) << r.out;
  EXPECT_TRUE(has(r.out, "no advice: Too little is known: 1 judged hits, 5 are needed.")) << r.out;
  const RunResult json = feeds({"score", "--config", file, "--store", db, "--networks", "none", "--json"});
  EXPECT_EQ(lines_of(json.out), 2U);
  EXPECT_TRUE(has(json.out, R"("hits":1,"hits_true":1,"hits_false":0,"only_here_true":1)")) << json.out;
  EXPECT_TRUE(has(json.out, R"("advice":"none")")) << json.out;
  EXPECT_EQ(feeds({"score", "--config", file, "--store", (dir_ / "none.duckdb").string()}).exit_code, 3);
}

TEST_F(FeedsAndStore, LooksBack) {
  const std::string db = (dir_ / "h.duckdb").string();
  hunt({"--db", db,
        dir_.write("vpn.log", asa_login("alice", "198.51.100.7") + asa_login("bob", "203.0.113.9", 60) +
                                  asa_login("carol", "203.0.113.9", 120))
            .string()});
  dir_.write("a.csv", "ip,malware,first_seen\n203.0.113.9,Quad7,2026-12-04\n203.0.113.77,Quad7,2026-12-04\n");
  dir_.write("b.txt", "198.51.100.0/28\n");
  const std::string file = config("  - {name: a, from: a.csv}\n  - {name: b, from: b.txt}\n");
  EXPECT_EQ(feeds({"search", "--config", file, "--store", db}).exit_code, 3) << "nothing was read yet";
  // At once with the update.
  const RunResult at_once = feeds({"update", "--config", file, "--networks", "none", "--store", db, "a"});
  EXPECT_EQ(at_once.exit_code, 0) << at_once.err;
  EXPECT_TRUE(has(at_once.out,
                  "203.0.113.9: a: Quad7; seen 12 days before the feed knew, 2026-11-22 to 2026-11-22, 2 "
                  "events; users bob, carol; at gw1"))
      << at_once.out;
  EXPECT_TRUE(has(at_once.out, "1 seen; 2 indicators")) << at_once.out;
  const auto search = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"search", "--config", file, "--networks", "none", "--store", db};
    words.insert(words.end(), more.begin(), more.end());
    return feeds(words);
  };
  EXPECT_TRUE(has(search({}).out, "0 seen; 0 indicators that came up after")) << "that was searched";
  ASSERT_EQ(feeds({"update", "--config", file, "b"}).exit_code, 0);
  const RunResult fresh = search({"--json", "--all"});
  EXPECT_EQ(fresh.exit_code, 0) << fresh.err;
  EXPECT_EQ(lines_of(fresh.out), 2U) << fresh.out;
  EXPECT_TRUE(has(fresh.out, R"("seen":"198.51.100.7","indicator":"198.51.100.0/28","feed":"b")")) << fresh.out;
  EXPECT_TRUE(has(fresh.out, R"("users":["alice"],"gateways":["gw1"])")) << fresh.out;
  EXPECT_TRUE(has(search({"--since", "2200-01-01"}).out, "0 seen; 0 indicators"));
  EXPECT_EQ(search({"--since", "soon"}).exit_code, 2);
  EXPECT_EQ(feeds({"search", "--config", file, "--store", (dir_ / "none").string()}).exit_code, 3);
}

TEST_F(FeedsAndStore, AddWritesTheConfiguration) {
  const std::string list = dir_.write("lists/nodes.txt", "203.0.113.9\n! !\n").string();
  const std::string text = "# ours\ntimezone: UTC  # of the office\n";
  const fs::path file = dir_.write("orbwatch.yaml", text);
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  const auto add = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"add", "--config", file.string()};
    words.insert(words.end(), more.begin(), more.end());
    return feeds(words);
  };
  const RunResult dry = add({"nodes", "lists/nodes.txt", "--format", "text", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_TRUE(has(dry.out, "nodes: text, 1 indicators\n  2 records: 1 used, 0 ignored, 1 rejected")) << dry.out;
  EXPECT_EQ(read_file(file), text);
  const RunResult added = add({"nodes", "lists/nodes.txt", "--format", "text", "--label", "it's: #1"});
  EXPECT_EQ(added.exit_code, 0) << added.err;
  EXPECT_EQ(read_file(file), text + "\nfeeds:\n  - name: 'nodes'\n    from: '" + fs::canonical(list).string() +
                                 "'\n    format: text\n    label: 'it''s: #1'\n");
  struct stat now{};
  ASSERT_EQ(::stat(file.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 07777U, 0640U);
  EXPECT_EQ(feeds({"update", "--config", file.string(), "--feeds", "kept"}).exit_code, 0);

  const std::string before = read_file(file);
  const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& says) {
    const RunResult r = add(words);
    EXPECT_EQ(r.exit_code, code) << says;
    EXPECT_TRUE(has(r.err, says)) << r.err;
    EXPECT_EQ(read_file(file), before) << says;
  };
  refused({"nodes", "lists/nodes.txt"}, 2, "there is a feed of that name");
  refused({"../x", "lists/nodes.txt"}, 2, "no name of a feed");
  refused({"b", "lists/none.txt"}, 3, "No such file");
  refused({"b", dir_.write("page.html", "<html>Not found</html>").string()}, 3, "looks like no feed");
  refused({"b", dir_.write("empty.txt", "# nothing\n").string(), "--format", "text"}, 3, "states nothing");
  refused({"b", "lists/nodes.txt", "--format", "xml"}, 2, "no format of feeds");
  refused({"b", "lists/nodes.txt", "--protocol", "taxii"}, 2, "which collection");
}

}  // namespace
}  // namespace orbwatch::test
