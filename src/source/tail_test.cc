#include "source/tail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "source/collector_test_util.h"
#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::MemoryIntake;
using test::Said;

// Lines that are all different, so that what is missing or doubled shows.
std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "Nov 22 10:00:00 fw1 record " + std::to_string(i) + '\n';
  return text;
}

class TailTest : public testing::Test {
 protected:
  void append(const std::string& name, std::string_view bytes) const {
    std::ofstream out(folder_.path(name), std::ios::binary | std::ios::app);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(folder_.path(from), folder_.path(to));
  }
  void remove(const std::string& name) const { std::filesystem::remove(folder_.path(name)); }
  void truncate(const std::string& name) const { ASSERT_EQ(::truncate(folder_.path(name).c_str(), 0), 0); }

  void start(const std::vector<std::string>& names = {"*.log*"}) {
    options_.paths.clear();
    for (const auto& name : names) options_.paths.push_back(folder_.path(name));
    tail_ = make_tail(options_, intake_, said_.log());
    ASSERT_TRUE(tail_->start());
  }
  void restart() {
    tail_->stop();
    start();
  }
  // Everything taken, in order, across all files.
  bool taken(const std::string& text) const {
    const bool came = eventually([&] { return intake_.bytes().size() >= text.size(); });
    EXPECT_EQ(intake_.bytes(), text);
    return came && intake_.bytes() == text;
  }
  Counters counters() const { return tail_->counters(); }
  // What is there was looked at: a line that comes later in another file has been taken.
  void settle() {
    const std::string mark = "mark " + std::to_string(++marks_) + "\n";
    append("mark.log", mark);
    ASSERT_TRUE(eventually([&] { return intake_.bytes().find(mark) != std::string::npos; }));
  }
  test::TempDir folder_;
  MemoryIntake intake_;
  Said said_;
  TailOptions options_ = [] {
    TailOptions options;
    options.source = 3;
    options.poll = milliseconds(50);
    options.rotated_wait = milliseconds(200);
    return options;
  }();
  std::unique_ptr<Collector> tail_;
  int marks_ = 0;
};

TEST_F(TailTest, FollowsWhatIsWritten) {
  append("a.log", lines(0, 3));
  start();
  ASSERT_TRUE(taken(lines(0, 3)));
  append("a.log", lines(3, 4) + "half");
  ASSERT_TRUE(taken(lines(0, 4)));
  append("a.log", " and half\r\n\n");
  ASSERT_TRUE(taken(lines(0, 4) + "half and half\r\n\n"));
  const auto stored = intake_.stored();
  EXPECT_EQ(stored[0].arrival.source, 3u);
  EXPECT_EQ(stored[0].arrival.kind, ArrivalKind::kLines);
  EXPECT_FALSE(stored[0].arrival.peer.present());
  EXPECT_NE(stored[0].arrival.stream, 0u);
  EXPECT_EQ(stored[0].arrival.position, lines(0, 3).size());
  ASSERT_TRUE(eventually([&] { return counters().records == 6; }));
  EXPECT_EQ(stored[0].arrival.position, stored[0].bytes.size()) << "so that the place of a line can be told";
  EXPECT_EQ(counters().files, 1u);
}

TEST_F(TailTest, WorksWithoutInotify) {
  options_.notify = false;
  start();
  append("a.log", lines(0, 3));
  ASSERT_TRUE(taken(lines(0, 3)));
  append("a.log", lines(3, 5));
  ASSERT_TRUE(taken(lines(0, 5)));
}

// With polling out of the way inotify has to bring what is new.
TEST_F(TailTest, InotifyBringsItWithoutPolling) {
  options_.poll = std::chrono::hours(10);
  append("a.log", lines(0, 1));
  start();
  ASSERT_TRUE(taken(lines(0, 1)));
  append("a.log", lines(1, 2));
  ASSERT_TRUE(taken(lines(0, 2)));
  append("b.log", lines(2, 3));
  ASSERT_TRUE(taken(lines(0, 3)));
}

TEST_F(TailTest, FindsFilesInFoldersThatComeLater) {
  start({"logs"});
  ASSERT_TRUE(eventually([&] { return said_.has("waiting for"); }));
  std::filesystem::create_directories(folder_.path("logs/deep"));
  append("logs/deep/a.log", lines(0, 2));
  ASSERT_TRUE(taken(lines(0, 2)));
}

TEST_F(TailTest, LargeFilesComeInPieces) {
  const std::string text = lines(0, 100'000);
  ASSERT_GT(text.size(), 3 * kMostArrival);
  append("a.log", text);
  start();
  ASSERT_TRUE(taken(text));
}

TEST_F(TailTest, RenamedFilesAreReadToTheirEnd) {
  append("a.log", lines(0, 20));
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  // The writer keeps the old file open for a while.
  std::ofstream writer(folder_.path("a.log"), std::ios::app);
  rename("a.log", "a.log.1");
  append("a.log", lines(100, 120));
  writer << lines(20, 25) << std::flush;
  ASSERT_TRUE(eventually([&] { return counters().records == 45; }));
  EXPECT_EQ(intake_.lines().size(), 45u);
  writer << "without end" << std::flush;
  ASSERT_TRUE(eventually([&] { return counters().unfinished == 1; }));
  EXPECT_EQ(intake_.lines().back(), "without end");
  EXPECT_EQ(counters().rotations, 1u);
  EXPECT_EQ(counters().records, 46u);
}

// log.1 to log.2, log to log.1, a new log, twice, with a restart between.
TEST_F(TailTest, AChainOfRotationsGivesEachLineOnce) {
  start();
  std::string all;
  for (int n = 0; n < 6; ++n) {
    if (n == 3) tail_->stop();  // one rotation while nobody looks
    for (int i = 4; i >= 1; --i) {
      const std::string from = i == 1 ? "a.log" : "a.log." + std::to_string(i - 1);
      if (std::filesystem::exists(folder_.path(from))) rename(from, "a.log." + std::to_string(i));
    }
    append("a.log", lines(n * 100, n * 100 + 50));
    all += lines(n * 100, n * 100 + 50);
    if (n == 3) start();
    ASSERT_TRUE(taken(all));
  }
}

TEST_F(TailTest, RenamedOutOfThePatternIsReadToItsEnd) {
  options_.rotated_wait = milliseconds(1500);
  append("a.log", lines(0, 3));
  start({"*.log"});
  ASSERT_TRUE(taken(lines(0, 3)));
  std::ofstream writer(folder_.path("a.log"), std::ios::app);
  rename("a.log", "gone");
  writer << lines(3, 5) << "end" << std::flush;
  ASSERT_TRUE(taken(lines(0, 5) + "end\n"));
  ASSERT_TRUE(eventually([&] { return counters().files == 0; }));
  EXPECT_EQ(counters().unfinished, 1u);
}

TEST_F(TailTest, DeletedFilesAreReadToTheirEnd) {
  append("a.log", lines(0, 3));
  start();
  ASSERT_TRUE(taken(lines(0, 3)));
  intake_.answer(Intake::Taken::kFull);
  std::ofstream writer(folder_.path("a.log"), std::ios::app);
  writer << lines(3, 5) << std::flush;
  ASSERT_TRUE(eventually([&] { return counters().intake_full != 0; }));
  remove("a.log");
  writer << lines(5, 6) << std::flush;
  intake_.answer(Intake::Taken::kYes);
  ASSERT_TRUE(taken(lines(0, 6)));
  ASSERT_TRUE(eventually([&] { return counters().files == 0; }));
  EXPECT_EQ(counters().rotations, 1u);
}

TEST_F(TailTest, TruncatedFilesAreReadFromTheirBeginning) {
  append("a.log", lines(0, 20));
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  truncate("a.log");
  ASSERT_TRUE(eventually([&] { return counters().truncations == 1; }));
  append("a.log", lines(50, 52));
  ASSERT_TRUE(taken(lines(0, 20) + lines(50, 52)));
}

// Emptied and grown beyond its old size before anybody looked.
TEST_F(TailTest, RewrittenFilesAreReadFromTheirBeginning) {
  append("a.log", lines(0, 20));
  options_.notify = false;
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  folder_.write("a.log", lines(30, 80));
  ASSERT_TRUE(taken(lines(0, 20) + lines(30, 80)));
  EXPECT_EQ(counters().truncations, 1u);
}

TEST_F(TailTest, CopyAndTruncateGivesEachLineOnce) {
  append("a.log", lines(0, 20));
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  // What was written last was not read when the file is truncated; it is in the copy.
  intake_.answer(Intake::Taken::kFull);
  append("a.log", lines(20, 25));
  ASSERT_TRUE(eventually([&] { return counters().intake_full != 0; }));
  std::filesystem::copy_file(folder_.path("a.log"), folder_.path("a.log.1"));
  truncate("a.log");
  append("a.log", lines(50, 52));
  intake_.answer(Intake::Taken::kYes);
  ASSERT_TRUE(eventually([&] { return counters().records >= 27; }));
  auto got = intake_.lines();
  std::sort(got.begin(), got.end());
  EXPECT_EQ(std::unique(got.begin(), got.end()), got.end()) << "a line was taken twice";
  EXPECT_EQ(got.size(), 27u);
  // The place in the copy is known after a restart, too.
  restart();
  settle();
  EXPECT_EQ(counters().records, 1u);
}

TEST_F(TailTest, ACopyMadeWhileNobodyLookedIsKnown) {
  append("a.log", lines(0, 20));
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  tail_->stop();
  append("a.log", lines(20, 25));
  std::filesystem::copy_file(folder_.path("a.log"), folder_.path("a.log.1"));
  truncate("a.log");
  append("a.log", lines(50, 52));
  start();
  ASSERT_TRUE(taken(lines(0, 25) + lines(50, 52)));
}

TEST_F(TailTest, ACopyThatEndsBeforeThePlaceHasNothingNew) {
  append("a.log", lines(0, 20));
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  tail_->stop();
  append("a.log.1", lines(0, 15));
  folder_.write("a.log", lines(50, 52));
  start();
  ASSERT_TRUE(taken(lines(0, 20) + lines(50, 52)));
  // The copy is waited for, since it may still be written.
  const std::uint64_t calls = intake_.calls();
  ASSERT_TRUE(eventually([&] { return intake_.calls() > calls; })) << "its place is noted";
  append("a.log.1", lines(15, 16));
  ASSERT_TRUE(taken(lines(0, 20) + lines(50, 52) + lines(15, 16)));
}

TEST_F(TailTest, LogsThatBeginAlikeAreNoCopies) {
  const std::string header(300, '#');
  append("a.log", header + "\n" + lines(0, 2));
  start();
  ASSERT_TRUE(taken(header + "\n" + lines(0, 2)));
  append("b.log", header + "\n" + lines(2, 9));
  ASSERT_TRUE(taken(header + "\n" + lines(0, 2) + header + "\n" + lines(2, 9)));
}

TEST_F(TailTest, ResumesAfterARestart) {
  // Shorter and longer than what a stream is named by.
  for (const std::string name : {"short.log", "long.log"}) {
    const int first = name == "short.log" ? 2 : 100;
    append(name, lines(0, first));
    start();
    ASSERT_TRUE(taken(lines(0, first)));
    tail_->stop();
    append(name, lines(first, 200));
    start();
    ASSERT_TRUE(taken(lines(0, 200)));
    restart();
    append(name, lines(200, 201));
    ASSERT_TRUE(taken(lines(0, 201)));
    tail_->stop();
    intake_.forget_records();
    remove(name);
  }
}

// A new file gets the inode of one that was deleted: it is not taken for the old one.
TEST_F(TailTest, AReusedInodeIsAnotherFile) {
  append("a.log", lines(0, 20));
  struct stat before{};
  ASSERT_EQ(::stat(folder_.path("a.log").c_str(), &before), 0);
  start();
  ASSERT_TRUE(taken(lines(0, 20)));
  tail_->stop();
  remove("a.log");
  append("a.log", lines(40, 90));
  struct stat after{};
  ASSERT_EQ(::stat(folder_.path("a.log").c_str(), &after), 0);
  start();
  ASSERT_TRUE(taken(lines(0, 20) + lines(40, 90)));
  if (before.st_ino == after.st_ino) {
    EXPECT_NE(stream_of_file(before.st_dev, before.st_ino, lines(0, 20)),
              stream_of_file(after.st_dev, after.st_ino, lines(40, 90)));
  }
}

TEST_F(TailTest, StartsAtTheEndOfFilesThatAreThere) {
  options_.start = TailOptions::Start::kEnd;
  append("a.log", lines(0, 30) + "half");
  start();
  ASSERT_TRUE(eventually([&] { return counters().files == 1 && intake_.calls() != 0; }));
  append("a.log", " line\n");
  ASSERT_TRUE(taken("half line\n"));
  append("b.log", lines(0, 2));
  ASSERT_TRUE(taken("half line\n" + lines(0, 2)));
}

// The end that was begun at is remembered, although nothing was written before the restart.
TEST_F(TailTest, TheEndItStartedAtIsKnownAfterARestart) {
  options_.start = TailOptions::Start::kEnd;
  append("a.log", lines(0, 30));
  start();
  ASSERT_TRUE(eventually([&] { return intake_.calls() != 0; }));
  tail_->stop();
  EXPECT_EQ(intake_.bytes(), "");
  append("a.log", lines(30, 32));
  start();
  ASSERT_TRUE(taken(lines(30, 32)));
}

TEST_F(TailTest, CompressedFilesAreSkipped) {
  folder_.write("a.log.2.gz", test::gzip(lines(0, 9)));
  folder_.write("b.log", test::zstd(lines(0, 9)));
  start();
  append("c.log", lines(0, 1));
  ASSERT_TRUE(taken(lines(0, 1)));
  ASSERT_TRUE(eventually([&] { return counters().skipped_files == 2; }));
  ASSERT_TRUE(eventually([&] { return counters().files == 1; }));
  // A log that takes the place, and perhaps the inode, of a compressed one is followed.
  remove("b.log");
  append("b.log", lines(5, 6));
  ASSERT_TRUE(taken(lines(0, 1) + lines(5, 6)));
}

TEST_F(TailTest, LongLinesAreCutOff) {
  options_.longest_record = 1000;
  start();
  append("a.log", std::string(2000, 'x') + "\n" + std::string(5'000'000, 'y'));
  ASSERT_TRUE(taken(std::string(1000, 'x') + "\n"));
  append("a.log", std::string(10, 'y') + "\nnext\n");
  std::string all = std::string(1000, 'x') + "\n" + std::string(1000, 'y') + "\nnext\n";
  ASSERT_TRUE(taken(all));
  append("a.log", lines(0, 3) + std::string(1001, 'z') + "\n" + std::string(1000, 'w') + "\n" + lines(3, 6));
  all += lines(0, 3) + std::string(1000, 'z') + "\n" + std::string(1000, 'w') + "\n" + lines(3, 6);
  ASSERT_TRUE(taken(all));
  EXPECT_EQ(counters().oversize, 3u);
  // Each line's place in the file follows from the position.
  EXPECT_EQ(intake_.stored().back().arrival.position,
            2001 + 5'000'011 + 5 + lines(0, 3).size() + 1002 + 1001 + lines(3, 6).size());
}

// A writer that does not append leaves zeros in front of what it writes after a truncation.
TEST_F(TailTest, ZerosInFrontOfALineArePassedOver) {
  append("a.log", lines(0, 2));
  start();
  ASSERT_TRUE(taken(lines(0, 2)));
  truncate("a.log");
  ASSERT_TRUE(eventually([&] { return counters().truncations == 1; }));
  const int file = ::open(folder_.path("a.log").c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(file, "af", 2, 5'000'000), 2);
  settle();
  intake_.forget_records();
  ASSERT_EQ(::pwrite(file, "ter\n", 4, 5'000'002), 4);
  ::close(file);
  ASSERT_TRUE(taken("after\n"));
  append("a.log", "more\n");
  ASSERT_TRUE(taken("after\nmore\n"));
}

TEST_F(TailTest, AnUnfinishedLineIsTakenAfterTheStatedTime) {
  options_.unfinished_wait = milliseconds(100);
  start();
  append("a.log", "no end");
  ASSERT_TRUE(taken("no end\n"));
  EXPECT_EQ(counters().unfinished, 1u);
  append("a.log", " and more\n");
  ASSERT_TRUE(taken("no end\n and more\n"));
}

TEST_F(TailTest, AFullOrFailingIntakeLosesNothing) {
  append("a.log", lines(0, 50'000));
  for (const auto answer : {Intake::Taken::kFull, Intake::Taken::kFailed}) {
    intake_.answer(answer);
    start();
    ASSERT_TRUE(eventually([&] { return counters().intake_full + counters().intake_failed != 0; }));
    tail_->stop();
    EXPECT_EQ(intake_.bytes(), "");
  }
  intake_.set_room(1'100'000);
  intake_.answer(Intake::Taken::kYes);
  start();
  ASSERT_TRUE(eventually([&] { return counters().intake_full != 0; }));
  intake_.set_room(SIZE_MAX);
  ASSERT_TRUE(taken(lines(0, 50'000)));
  EXPECT_EQ(counters().shed, 0u);
}

TEST_F(TailTest, ARotatedLogIsReadInItsOrder) {
  append("a.log", lines(200'000, 200'010));
  append("a.log.1", lines(100'000, 160'000));
  append("a.log.2", lines(0, 60'000));
  start();
  ASSERT_TRUE(taken(lines(0, 60'000) + lines(100'000, 160'000) + lines(200'000, 200'010)));
}

TEST_F(TailTest, FollowsABoundedNumberOfFiles) {
  options_.most_files = 2;
  for (const std::string name : {"a.log", "b.log", "c.log"}) append(name, lines(0, 1));
  start();
  ASSERT_TRUE(taken(lines(0, 1) + lines(0, 1)));
  ASSERT_TRUE(eventually([&] { return counters().skipped_files == 1; }));
  EXPECT_TRUE(said_.has("is not followed"));
}

// Written, renamed, copied and truncated in a loop, with restarts: each line is taken once.
TEST_F(TailTest, EachLineOnceWhateverHappens) {
  start();
  int written = 0;
  const auto write = [&](int n) {
    append("a.log", lines(written, written + n));
    written += n;
  };
  const auto all = [&] {
    return eventually([&] { return intake_.lines().size() >= static_cast<std::size_t>(written); });
  };
  for (int n = 0; n < 12; ++n) {
    write(7 + n);
    if (n % 4 == 0) rename("a.log", "a.log." + std::to_string(50 - n));
    write(5);
    if (n % 4 == 1) tail_->stop();
    write(9);
    if (n % 4 == 1) start();
    if (n % 4 == 2) {
      ASSERT_TRUE(all());
      std::filesystem::copy_file(folder_.path("a.log"), folder_.path("a.log." + std::to_string(50 - n)));
      truncate("a.log");
      write(3);
    }
  }
  ASSERT_TRUE(all());
  settle();
  auto got = intake_.lines();
  std::erase_if(got, [](const auto& line) { return line.starts_with("mark "); });
  EXPECT_EQ(got.size(), static_cast<std::size_t>(written));
  std::sort(got.begin(), got.end());
  EXPECT_EQ(std::unique(got.begin(), got.end()), got.end());
}

TEST_F(TailTest, SaysWhatCannotBeFollowed) {
  EXPECT_FALSE(make_tail(options_, intake_)->start());
  options_.paths = {"-"};
  EXPECT_FALSE(make_tail(options_, intake_)->start());
}

}  // namespace
}  // namespace orbwatch::source
