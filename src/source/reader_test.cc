#include "source/reader.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <thread>

#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

using namespace test;

Input input_of(const std::string& path) {
  Input input;
  input.path = path;
  return input;
}

TEST(Reader, GivesPlainBytesAsTheyAre) {
  const std::string text = log_text(5000);
  for (const std::size_t capacity : {std::size_t{1}, std::size_t{7}, std::size_t{511}, std::size_t{1} << 20}) {
    const Whole whole = read_all(text, capacity);
    EXPECT_EQ(whole.error, "");
    EXPECT_TRUE(whole.bytes == text) << capacity;
  }
}

TEST(Reader, ReadsAnEmptyFile) {
  const TempDir dir;
  auto reader = open(input_of(dir.write("empty.log", "")));
  ASSERT_TRUE(reader);
  const Whole whole = read_all(**reader);
  EXPECT_EQ(whole.bytes, "");
  EXPECT_EQ(whole.error, "");
  EXPECT_EQ((*reader)->compression(), "");
}

TEST(Reader, RecognisesEveryCompressionByContent) {
  const std::string text = log_text(20000);
  for (const Compression& c : compressions()) {
    const std::string packed = c.make(text);
    ASSERT_LT(packed.size(), text.size());
    for (const std::size_t capacity : {std::size_t{61}, std::size_t{1} << 20}) {
      auto reader = read_memory(packed, "no_suffix");
      const Whole whole = read_all(*reader, capacity);
      EXPECT_EQ(whole.error, "") << c.name;
      EXPECT_TRUE(whole.bytes == text) << c.name << " " << capacity;
      EXPECT_EQ(reader->compression(), c.name);
      EXPECT_EQ(reader->compressed_position(), packed.size());
    }
  }
}

TEST(Reader, DecompressesNothingIntoNothing) {
  for (const Compression& c : compressions()) {
    const Whole whole = read_all(c.make(""));
    EXPECT_EQ(whole.error, "") << c.name;
    EXPECT_EQ(whole.bytes, "") << c.name;
  }
}

TEST(Reader, ReadsSeveralMembersOneAfterAnother) {
  const std::string first = log_text(300, 1);
  const std::string second = log_text(200, 2);
  for (const Compression& c : compressions()) {
    if (!c.members) continue;
    const Whole whole = read_all(c.make(first) + c.make("") + c.make(second) + c.make("last\n"));
    EXPECT_EQ(whole.error, "") << c.name;
    EXPECT_TRUE(whole.bytes == first + second + "last\n") << c.name;
  }
}

TEST(Reader, ReadsThousandsOfSmallMembers) {
  for (const Compression& c : compressions()) {
    if (!c.members) continue;
    std::string packed;
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      text += line;
      packed += c.make(line);
    }
    const Whole whole = read_all(packed);
    EXPECT_EQ(whole.error, "") << c.name;
    EXPECT_TRUE(whole.bytes == text) << c.name;
  }
}

TEST(Reader, IgnoresZerosBehindTheData) {
  for (const Compression& c : compressions()) {
    const Whole whole = read_all(c.make("a\n") + std::string(700, '\0'));
    EXPECT_EQ(whole.error, "") << c.name;
    EXPECT_EQ(whole.bytes, "a\n") << c.name;
  }
}

TEST(Reader, NamesForeignBytesBehindTheData) {
  for (const Compression& c : compressions()) {
    const std::string packed = c.make("a\n");
    const Whole whole = read_all(packed + "this is something else entirely\n");
    EXPECT_EQ(whole.bytes, "a\n") << c.name;
    EXPECT_EQ(whole.error, "bytes that are not " + c.name + " behind the " + c.name + " data, at byte " +
                               std::to_string(packed.size()) + ": input.log (what came before was read)");
  }
}

TEST(Reader, DecompressesTwiceButNotThrice) {
  const std::string text = log_text(100);
  auto reader = read_memory(xz(gzip(text)), "vpn.log.gz.xz");
  EXPECT_TRUE(read_all(*reader).bytes == text);
  EXPECT_EQ(reader->compression(), "gzip in xz");
  const Whole thrice = read_all(gzip(gzip(gzip(text))));
  EXPECT_EQ(thrice.bytes, "");
  EXPECT_EQ(thrice.error, "compressed more than twice: input.log (decompress it first)");
}

TEST(Reader, DeliversAllBeforeATruncationAtEveryByte) {
  const std::string text = log_text(40);
  for (const Compression& c : compressions()) {
    const std::string packed =
        c.make(text.substr(0, text.size() / 2)) + (c.members ? c.make(text.substr(text.size() / 2)) : "");
    const std::string all = c.members ? text : text.substr(0, text.size() / 2);
    const std::size_t boundary = c.make(text.substr(0, text.size() / 2)).size();
    // Behind the magic number; .lzma has none and is recognised by its header.
    const std::size_t known = c.name == "lzma" ? 13 : c.name == "bzip2" ? 4 : c.name == "lzip" ? 5 : 2;
    std::size_t longest = 0;
    for (std::size_t cut = known; cut < packed.size(); ++cut) {
      const Whole whole = read_all(packed.substr(0, cut));
      ASSERT_TRUE(all.starts_with(whole.bytes)) << c.name << " cut at " << cut;
      ASSERT_GE(whole.bytes.size(), longest) << c.name << " cut at " << cut << ": a longer file must not give less";
      longest = whole.bytes.size();
      if (c.members && cut == boundary) {
        ASSERT_EQ(whole.error, "") << c.name << ": a whole member is a whole file";
        ASSERT_EQ(whole.bytes.size(), text.size() / 2);
      } else {
        const bool one_byte_of_magic = c.members && cut > boundary && cut < boundary + known;
        const std::string expected = one_byte_of_magic ? "bytes that are not " + c.name : "truncated " + c.name;
        ASSERT_TRUE(whole.error.starts_with(expected)) << c.name << " cut at " << cut << ": " << whole.error;
        if (!one_byte_of_magic) {
          ASSERT_NE(whole.error.find("at byte " + std::to_string(cut) + ":"), std::string::npos) << whole.error;
        }
      }
    }
    if (c.name == "gzip" || c.name == "xz") {
      EXPECT_EQ(longest, all.size()) << "only the check sum is missing";
    }
  }
}

TEST(Reader, SurvivesCorruptionOfEveryByte) {
  const std::string text = log_text(30);
  for (const Compression& c : compressions()) {
    const std::string packed = c.make(text);
    std::size_t found = 0;
    for (std::size_t at = 0; at < packed.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string broken = packed;
        broken[at] = static_cast<char>(broken[at] ^ flip);
        const Whole whole = read_all(broken);
        ASSERT_LT(whole.bytes.size(), std::size_t{64} << 20);
        found += !whole.error.empty() || whole.bytes != text;
      }
    }
    // Header fields that carry no data (times, flags) may change without harm.
    EXPECT_GT(found, packed.size() * 3 * 9 / 10) << c.name;
  }
}

TEST(Reader, SaysWhereDataIsCorruptAfterWhatCameBefore) {
  const std::string text = log_text(50000);
  for (const Compression& c : compressions()) {
    std::string packed = c.make(text);
    ASSERT_GT(packed.size(), std::size_t{200000}) << c.name;
    for (std::size_t i = 0; i < 64; ++i) packed[packed.size() / 2 + i] = static_cast<char>(0xff - i);
    const Whole whole = read_all(packed);
    EXPECT_TRUE(whole.error.starts_with("corrupt " + c.name + " data near byte ")) << whole.error;
    EXPECT_NE(whole.error.find("what came before was read; get the file again"), std::string::npos);
    // bzip2 and zstd find out at the end of a block; what they gave before must be right.
    const std::size_t same = static_cast<std::size_t>(
        std::mismatch(whole.bytes.begin(), whole.bytes.end(), text.begin(), text.end()).first - whole.bytes.begin());
    EXPECT_GT(same, text.size() / 4) << c.name;
    EXPECT_LT(whole.bytes.size(), text.size() + 1) << c.name;
  }
}

TEST(Reader, TerminatesOnRandomDamage) {
  std::mt19937_64 random(7);
  const std::string text = log_text(400);
  for (const Compression& c : compressions()) {
    const std::string packed = c.make(text) + (c.members ? c.make(text) : "");
    for (int round = 0; round < 300; ++round) {
      std::string broken = packed;
      for (std::uint64_t n = 1 + random() % 5; n > 0; --n) {
        const std::size_t at = random() % broken.size();
        switch (random() % 4) {
          case 0: broken[at] = static_cast<char>(random()); break;
          case 1: broken.erase(at, random() % 30); break;
          case 2: broken.insert(at, broken.substr(random() % broken.size(), random() % 40)); break;
          default: broken.resize(at + 1); break;
        }
      }
      const Whole whole = read_all(broken, 4096);
      ASSERT_LT(whole.bytes.size(), std::size_t{64} << 20);
    }
  }
}

TEST(Reader, VerifiesTheGzipChecksum) {
  std::string packed = gzip("one\ntwo\n");
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);
  const Whole whole = read_all(packed);
  EXPECT_EQ(whole.bytes, "one\ntwo\n");
  EXPECT_NE(whole.error.find("the checksum does not match"), std::string::npos) << whole.error;
}

TEST(Reader, ReadsEveryOptionalGzipHeaderField) {
  // RFC 1952 2.3: FEXTRA, FNAME, FCOMMENT; the deflate data and trailer of a plain member follow.
  const std::string plain = gzip("header fields\n");
  const std::string body = plain.substr(10);
  const std::string fixed = std::string("\x1f\x8b\x08\x1c\0\0\0\0\0\x03", 10);
  const std::string packed =
      fixed + std::string("\x04\0abcd", 6) + std::string("vpn.log\0", 8) + std::string("note\0", 5) + body;
  const Whole whole = read_all(packed);
  EXPECT_EQ(whole.error, "");
  EXPECT_EQ(whole.bytes, "header fields\n");
}

TEST(Reader, ReadsStoredBlocksAcrossInputBlocks) {
  // RFC 1951 3.2.4: stored blocks, here with incompressible bytes, longer than an input block together.
  std::mt19937_64 random(3);
  std::string text(3 << 20, '\0');
  for (char& c : text) c = static_cast<char>(random());
  text[0] = 'x';
  const Whole whole = read_all(gzip(text), 5000);
  EXPECT_EQ(whole.error, "");
  EXPECT_TRUE(whole.bytes == text);
}

TEST(Reader, SkipsZstdSkippableFrames) {
  const std::string skip = std::string("\x50\x2a\x4d\x18\x05\0\0\0hello", 13);
  EXPECT_EQ(read_all(skip + zstd("a\n") + skip + zstd("b\n")).bytes, "a\nb\n");
}

TEST(Reader, RefusesADictionaryAboveTheLimit) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 28);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(1 << 16, '\0');
  ZSTD_inBuffer in{"text\n", 5, 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // Flushing first keeps the frame from being sized to its content.
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
  ASSERT_EQ(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0U);
  out.resize(to.pos);
  ZSTD_freeCCtx(context);
  EXPECT_TRUE(read_all(out).error.starts_with("corrupt zstd data near byte ")) << read_all(out).error;

  std::string packed = lzma("text\n");
  packed[4] = 0x20;  // a dictionary of 512 MiB
  EXPECT_NE(read_all(packed).error.find("the dictionary is larger than 128 MiB"), std::string::npos);
}

TEST(Reader, StreamsABombInBoundedMemory) {
  const std::string zeros(std::size_t{64} << 20, '\0');
  const std::string inner = gzip(zeros);
  std::string bomb;
  for (int i = 0; i < 16; ++i) bomb += inner;  // 1 GiB of zeros
  const std::string packed = gzip(bomb);
  ASSERT_LT(packed.size(), std::size_t{1} << 20);
  auto reader = read_memory(packed, "bomb.gz");
  std::vector<char> piece(1 << 20);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  std::uint64_t total = 0;
  while (true) {
    const auto n = reader->read(piece.data(), piece.size());
    ASSERT_TRUE(n) << n.error().text();
    if (*n == 0) break;
    total += *n;
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(total, std::uint64_t{1} << 30);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10);  // KiB
}

TEST(Reader, NamesArchivesAndUnreadCompressions) {
  std::string tar(1024, '\0');
  std::memcpy(tar.data(), "vpn.log", 7);
  std::memcpy(tar.data() + 100, "0000644\0000000000\0000000000\00000000000002\00000000000000\0", 48);
  std::memcpy(tar.data() + 257, "ustar\00000", 8);
  std::memset(tar.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  std::snprintf(tar.data() + 148, 8, "%06o", sum);
  const std::string said = "is a tar archive: input.log (unpack it first: tar xf)";
  EXPECT_EQ(read_all(tar).error, said);
  EXPECT_EQ(read_all(gzip(tar)).error, said);
  EXPECT_EQ(read_all(xz(tar)).error, said);
  EXPECT_EQ(read_all("PK\x03\x04").error, "is a zip archive: input.log (unpack it first: unzip)");
  EXPECT_EQ(read_all("7z\xbc\xaf\x27\x1c").error, "is a 7z archive: input.log (unpack it first: 7z x)");
  EXPECT_EQ(read_all("Rar!\x1a\x07").error, "is a rar archive: input.log (unpack it first: unrar x)");
  EXPECT_EQ(read_all("\x04\x22\x4d\x18").error,
            "compressed with lz4, which is not read: input.log (decompress it first: lz4 -d)");
  EXPECT_EQ(read_all("\x1f\x9d\x90").error,
            "compressed with compress, which is not read: input.log (decompress it first: uncompress)");
  EXPECT_EQ(read_all(std::string("\x0c\xa5\x01\0\0\0", 6)).error,
            "is a binary file of nfdump: input.log (write it as text: nfdump -r FILE -o csv)");
  tar[0] = 'w';  // no longer what the checksum says: some other file
  EXPECT_EQ(read_all(tar).error, "");
}

TEST(Reader, TakesTextThatLooksLikeAMagicNumberAsText) {
  for (const std::string text :
       {"BZh", "BZh9 is how a line may begin\n", "PK\n", "]\n", "LZIP files\n", "7z\n", "\x1f", "("}) {
    const Whole whole = read_all(text);
    EXPECT_EQ(whole.bytes, text);
    EXPECT_EQ(whole.error, "");
  }
}

TEST(Reader, ReadsWhatTheCommandLineToolsWrite) {
  const TempDir dir;
  const std::string text = log_text(8000);
  const std::string plain = dir.write("a.log", text);
  int tried = 0;
  for (const std::string tool :
       {"gzip -1", "gzip -9", "zstd -q -1", "zstd -q -19", "xz -T2 --block-size=100KiB -1", "bzip2", "pigz -p2"}) {
    const std::string packed = dir.path("packed");
    if (std::system(fmt::format("{} -c {} > {} 2>/dev/null", tool, plain, packed).c_str()) != 0) continue;
    ++tried;
    auto reader = open(input_of(packed));
    ASSERT_TRUE(reader);
    const Whole whole = read_all(**reader);
    EXPECT_EQ(whole.error, "") << tool;
    EXPECT_TRUE(whole.bytes == text) << tool;
  }
  EXPECT_GT(tried, 0);
}

TEST(Reader, ReportsWhatCannotBeOpenedOrRead) {
  const TempDir dir;
  const auto gone = open(input_of(dir.path("gone.log")));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().text(), "No such file or directory: " + dir.path("gone.log"));
  const auto directory = open(input_of(dir.path()));
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().text(), "Is a directory: " + dir.path());
  // Page zero of a process is never mapped, so that reading it fails as a broken disk does.
  auto broken = open(input_of("/proc/self/mem"));
  if (!broken) GTEST_SKIP() << "no /proc/self/mem";
  const Whole whole = read_all(**broken);
  EXPECT_TRUE(whole.error.starts_with("read error: Input/output error: /proc/self/mem")) << whole.error;
}

TEST(Reader, ReadsStandardInputAndCountsProgress) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ::close(ends[0]);
  const std::string text = log_text(20000);
  const std::string packed = gzip(text);
  std::thread writer([&] {
    for (std::size_t at = 0; at < packed.size();) {
      const ssize_t n = ::write(ends[1], packed.data() + at, std::min<std::size_t>(999, packed.size() - at));
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    ::close(ends[1]);
  });
  Progress progress;
  {
    auto reader = open(input_of("-"), &progress);
    EXPECT_TRUE(reader);
    const Whole whole = read_all(**reader);
    EXPECT_EQ(whole.error, "");
    EXPECT_TRUE(whole.bytes == text);
  }
  writer.join();
  EXPECT_EQ(progress.bytes_read.load(), packed.size());
  EXPECT_NE(::fcntl(STDIN_FILENO, F_GETFD), -1) << "standard input stays open";
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

TEST(Reader, WaitsOnANonBlockingDescriptor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  std::thread writer([&] {
    std::this_thread::yield();
    EXPECT_EQ(::write(ends[1], "late\n", 5), 5);
    ::close(ends[1]);
  });
  EXPECT_EQ(read_all(*read_descriptor(ends[0], "pipe")).bytes, "late\n");
  writer.join();
  ::close(ends[0]);
}

TEST(Reader, ReadsAFifoByName) {
  const TempDir dir;
  const std::string fifo = dir.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(fifo) << "from a fifo\n"; });
  auto reader = open(input_of(fifo));
  ASSERT_TRUE(reader);
  EXPECT_EQ(read_all(**reader).bytes, "from a fifo\n");
  writer.join();
}

}  // namespace
}  // namespace orbwatch::source
