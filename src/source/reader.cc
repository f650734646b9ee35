#include "source/reader.h"

#include <bzlib.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.h"
#include "source/parquet.h"

namespace orbwatch::source {
namespace {

using core::Error;
using core::Expected;
using std::size_t;
using std::string_view;

// Of compressed input a layer; small enough to stay in the second-level cache together with the decoder's tables.
constexpr size_t kBlock = 256 << 10;
// A tar header is the longest thing to recognise.
constexpr size_t kHead = 512;

std::string error_name(int number) {
  char text[128];
  return strerror_r(number, text, sizeof text);  // the GNU form returns the text, which need not lie in the buffer
}

Error system_error(int number, const std::string& name) {
  Error error{error_name(number), core::printable(name), {}};
  if (number == EACCES) error.hint = "run as a user who may read it";
  if (number == EIO) error.hint = "the disk or the connection to it fails; what came before was read";
  return error;
}

class DescriptorReader : public ByteReader {
 public:
  DescriptorReader(int descriptor, bool own, std::string name, Progress* progress)
      : descriptor_(descriptor), own_(own), name_(std::move(name)), progress_(progress) {}
  ~DescriptorReader() override {
    if (own_) ::close(descriptor_);
  }
  DescriptorReader(const DescriptorReader&) = delete;
  DescriptorReader& operator=(const DescriptorReader&) = delete;

  Expected<size_t> read(char* out, size_t capacity) override {
    if (error_) return std::unexpected(*error_);
    if (ended_) return 0;
    while (true) {
      const ssize_t n = ::read(descriptor_, out, capacity);
      if (n > 0) {
        position_ += static_cast<std::uint64_t>(n);
        if (progress_ != nullptr) {
          progress_->bytes_read.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
        }
        return static_cast<size_t>(n);
      }
      if (n == 0) {
        ended_ = true;
        return 0;
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {  // somebody else made our standard input non-blocking
        pollfd wait{descriptor_, POLLIN, 0};
        ::poll(&wait, 1, -1);
        continue;
      }
      error_ = system_error(errno, name_);
      error_->message = "read error: " + error_->message;
      return std::unexpected(*error_);
    }
  }
  std::uint64_t compressed_position() const override { return position_; }
  std::string compression() const override { return {}; }
  int release() {
    own_ = false;
    return descriptor_;
  }

 private:
  int descriptor_;
  bool own_;
  std::string name_;
  Progress* progress_;
  std::uint64_t position_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;
};

class MemoryReader : public ByteReader {
 public:
  explicit MemoryReader(std::string bytes) : bytes_(std::move(bytes)) {}
  Expected<size_t> read(char* out, size_t capacity) override {
    const size_t n = std::min(capacity, bytes_.size() - at_);
    std::memcpy(out, bytes_.data() + at_, n);
    at_ += n;
    return n;
  }
  std::uint64_t compressed_position() const override { return at_; }
  std::string compression() const override { return {}; }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

// Lets the first bytes be looked at before they are read.
class Peeker : public ByteReader {
 public:
  explicit Peeker(std::unique_ptr<ByteReader> inner) : inner_(std::move(inner)) {}

  string_view peek() {
    while (head_.size() < kHead && !ended_ && !error_) {
      char block[kHead];
      const auto n = inner_->read(block, kHead - head_.size());
      if (!n) {
        error_ = n.error();
      } else if (*n == 0) {
        ended_ = true;
      } else {
        head_.append(block, *n);
      }
    }
    return head_;
  }
  Expected<size_t> read(char* out, size_t capacity) override {
    if (given_ < head_.size()) {
      const size_t n = std::min(capacity, head_.size() - given_);
      std::memcpy(out, head_.data() + given_, n);
      given_ += n;
      return n;
    }
    if (error_) return std::unexpected(*error_);
    if (ended_) return 0;
    return inner_->read(out, capacity);
  }
  std::uint64_t compressed_position() const override { return inner_->compressed_position(); }
  std::string compression() const override { return inner_->compression(); }

 private:
  std::unique_ptr<ByteReader> inner_;
  std::string head_;
  size_t given_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;
};

// A file that ends within the magic number of a compression is truncated rather than something else. Two bytes are
// asked for, and for bzip2, whose magic is text, four.
string_view cut_within_magic(string_view head) {
  const auto within = [&](string_view magic, size_t least) {
    return head.size() >= least && head.size() < magic.size() && magic.starts_with(head);
  };
  if (within("\x1f\x8b\x08", 2)) return "gzip";
  if (within("\x28\xb5\x2f\xfd", 2)) return "zstd";
  if (within(string_view("\xfd"
                         "7zXZ\0",
                         6),
             2))
    return "xz";
  if (head.size() >= 4 && head.size() < 10 && head.starts_with("BZh") && head[3] >= '1' && head[3] <= '9' &&
      (string_view("\x31\x41\x59\x26\x53\x59").starts_with(head.substr(4)) ||
       string_view("\x17\x72\x45\x38\x50\x90").starts_with(head.substr(4)))) {
    return "bzip2";
  }
  return {};
}

// The part that every compression shares: blocks in, members one after another, truncation, padding, errors after data.
class Decompressor : public ByteReader {
 public:
  Decompressor(std::unique_ptr<ByteReader> inner, std::string name, string_view kind)
      : inner_(std::move(inner)), name_(std::move(name)), kind_(kind), buffer_(std::make_unique<char[]>(kBlock)) {}

  Expected<size_t> read(char* out, size_t capacity) override {
    char* const start = out;
    char* const end = out + capacity;
    while (true) {
      if (error_) return std::unexpected(*error_);
      if (finished_) return 0;
      if (between_) {
        next_member();
        continue;
      }
      if (in_ == in_end_ && !input_ended_) {
        refill();
        if (error_) continue;
      }
      const char* const before = in_;
      const Step step = decode(out, end);
      if (step.verdict == Verdict::kMemberEnds) {
        between_ = true;
      } else if (step.verdict == Verdict::kCorrupt) {
        error_ = corrupt(step.what);
      } else if (out == start && in_ == before) {
        const auto left = static_cast<size_t>(in_end_ - in_);
        if (left == kBlock) {
          error_ = corrupt("no progress");
        } else if (input_ended_) {
          error_ = truncated();
        } else {
          refill();
        }
      }
      if (out != start) return static_cast<size_t>(out - start);
    }
  }
  std::uint64_t compressed_position() const override { return inner_->compressed_position(); }
  std::string compression() const override {
    const std::string below = inner_->compression();
    return below.empty() ? std::string(kind_) : std::string(kind_) + " in " + below;
  }

 protected:
  enum class Verdict { kMore, kMemberEnds, kCorrupt };
  struct Step {
    Verdict verdict = Verdict::kMore;
    const char* what = "";  // of kCorrupt
  };

  // Consumes in_..in_end_ and fills out..end as far as it can.
  virtual Step decode(char*& out, char* end) = 0;
  virtual bool begins_member(string_view bytes) const = 0;
  // Prepares for a further member. False if memory is refused.
  virtual bool restart() = 0;

  const char* in_ = nullptr;
  const char* in_end_ = nullptr;
  bool input_ended_ = false;

 private:
  static constexpr size_t kMagic = 16;  // no magic is longer

  std::uint64_t consumed() const { return fetched_ - static_cast<std::uint64_t>(in_end_ - in_); }

  void refill() {
    const auto left = static_cast<size_t>(in_end_ - in_);
    if (left == kBlock) return;
    if (left > 0) std::memmove(buffer_.get(), in_, left);
    in_ = buffer_.get();
    in_end_ = buffer_.get() + left;
    const auto n = inner_->read(buffer_.get() + left, kBlock - left);
    if (!n) {
      error_ = n.error();
    } else if (*n == 0) {
      input_ended_ = true;
    } else {
      fetched_ += *n;
      in_end_ += *n;
    }
  }

  // Behind a member may come: another one, zeros (tape blocks, xz stream padding), or the end. Anything else is named.
  void next_member() {
    while (true) {
      while (in_ < in_end_ && *in_ == 0) ++in_;
      if (static_cast<size_t>(in_end_ - in_) >= kMagic || input_ended_) break;
      refill();
      if (error_) return;
    }
    if (in_ == in_end_) {
      finished_ = true;
      return;
    }
    const string_view rest(in_, static_cast<size_t>(in_end_ - in_));
    if (!begins_member(rest)) {
      if (cut_within_magic(rest) == kind_) {
        error_ = truncated();
        return;
      }
      error_ = Error{"bytes that are not " + std::string(kind_) + " behind the " + std::string(kind_) +
                         " data, at byte " + std::to_string(consumed()),
                     core::printable(name_), "what came before was read"};
      return;
    }
    between_ = false;
    if (!restart()) error_ = Error{"out of memory", core::printable(name_), {}};
  }

  Error truncated() const {
    return {"truncated " + std::string(kind_) + " data at byte " + std::to_string(fetched_), core::printable(name_),
            "what came before was read; get the file again"};
  }
  Error corrupt(const char* what) const {
    return {"corrupt " + std::string(kind_) + " data near byte " + std::to_string(consumed()) + ", " + what,
            core::printable(name_), "what came before was read; get the file again"};
  }

  std::unique_ptr<ByteReader> inner_;
  std::string name_;
  string_view kind_;
  std::unique_ptr<char[]> buffer_;
  std::uint64_t fetched_ = 0;
  bool between_ = false;
  bool finished_ = false;
  std::optional<Error> error_;
};

bool is_gzip(string_view b) { return b.starts_with("\x1f\x8b\x08"); }  // RFC 1952

class GzipReader : public Decompressor {
 public:
  GzipReader(std::unique_ptr<ByteReader> inner, std::string name)
      : Decompressor(std::move(inner), std::move(name), "gzip"), state_(std::make_unique<inflate_state>()) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

 protected:
  Step decode(char*& out, char* end) override {
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in_));
    state_->avail_in = static_cast<std::uint32_t>(in_end_ - in_);
    state_->next_out = reinterpret_cast<std::uint8_t*>(out);
    state_->avail_out = static_cast<std::uint32_t>(std::min<size_t>(static_cast<size_t>(end - out), 1U << 30));
    const int result = isal_inflate(state_.get());
    in_ = in_end_ - state_->avail_in;
    out = reinterpret_cast<char*>(state_->next_out);
    switch (result) {
      case ISAL_DECOMP_OK:
      case ISAL_END_INPUT:
      case ISAL_OUT_OVERFLOW: break;
      case ISAL_INCORRECT_CHECKSUM: return {Verdict::kCorrupt, "the checksum does not match"};
      case ISAL_INVALID_WRAPPER:
      case ISAL_UNSUPPORTED_METHOD: return {Verdict::kCorrupt, "damaged header"};
      default: return {Verdict::kCorrupt, "invalid block"};
    }
    return {state_->block_state == ISAL_BLOCK_FINISH ? Verdict::kMemberEnds : Verdict::kMore};
  }
  bool begins_member(string_view bytes) const override { return is_gzip(bytes); }
  bool restart() override {
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
    return true;
  }

 private:
  std::unique_ptr<inflate_state> state_;
};

// RFC 8878: a frame, or a skippable frame (pzstd and seekable files begin or end with one).
bool is_zstd(string_view b) {
  return b.starts_with("\x28\xb5\x2f\xfd") ||
         (b.size() >= 4 && (b[0] & 0xf0) == 0x50 && b.substr(1, 3) == string_view("\x2a\x4d\x18"));
}

class ZstdReader : public Decompressor {
 public:
  ZstdReader(std::unique_ptr<ByteReader> inner, std::string name)
      : Decompressor(std::move(inner), std::move(name), "zstd"), stream_(ZSTD_createDStream()) {
    static_assert(kMostDictionary == std::uint64_t{1} << 27);
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdReader() override { ZSTD_freeDStream(stream_); }
  ZstdReader(const ZstdReader&) = delete;
  ZstdReader& operator=(const ZstdReader&) = delete;

 protected:
  Step decode(char*& out, char* end) override {
    if (stream_ == nullptr) return {Verdict::kCorrupt, "out of memory"};
    ZSTD_inBuffer input{in_, static_cast<size_t>(in_end_ - in_), 0};
    ZSTD_outBuffer output{out, static_cast<size_t>(end - out), 0};
    const size_t result = ZSTD_decompressStream(stream_, &output, &input);
    in_ += input.pos;
    out += output.pos;
    if (ZSTD_isError(result)) return {Verdict::kCorrupt, ZSTD_getErrorName(result)};
    return {result == 0 ? Verdict::kMemberEnds : Verdict::kMore};
  }
  bool begins_member(string_view bytes) const override { return is_zstd(bytes); }
  bool restart() override { return !ZSTD_isError(ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only)); }

 private:
  ZSTD_DStream* stream_;
};

enum class LzmaKind { kXz, kLzma, kLzip };

bool is_xz(string_view b) {
  return b.starts_with(
      string_view("\xfd"
                  "7zXZ\0",
                  6));
}
bool is_lzip(string_view b) { return b.starts_with("LZIP\x01") || b.starts_with(string_view("LZIP\0", 5)); }
// The old .lzma format has no magic: properties byte of every known encoder, a dictionary of at least 64 KiB, and a
// size that is unknown or below 2^40.
bool is_lzma(string_view b) {
  if (b.size() < 13 || !b.starts_with(string_view("\x5d\0\0", 3))) return false;
  const string_view size = b.substr(5, 8);
  return size == string_view("\xff\xff\xff\xff\xff\xff\xff\xff") || size.substr(5) == string_view("\0\0\0", 3);
}

class LzmaReader : public Decompressor {
 public:
  LzmaReader(std::unique_ptr<ByteReader> inner, std::string name, LzmaKind kind)
      : Decompressor(std::move(inner), std::move(name),
                     kind == LzmaKind::kXz     ? "xz"
                     : kind == LzmaKind::kLzma ? "lzma"
                                               : "lzip"),
        kind_(kind) {
    usable_ = restart();
  }
  ~LzmaReader() override { lzma_end(&stream_); }
  LzmaReader(const LzmaReader&) = delete;
  LzmaReader& operator=(const LzmaReader&) = delete;

 protected:
  Step decode(char*& out, char* end) override {
    if (!usable_) return {Verdict::kCorrupt, "out of memory"};
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in_);
    stream_.avail_in = static_cast<size_t>(in_end_ - in_);
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = static_cast<size_t>(end - out);
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    in_ = reinterpret_cast<const char*>(stream_.next_in);
    out = reinterpret_cast<char*>(stream_.next_out);
    switch (result) {
      case LZMA_OK:
      case LZMA_BUF_ERROR: return {};  // "no progress", which read() sees itself
      case LZMA_STREAM_END: return {Verdict::kMemberEnds};
      case LZMA_MEMLIMIT_ERROR: return {Verdict::kCorrupt, "the dictionary is larger than 128 MiB"};
      case LZMA_MEM_ERROR: return {Verdict::kCorrupt, "out of memory"};
      case LZMA_FORMAT_ERROR: return {Verdict::kCorrupt, "damaged header"};
      case LZMA_OPTIONS_ERROR: return {Verdict::kCorrupt, "unknown compression options"};
      default: return {Verdict::kCorrupt, "invalid block"};
    }
  }
  bool begins_member(string_view bytes) const override {
    return kind_ == LzmaKind::kXz ? is_xz(bytes) : kind_ == LzmaKind::kLzip && is_lzip(bytes);
  }
  bool restart() override {
    // The limit covers the dictionary and the decoder's tables.
    constexpr std::uint64_t kLimit = kMostDictionary + (2 << 20);
    switch (kind_) {
      case LzmaKind::kXz: return lzma_stream_decoder(&stream_, kLimit, 0) == LZMA_OK;
      case LzmaKind::kLzma: return lzma_alone_decoder(&stream_, kLimit) == LZMA_OK;
      case LzmaKind::kLzip: return lzma_lzip_decoder(&stream_, kLimit, 0) == LZMA_OK;
    }
    return false;
  }

 private:
  LzmaKind kind_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool usable_ = false;
};

bool is_bzip2(string_view b) {
  if (b.size() < 10 || !b.starts_with("BZh") || b[3] < '1' || b[3] > '9') return false;
  const string_view block = b.substr(4, 6);
  return block == "\x31\x41\x59\x26\x53\x59" ||
         block == "\x17\x72\x45\x38\x50\x90";  // a block, or the end of an empty stream
}

class Bzip2Reader : public Decompressor {
 public:
  Bzip2Reader(std::unique_ptr<ByteReader> inner, std::string name)
      : Decompressor(std::move(inner), std::move(name), "bzip2") {
    open_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }
  ~Bzip2Reader() override {
    if (open_) BZ2_bzDecompressEnd(&stream_);
  }
  Bzip2Reader(const Bzip2Reader&) = delete;
  Bzip2Reader& operator=(const Bzip2Reader&) = delete;

 protected:
  Step decode(char*& out, char* end) override {
    if (!open_) return {Verdict::kCorrupt, "out of memory"};
    stream_.next_in = const_cast<char*>(in_);
    stream_.avail_in = static_cast<unsigned>(in_end_ - in_);
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(std::min<size_t>(static_cast<size_t>(end - out), 1U << 30));
    const int result = BZ2_bzDecompress(&stream_);
    in_ = stream_.next_in;
    out = stream_.next_out;
    switch (result) {
      case BZ_OK: return {};
      case BZ_STREAM_END: return {Verdict::kMemberEnds};
      case BZ_MEM_ERROR: return {Verdict::kCorrupt, "out of memory"};
      case BZ_DATA_ERROR_MAGIC: return {Verdict::kCorrupt, "damaged header"};
      default: return {Verdict::kCorrupt, "invalid block or checksum"};
    }
  }
  bool begins_member(string_view bytes) const override { return is_bzip2(bytes); }
  bool restart() override {
    if (open_) BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    open_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    return open_;
  }

 private:
  bz_stream stream_{};
  bool open_ = false;
};

// POSIX.1-1988 ustar and older: the checksum of the first header block, which its own field counts in as blanks.
bool is_tar(string_view b) {
  if (b.size() < 512 || b[0] == 0) return false;
  unsigned stated = 0;
  size_t digits = 0;
  for (size_t i = 148; i < 156; ++i) {
    const char c = b[i];
    if (c >= '0' && c <= '7') {
      stated = stated * 8 + static_cast<unsigned>(c - '0');
      ++digits;
    } else if (c != ' ' && c != 0) {
      return false;
    }
  }
  if (digits < 4) return false;
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(b[i]);
  return sum == stated;
}

// What cannot be read but has a name, and what to do about it.
std::optional<Error> refuse(string_view head, const std::string& name) {
  const auto archive = [&](string_view kind, string_view how) {
    return Error{"is a " + std::string(kind) + " archive", core::printable(name),
                 "unpack it first: " + std::string(how)};
  };
  if (is_tar(head)) return archive("tar", "tar xf");
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return archive("zip", "unzip");
  if (head.starts_with("7z\xbc\xaf\x27\x1c")) return archive("7z", "7z x");
  if (head.starts_with("Rar!\x1a\x07")) return archive("rar", "unrar x");
  const auto compression = [&](string_view kind, string_view how) {
    return Error{"compressed with " + std::string(kind) + ", which is not read", core::printable(name),
                 "decompress it first: " + std::string(how)};
  };
  // nfdump's nffile.h: magic 0xA50C in the machine's order, version 1 or 2.
  if (head.starts_with(string_view("\x0c\xa5\x01\0", 4)) || head.starts_with(string_view("\x0c\xa5\x02\0", 4)))
    return Error{"is a binary file of nfdump", core::printable(name), "write it as text: nfdump -r FILE -o csv"};
  if (is_parquet(head))
    return Error{"is Parquet within a pipe or a compressed file", core::printable(name),
                 "give the Parquet file itself"};
  if (head.starts_with("\x04\x22\x4d\x18")) return compression("lz4", "lz4 -d");
  if (head.starts_with("\x1f\x9d")) return compression("compress", "uncompress");
  return std::nullopt;
}

// Recognises at the first read, so that opening waits for nothing.
class AutoReader : public ByteReader {
 public:
  AutoReader(std::unique_ptr<ByteReader> raw, std::string name)
      : top_(std::make_unique<Peeker>(std::move(raw))), name_(std::move(name)) {}

  Expected<size_t> read(char* out, size_t capacity) override {
    if (!recognised_) {
      recognised_ = true;
      recognise();
    }
    if (error_) return std::unexpected(*error_);
    return top_->read(out, capacity);
  }
  std::uint64_t compressed_position() const override { return top_->compressed_position(); }
  std::string compression() const override { return top_->compression(); }

 private:
  static constexpr int kMostLayers = 2;  // log rotation that compresses what was compressed already

  void recognise() {
    for (int layers = 0;; ++layers) {
      const string_view head = top_->peek();
      error_ = refuse(head, name_);
      if (error_) return;
      if (const string_view kind = cut_within_magic(head); !kind.empty()) {
        error_ = Error{"truncated " + std::string(kind) + " data at byte " + std::to_string(head.size()),
                       core::printable(name_), "get the file again"};
        return;
      }
      std::unique_ptr<ByteReader> layer;
      const auto wrap = [&]<typename Reader>(auto... more) {
        layer = std::make_unique<Reader>(std::move(top_), name_, more...);
      };
      const bool known =
          is_gzip(head) || is_zstd(head) || is_xz(head) || is_lzip(head) || is_lzma(head) || is_bzip2(head);
      if (!known) return;
      if (layers == kMostLayers) {
        error_ = Error{"compressed more than twice", core::printable(name_), "decompress it first"};
        return;
      }
      if (is_gzip(head)) {
        wrap.operator()<GzipReader>();
      } else if (is_zstd(head)) {
        wrap.operator()<ZstdReader>();
      } else if (is_bzip2(head)) {
        wrap.operator()<Bzip2Reader>();
      } else {
        wrap.operator()<LzmaReader>(is_xz(head) ? LzmaKind::kXz : is_lzip(head) ? LzmaKind::kLzip : LzmaKind::kLzma);
      }
      top_ = std::make_unique<Peeker>(std::move(layer));
    }
  }

  std::unique_ptr<Peeker> top_;
  std::string name_;
  bool recognised_ = false;
  std::optional<Error> error_;
};

}  // namespace

Expected<std::unique_ptr<ByteReader>> open(const Input& input, Progress* progress) {
  if (input.path == "-") return read_descriptor(STDIN_FILENO, "standard input", progress);
  int descriptor = -1;
  do {
    descriptor = ::open(input.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return std::unexpected(system_error(errno, input.path));
  auto raw = std::make_unique<DescriptorReader>(descriptor, true, input.path, progress);
  struct stat facts{};
  if (::fstat(descriptor, &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return std::unexpected(system_error(EISDIR, input.path));
    if (S_ISREG(facts.st_mode)) {
      char head[8];
      const ssize_t n = ::pread(descriptor, head, sizeof head, 0);
      if (n > 0 && is_parquet({head, static_cast<size_t>(n)}))
        return read_parquet(raw->release(), input.path, static_cast<std::uint64_t>(facts.st_size), progress);
      ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
  }
  return std::make_unique<AutoReader>(std::move(raw), input.path);
}

std::unique_ptr<ByteReader> read_descriptor(int descriptor, std::string name, Progress* progress) {
  auto raw = std::make_unique<DescriptorReader>(descriptor, false, name, progress);
  return std::make_unique<AutoReader>(std::move(raw), std::move(name));
}

std::unique_ptr<ByteReader> read_memory(std::string bytes, std::string name) {
  return std::make_unique<AutoReader>(std::make_unique<MemoryReader>(std::move(bytes)), std::move(name));
}

}  // namespace orbwatch::source
