// Inputs and outputs that misbehave: never a crash or a hang, one clear line for what cannot be read, the rest is used.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

class Hostile : public ::testing::Test {
 protected:
  static std::string many(int n) {
    std::string text;
    for (int i = 0; i < n; ++i)
      text += asa_login("user" + std::to_string(i % 50), "198.51.100." + std::to_string(i % 250 + 1), i);
    return text;
  }
  std::string compressed(const std::string& tool, const std::string& bytes) {
    const RunResult r = run({tool, "-c"}, bytes);
    EXPECT_EQ(r.exit_code, 0) << tool;
    return r.out;
  }
  void expect_sound(const HuntRun& h) {
    EXPECT_EQ(h.run.signal, 0);
    EXPECT_FALSE(h.run.timed_out);
    ASSERT_TRUE(h.summarised) << h.run.err;
    EXPECT_TRUE(h.summary.total.balanced());
    for (const SummaryInput& input : h.summary.inputs) EXPECT_TRUE(input.counts.balanced()) << input.path;
  }
  TempDir dir_;
};

TEST_F(Hostile, TruncatedCompressionIsUsedUpToTheCut) {
  for (const std::string tool : {"gzip", "xz", "bzip2", "zstd"}) {
    if (run({"sh", "-c", "command -v " + tool}).exit_code != 0) {
      std::cerr << tool << " is not installed: not tested\n";
      continue;
    }
    const std::string whole = compressed(tool, many(20'000));
    const std::string file = dir_.write("cut-" + tool + ".log", whole.substr(0, whole.size() * 3 / 4)).string();
    const HuntRun h = hunt({file});
    expect_sound(h);
    EXPECT_EQ(h.run.exit_code, 3) << tool;
    EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
    EXPECT_NE(h.run.err.find("truncated"), h.run.err.npos) << h.run.err;
    const SummaryInput& input = h.summary.of(file);
    EXPECT_EQ(input.fate, tool == "bzip2" && input.counts.records == 0 ? "unreadable" : "partly") << tool;
    EXPECT_NE(input.error.find("truncated"), input.error.npos) << input.error;
    if (tool != "bzip2") {  // bzip2 gives nothing before a whole block
      EXPECT_GT(input.counts.events, 0U) << tool;
    }
  }
}

TEST_F(Hostile, DamagedCompressionIsNamed) {
  std::string bytes = compressed("gzip", many(20'000));
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 200; ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
  const HuntRun h = hunt({dir_.write("damaged.log.gz", bytes).string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
  EXPECT_NE(h.run.err.find("corrupt"), h.run.err.npos) << h.run.err;
}

TEST_F(Hostile, BinaryFile) {
  std::string bytes;
  std::uint32_t state = 1;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const HuntRun h = hunt({dir_.write("noise.bin", bytes).string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
}

TEST_F(Hostile, AFolderWithSomeUnknownFilesIsFine) {
  dir_.write("logs/vpn.log", many(100));
  dir_.write("logs/notes.txt", "no log at all\n");
  dir_.write("logs/picture.png", std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) + std::string(5000, '\0'));
  const HuntRun h = hunt({(dir_ / "logs").string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.summary.inputs.size(), 3U);
  EXPECT_EQ(h.summary.of((dir_ / "logs/notes.txt").string()).fate, "unknown-format");
  EXPECT_EQ(h.summary.of((dir_ / "logs/picture.png").string()).fate, "unknown-format");
  EXPECT_EQ(h.summary.of((dir_ / "logs/vpn.log").string()).fate, "read");
}

TEST_F(Hostile, EmptyFiles) {
  for (int i = 0; i < 1000; ++i) dir_.write("empty/f" + std::to_string(i) + ".log", "");
  dir_.write("empty/vpn.log", many(10));
  const HuntRun h = hunt({(dir_ / "empty").string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.run.err, "");
  EXPECT_EQ(h.summary.inputs.size(), 1001U);
  EXPECT_EQ(
      std::count_if(h.summary.inputs.begin(), h.summary.inputs.end(), [](const auto& i) { return i.fate == "empty"; }),
      1000);
  EXPECT_EQ(h.summary.total.events, 10U);
}

TEST_F(Hostile, NulBytesAndCarriageReturnsWithinLines) {
  std::string text = many(200);
  std::string crlf;
  for (const char c : text) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  const HuntRun plain = hunt({dir_.write("plain.log", text).string()});
  const HuntRun windows = hunt({dir_.write("windows.log", crlf).string()});
  expect_sound(windows);
  EXPECT_EQ(windows.summary.total.events, plain.summary.total.events);
  EXPECT_EQ(windows.summary.total.rejected, 0U);
  text.insert(text.find('\n', text.size() / 2) + 1, std::string("\0\0\0\0", 4));
  const HuntRun nul = hunt({dir_.write("nul.log", text).string()});
  expect_sound(nul);
  EXPECT_EQ(nul.run.exit_code, 0) << nul.run.err;
  EXPECT_GE(nul.summary.total.events + 1, plain.summary.total.events);
}

TEST_F(Hostile, Utf16IsSaidToBeUnknown) {
  std::string wide = "\xff\xfe";
  for (const char c : many(100)) {
    wide += c;
    wide += '\0';
  }
  const HuntRun h = hunt({dir_.write("utf16.log", wide).string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
}

TEST_F(Hostile, NoNewlineAtTheEnd) {
  std::string text = many(3);
  text.pop_back();
  const HuntRun h = hunt({dir_.write("vpn.log", text).string()});
  expect_sound(h);
  EXPECT_EQ(h.summary.total.events, 3U);
}

TEST_F(Hostile, ALineLongerThanTheLimitIsOneReject) {
  const std::string text = many(100) + std::string(5 << 20, 'x') + "\n" + many(100);
  const HuntRun h = hunt({dir_.write("long.log", text).string()});
  expect_sound(h);
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.summary.total.events, 200U);
  EXPECT_EQ(h.summary.total.rejected, 1U);
  EXPECT_EQ(h.summary.total.rejected_by_reason.count("record too long"), 1U);
}

TEST_F(Hostile, FifoWhoseWriterStops) {
  const std::string fifo = (dir_ / "pipe").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string log = dir_.write("part.log", many(50) + "<166>Nov 22 2026 10:00:00 gw1 : %ASA-6-72").string();
  const std::string summary = (dir_ / "summary.json").string();
  const RunResult r = run({"bash", "-c",
                           "cat " + log + " > " + fifo + " & " + orbwatch_binary() +
                               " hunt --json --networks none --summary " + summary + " " + fifo});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  const Summary s = parse_summary(read_file(summary));
  EXPECT_TRUE(s.total.balanced());
  EXPECT_EQ(s.total.records, 51U);
  EXPECT_EQ(s.total.events, 50U);
}

TEST_F(Hostile, FifoWithoutAByte) {
  const std::string fifo = (dir_ / "pipe").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const RunResult r =
      run({"bash", "-c", ": > " + fifo + " & " + orbwatch_binary() + " hunt --json --networks none " + fifo});
  EXPECT_EQ(r.exit_code, 0) << r.err;
}

TEST_F(Hostile, StandardInputGivesWhatTheFileGives) {
  const std::string text = many(2000);
  const std::string file = dir_.write("vpn.log", text).string();
  const std::string list = dir_.write("list.txt", "198.51.100.7\n").string();
  const HuntRun from_file = hunt({"--all", "--indicators", list, file});
  for (const std::string& bytes : {text, compressed("gzip", text)}) {
    const HuntRun piped = hunt({"--all", "--indicators", list, "-"}, bytes);
    expect_sound(piped);
    EXPECT_EQ(piped.run.exit_code, 0) << piped.run.err;
    EXPECT_EQ(piped.summary.total.events, from_file.summary.total.events);
    std::string expected = from_file.findings;
    for (std::size_t at; (at = expected.find("\"file\":\"" + file)) != expected.npos;)
      expected.replace(at + 8, file.size(), "-");
    EXPECT_EQ(piped.findings, expected);
  }
  EXPECT_GT(from_file.summary.findings, 0U);
}

TEST_F(Hostile, ClosedPipeOnStandardOutput) {
  // More findings than a pipe holds, so that the writer meets the closed pipe.
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += asa_login("user" + std::to_string(i),
                      "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), i * 20);
  }
  const std::string log = dir_.write("vpn.log", text).string();
  const std::string list = dir_.write("list.txt", "198.51.0.0/16\n").string();
  const RunResult r = run({"bash", "-c",
                           orbwatch_binary() + " hunt --json --all --networks none --indicators " + list + " " + log +
                               " | head -1; exit ${PIPESTATUS[0]}"});
  EXPECT_EQ(lines_of(r.out), 1U);
  EXPECT_EQ(r.exit_code, 4) << r.err;
  EXPECT_EQ(lines_of(r.err), 1U) << r.err;
}

TEST_F(Hostile, AnUnreadableFileIsNamed) {
  const std::string secret = dir_.write("secret.log", many(10)).string();
  const std::string open = dir_.write("open.log", many(10)).string();
  chmod(dir_.path().c_str(), 0755);
  chmod(secret.c_str(), 0);
  std::vector<std::string> argv = {orbwatch_binary(), "hunt", "--json", "--networks", "none",
                                   "--summary",       "-",    secret,   open};
  if (geteuid() == 0) {  // root may read everything: as nobody, then
    const std::vector<std::string> nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    std::vector<std::string> probe = nobody;
    probe.insert(probe.end(), {orbwatch_binary(), "--version"});
    if (run({"sh", "-c", "command -v setpriv"}).exit_code != 0 || run(probe).exit_code != 0) {
      GTEST_SKIP() << "cannot run as a user who may not read everything";
    }
    argv.insert(argv.begin(), nobody.begin(), nobody.end());
  }
  const RunResult r = run(argv);
  EXPECT_EQ(r.exit_code, 3) << r.err;
  EXPECT_EQ(lines_of(r.err), 1U) << r.err;
  EXPECT_NE(r.err.find("secret.log"), r.err.npos) << r.err;
  const Summary summary = parse_summary(r.out.substr(r.out.find("{\"total\"")));
  EXPECT_EQ(summary.of(secret).fate, "unreadable");
  EXPECT_EQ(summary.of(open).fate, "read");
}

}  // namespace
}  // namespace orbwatch::test
