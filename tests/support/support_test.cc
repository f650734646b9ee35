// The test helpers themselves.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>

#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

using std::chrono::milliseconds;

TEST(Run, CapturesOutputsAndExitCode) {
  const RunResult r = run({"sh", "-c", "cat; echo wrong >&2; exit 3"}, "hello\n");
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.out, "hello\n");
  EXPECT_EQ(r.err, "wrong\n");
  EXPECT_FALSE(r.timed_out);
}

TEST(Run, PassesMoreThanAPipeHoldsInBothDirections) {
  const std::string big(3'000'000, 'x');
  const RunResult r = run({"cat"}, big);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_TRUE(r.out == big);
}

TEST(Run, SurvivesAProgramThatDoesNotReadItsInput) {
  const RunResult r = run({"true"}, std::string(3'000'000, 'x'));
  EXPECT_EQ(r.exit_code, 0);
}

TEST(Run, KillsWhatTakesTooLong) {
  const RunResult r = run({"sleep", "60"}, {}, {.timeout = milliseconds(50)});
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(r.signal, SIGKILL);
  EXPECT_EQ(r.exit_code, -1);
}

TEST(Run, APlannedKillIsNoTimeOut) {
  const RunResult r = run({"sleep", "60"}, {}, {.kill_after = milliseconds(50)});
  EXPECT_FALSE(r.timed_out);
  EXPECT_EQ(r.signal, SIGKILL);
}

TEST(Run, HoldsAProgramToItsTimeThatHasClosedItsOutputs) {
  const RunResult r = run({"sh", "-c", "exec >&- 2>&-; sleep 60"}, {}, {.timeout = milliseconds(200)});
  EXPECT_TRUE(r.timed_out);
}

TEST(Run, SaysThatAProgramIsMissing) { EXPECT_THROW(run({"/nonexistent/program"}), std::system_error); }

TEST(Run, SetsDirectoryAndEnvironment) {
  const TempDir dir;
  const RunResult r = run({"sh", "-c", "pwd; echo $ORBWATCH_TEST_WORD $HOME"}, {},
                          {.directory = dir.path(), .environment = {"ORBWATCH_TEST_WORD=word", "HOME=/elsewhere"}});
  EXPECT_EQ(r.out, dir.path().string() + "\nword /elsewhere\n");
}

TEST(TempDir, IsFreshAndGoesWithItsFiles) {
  std::filesystem::path path;
  {
    const TempDir dir;
    const TempDir other;
    EXPECT_NE(dir.path(), other.path());
    path = dir.path();
    EXPECT_EQ(read_file(dir.write("a/b.txt", "bytes")), "bytes");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace orbwatch::test
