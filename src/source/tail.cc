#include "source/tail.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "core/symbol.h"
#include "core/text.h"
#include "source/expand.h"
#include "source/sockets.h"

namespace orbwatch::source {
namespace {

using Clock = std::chrono::steady_clock;
using std::size_t;
using std::string_view;
using std::uint64_t;
using std::chrono::milliseconds;

constexpr size_t kHead = 256;
constexpr size_t kTail = 64;            // bytes in front of the position that are remembered
constexpr size_t kRead = kMostArrival;  // bytes read at once
constexpr milliseconds kRound{20};      // between two readings, so that many small writes are one Arrival
constexpr milliseconds kRescan{100};    // between two scans, however busy the directories are
constexpr milliseconds kRetryFull{100};
constexpr milliseconds kRetryFailed{1000};
constexpr milliseconds kCloseIdle{60'000};  // a file read to its end that does not grow is closed
constexpr milliseconds kCopyWait{5000};     // a file that begins as another may be a copy that is still being written
constexpr int kOriginals = 4;               // files of a log that are asked for whether another is their copy
constexpr size_t kMostWatches = 4096;       // directories watched with inotify
constexpr auto kLogInterval = std::chrono::seconds(3600);

using FileId = std::pair<uint64_t, uint64_t>;  // device, inode

// What a place in a file is recognised by: its beginning and what stands in front of the place.
struct Place {
  uint64_t position = 0;
  std::string head;  // the first min(256, position) bytes
  std::string tail;  // the last min(64, position) bytes in front of the position
};

struct Followed {
  FileId id;
  std::string path;
  std::string group;
  Descriptor file;  // closed while nothing happens
  Place place;
  bool decided = false;   // it is known where to begin
  bool skipped = false;   // compressed, or one too many
  bool unsaved = false;   // the place is to be noted in the Intake
  bool from_end = false;  // begin at the end, if it was never seen
  bool renamed = false;
  bool gone = false;   // no path leads to it any more
  bool found = false;  // by the present scan
  size_t order = 0;    // in the scan
  // Looked at ahead of the place up to here without finding what would move it: the end of a long line, or what follows
  // zeros.
  uint64_t scanned = 0;
  bool scanning_zeros = false;
  uint64_t size = 0;  // when it was last looked at
  timespec modified{};
  bool settled = false;  // read to what is its end at this size
  Clock::time_point grown;
};

bool has_compressed_name(string_view path) {
  static constexpr std::array<string_view, 12> kEnds = {".gz", ".gzip", ".zst", ".zstd", ".xz", ".bz2",
                                                        ".bz", ".lzma", ".lz",  ".lz4",  ".Z",  ".zip"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](string_view end) { return path.ends_with(end); });
}

bool has_compressed_content(string_view head) {
  using std::literals::operator""sv;
  static constexpr std::array<string_view, 6> kMagics = {"\x1f\x8b\x08"sv,
                                                         "\x28\xb5\x2f\xfd"sv,
                                                         "\xfd"
                                                         "7zXZ\0"sv,
                                                         "BZh"sv,
                                                         "LZIP"sv,
                                                         "\x04\x22\x4d\x18"sv};
  return std::any_of(kMagics.begin(), kMagics.end(), [&](string_view magic) { return head.starts_with(magic); });
}

// The directory up to which a path has no pattern.
std::string directory_of(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) return path;
  const auto magic = path.find_first_of("*?[");
  const auto slash = path.rfind('/', magic == path.npos ? path.npos : magic);
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string read_at(int file, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(file, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

Place place_at(int file, uint64_t position) {
  Place place;
  place.position = position;
  place.head = read_at(file, 0, std::min<uint64_t>(position, kHead));
  const size_t tail = std::min<uint64_t>(position, kTail);
  place.tail = read_at(file, position - tail, tail);
  return place;
}

// Is the place of that content in this file, too?
bool is_place_of(int file, const Place& place) {
  return read_at(file, 0, place.head.size()) == place.head &&
         read_at(file, place.position - place.tail.size(), place.tail.size()) == place.tail;
}

class Tail final : public Collector {
 public:
  Tail(const TailOptions& options, Intake& intake, Log log)
      : options_(options),
        intake_(intake),
        log_(std::move(log), "files", kLogInterval),
        buffer_(std::make_unique_for_overwrite<char[]>(kRead)) {
    options_.longest_record = std::clamp<size_t>(options_.longest_record, 1, kMostArrival / 2);
  }
  ~Tail() override { stop(); }

  core::Expected<void> start() override {
    if (options_.paths.empty()) return core::fail("no files to follow", "", "name a file, a directory or a pattern");
    for (const std::string& path : options_.paths) {
      if (path == "-") return core::fail("standard input cannot be followed", path, "name a file");
    }
    if (auto opened = stop_.open(); !opened) return opened;
    if (options_.notify) {
      inotify_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
      if (!inotify_.open()) {
        log_.say(LogLevel::kWarning, "inotify", "no inotify, files are polled: " + system_text(errno));
      }
    }
    auto thread = quiet_thread("collect-files", [this] { run(); });
    if (!thread) return std::unexpected(thread.error());
    thread_ = std::move(*thread);
    return {};
  }

  void stop() override {
    if (!thread_.joinable()) return;
    stop_.raise();
    thread_.join();
  }

  Counters counters() const override { return counters_.read(); }

 private:
  void run() {
    bool first = true;
    while (true) {
      const auto begin = Clock::now();
      now_ = begin;
      if (rescan_) rescan_at(last_scan_ + kRescan);
      if (first || begin >= next_scan_) scan(first);
      first = false;
      const bool more = round();
      if (stopped(more ? milliseconds(0) : kRound)) return;
      if (more) continue;
      if (wait()) return;
    }
  }

  // Waits for a while; true if it is time to stop.
  bool stopped(milliseconds time) const {
    pollfd wait{stop_.descriptor(), POLLIN, 0};
    return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
  }

  // Until something happens; true if it is time to stop.
  bool wait() {
    Clock::time_point until = next_scan_;
    if (retry_ != Clock::time_point{}) until = std::min(until, retry_);
    const auto left = std::max<std::int64_t>(std::chrono::ceil<milliseconds>(until - Clock::now()).count(), 0);
    std::array<pollfd, 2> both{{{stop_.descriptor(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
    ::poll(both.data(), inotify_.open() ? 2 : 1, static_cast<int>(std::min<std::int64_t>(left, options_.poll.count())));
    if (both[0].revents != 0) return true;
    if (inotify_.open()) read_events();
    return false;
  }

  // --- which files

  void read_events() {
    alignas(inotify_event) std::array<char, 16384> bytes;
    while (true) {
      const ssize_t n = ::read(inotify_.get(), bytes.data(), bytes.size());
      if (n <= 0) return;
      for (size_t at = 0; at < static_cast<size_t>(n);) {
        inotify_event event;
        std::memcpy(&event, bytes.data() + at, sizeof event);
        const char* const name = bytes.data() + at + sizeof event;
        at += sizeof event + event.len;
        if ((event.mask & IN_IGNORED) != 0) {  // the directory is gone
          if (const auto watch = watches_.find(event.wd); watch != watches_.end()) {
            watched_.erase(watch->second);
            watches_.erase(watch);
          }
          rescan_ = true;
        } else if ((event.mask & IN_MODIFY) == 0) {
          if ((event.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(inotify_.get(), event.wd);  // says IN_IGNORED
          rescan_ = true;
        } else if (const auto watch = watches_.find(event.wd); watch != watches_.end() && event.len != 0) {
          // Other files of the directory may be as busy as they like.
          auto by_path = paths_.find(watch->second + "/" + name);
          if (by_path == paths_.end() && watch->second == ".") by_path = paths_.find(string_view(name));
          if (by_path != paths_.end()) by_path->second->settled = false;
        }
      }
    }
  }

  void watch(const std::string& directory) {
    if (!inotify_.open() || watched_.contains(directory) || watched_.size() >= kMostWatches) return;
    const int number = ::inotify_add_watch(
        inotify_.get(), directory.c_str(),
        IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (number < 0) {
      if (errno != ENOENT && errno != ENOTDIR) {
        log_.say(LogLevel::kNote, "watch",
                 "no inotify for " + core::printable(directory) + ", it is polled: " + system_text(errno));
      }
      return;
    }
    if (const auto before = watches_.find(number); before != watches_.end()) watched_.erase(before->second);
    watches_[number] = directory;
    watched_.insert(directory);
  }

  void scan(bool first) {
    rescan_ = false;
    last_scan_ = now_;
    next_scan_ = now_ + options_.poll;
    // The directories first: what appears while they are read is then said.
    for (const std::string& path : options_.paths) watch(directory_of(path));
    const auto expansion = expand(options_.paths);
    if (!expansion) return;  // only for no paths
    for (const Unreadable& file : expansion->unreadable) {
      log_.say(LogLevel::kNote, "unreadable", "waiting for " + file.error.text());
    }
    for (const auto& file : files_) file->found = false;
    size_t order = 0;
    size_t skipped = 0;
    for (const Input& input : expansion->inputs) {
      if (!input.regular) continue;
      ++order;
      struct stat facts{};
      if (::stat(input.path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
      const FileId id{facts.st_dev, facts.st_ino};
      auto at = by_id_.find(id);
      if (at == by_id_.end()) {
        if (files_.size() >= options_.most_files) {
          ++skipped;
          log_.say(LogLevel::kWarning, "files",
                   core::printable(input.path) + " is not followed: there are " + std::to_string(options_.most_files) +
                       " already");
          continue;
        }
        auto& file = *files_.emplace_back(std::make_unique<Followed>());
        file.id = id;
        file.path = input.path;
        file.grown = now_;
        file.from_end = first && options_.start == TailOptions::Start::kEnd;
        file.skipped = has_compressed_name(input.path);
        at = by_id_.emplace(id, &file).first;
      }
      Followed& file = *at->second;
      if (file.skipped && (file.path != input.path || note_change(file, facts))) {
        // Perhaps another file that has got the inode of the compressed one.
        file.skipped = has_compressed_name(input.path);
        file.decided = false;
        file.file.reset();
        file.path = input.path;
      }
      file.found = true;
      file.order = order;
      file.group = input.group;
      if (file.path != input.path) {
        counters_.add(&Counters::rotations);
        file.path = input.path;
        file.renamed = true;
        file.settled = false;
      }
      file.gone = false;
      skipped += file.skipped;
      note_change(file, facts);
      const auto slash = input.path.rfind('/');
      watch(slash == input.path.npos ? "." : slash == 0 ? "/" : input.path.substr(0, slash));
    }
    for (const auto& file : files_) {
      if (file->found || file->gone) continue;
      file->gone = true;
      file->order = 0;  // older than all that is there
      file->settled = false;
      if (!file->skipped) counters_.add(&Counters::rotations);
    }
    std::stable_sort(files_.begin(), files_.end(), [](const auto& a, const auto& b) { return a->order < b->order; });
    paths_.clear();
    for (const auto& file : files_) paths_[file->path] = file.get();
    counters_.set(&Counters::skipped_files, skipped);
  }

  // True if the file is not as it was when last looked at.
  bool note_change(Followed& file, const struct stat& facts) {
    const auto size = static_cast<uint64_t>(facts.st_size);
    if (size == file.size && facts.st_mtim.tv_sec == file.modified.tv_sec &&
        facts.st_mtim.tv_nsec == file.modified.tv_nsec) {
      return false;
    }
    file.size = size;
    file.modified = facts.st_mtim;
    file.grown = now_;
    file.settled = false;
    return true;
  }

  // --- reading

  // Each group gets one turn; true if one of them has more and the Intake takes it.
  bool round() {
    if (retry_ != Clock::time_point{} && Clock::now() < retry_) return false;
    retry_ = {};
    bool more = false;
    std::set<string_view> busy;  // a rotated log is read in its order: the older file first, to its end
    uint64_t following = 0;
    for (const auto& each : files_) {
      Followed& file = *each;
      const bool waits = retry_ != Clock::time_point{} || (!file.gone && busy.contains(file.group));
      if (!file.skipped && !waits && turn(file)) {
        more = true;
        busy.insert(file.group);
      }
      following += !file.skipped;
      if (more && stopped(milliseconds(0))) break;
    }
    counters_.set(&Counters::files, following);
    std::erase_if(files_, [&](const std::unique_ptr<Followed>& file) {
      if (!file->gone || (!file->skipped && file->file.open())) return false;
      by_id_.erase(file->id);
      if (const auto path = paths_.find(file->path); path != paths_.end() && path->second == file.get()) {
        paths_.erase(path);
      }
      return true;
    });
    return more && retry_ == Clock::time_point{};
  }

  // Reads one piece of a file. True if there is more.
  bool turn(Followed& file) {
    if (file.gone && !file.file.open()) return false;
    if (!file.settled) {
      if (!open(file)) return false;
      struct stat facts{};
      if (::fstat(file.file.get(), &facts) != 0) return fail(file, "cannot look at");
      note_change(file, facts);
      if (!file.decided && !decide(file)) return false;
      if (file.unsaved && !note_place(file)) return false;
      if (changed(file)) restart(file);
      if (file.size > file.place.position) {
        if (read_piece(file)) return true;
        if (retry_ != Clock::time_point{}) return false;
      }
      file.settled = true;
    }
    // The file does not grow at present.
    const auto quiet = now_ - file.grown;
    const bool rotated = file.gone || file.renamed;
    if (!file.file.open()) return false;
    if (!file.decided) {
      if (file.gone && quiet >= options_.rotated_wait) file.file.reset();
      return false;
    }
    if (file.size > file.place.position &&
        ((rotated && quiet >= options_.rotated_wait) ||
         (options_.unfinished_wait.count() != 0 && quiet >= options_.unfinished_wait))) {
      if (!take_unfinished(file)) return false;
    }
    if (file.gone && quiet >= options_.rotated_wait) {
      // One more look: it may have been written to since.
      struct stat facts{};
      if (::fstat(file.file.get(), &facts) == 0 && static_cast<uint64_t>(facts.st_size) > file.size) {
        file.settled = false;
        return true;
      }
      file.file.reset();
    } else if (!file.gone && quiet >= kCloseIdle && file.size == file.place.position) {
      file.file.reset();
    }
    return false;
  }

  bool fail(Followed& file, const char* what) {
    counters_.add(&Counters::errors);
    log_.say(LogLevel::kWarning, "read",
             std::string(what) + " " + core::printable(file.path) + ": " + system_text(errno));
    file.settled = true;
    return false;
  }

  bool open(Followed& file) {
    if (file.file.open()) return true;
    Descriptor opened(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!opened.open()) {
      if (errno == ENOENT) {
        rescan_ = true;
        return false;
      }
      return fail(file, "cannot open");
    }
    struct stat facts{};
    if (::fstat(opened.get(), &facts) != 0) return fail(file, "cannot look at");
    if (FileId{facts.st_dev, facts.st_ino} != file.id || !S_ISREG(facts.st_mode)) {
      rescan_ = true;  // another file has come to the path since the scan
      return false;
    }
    file.file = std::move(opened);
    return true;
  }

  // Where to begin. False: not yet.
  bool decide(Followed& file) {
    const int number = file.file.get();
    const std::string head = read_at(number, 0, std::min<uint64_t>(file.size, kHead));
    if (head.empty()) {
      file.settled = true;
      // An empty file has no end to begin at: what comes is new.
      file.from_end = false;
      return false;
    }
    if (has_compressed_content(head)) {
      file.skipped = true;
      file.file.reset();
      counters_.add(&Counters::skipped_files);
      return false;
    }
    if (const uint64_t known = known_position(file.id, head); known != 0) {
      if (known <= file.size) file.place = place_at(number, known);
      file.decided = true;
      return true;
    }
    switch (find_copied(file, head)) {
      case Copied::kPerhaps:
        file.settled = false;
        rescan_at(last_scan_ + kRescan);
        return false;
      case Copied::kYes: file.unsaved = true; break;
      case Copied::kNo:
        if (file.from_end) {
          file.place = place_at(number, last_line_end(number, file.size));
          file.unsaved = file.place.position != 0;
        }
    }
    file.decided = true;
    return true;
  }

  uint64_t known_position(const FileId& id, string_view head) const {
    for (size_t n = head.size(); n != 0; --n) {
      const uint64_t position = intake_.position(stream_of_file(id.first, id.second, head.substr(0, n)));
      // Below the full length the position is the length: another one is an accident.
      if (n == kHead ? position >= kHead : position == n) return position;
    }
    return 0;
  }

  enum class Copied : std::uint8_t { kNo, kPerhaps, kYes };
  // Is it the copy of a file that was read up to some place and then emptied? The Intake knows the place under the
  // original's inode. Only a file that has the name of an older one of the same log can be a copy: logs that begin with
  // the same header are none.
  Copied find_copied(Followed& file, string_view head) {
    const Rotation rotation = rotation_of(file.path);
    uint64_t known = 0;
    int asked = 0;
    for (auto at = files_.rbegin(); at != files_.rend() && asked < kOriginals; ++at) {  // the newest first
      const Followed& other = **at;
      if (&other == &file || other.group != file.group || !older(rotation, rotation_of(other.path))) continue;
      known = std::max(known, known_position(other.id, head));
      ++asked;
    }
    if (known == 0) return Copied::kNo;
    // It may still be written. Otherwise the original was read further than the copy goes.
    if (known > file.size && now_ - file.grown < kCopyWait) return Copied::kPerhaps;
    file.place = place_at(file.file.get(), std::min(known, file.size));
    return Copied::kYes;
  }

  void rescan_at(Clock::time_point time) { next_scan_ = std::min(next_scan_, time); }

  uint64_t last_line_end(int number, uint64_t size) const {
    const size_t n = std::min<uint64_t>(size, options_.longest_record);
    const std::string end = read_at(number, size - n, n);
    const auto newline = end.rfind('\n');
    return newline == end.npos ? size : size - n + newline + 1;
  }

  bool changed(const Followed& file) const {
    return file.size < file.place.position || !is_place_of(file.file.get(), file.place);
  }

  void restart(Followed& file) {
    counters_.add(&Counters::truncations);
    file.place = {};
    file.scanned = 0;
    file.scanning_zeros = false;
  }

  // Takes one piece. True if there may be more.
  bool read_piece(Followed& file) {
    const int number = file.file.get();
    const uint64_t from = std::max(file.place.position, file.scanned);
    const ssize_t n = ::pread(number, buffer_.get(), kRead, static_cast<off_t>(from));
    if (n < 0) return fail(file, "cannot read");
    const string_view bytes(buffer_.get(), static_cast<size_t>(n));
    if (bytes.empty()) return false;
    if (file.scanned > file.place.position) return scan_ahead(file, bytes);

    // Zeros in front of the lines.
    const size_t begin = std::min(bytes.find_first_not_of('\0'), bytes.size());
    // Whole lines, up to one that cannot be given as it is.
    size_t end = begin;
    uint64_t records = 0;
    while (end < bytes.size() && bytes[end] != '\0') {
      const size_t newline = bytes.find('\n', end);
      if (newline == bytes.npos || newline - end > options_.longest_record) break;
      end = newline + 1;
      ++records;
    }
    if (end != begin) {
      if (!take(file, bytes.substr(begin, end - begin), from + end, records)) return false;
      return from + end < file.size && (bytes.size() == kRead || bytes.find('\n', end) != bytes.npos);
    }
    if (const size_t newline = bytes.find('\n', begin); newline != bytes.npos) {
      if (!take_cut(file, bytes.substr(begin, newline - begin), from + newline + 1)) return false;
      return from + newline + 1 < file.size;
    }
    if (begin != 0 && begin < bytes.size()) {  // the line may end within another buffer
      file.place = place_at(number, from + begin);
      return bytes.size() == kRead;
    }
    // One line, or zeros, and longer than the buffer.
    if (bytes.size() < kRead) return false;
    file.scanning_zeros = bytes[0] == '\0';
    file.scanned = from + bytes.size();
    return true;
  }

  // Looks for the end of a line that is longer than the buffer, or for the end of zeros.
  bool scan_ahead(Followed& file, string_view bytes) {
    if (file.scanning_zeros) {
      const auto other = bytes.find_first_not_of('\0');
      if (other == bytes.npos) {
        file.scanned += bytes.size();
        return file.scanned < file.size;
      }
      // The zeros are passed over; no record came of them, so nothing is noted.
      file.place = place_at(file.file.get(), file.scanned + other);
      file.scanned = 0;
      return true;
    }
    const auto newline = bytes.find('\n');
    if (newline == bytes.npos) {
      file.scanned += bytes.size();
      return file.scanned < file.size;
    }
    const uint64_t end = file.scanned + newline + 1;
    return take_cut(file, read_at(file.file.get(), file.place.position, options_.longest_record + 1), end) &&
           end < file.size;
  }

  bool take_unfinished(Followed& file) {
    const std::string rest = read_at(file.file.get(), file.place.position, options_.longest_record + 1);
    if (rest.find_first_not_of('\0') == rest.npos) return true;  // room that a writer has set aside
    if (!take_cut(file, rest, file.size)) return false;
    counters_.add(&Counters::unfinished);
    return true;
  }

  // One record that ends at `position`, as much of it as a record may have.
  bool take_cut(Followed& file, string_view line, uint64_t position) {
    record_ = line.substr(0, options_.longest_record);
    record_ += '\n';
    if (!take(file, record_, position, 1)) return false;
    counters_.add(&Counters::oversize, line.size() > options_.longest_record);
    return true;
  }

  // Hands over what ends at `position` of the file. False: the Intake does not take it now.
  bool take(Followed& file, string_view bytes, uint64_t position, uint64_t records) {
    Place place = place_at(file.file.get(), position);
    if (!give(file, place, bytes)) return false;
    counters_.add(&Counters::records, records);
    counters_.add(&Counters::bytes, bytes.size());
    file.place = std::move(place);
    file.scanned = 0;
    return true;
  }

  bool note_place(Followed& file) {
    if (!give(file, file.place, {})) return false;
    file.unsaved = false;
    return true;
  }

  bool give(const Followed& file, const Place& place, string_view bytes) {
    Arrival arrival;
    arrival.source = options_.source;
    arrival.kind = ArrivalKind::kLines;
    arrival.received = now();
    arrival.stream = stream_of_file(file.id.first, file.id.second, place.head);
    arrival.position = place.position;
    arrival.bytes = bytes;
    const Intake::Taken taken = intake_.take({&arrival, 1});
    if (taken == Intake::Taken::kYes) return true;
    const bool full = taken == Intake::Taken::kFull;
    counters_.add(full ? &Counters::intake_full : &Counters::intake_failed);
    log_.say(full ? LogLevel::kNote : LogLevel::kError, full ? "full" : "failed",
             full ? "the journal is full: files wait" : "the journal cannot write: files wait");
    retry_ = Clock::now() + (full ? kRetryFull : kRetryFailed);
    return false;
  }

  TailOptions options_;
  Intake& intake_;
  RareLog log_;
  SharedCounters counters_;
  StopSignal stop_;
  Descriptor inotify_;
  std::thread thread_;

  // Of the thread alone:
  std::unique_ptr<char[]> buffer_;
  std::string record_;
  std::vector<std::unique_ptr<Followed>> files_;  // in the order of the last scan
  std::map<FileId, Followed*> by_id_;
  std::map<std::string, Followed*, std::less<>> paths_;
  std::map<int, std::string> watches_;  // inotify's number to the directory
  std::set<std::string> watched_;
  Clock::time_point now_;
  Clock::time_point last_scan_;
  Clock::time_point next_scan_;
  Clock::time_point retry_;  // the Intake refused: not again before; epoch: it did not
  bool rescan_ = false;
};

}  // namespace

std::unique_ptr<Collector> make_tail(const TailOptions& options, Intake& intake, Log log) {
  return std::make_unique<Tail>(options, intake, std::move(log));
}

std::uint64_t stream_of_file(std::uint64_t device, std::uint64_t inode, std::string_view head) {
  std::array<char, 16> id;
  std::memcpy(id.data(), &device, 8);
  std::memcpy(id.data() + 8, &inode, 8);
  const std::uint64_t stream = core::hash64(head.substr(0, kHead), core::hash64({id.data(), id.size()}));
  return stream != 0 ? stream : 1;
}

}  // namespace orbwatch::source
