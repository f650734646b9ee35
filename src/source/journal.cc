#include "source/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <isa-l/crc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/text.h"

namespace orbwatch::source {
namespace {

constexpr std::uint8_t kPositions = 255;  // kind of the first frame of a segment
constexpr std::size_t kHeader = Journal::kFrameHeader;
constexpr std::size_t kCovered = 8;  // where what the checksum covers begins
constexpr std::string_view kSuffix = ".seg";
constexpr std::size_t kNameDigits = 20;

struct Header {
  std::uint32_t length = 0;
  std::uint32_t checksum = 0;
  std::uint32_t source = 0;
  std::uint8_t kind = 0;
  std::uint8_t zero = 0;
  std::uint16_t port = 0;
  core::Ip peer;
  std::int64_t received = 0;
  std::uint64_t stream = 0;
  std::uint64_t position = 0;
};
static_assert(sizeof(Header) == kHeader && std::is_trivially_copyable_v<Header>);
static_assert(std::endian::native == std::endian::little, "the journal's numbers are little endian");

constexpr std::size_t padded(std::size_t length) { return (length + 7) & ~std::size_t{7}; }
constexpr std::size_t frame_size(std::size_t length) { return kHeader + padded(length); }

// Of a frame without its padding.
std::uint32_t checksum(std::string_view frame) {
  // The library's function reads only; its parameter is not const.
  frame.remove_prefix(kCovered);
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(frame.data()));
  return crc32_iscsi(bytes, static_cast<int>(frame.size()), 0xffffffffU);
}

void append_frame(std::string& out, Header header, std::string_view payload) {
  header.length = static_cast<std::uint32_t>(payload.size());
  const std::size_t at = out.size();
  out.resize(at + frame_size(payload.size()));
  std::memcpy(out.data() + at, &header, kHeader);
  if (!payload.empty()) std::memcpy(out.data() + at + kHeader, payload.data(), payload.size());  // ticks have none
  header.checksum = checksum(std::string_view(out).substr(at, kHeader + payload.size()));
  std::memcpy(out.data() + at + offsetof(Header, checksum), &header.checksum, sizeof(header.checksum));
}

// The largest payload of a frame that was written by us: arrivals, or the positions of all streams.
std::size_t most_payload(const JournalOptions& options) {
  return std::max(kMostArrival, options.most_streams * 2 * sizeof(std::uint64_t));
}

// The frame at the front: false if it is not whole or not right.
bool take_frame(std::string_view& bytes, std::size_t most, Header& header, std::string_view& payload) {
  if (bytes.size() < kHeader) return false;
  std::memcpy(&header, bytes.data(), kHeader);
  if (header.length > most || frame_size(header.length) > bytes.size()) return false;
  if (header.checksum != checksum(bytes.substr(0, kHeader + header.length))) return false;
  payload = bytes.substr(kHeader, header.length);
  bytes.remove_prefix(frame_size(header.length));
  return true;
}

std::string system_text() { return std::strerror(errno); }

// Reads up to `size` bytes from `offset` on; short at the end of the file.
core::Expected<std::size_t> read_at(int file, char* out, std::size_t size, std::uint64_t offset,
                                    const std::string& path) {
  std::size_t done = 0;
  while (done < size) {
    const auto n = ::pread(file, out + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return core::fail("cannot read the journal", fmt::format("{}: {}", path, system_text()));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

std::string Journal::path_of(std::uint64_t begin) const {
  return fmt::format("{}/{:020}{}", options_.folder, begin, kSuffix);
}

core::Expected<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options) {
  std::unique_ptr<Journal> journal(new Journal(options));
  if (auto ok = journal->recover(); !ok) return std::unexpected(ok.error());
  if (options.sync_every.count() > 0) journal->syncer_ = std::thread([j = journal.get()] { j->sync_loop(); });
  return journal;
}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (syncer_.joinable()) syncer_.join();
  // Nobody is left to tell; the kernel has the bytes, and recover() checks them.
  if (const auto synced = sync(); !synced) trouble_ = synced.error().text();
  for (const int file : {writing_, reading_, lock_}) {
    if (file >= 0) ::close(file);
  }
}

core::Expected<void> Journal::recover() {
  const std::string& folder = options_.folder;
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST)
    return core::fail("cannot make the journal's folder", fmt::format("{}: {}", folder, system_text()),
                      "make it, or name another state folder");
  const std::string lock = folder + "/lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock_ < 0)
    return core::fail("cannot write the journal", fmt::format("{}: {}", lock, system_text()),
                      "the state folder must be writable for the user that orbwatch runs as");
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return core::fail("the journal is in use by another process", folder, "one service for one state folder");

  DIR* const open = ::opendir(folder.c_str());
  if (open == nullptr) return core::fail("cannot read the journal", fmt::format("{}: {}", folder, system_text()));
  while (const dirent* const entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) continue;
    const auto begin = core::parse_number<std::uint64_t>(name.substr(0, kNameDigits));
    struct stat info{};
    if (!begin || ::stat(path_of(*begin).c_str(), &info) != 0) continue;
    segments_.push_back({*begin, *begin + static_cast<std::uint64_t>(info.st_size)});
  }
  ::closedir(open);
  std::sort(segments_.begin(), segments_.end(), [](const Segment& a, const Segment& b) { return a.begin < b.begin; });

  // The newest segment tells the positions of all streams. If a kill came while it was begun, it has nothing.
  while (!segments_.empty()) {
    Segment& last = segments_.back();
    streams_.clear();
    const auto whole = scan(last);
    if (!whole) return std::unexpected(whole.error());
    cut_bytes_ += last.end - last.begin - *whole;
    last.end = last.begin + *whole;
    if (*whole != 0) break;
    ::unlink(path_of(last.begin).c_str());
    segments_.pop_back();
  }
  for (std::size_t i = 1; i < segments_.size(); ++i) {
    if (segments_[i - 1].end > segments_[i].begin)
      return core::fail(
          "the journal's segments overlap", path_of(segments_[i].begin),
          "restore the state folder from a backup, or move the journal away: what was not worked on is lost then");
    segments_[i - 1].end = segments_[i].begin;
  }
  if (segments_.empty() || end_ < options_.at_least) {
    end_ = std::max(end_.load(), options_.at_least);
    if (!segments_.empty()) segments_.back().end = end_;
    if (auto ok = start_segment(); !ok) return ok;
  } else {
    const std::string path = path_of(segments_.back().begin);
    writing_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const auto size = static_cast<off_t>(segments_.back().end - segments_.back().begin);
    if (writing_ < 0 || ::ftruncate(writing_, size) != 0 || ::lseek(writing_, size, SEEK_SET) != size)
      return core::fail("cannot write the journal", fmt::format("{}: {}", path, system_text()));
    end_ = segments_.back().end;
  }
  begin_ = segments_.front().begin;
  return {};
}

core::Expected<std::uint64_t> Journal::scan(const Segment& segment) {
  const std::string path = path_of(segment.begin);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return core::fail("cannot read the journal", fmt::format("{}: {}", path, system_text()));
  std::string all(segment.end - segment.begin, '\0');
  const auto got = read_at(file, all.data(), all.size(), 0, path);
  ::close(file);
  if (!got) return std::unexpected(got.error());
  std::string_view rest(all.data(), *got);
  Header header;
  std::string_view payload;
  while (take_frame(rest, most_payload(options_), header, payload)) {
    end_ = segment.begin + (*got - rest.size());
    if (header.kind == kPositions) {
      for (std::size_t i = 0; i + 16 <= payload.size(); i += 16) {
        std::uint64_t pair[2];
        std::memcpy(pair, payload.data() + i, 16);
        note_stream(pair[0], pair[1]);
      }
    } else if (header.stream != 0) {
      note_stream(header.stream, header.position);
    }
  }
  return *got - rest.size();
}

void Journal::note_stream(std::uint64_t stream, std::uint64_t position) {
  if (streams_.size() >= options_.most_streams && !streams_.contains(stream)) {
    // Rare, and all at once, so that it is paid for seldom: the half that was not used for longest goes.
    std::vector<std::uint64_t> used;
    used.reserve(streams_.size());
    for (const auto& [key, value] : streams_) used.push_back(value.used);
    const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
    std::nth_element(used.begin(), middle, used.end());
    const std::uint64_t oldest = *middle;
    absl::erase_if(streams_, [&](const auto& entry) { return entry.second.used < oldest; });
    if (streams_.size() >= options_.most_streams) streams_.clear();
  }
  streams_[stream] = {position, end_.load(std::memory_order_relaxed)};
}

// Under the lock, or before there are threads.
core::Expected<void> Journal::start_segment() {
  const std::uint64_t begin = end_.load(std::memory_order_relaxed);
  const std::string path = path_of(begin);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return core::fail("cannot write the journal", fmt::format("{}: {}", path, system_text()));
  std::string positions;
  for (const auto& [stream, value] : streams_) {
    const std::uint64_t pair[2] = {stream, value.position};
    positions.append(reinterpret_cast<const char*>(pair), sizeof(pair));
  }
  std::string frame;
  Header header;
  header.kind = kPositions;
  append_frame(frame, header, positions);
  const int before = writing_;
  writing_ = file;
  segments_.push_back({begin, begin});
  if (auto ok = write(frame); !ok) {
    ::close(file);
    ::unlink(path.c_str());
    writing_ = before;
    segments_.pop_back();
    return ok;
  }
  if (before >= 0) {
    ::fdatasync(before);
    ::close(before);
  }
  return {};
}

// Appends to the open segment: all of it or nothing.
core::Expected<void> Journal::write(const std::string& bytes) {
  Segment& segment = segments_.back();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::pwrite(writing_, bytes.data() + done, bytes.size() - done,
                            static_cast<off_t>(segment.end - segment.begin + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string why = n == 0 ? "nothing was written" : system_text();
      if (::ftruncate(writing_, static_cast<off_t>(segment.end - segment.begin)) != 0) {
        // The rest of the frame stays behind the end; it is overwritten by the next, or cut off by recover().
      }
      return core::fail("cannot write the journal", fmt::format("{}: {}", path_of(segment.begin), why),
                        "make room on the disk; senders that can wait are kept waiting");
    }
    done += static_cast<std::size_t>(n);
  }
  segment.end += bytes.size();
  unsynced_ = true;
  end_.store(segment.end, std::memory_order_release);
  return {};
}

Intake::Taken Journal::take(std::span<const Arrival> arrivals) {
  const std::unique_lock lock(mutex_);
  std::size_t bytes = 0;
  for (const Arrival& a : arrivals) bytes += frame_size(a.bytes.size());
  if (end_.load(std::memory_order_relaxed) - begin_.load(std::memory_order_relaxed) + bytes > options_.most_bytes) {
    ++refused_;
    return Taken::kFull;
  }
  frames_.clear();
  for (const Arrival& a : arrivals) {
    Header header;
    header.source = a.source;
    header.kind = static_cast<std::uint8_t>(a.kind);
    header.port = a.peer_port;
    header.peer = a.peer;
    header.received = a.received;
    header.stream = a.stream;
    header.position = a.position;
    append_frame(frames_, header, a.bytes.substr(0, kMostArrival));
  }
  core::Expected<void> done;
  const Segment& last = segments_.back();
  if (last.end - last.begin >= options_.segment_bytes) done = start_segment();
  if (done) done = write(frames_);
  if (done && options_.sync_every.count() == 0 && ::fdatasync(writing_) != 0)
    done = core::fail("cannot write the journal", system_text());
  if (!done) {
    ++failures_;
    trouble_ = done.error().text();
    return Taken::kFailed;
  }
  trouble_.clear();
  for (const Arrival& a : arrivals) {
    if (a.stream != 0) note_stream(a.stream, a.position);
  }
  more_.notify_all();
  return Taken::kYes;
}

std::uint64_t Journal::position(std::uint64_t stream) const {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  return found == streams_.end() ? 0 : found->second.position;
}

std::string Journal::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

bool Journal::wait(std::uint64_t position, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  more_.wait_for(lock, timeout, [&] { return woken_ || end_.load(std::memory_order_relaxed) > position; });
  woken_ = false;
  return end_.load(std::memory_order_relaxed) > position;
}

void Journal::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  more_.notify_all();
}

core::Expected<void> Journal::read(std::uint64_t& position, std::size_t most_bytes, std::vector<Entry>& out) {
  out.clear();
  while (out.empty()) {
    Segment segment;
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      position = std::max(position, begin_.load(std::memory_order_relaxed));
      const auto behind =
          std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) { return s.begin > position; });
      segment = *(behind - 1);
      last = behind == segments_.end();
    }
    if (position >= segment.end) {
      if (last) return {};
      position = segment.end;
      continue;
    }
    const std::string path = path_of(segment.begin);
    if (reading_begin_ != segment.begin) {
      if (reading_ >= 0) ::close(reading_);
      reading_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      reading_begin_ = reading_ < 0 ? UINT64_MAX : segment.begin;
      if (reading_ < 0) return core::fail("cannot read the journal", fmt::format("{}: {}", path, system_text()));
    }
    const std::uint64_t left = segment.end - position;
    std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left, std::max(most_bytes, kHeader)));
    while (true) {
      buffer_.resize(want);
      buffer_.reserve(want + core::kPadding);
      const auto got = read_at(reading_, buffer_.data(), want, position - segment.begin, path);
      if (!got) return std::unexpected(got.error());
      std::string_view rest(buffer_.data(), *got);
      Header header;
      std::string_view payload;
      bool frames = false;
      while (take_frame(rest, most_payload(options_), header, payload)) {
        frames = true;
        if (header.kind == kPositions) continue;
        const std::uint64_t end = position + (*got - rest.size());
        out.push_back({{header.source, static_cast<ArrivalKind>(header.kind), header.peer, header.port, header.received,
                        header.stream, header.position, payload},
                       end - frame_size(header.length),
                       end});
      }
      position += *got - rest.size();
      if (frames) break;
      // The first frame is longer than what was read, or damaged.
      if (want < left && *got == want) {
        const std::size_t most = frame_size(most_payload(options_));
        if (want < most) {
          want = static_cast<std::size_t>(std::min<std::uint64_t>(left, most));
          continue;
        }
      }
      damaged_bytes_ += segment.end - position;
      position = segment.end;
      break;
    }
  }
  return {};
}

void Journal::release(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  while (segments_.size() > 1 && segments_.front().end <= position) {
    ::unlink(path_of(segments_.front().begin).c_str());
    segments_.pop_front();
  }
  begin_.store(segments_.front().begin, std::memory_order_release);
}

core::Expected<void> Journal::sync() {
  int file = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!unsynced_ || writing_ < 0) return {};
    unsynced_ = false;
    file = ::dup(writing_);  // the segment may be closed meanwhile
  }
  if (file < 0) return {};
  const bool good = ::fdatasync(file) == 0;
  ::close(file);
  if (good) return {};
  return core::fail("cannot write the journal", system_text());
}

void Journal::sync_loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    stop_.wait_for(lock, options_.sync_every, [&] { return stopping_; });
    lock.unlock();
    const auto done = sync();
    lock.lock();
    if (!done) trouble_ = done.error().text();
  }
}

}  // namespace orbwatch::source
