#include "export/spool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "core/text.h"
#include "export/files.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

namespace fs = std::filesystem;

Message numbered(std::uint64_t i, std::size_t size = 20) {
  Message m;
  m.id = std::to_string(i);
  m.subject = "subject " + m.id;
  m.media_type = "application/json";
  m.time = static_cast<core::Nanoseconds>(i) * core::kSecond;
  m.body = "{\"n\":" + m.id + std::string("}\n\0\xff", 4) + std::string(size, 'x');
  return m;
}

std::unique_ptr<Spool> open(const fs::path& folder, const SpoolLimits& limits = {}) {
  auto spool = Spool::open(folder, limits);
  EXPECT_TRUE(spool) << spool.error().text();
  return spool ? std::move(*spool) : nullptr;
}

std::vector<std::string> drain(Spool& spool) {
  std::vector<std::string> ids;
  for (auto next = spool.next(); next; next = spool.next()) {
    ids.push_back(next->message.id);
    EXPECT_TRUE(spool.done(next->number));
  }
  return ids;
}

TEST(Spool, GivesBackWhatWasPutInOrder) {
  const test::TempDir dir;
  {
    const auto spool = open(dir / "s");
    for (std::uint64_t i = 1; i <= 12; ++i) ASSERT_TRUE(spool->put(numbered(i)));
    EXPECT_EQ(spool->counts().waiting, 12U);
  }
  const auto spool = open(dir / "s");
  const auto next = spool->next();
  ASSERT_TRUE(next);
  const Message m = numbered(1);
  EXPECT_EQ(next->message.id, m.id);
  EXPECT_EQ(next->message.subject, m.subject);
  EXPECT_EQ(next->message.media_type, m.media_type);
  EXPECT_EQ(next->message.time, m.time);
  EXPECT_EQ(next->message.body, m.body);
  spool->release(next->number);
  EXPECT_EQ(drain(*spool), (std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}));
  const SpoolCounts counts = spool->counts();
  EXPECT_EQ(counts.given, 12U);
  EXPECT_EQ(counts.delivered, 12U);
  EXPECT_TRUE(counts.balanced());
  EXPECT_TRUE(fs::is_empty(dir / "s/queue"));
}

TEST(Spool, DropsTheOldestBeyondItsLimits) {
  const test::TempDir dir;
  {
    const auto spool = open(dir / "count", {3, 1 << 20});
    for (std::uint64_t i = 1; i <= 2; ++i) ASSERT_TRUE(spool->put(numbered(i)));
    const auto next = spool->next();  // 1 is being delivered
    for (std::uint64_t i = 3; i <= 10; ++i) ASSERT_TRUE(spool->put(numbered(i)));
    EXPECT_EQ(spool->counts().dropped, 7U);
    ASSERT_TRUE(spool->done(next->number));
    EXPECT_EQ(drain(*spool), (std::vector<std::string>{"9", "10"}));
    EXPECT_TRUE(spool->counts().balanced());
  }
  const auto spool = open(dir / "bytes", {100, 5'000});
  for (std::uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(spool->put(numbered(i, 1'000)));
  EXPECT_GT(spool->counts().dropped, 4U);
  EXPECT_EQ(drain(*spool).back(), "10");
  EXPECT_TRUE(spool->counts().balanced());
  const auto too_long = spool->put(numbered(11, 6'000));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(spool->counts().given, 10U) << "what is not accepted is not given";
}

TEST(Spool, MovesDamagedFilesAside) {
  const test::TempDir dir;
  {
    const auto spool = open(dir / "s");
    for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(spool->put(numbered(i)));
  }
  const auto file = [&](const std::string& folder, int n) {
    return dir / ("s/" + folder + "/0000000000000000000" + std::to_string(n) + ".alert");
  };
  std::string bytes = test::read_file(file("queue", 1));
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(file("queue", 1), std::ios::binary) << bytes;
  fs::resize_file(file("queue", 3), 0);
  bytes = test::read_file(file("queue", 4));
  std::ofstream(file("queue", 4), std::ios::binary) << bytes.substr(0, bytes.size() - 3);
  std::ofstream(dir / "s/queue/notes.txt") << "somebody's";
  const auto spool = open(dir / "s");
  EXPECT_EQ(drain(*spool), (std::vector<std::string>{"2", "5"}));
  EXPECT_EQ(spool->counts().damaged, 3U);
  EXPECT_TRUE(spool->counts().balanced());
  for (const int n : {1, 3, 4}) EXPECT_TRUE(fs::exists(file("damaged", n))) << n;
  EXPECT_TRUE(fs::exists(dir / "s/queue/notes.txt"));
}

TEST(Spool, KeepsDeadLettersWithTheirReason) {
  const test::TempDir dir;
  {
    const auto spool = open(dir / "s");
    for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool->put(numbered(i)));
    ASSERT_TRUE(spool->dead(spool->next()->number, "HTTP status 422\nforged"));
    EXPECT_EQ(drain(*spool), (std::vector<std::string>{"2", "3"}));
  }
  const auto spool = open(dir / "s");
  auto letters = spool->dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].message.body, numbered(1).body);
  EXPECT_EQ(letters[0].reason, "HTTP status 422?forged");
  EXPECT_EQ(*spool->retry_dead(), 1U);
  EXPECT_TRUE(spool->dead_letters().empty());
  EXPECT_EQ(drain(*spool), std::vector<std::string>{"1"});
  const SpoolCounts counts = spool->counts();
  EXPECT_EQ(counts.given, 4U);
  EXPECT_EQ(counts.dead, 1U);
  EXPECT_EQ(counts.delivered, 3U);
  EXPECT_TRUE(counts.balanced());
}

TEST(Spool, BelongsToOneProcess) {
  const test::TempDir dir;
  const auto spool = open(dir / "s");
  const auto second = Spool::open(dir / "s", {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("in use"), std::string::npos);
}

TEST(Spool, DoesNotGuessADamagedState) {
  const test::TempDir dir;
  {
    const auto spool = open(dir / "s");
    ASSERT_TRUE(spool->put(numbered(1)));
    ASSERT_TRUE(spool->put(numbered(2)));
    ASSERT_TRUE(spool->done(spool->next()->number));
  }
  std::string state = test::read_file(dir / "s/state");
  state[state.find("delivered 1") + 10] = '7';
  std::ofstream(dir / "s/state") << state;
  const auto wrong = Spool::open(dir / "s", {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().text().find("state"), std::string::npos);
  fs::remove(dir / "s/state");
  const auto spool = open(dir / "s");
  EXPECT_EQ(drain(*spool), std::vector<std::string>{"2"});
  EXPECT_TRUE(spool->counts().balanced());
}

// The steps of a change, cut off at each point where a kill can leave the disk.
TEST(Spool, FinishesWhatAKillLeftHalfDone) {
  const test::TempDir dir;
  const auto name = [](int n) { return "0000000000000000000" + std::to_string(n) + ".alert"; };
  {
    const auto spool = open(dir / "s");
    for (std::uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(spool->put(numbered(i)));
    fs::copy(dir / ("s/queue/" + name(1)), dir / "kept");
    ASSERT_TRUE(spool->done(spool->next()->number));
  }
  // Counted as delivered, not yet removed.
  fs::copy(dir / "kept", dir / ("s/queue/" + name(1)));
  // Buried, not yet counted.
  fs::copy(dir / ("s/queue/" + name(2)), dir / ("s/dead/" + name(2)));
  // Moved to damaged/, not yet counted.
  fs::rename(dir / ("s/queue/" + name(3)), dir / ("s/damaged/" + name(3)));
  // Being put.
  std::ofstream(dir / ("s/queue/" + name(5) + ".partial")) << "half";
  const auto spool = open(dir / "s");
  SpoolCounts counts = spool->counts();
  EXPECT_EQ(counts.delivered, 1U);
  EXPECT_EQ(counts.damaged, 1U);
  EXPECT_EQ(counts.waiting, 2U);
  EXPECT_TRUE(counts.balanced());
  EXPECT_TRUE(spool->dead_letters().empty());
  EXPECT_EQ(drain(*spool), (std::vector<std::string>{"2", "4"}));
  EXPECT_TRUE(spool->counts().balanced());
}

TEST(Spool, SaysWhenTheDiskIsFull) {
  const test::TempDir dir;
  const auto spool = open(dir / "s");
  ASSERT_TRUE(spool->put(numbered(1)));
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{1'000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto full = spool->put(numbered(2, 5'000));
  setrlimit(RLIMIT_FSIZE, &old);
  sigaction(SIGXFSZ, &before, nullptr);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, core::ErrorKind::kOutput);
  EXPECT_EQ(spool->counts().given, 1U);
  ASSERT_TRUE(spool->put(numbered(3)));
  EXPECT_EQ(drain(*spool), (std::vector<std::string>{"1", "3"}));
}

// A process that puts and delivers is killed fifty times at any moment. Each message that put() has acknowledged must
// be delivered, in order; only the one that was being delivered may come twice; and the counts must add up throughout.
TEST(Spool, LosesNothingWhenItIsKilled) {
  const test::TempDir dir;
  constexpr int kKills = 50;
  std::uint64_t first = 1;
  unsigned random = 12'345;
  for (int kill = 0; kill <= kKills; ++kill) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto opened = Spool::open(dir / "s", {});
      if (!opened || !(*opened)->counts().balanced()) ::_exit(3);
      Spool& spool = **opened;
      // One thread puts and notes what was accepted, one delivers to a file, which is the receiver.
      std::FILE* accepted = std::fopen((dir / "accepted").c_str(), "a");
      std::FILE* received = std::fopen((dir / "received").c_str(), "a");
      std::setvbuf(accepted, nullptr, _IONBF, 0);
      std::setvbuf(received, nullptr, _IONBF, 0);
      std::jthread put([&] {
        if (kill == kKills) return;
        for (std::uint64_t i = first;; ++i) {
          if (!spool.put(numbered(i, i * 37 % 3'000))) ::_exit(4);
          std::fputs((std::to_string(i) + "\n").c_str(), accepted);
        }
      });
      std::size_t refused = 0;
      for (;;) {
        const auto next = spool.next();
        if (!next) {
          if (kill == kKills) break;
          std::this_thread::yield();
          continue;
        }
        if (core::parse_number<std::uint64_t>(next->message.id).value_or(0) % 10 == 0) {
          // A receiver that refuses some.
          if (!spool.dead(next->number, "refused")) ::_exit(5);
          if (++refused % 100 == 0) std::this_thread::yield();
          continue;
        }
        std::fputs((next->message.id + "\n").c_str(), received);
        if (!spool.done(next->number)) ::_exit(6);
      }
      ::_exit(spool.counts().balanced() ? 0 : 7);
    }
    if (kill < kKills) {
      random = random * 1'103'515'245U + 12'345U;
      ::usleep(5'000 + (random >> 8) % 120'000);
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (kill < kKills) {
      ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    } else {
      ASSERT_TRUE(WIFEXITED(status));
      ASSERT_EQ(WEXITSTATUS(status), 0);
    }
    first += 100'000;
  }
  const auto numbers = [&](const char* name) {
    std::vector<std::uint64_t> out;
    std::ifstream in(dir / name);
    for (std::uint64_t n; in >> n;) out.push_back(n);
    return out;
  };
  const auto accepted = numbers("accepted");
  const auto received = numbers("received");
  ASSERT_GT(accepted.size(), 10U);
  const auto spool = open(dir / "s");
  const SpoolCounts counts = spool->counts();
  EXPECT_TRUE(counts.balanced());
  EXPECT_EQ(counts.waiting, 0U);
  EXPECT_EQ(counts.damaged, 0U);
  EXPECT_EQ(counts.dropped, 0U);
  // At each kill one put() may have been done and not noted, one delivery may be repeated.
  EXPECT_GE(counts.given, accepted.size());
  EXPECT_LE(counts.given, accepted.size() + kKills);
  EXPECT_EQ(counts.given, counts.delivered + counts.dead);
  std::set<std::uint64_t> all(received.begin(), received.end());
  EXPECT_LE(received.size() - all.size(), static_cast<std::size_t>(kKills));
  EXPECT_EQ(all.size(), counts.delivered);
  for (const DeadLetter& letter : spool->dead_letters())
    all.insert(*core::parse_number<std::uint64_t>(letter.message.id));
  for (const std::uint64_t n : accepted) {
    if (n % 10 == 0 && counts.dead > Spool::kMostKept) continue;  // forgotten, and counted
    EXPECT_TRUE(all.contains(n)) << n << " is lost";
  }
  EXPECT_TRUE(std::ranges::is_sorted(received)) << "the order was kept";
}

}  // namespace
}  // namespace orbwatch::exporting
