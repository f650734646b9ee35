#include "source/cutters.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace orbwatch::source {
namespace {

using std::string_literals::operator""s;

struct Result {
  std::string out;
  CutCounts counts;
};

Result cut_whole(std::string_view bytes, std::size_t longest = 1000) {
  SyslogCutter cutter(longest);
  Result result;
  EXPECT_TRUE(cutter.feed(bytes, result.out));
  cutter.finish(result.out);
  result.counts = cutter.counts();
  return result;
}

// Every way to cut the stream in two, and byte by byte, must give the same.
Result cut(std::string_view bytes, std::size_t longest = 1000) {
  const Result whole = cut_whole(bytes, longest);
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    SyslogCutter cutter(longest);
    std::string out;
    cutter.feed(bytes.substr(0, at), out);
    cutter.feed(bytes.substr(at), out);
    cutter.finish(out);
    EXPECT_EQ(out, whole.out) << "split at " << at;
    EXPECT_EQ(cutter.counts(), whole.counts) << "split at " << at;
  }
  SyslogCutter cutter(longest);
  std::string out;
  for (const char c : bytes) cutter.feed({&c, 1}, out);
  cutter.finish(out);
  EXPECT_EQ(out, whole.out);
  EXPECT_EQ(cutter.counts(), whole.counts);
  return whole;
}

TEST(SyslogCutter, Lines) {
  const Result result = cut("<13>one\n<13>two\r\n\n\n<13>three\n");
  EXPECT_EQ(result.out, "<13>one\n<13>two\n<13>three\n");
  EXPECT_EQ(result.counts, (CutCounts{3, 0, 0, 0, 0}));
}

TEST(SyslogCutter, OctetCounts) {
  const Result result = cut("7 <13>one8 <13>a\nbc12 <13>line\nend7 <13>two");
  EXPECT_EQ(result.out, "<13>one\n<13>a bc\n<13>line end\n<13>two\n");
  EXPECT_EQ(result.counts.records, 4u);
  EXPECT_EQ(result.counts.misframed, 0u);
  // With line ends that are counted, not counted, or both.
  EXPECT_EQ(cut("8 <13>one\n8 <13>two\n").out, "<13>one\n<13>two\n");
  EXPECT_EQ(cut("7 <13>one\n7 <13>two\r\n").out, "<13>one\n<13>two\n");
}

TEST(SyslogCutter, FramingsMixed) {
  const Result result =
      cut("<13>line\n7 <13>one<13>two\n7 <13>thr<13>nul\0 "
          "7 <13>fou\n"s);
  EXPECT_EQ(result.out, "<13>line\n<13>one\n<13>two\n<13>thr\n<13>nul\n 7 <13>fou\n");
}

TEST(SyslogCutter, NulFraming) {
  const Result result = cut("<13>one\0<13>two\0\n<13>three\n\0"s);
  EXPECT_EQ(result.out, "<13>one\n<13>two\n<13>three\n");
  EXPECT_EQ(result.counts.unfinished, 0u);
}

TEST(SyslogCutter, NumbersThatAreNoCounts) {
  const Result result = cut("12 monkeys\n0 <13>zero\n12345678 <13>long\n12<13>close\n2026-11-22 <x>\n");
  EXPECT_EQ(result.out, "12 monkeys\n0 <13>zero\n12345678 <13>long\n12<13>close\n2026-11-22 <x>\n");
  EXPECT_EQ(result.counts.misframed, 0u);
}

TEST(SyslogCutter, WrongCountEndsWithItsLine) {
  const Result result = cut("6 <13>one more\n7 <13>two\n");
  EXPECT_EQ(result.out, "6 <13>one more\n<13>two\n");
  EXPECT_EQ(result.counts, (CutCounts{2, 0, 0, 1, 0}));
}

// A sender that counts characters instead of bytes, without line ends: the stream is found again.
TEST(SyslogCutter, WrongCountEndsBeforeTheNextCount) {
  const Result result = cut("10 <13>one more7 <13>two7 <13>thr");
  EXPECT_EQ(result.out, "10 <13>one more\n<13>two\n<13>thr\n");
  EXPECT_EQ(result.counts, (CutCounts{3, 0, 0, 1, 0}));
}

TEST(SyslogCutter, LongLinesAreCutOff) {
  const std::string longest(20, 'x');
  const Result result =
      cut(longest + "\n" + longest + "y\n" + longest + "yyyyyyyyyyyyyyyyyyyyyyyyyyy 7 <\n<13>next\n", 20);
  EXPECT_EQ(result.out, longest + "\n" + longest + "\n" + longest + "\n<13>next\n");
  EXPECT_EQ(result.counts, (CutCounts{4, 2, 0, 0, 0}));
}

TEST(SyslogCutter, LongCountedMessagesAreCutOff) {
  const std::string text = "<13>" + std::string(56, 'x');
  const Result result = cut("60 " + text + "7 <13>one60 " + text + "7 <13>two", 20);
  EXPECT_EQ(result.out, text.substr(0, 20) + "\n<13>one\n" + text.substr(0, 20) + "\n<13>two\n");
  EXPECT_EQ(result.counts, (CutCounts{4, 2, 0, 0, 0}));
}

TEST(SyslogCutter, LongLineBehindAWrongCount) {
  const Result result = cut("6 <13>" + std::string(50, 'x') + "7 <13>two", 20);
  EXPECT_EQ(result.out, "6 <13>" + std::string(14, 'x') + "\n<13>two\n");
  EXPECT_EQ(result.counts, (CutCounts{2, 1, 0, 1, 0}));
}

TEST(SyslogCutter, TheEndOfTheStreamEndsARecord) {
  EXPECT_EQ(cut("<13>one\n<13>tw").out, "<13>one\n<13>tw\n");
  EXPECT_EQ(cut("<13>one\n<13>tw").counts, (CutCounts{2, 0, 1, 0, 0}));
  EXPECT_EQ(cut("<13>one\n20 <13>tw").out, "<13>one\n<13>tw\n");
  EXPECT_EQ(cut("<13>one\n20 <13>tw").counts, (CutCounts{2, 0, 1, 0, 0}));
  EXPECT_EQ(cut("7 <13>one").counts.unfinished, 0u);
  EXPECT_EQ(cut("12").out, "12\n");
  EXPECT_EQ(cut("").out, "");
}

TEST(SyslogCutter, APauseEndsACountedMessageAndNothingElse) {
  SyslogCutter cutter(1000);
  std::string out;
  cutter.feed("7 <13>one", out);
  EXPECT_EQ(out, "");  // the next byte could show that the count is wrong
  cutter.pause(out);
  EXPECT_EQ(out, "<13>one\n");
  cutter.feed("<13>li", out);
  cutter.pause(out);
  cutter.feed("ne", out);
  cutter.pause(out);
  cutter.feed("\n9 <13>tw", out);
  cutter.pause(out);
  cutter.feed("o", out);
  cutter.pause(out);
  EXPECT_EQ(out, "<13>one\n<13>line\n");
  cutter.feed("!!", out);
  EXPECT_EQ(out, "<13>one\n<13>line\n");
  cutter.finish(out);
  EXPECT_EQ(out, "<13>one\n<13>line\n<13>two!!\n");
}

TEST(SyslogCutter, AnyBytesInAnyPieces) {
  std::mt19937 random(4711);
  const std::vector<std::string> words = {"7 <13>one",
                                          "8 <13>one",
                                          "\n",
                                          "\0"s,
                                          "\r",
                                          "<13>",
                                          "x",
                                          "12",
                                          " ",
                                          "<",
                                          "9999999 <",
                                          "3 <a",
                                          "yyyyyyyyyyyyyyyyyyyyyyyyyyy",
                                          "1 <",
                                          "20 <13>text of twenty"};
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (int n = static_cast<int>(random() % 25); n > 0; --n) bytes += words[random() % words.size()];
    const std::size_t longest = 1 + random() % 40;
    const Result whole = cut_whole(bytes, longest);
    for (int again = 0; again < 4; ++again) {
      SyslogCutter cutter(longest);
      std::string out;
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t n = std::min<std::size_t>(random() % 7, bytes.size() - at);
        cutter.feed(std::string_view(bytes).substr(at, n), out);
        at += n;
      }
      cutter.finish(out);
      ASSERT_EQ(out, whole.out) << testing::PrintToString(bytes) << " longest " << longest;
      ASSERT_EQ(cutter.counts(), whole.counts) << testing::PrintToString(bytes) << " longest " << longest;
    }
    ASSERT_EQ(static_cast<std::uint64_t>(std::count(whole.out.begin(), whole.out.end(), '\n')), whole.counts.records);
  }
}

std::string ipfix(std::size_t size) {
  std::string message(size, 'i');
  message[0] = 0;
  message[1] = 10;
  message[2] = static_cast<char>(size >> 8);
  message[3] = static_cast<char>(size & 0xff);
  return message;
}

std::string behind_length(const std::string& message) {
  return std::string{static_cast<char>(message.size() & 0xff), static_cast<char>(message.size() >> 8)} + message;
}

TEST(IpfixCutter, CutsByLengthInAnyPieces) {
  const std::vector<std::string> messages = {ipfix(16), ipfix(300), ipfix(65'535), ipfix(17)};
  std::string stream;
  std::string wanted;
  for (const auto& message : messages) {
    stream += message;
    wanted += behind_length(message);
  }
  for (const std::size_t piece : {1u, 3u, 16u, 1000u, 100'000u}) {
    IpfixCutter cutter;
    std::string out;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(cutter.feed(std::string_view(stream).substr(at, piece), out));
    }
    cutter.finish(out);
    EXPECT_TRUE(out == wanted) << piece;
    EXPECT_EQ(cutter.counts(), (CutCounts{4, 0, 0, 0, 0}));
  }
}

TEST(IpfixCutter, GivesUpOnWhatIsNoHeader) {
  for (const std::string& wrong : {"\0\x09\0\x20"s, "\0\x0a\0\x0f"s, "<13>"s}) {
    IpfixCutter cutter;
    std::string out;
    EXPECT_FALSE(cutter.feed(ipfix(20) + wrong, out));
    EXPECT_EQ(out, behind_length(ipfix(20)));
    EXPECT_FALSE(cutter.feed(ipfix(20), out));
    cutter.finish(out);
    EXPECT_EQ(cutter.counts(), (CutCounts{1, 0, 0, 0, 1}));
  }
}

TEST(IpfixCutter, AMessageCutOffIsInvalid) {
  IpfixCutter cutter;
  std::string out;
  EXPECT_TRUE(cutter.feed(ipfix(20).substr(0, 19), out));
  cutter.finish(out);
  EXPECT_EQ(out, "");
  EXPECT_EQ(cutter.counts(), (CutCounts{0, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace orbwatch::source
