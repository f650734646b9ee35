#include "source/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

namespace fs = std::filesystem;
using Taken = Intake::Taken;

Arrival arrival(std::string_view bytes, std::uint64_t stream = 0, std::uint64_t position = 0) {
  Arrival a;
  a.source = 3;
  a.peer = *core::Ip::parse("192.0.2.7");
  a.peer_port = 514;
  a.received = 1'800'000'000 * core::kSecond;
  a.stream = stream;
  a.position = position;
  a.bytes = bytes;
  return a;
}

std::unique_ptr<Journal> open(const JournalOptions& options) {
  auto journal = Journal::open(options);
  EXPECT_TRUE(journal) << (journal ? "" : journal.error().text());
  return journal ? std::move(*journal) : nullptr;
}

Taken put(Journal& journal, std::string_view bytes, std::uint64_t stream = 0, std::uint64_t position = 0) {
  const Arrival a = arrival(bytes, stream, position);
  return journal.take({&a, 1});
}

// All payloads from `position` on, which is moved behind them.
std::vector<std::string> drain(Journal& journal, std::uint64_t& position, std::size_t most = 1 << 20) {
  std::vector<std::string> out;
  std::vector<Journal::Entry> arrivals;
  while (true) {
    const auto ok = journal.read(position, most, arrivals);
    EXPECT_TRUE(ok) << (ok ? "" : ok.error().text());
    if (!ok || arrivals.empty()) return out;
    for (const auto& entry : arrivals) out.emplace_back(entry.arrival.bytes);
  }
}

class JournalTest : public ::testing::Test {
 protected:
  JournalOptions options() const {
    JournalOptions o;
    o.folder = folder_.path("journal");
    o.segment_bytes = 4096;
    return o;
  }
  std::vector<fs::path> segments() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder_.path("journal"))) {
      if (entry.path().extension() == ".seg") out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  test::TempDir folder_;
};

TEST_F(JournalTest, GivesWhatItTookInOrderOverSegmentsAndRuns) {
  std::vector<std::string> sent;
  std::uint64_t half = 0;
  {
    const auto journal = open(options());
    for (int i = 0; i < 500; ++i) {
      sent.push_back("record " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 60), 'x') + "\n");
      ASSERT_EQ(put(*journal, sent.back()), Taken::kYes);
      if (i == 249) half = journal->end();
    }
    std::uint64_t position = journal->begin();
    EXPECT_EQ(drain(*journal, position), sent);
    EXPECT_EQ(position, journal->end());
    EXPECT_GT(segments().size(), 5U);
  }
  const auto journal = open(options());
  EXPECT_EQ(journal->cut_bytes(), 0U);
  std::uint64_t position = half;
  EXPECT_EQ(drain(*journal, position, 100), std::vector<std::string>(sent.begin() + 250, sent.end()));
  ASSERT_EQ(put(*journal, "one more\n"), Taken::kYes);
  EXPECT_EQ(drain(*journal, position), std::vector<std::string>{"one more\n"});
}

TEST_F(JournalTest, KeepsWhatIsSaidOfAnArrival) {
  const auto journal = open(options());
  ASSERT_EQ(put(*journal, "x\n", 77, 1234), Taken::kYes);
  std::uint64_t position = 0;
  std::vector<Journal::Entry> out;
  ASSERT_TRUE(journal->read(position, 1 << 20, out));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].end, journal->end());
  const Arrival want = arrival("x\n", 77, 1234);
  EXPECT_EQ(out[0].arrival.source, want.source);
  EXPECT_EQ(out[0].arrival.kind, want.kind);
  EXPECT_EQ(out[0].arrival.peer, want.peer);
  EXPECT_EQ(out[0].arrival.peer_port, want.peer_port);
  EXPECT_EQ(out[0].arrival.received, want.received);
  EXPECT_EQ(out[0].arrival.stream, want.stream);
  EXPECT_EQ(out[0].arrival.position, want.position);
}

TEST_F(JournalTest, CutsOffWhatAKillLeftHalfWritten) {
  std::uint64_t good = 0;
  {
    const auto journal = open(options());
    ASSERT_EQ(put(*journal, "first\n"), Taken::kYes);
    good = journal->end();
    ASSERT_EQ(put(*journal, "second, which is torn\n"), Taken::kYes);
  }
  const fs::path segment = segments().back();
  const auto whole = fs::file_size(segment);
  for (std::uint64_t size = good; size < whole; ++size) {
    fs::resize_file(segment, size);
    {
      const auto journal = open(options());
      ASSERT_NE(journal, nullptr);
      EXPECT_EQ(journal->cut_bytes(), size - good);
      EXPECT_EQ(journal->end(), good);
      std::uint64_t position = 0;
      EXPECT_EQ(drain(*journal, position), std::vector<std::string>{"first\n"});
    }
    fs::resize_file(segment, whole);  // zeros behind: no frame either
  }
}

TEST_F(JournalTest, ASegmentThatWasOnlyBegunIsForgotten) {
  {
    const auto journal = open(options());
    ASSERT_EQ(put(*journal, std::string(5000, 'a') + "\n", 9, 100), Taken::kYes);
    ASSERT_EQ(put(*journal, "b\n"), Taken::kYes);
  }
  ASSERT_EQ(segments().size(), 2U);
  fs::resize_file(segments().back(), 10);
  const auto journal = open(options());
  EXPECT_EQ(segments().size(), 1U);
  EXPECT_EQ(journal->position(9), 100U);
  ASSERT_EQ(put(*journal, "c\n"), Taken::kYes);
  std::uint64_t position = 0;
  EXPECT_EQ(drain(*journal, position), (std::vector<std::string>{std::string(5000, 'a') + "\n", "c\n"}));
}

TEST_F(JournalTest, DamageIsPassedOverAndCounted) {
  {
    const auto journal = open(options());
    for (int i = 0; i < 200; ++i) ASSERT_EQ(put(*journal, "record " + std::to_string(i) + "\n"), Taken::kYes);
  }
  {
    std::fstream file(segments().front(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2000);
    file.put('\x55');
  }
  const auto journal = open(options());
  std::uint64_t position = 0;
  const auto read = drain(*journal, position);
  EXPECT_GT(journal->damaged_bytes(), 0U);
  EXPECT_LT(read.size(), 200U);
  EXPECT_GT(read.size(), 100U);
  EXPECT_EQ(read.front(), "record 0\n");
  EXPECT_EQ(read.back(), "record 199\n");
}

TEST_F(JournalTest, PositionsOfStreamsOutliveSegmentsAndRuns) {
  {
    const auto journal = open(options());
    ASSERT_EQ(put(*journal, "a\n", 1, 10), Taken::kYes);
    ASSERT_EQ(put(*journal, "b\n", 2, 20), Taken::kYes);
    ASSERT_EQ(put(*journal, "c\n", 1, 30), Taken::kYes);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(put(*journal, std::string(100, 'x')), Taken::kYes);
    journal->release(journal->end());
    EXPECT_EQ(segments().size(), 1U);
    EXPECT_GT(journal->begin(), 0U);
  }
  const auto journal = open(options());
  EXPECT_EQ(journal->position(1), 30U);
  EXPECT_EQ(journal->position(2), 20U);
  EXPECT_EQ(journal->position(3), 0U);
}

TEST_F(JournalTest, StreamsAreBounded) {
  JournalOptions o = options();
  o.most_streams = 100;
  const auto journal = open(o);
  for (std::uint64_t i = 1; i <= 1000; ++i) ASSERT_EQ(put(*journal, "x\n", i, i), Taken::kYes);
  EXPECT_EQ(journal->position(1000), 1000U);
  EXPECT_EQ(journal->position(1), 0U);
  std::size_t known = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) known += journal->position(i) != 0 ? 1 : 0;
  EXPECT_LE(known, 100U);
}

TEST_F(JournalTest, IsFullUntilReleased) {
  JournalOptions o = options();
  o.most_bytes = 20'000;
  const auto journal = open(o);
  std::size_t taken = 0;
  while (put(*journal, std::string(1000, 'x')) == Taken::kYes) ++taken;
  EXPECT_GT(taken, 10U);
  EXPECT_LE(journal->end() - journal->begin(), o.most_bytes);
  EXPECT_EQ(journal->refused(), 1U);
  std::uint64_t position = 0;
  EXPECT_EQ(drain(*journal, position).size(), taken);
  journal->release(position);
  EXPECT_EQ(put(*journal, std::string(1000, 'x')), Taken::kYes);
}

TEST_F(JournalTest, ADiskThatIsFullRefusesAndWorksAgain) {
  const auto journal = open(options());
  ASSERT_EQ(put(*journal, "before\n"), Taken::kYes);
  // A limit on the size of files stands for a full disk: a write fails in its middle.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{300, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(put(*journal, std::string(1000, 'x')), Taken::kFailed);
  EXPECT_NE(journal->trouble(), "");
  EXPECT_EQ(journal->failures(), 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(put(*journal, "after\n"), Taken::kYes);
  EXPECT_EQ(journal->trouble(), "");
  std::uint64_t position = 0;
  EXPECT_EQ(drain(*journal, position), (std::vector<std::string>{"before\n", "after\n"}));
}

TEST_F(JournalTest, WakesAWaitingReaderOnce) {
  const auto journal = open(options());
  const auto begin = std::chrono::steady_clock::now();
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    journal->wake();
  });
  EXPECT_FALSE(journal->wait(journal->end(), std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  waker.join();
  // What was woken waits again: otherwise a reader would turn in a circle from then on.
  const auto again = std::chrono::steady_clock::now();
  EXPECT_FALSE(journal->wait(journal->end(), std::chrono::milliseconds(100)));
  EXPECT_GE(std::chrono::steady_clock::now() - again, std::chrono::milliseconds(100));
}

TEST_F(JournalTest, OneProcessAtATime) {
  const auto journal = open(options());
  const auto second = Journal::open(options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("in use"), std::string::npos);
}

TEST_F(JournalTest, GoesOnBehindACheckpointThatIsAhead) {
  {
    const auto journal = open(options());
    ASSERT_EQ(put(*journal, "lost by the machine\n"), Taken::kYes);
  }
  JournalOptions o = options();
  o.at_least = 1'000'000;
  const auto journal = open(o);
  std::uint64_t position = 1'000'000;
  ASSERT_EQ(put(*journal, "new\n"), Taken::kYes);
  EXPECT_EQ(drain(*journal, position), std::vector<std::string>{"new\n"});
}

TEST_F(JournalTest, NothingAcceptedIsLostByAKill) {
  // The child tells over a pipe what was accepted, until it is killed.
  for (int round = 0; round < 10; ++round) {
    fs::remove_all(folder_.path("journal"));
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto journal = Journal::open(options());
      if (!journal) ::_exit(1);
      for (int i = 0;; ++i) {
        if (put(**journal, std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), 'x')) != Taken::kYes)
          ::_exit(1);
        if (::write(pipe[1], &i, sizeof(i)) != sizeof(i)) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    int last = -1;
    for (int n = 0; n < 100 + round * 37; ++n) ASSERT_EQ(::read(pipe[0], &last, sizeof(last)), ssize_t{sizeof(last)});
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(pipe[0], &last, sizeof(last)) == ssize_t{sizeof(last)}) {
    }
    ::close(pipe[0]);
    const auto journal = open(options());
    std::uint64_t position = 0;
    const auto read = drain(*journal, position);
    ASSERT_GT(static_cast<int>(read.size()), last);
    ASSERT_LE(static_cast<int>(read.size()), last + 2);  // one may have been written, but not told
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i], std::to_string(i) + std::string(i % 300, 'x'));
  }
}

TEST_F(JournalTest, ManyWritersAndAReader) {
  JournalOptions o = options();
  o.segment_bytes = 1 << 16;
  o.sync_every = std::chrono::milliseconds(1);
  const auto journal = open(o);
  constexpr int kWriters = 4;
  constexpr int kEach = 2000;
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const std::string text = std::to_string(w) + " " + std::to_string(i);
        EXPECT_EQ(put(*journal, text), Taken::kYes);
      }
    });
  }
  std::uint64_t position = 0;
  std::vector<int> next(kWriters, 0);
  std::size_t count = 0;
  std::vector<Journal::Entry> out;
  while (count < std::size_t{kWriters} * kEach) {
    if (!journal->wait(position, std::chrono::milliseconds(5000))) break;
    ASSERT_TRUE(journal->read(position, 4096, out));
    for (const auto& entry : out) {
      const Arrival& a = entry.arrival;
      const int writer = a.bytes[0] - '0';
      ASSERT_EQ(a.bytes.substr(2), std::to_string(next[static_cast<std::size_t>(writer)]++));
      ++count;
    }
    journal->release(position);
  }
  for (std::thread& t : writers) t.join();
  EXPECT_EQ(count, std::size_t{kWriters} * kEach);
}

}  // namespace
}  // namespace orbwatch::source
