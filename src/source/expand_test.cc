#include "source/expand.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

using namespace test;
namespace fs = std::filesystem;

Expansion expanded(std::vector<std::string> arguments, const ExpandOptions& options = {}) {
  auto found = expand(arguments, options);
  EXPECT_TRUE(found);
  if (!found) return {};
  for (std::size_t i = 0; i < found->inputs.size(); ++i) EXPECT_EQ(found->inputs[i].id, i);
  return std::move(*found);
}

// Paths of the inputs below `dir`.
std::vector<std::string> names(const Expansion& found, const TempDir& dir) {
  std::vector<std::string> out;
  out.reserve(found.inputs.size());
  for (const Input& input : found.inputs) {
    out.push_back(input.path.starts_with(dir.path() + "/") ? input.path.substr(dir.path().size() + 1) : input.path);
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(Expand, WalksDirectoriesInOrderOfNames) {
  const TempDir dir;
  for (const char* name : {"b.log", "a/z.log", "a/b/c.log", "a.log", "Z.log", ".hidden", ".git/config"})
    dir.write(name);
  const Expansion found = expanded({dir.path()});
  EXPECT_EQ(names(found, dir), (Names{"Z.log", "a/b/c.log", "a/z.log", "a.log", "b.log"}));
  ASSERT_EQ(found.skipped.size(), 2U);
  EXPECT_EQ(found.skipped[0].reason, "hidden");
  EXPECT_TRUE(found.unreadable.empty());
  ExpandOptions all;
  all.hidden = true;
  EXPECT_EQ(expanded({dir.path()}, all).inputs.size(), 7U);
  EXPECT_EQ(names(expanded({dir.path(".hidden")}), dir), Names{".hidden"}) << "named itself";
}

TEST(Expand, SaysSizeAndTime) {
  const TempDir dir;
  const std::string file = dir.write("a.log", "12345");
  dir.write("b.log", "");
  struct stat facts{};
  ASSERT_EQ(::stat(file.c_str(), &facts), 0);
  const Expansion found = expanded({dir.path()});
  ASSERT_EQ(found.inputs.size(), 2U);
  EXPECT_EQ(found.inputs[0].size, 5U);
  EXPECT_EQ(found.inputs[0].modified_ns, facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec);
  EXPECT_EQ(found.inputs[1].size, 0U);
  EXPECT_EQ(total_bytes(found.inputs), 5U);
  EXPECT_EQ(total_bytes(expanded({file, "-"}).inputs), 0U) << "unknown with standard input";
}

TEST(Expand, TakesStandardInputOnce) {
  const Expansion found = expanded({"-", "-"});
  ASSERT_EQ(found.inputs.size(), 1U);
  EXPECT_EQ(found.inputs[0].path, "-");
  EXPECT_EQ(found.inputs[0].group, "-");
}

TEST(Expand, AFileIsReadOnce) {
  const TempDir dir;
  const std::string file = dir.write("a.log");
  fs::create_hard_link(file, dir.path("b.log"));
  fs::create_symlink("a.log", dir.path("c.log"));
  const Expansion found = expanded({file, file, dir.path(), dir.path() + "/./a.log"});
  EXPECT_EQ(names(found, dir), Names{"a.log"});
  ASSERT_EQ(found.skipped.size(), 5U);
  for (const Skipped& s : found.skipped) EXPECT_EQ(s.reason, "same file as an earlier input");
}

TEST(Expand, DirectoryLoopsEnd) {
  const TempDir dir;
  dir.write("a/b/x.log");
  fs::create_directory_symlink("..", dir.path("a/b/up"));
  fs::create_directory_symlink(dir.path(), dir.path("a/top"));
  fs::create_symlink("self", dir.path("self"));
  fs::create_symlink("nowhere", dir.path("dangling"));
  const Expansion found = expanded({dir.path()});
  EXPECT_EQ(names(found, dir), Names{"a/b/x.log"});
  Names reasons;
  for (const Skipped& s : found.skipped) reasons.emplace_back(s.reason);
  std::sort(reasons.begin(), reasons.end());
  EXPECT_EQ(reasons, (Names{"dangling symbolic link", "dangling symbolic link", "directory already read",
                            "directory already read"}));
  EXPECT_TRUE(found.unreadable.empty());
}

TEST(Expand, SpecialFilesAreTakenOnlyIfNamed) {
  const TempDir dir;
  dir.write("a.log");
  ASSERT_EQ(::mkfifo(dir.path("fifo").c_str(), 0600), 0);
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string where = dir.path("socket");
  ASSERT_LT(where.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, where.c_str(), where.size() + 1);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  for (const std::string& argument : {dir.path(), dir.path("*"), dir.path("**")}) {
    const Expansion found = expanded({argument});
    EXPECT_EQ(names(found, dir), Names{"a.log"});
    ASSERT_EQ(found.skipped.size(), 2U);
    EXPECT_EQ(found.skipped[0].reason, "FIFO");
    EXPECT_EQ(found.skipped[1].reason, "socket");
  }
  const Expansion named = expanded({dir.path("fifo"), dir.path("socket"), "/dev/null"});
  EXPECT_EQ(names(named, dir), (Names{"fifo", "/dev/null"}));
  EXPECT_FALSE(named.inputs[0].regular);
  ASSERT_EQ(named.unreadable.size(), 1U);
  EXPECT_EQ(named.unreadable[0].error.message, "is a socket");
  ::close(server);
}

TEST(Expand, GoesOnAfterWhatIsMissing) {
  const TempDir dir;
  dir.write("a.log");
  const Expansion found = expanded({dir.path("gone.log"), dir.path("*.pcap"), dir.path("a.log"), dir.path("a.log/x")});
  EXPECT_EQ(names(found, dir), Names{"a.log"});
  ASSERT_EQ(found.unreadable.size(), 3U);
  EXPECT_EQ(found.unreadable[0].error.text(), "No such file or directory: " + dir.path("gone.log"));
  EXPECT_EQ(found.unreadable[1].error.text(),
            "no file matches the pattern: " + dir.path("*.pcap") + " (check the path)");
  EXPECT_EQ(found.unreadable[2].error.text(), "Not a directory: " + dir.path("a.log/x"));
  EXPECT_FALSE(expand({}));
}

TEST(Expand, SaysWhatItMayNotRead) {
  const TempDir dir;
  const std::string file = dir.write("secret.log");
  dir.write("open.log");
  dir.write("closed/x.log");
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  ASSERT_EQ(::chmod(dir.path("closed").c_str(), 0), 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  // In a process of its own, which gives up root's right to read everything.
  EXPECT_EXIT(
      {
        if (::geteuid() == 0 && ::seteuid(65534) != 0) _exit(9);
        auto found = expand(std::vector<std::string>{dir.path()});
        const bool right = found && found->inputs.size() == 1 && found->unreadable.size() == 2 &&
                           found->unreadable[0].error.text() ==
                               "Permission denied: " + dir.path("closed") + " (run as a user who may read it)" &&
                           found->unreadable[1].error.text() ==
                               "Permission denied: " + dir.path("secret.log") + " (run as a user who may read it)";
        Input secret;
        secret.path = file;
        const auto opened = open(secret);
        _exit(right && !opened && opened.error().message == "Permission denied" ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  ::chmod(dir.path("closed").c_str(), 0755);
}

TEST(Expand, PatternsMatchAsInAShell) {
  const TempDir dir;
  for (const char* name :
       {"a.log", "b.log", "c.txt", ".h.log", "x/a.log", "x/y/b.log", "x/y/.h.log", "z1/a.log", "z2/a.log", "[v].log"}) {
    dir.write(name);
  }
  const auto match = [&](const char* pattern) { return names(expanded({dir.path(pattern)}), dir); };
  EXPECT_EQ(match("?.log"), (Names{"a.log", "b.log"}));
  EXPECT_EQ(match("[!a].*"), (Names{"b.log", "c.txt"}));
  EXPECT_EQ(match(".*.log"), (Names{".h.log"}));
  EXPECT_EQ(match("z[12]/*.log"), (Names{"z1/a.log", "z2/a.log"}));
  EXPECT_EQ(match("**/b.log"), (Names{"b.log", "x/y/b.log"}));
  EXPECT_EQ(match("x/**"), (Names{"x/a.log", "x/y/b.log"}));
  EXPECT_EQ(match("**/**/y/*"), (Names{"x/y/b.log"}));
  EXPECT_EQ(match("x*"), (Names{"x/a.log", "x/y/b.log"})) << "a matched directory is walked";
  EXPECT_EQ(match("[v].log"), (Names{"[v].log"})) << "a file of that very name comes first";

  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  Names relative;
  for (const Input& input : expanded({"*/a.log", "**/b.log"}).inputs) relative.push_back(input.path);
  fs::current_path(before);
  EXPECT_EQ(relative, (Names{"x/a.log", "z1/a.log", "z2/a.log", "b.log", "x/y/b.log"}));
}

TEST(Expand, JoinsRotatedSetsOldestFirst) {
  const TempDir dir;
  for (const char* name : {"vpn.log", "vpn.log.1", "vpn.log.2.gz", "vpn.log.10.gz", "other.log"}) dir.write(name);
  const Expansion found = expanded({dir.path()});
  EXPECT_EQ(names(found, dir), (Names{"other.log", "vpn.log.10.gz", "vpn.log.2.gz", "vpn.log.1", "vpn.log"}));
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(found.inputs[i].group, dir.path("vpn.log"));
    EXPECT_EQ(found.inputs[i].rotation, static_cast<int>(i) - 1);
  }
  ExpandOptions apart;
  apart.join_rotated = false;
  EXPECT_EQ(names(expanded({dir.path("vpn.log"), dir.path()}, apart), dir),
            (Names{"vpn.log", "other.log", "vpn.log.1", "vpn.log.10.gz", "vpn.log.2.gz"}));
}

TEST(Expand, OrdersDatedSets) {
  const TempDir dir;
  for (const char* name : {"vpn.log", "vpn.log-20261122.zst", "vpn.log-20261101", "vpn.log.1", "messages-20261122",
                           "messages-20261115.gz", "messages", "access.2026-11-22.log.gz", "access.2026-11-21.log.gz",
                           "access.log", "conn.00:00:00-01:00:00.log.gz", "conn.23:00:00-24:00:00.log.gz",
                           "conn.12:00:00-13:00:00.log.gz", "conn.log"}) {
    dir.write(name);
  }
  EXPECT_EQ(
      names(expanded({dir.path()}), dir),
      (Names{"access.2026-11-21.log.gz", "access.2026-11-22.log.gz", "access.log", "conn.00:00:00-01:00:00.log.gz",
             "conn.12:00:00-13:00:00.log.gz", "conn.23:00:00-24:00:00.log.gz", "conn.log", "messages-20261115.gz",
             "messages-20261122", "messages", "vpn.log-20261101", "vpn.log-20261122.zst", "vpn.log.1", "vpn.log"}));
}

TEST(Expand, OrdersZeekArchivesOverDays) {
  const TempDir dir;
  for (const char* name : {"2026-11-22/conn.00:00:00-01:00:00.log.gz", "2026-11-21/conn.23:00:00-00:00:00.log.gz",
                           "2026-11-21/conn.00:00:00-01:00:00.log.gz", "2026-11-22/dns.00:00:00-01:00:00.log.gz"}) {
    dir.write(name);
  }
  const Expansion found = expanded({dir.path()});
  EXPECT_EQ(names(found, dir),
            (Names{"2026-11-21/conn.00:00:00-01:00:00.log.gz", "2026-11-21/conn.23:00:00-00:00:00.log.gz",
                   "2026-11-22/conn.00:00:00-01:00:00.log.gz", "2026-11-22/dns.00:00:00-01:00:00.log.gz"}));
  EXPECT_EQ(found.inputs[2].group, dir.path("*/conn.log"));
  EXPECT_EQ(found.inputs[2].rotation, 2);
  EXPECT_EQ(found.inputs[3].rotation, 0);
}

struct Named {
  const char* path;
  const char* stem;
  const char* when;
  std::int64_t number;
};

TEST(Rotation, IsReadFromThePath) {
  for (const Named& n : std::vector<Named>{
           {"vpn.log", "vpn.log", "", -1},
           {"vpn.log.gz", "vpn.log", "", -1},
           {"/var/log/vpn.log.2.gz", "/var/log/vpn.log", "", 2},
           {"vpn.2.log", "vpn.log", "", 2},
           {"vpn.log-20261122.zst", "vpn.log", "20261122000000", -1},
           {"vpn.log-2026112213.xz", "vpn.log", "20261122130000", -1},
           {"messages-20261122", "messages", "20261122000000", -1},
           {"access.2026-11-22.log.gz", "access.log", "20261122000000", -1},
           {"app.log.2026-11-22_13-05-09", "app.log", "20261122130509", -1},
           {"eve-2026-11-22-13:05.json", "eve.json", "20261122130500", -1},
           {"trace_20261122T130509Z.pcap", "trace.pcap", "20261122130509", -1},
           {"trace_20261122_130509.pcap", "trace.pcap", "20261122130509", -1},
           {"nfcapd.202611221300", "nfcapd", "20261122130000", -1},
           {"app.log-1795305600", "app.log", "20261122000000", -1},
           {"app-2026-11-22.3.log", "app.log", "20261122000000", 3},
           {"messages-20261122.1", "messages", "20261122000000", 1},
           {"20261122.log", "log", "20261122000000", -1},
           {"conn.00:00:00-01:00:00.log.gz", "conn.log", "00000000000000", -1},
           {"2026-11-22/conn.13:00:00-14:00:00.log", "*/conn.log", "20261122130000", -1},
           {"logs/2026/11/22/fw.log", "logs/*/fw.log", "20261122000000", -1},
           {"20261122/fw.log.1", "*/fw.log", "20261122000000", 1},
           // No rotation: addresses, versions, ports, words, impossible dates, numbers that are too long.
           {"192.0.2.1", "192.0.2.1", "", -1},
           {"192.0.2.1.log", "192.0.2.1.log", "", -1},
           {"fw-192.0.2.1.log.gz", "fw-192.0.2.1.log", "", -1},
           {"192.0.2.1.log.3", "192.0.2.1.log", "", 3},
           {"192.0.2.1.3", "192.0.2.1", "", 3},
           {"fw20261122.log", "fw20261122.log", "", -1},
           {"fw-20261322.log", "fw-20261322.log", "", -1},
           {"fw-99999999.log", "fw-99999999.log", "", -1},
           {"fw-20261122x.log", "fw-20261122x.log", "", -1},
           {"fw.1234567", "fw.1234567", "", -1},
           {"fw1.log", "fw1.log", "", -1},
           {".1", ".1", "", -1},
           {"7", "7", "", -1},
           {"", "", "", -1},
           {"/", "/", "", -1},
           {"..", "..", "", -1},
           {".gz", ".gz", "", -1},
       }) {
    const Rotation r = rotation_of(n.path);
    EXPECT_EQ(r.stem, n.stem) << n.path;
    EXPECT_EQ(r.when, n.when) << n.path;
    EXPECT_EQ(r.number, n.number) << n.path;
  }
}

TEST(Rotation, OrderIsStrict) {
  const std::vector<std::string> oldest_first = {
      "a.log-20261101", "a.log-20261122.1", "a.log-20261122.2", "a.log-20261122", "a.log-20261123", "a.log.10.gz",
      "a.log.2",        "a.log.1.gz",       "a.log.1",          "a.log.gz",       "a.log"};
  for (std::size_t i = 0; i < oldest_first.size(); ++i) {
    for (std::size_t k = 0; k < oldest_first.size(); ++k) {
      EXPECT_EQ(older(rotation_of(oldest_first[i]), rotation_of(oldest_first[k])), i < k)
          << oldest_first[i] << " " << oldest_first[k];
    }
  }
}

TEST(Expand, ThousandsOfSmallFiles) {
  const TempDir dir;
  for (int i = 0; i < 3000; ++i) {
    dir.write("d" + std::to_string(i % 30) + "/host" + std::to_string(i) + ".log",
              "line of " + std::to_string(i) + "\n");
  }
  const Expansion found = expanded({dir.path()});
  ASSERT_EQ(found.inputs.size(), 3000U);
  std::uint64_t bytes = 0;
  for (const Input& input : found.inputs) {
    auto reader = open(input);
    ASSERT_TRUE(reader);
    const Whole whole = read_all(**reader);
    ASSERT_TRUE(whole.bytes.starts_with("line of "));
    bytes += whole.bytes.size();
  }
  EXPECT_EQ(bytes, total_bytes(found.inputs));
}

}  // namespace
}  // namespace orbwatch::source
