// Threat feeds as a user has them: the real binary, files, a configuration.
#include <gtest/gtest.h>

#include <filesystem>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

class Feeds : public ::testing::Test {
 protected:
  std::string config(const std::string& feeds) {
    return dir_.write("orbwatch.yaml", "feeds_folder: " + folder_ + "\nfeeds:\n" + feeds).string();
  }
  RunResult feeds(std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "feeds"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  }
  static std::string list(int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += "5.44.100." + std::to_string(i + 1) + "\n";
    return out;
  }
  std::string read_table() const { return read_file(folder_ + "/indicators.table"); }

  TempDir dir_;
  std::string folder_ = (dir_ / "kept").string();
};

TEST_F(Feeds, AHuntKnowsWhatTheyName) {
  const std::string nodes = dir_.write("nodes.csv", "203.0.113.9,Quad7\n").string();
  const std::string file = config("  - {name: nodes, from: " + nodes + "}\n");
  const std::string log =
      dir_.write("vpn.log", asa_login("alice", "198.51.100.7") + asa_login("bob", "203.0.113.9", 60)).string();
  const HuntRun before = hunt({"--config", file, "--all", log});
  EXPECT_EQ(before.findings.find("is in the feed"), before.findings.npos);

  const RunResult updated = feeds({"update", "--config", file});
  EXPECT_EQ(updated.exit_code, 0) << updated.err;
  EXPECT_NE(updated.out.find("nodes: 1 indicators (1 new, 0 gone)"), updated.out.npos) << updated.out;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--config", file}, {"--feeds", folder_}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--all", log});
    const HuntRun after = hunt(all);
    EXPECT_NE(after.findings.find("203.0.113.9 is in the feed nodes: Quad7"), after.findings.npos) << after.findings;
  }
}

// Whatever comes, the last good one stays, others are updated, and one line says why.
TEST_F(Feeds, ABadFeedChangesNothing) {
  const std::string a = dir_.write("a.txt", list(100)).string();
  const std::string b = dir_.write("b.txt", "5.45.113.1\n").string();
  const std::string file = config("  - {name: a, from: " + a + "}\n  - {name: b, from: " + b + "}\n");
  ASSERT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  const std::string good = read_table();
  ASSERT_FALSE(good.empty());

  const auto refused = [&](const std::string& says) {
    const RunResult r = feeds({"update", "--config", file});
    EXPECT_EQ(r.exit_code, 3) << says;
    EXPECT_NE(r.err.find("feed a stays as it was"), r.err.npos) << r.err;
    EXPECT_NE(r.err.find(says), r.err.npos) << r.err;
    EXPECT_EQ(std::ranges::count(r.err, '\n'), 1) << r.err;
    EXPECT_NE(r.out.find("b: nothing new"), r.out.npos) << r.out;
    EXPECT_EQ(feeds({"lookup", "--config", file, "5.44.100.1"}).out.find("in no feed"), std::string::npos);
    EXPECT_NE(feeds({"list", "--config", file}).out.find(says), std::string::npos);
  };
  dir_.write("a.txt", "<html>Bad Gateway</html>\n");
  refused("looks like no feed");
  dir_.write("a.txt", R"({"type":"bundle","id":"bundle--11111111-1111-4111-8111-111111111112","objects":[{"ty)");
  refused("JSON");
  dir_.write("a.txt", list(10));
  refused("lost most");
  dir_.write("a.txt", "0.0.0.0/0\n" + list(100) + "8.0.0.0/8\n9.0.0.0/8\n");
  refused("more addresses than is likely");
  dir_.write("a.txt", "");
  refused("");
  fs::remove(a);
  refused("No such file");
  ASSERT_EQ(::symlink("/dev/zero", a.c_str()), 0);
  refused("it is no regular file");
  fs::remove(a);
  fs::create_directory(a);
  refused("it is no regular file");
  fs::remove(a);
  dir_.write("a.txt", "");
  fs::resize_file(a, std::uintmax_t{300} << 20);
  refused("more than");

  fs::remove(a);
  dir_.write("a.txt", list(10));
  EXPECT_EQ(feeds({"update", "--config", file, "--accept"}).exit_code, 0) << "an analyst may say so";
}

TEST_F(Feeds, OnlyThoseThatAreNamed) {
  const std::string a = dir_.write("a.txt", list(3)).string();
  const std::string file =
      config("  - {name: a, from: " + a + "}\n  - {name: b, from: " + dir_.path().string() + "/none.txt}\n");
  EXPECT_EQ(feeds({"update", "--config", file, "a"}).exit_code, 0);
  EXPECT_EQ(feeds({"update", "--config", file, "b"}).exit_code, 3);
  const RunResult unknown = feeds({"update", "--config", file, "c"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("no feed is called so"), unknown.err.npos) << unknown.err;
  EXPECT_EQ(feeds({"update"}).exit_code, 2);
  EXPECT_EQ(feeds({"lookup", "--feeds", dir_.path().string() + "/nothing", "5.44.100.1"}).exit_code, 3);
}

TEST_F(Feeds, CheckSaysWhatIsUnderstoodAndKeepsNothing) {
  const std::string a = dir_.write("a.txt", "5.44.100.1\nnonsense ! here\n# words\n").string();
  const RunResult r = feeds({"check", a});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(r.out.find("a.txt: text, 1 indicators"), r.out.npos) << r.out;
  EXPECT_NE(r.out.find("3 records: 1 used, 1 ignored, 1 rejected"), r.out.npos) << r.out;
  EXPECT_NE(feeds({"check", "--json", a}).out.find("\"records\":3"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(Feeds, ADamagedTableStopsNoHunt) {
  const std::string a = dir_.write("a.txt", list(3)).string();
  const std::string file = config("  - {name: a, from: " + a + "}\n");
  ASSERT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  fs::resize_file(folder_ + "/indicators.table", 100);
  const std::string log = dir_.write("vpn.log", asa_login("alice", "198.51.100.7")).string();
  EXPECT_EQ(hunt({"--config", file, log}).run.exit_code, 0);
  EXPECT_EQ(feeds({"update", "--config", file}).exit_code, 0) << "made anew";
}

}  // namespace
}  // namespace orbwatch::test
