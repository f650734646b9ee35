#include "source/expand.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/text.h"

namespace orbwatch::source {
namespace {

using core::Error;
using std::size_t;
using std::string_view;

using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

Error path_error(int number, string_view path) {
  char text[128];
  Error error{strerror_r(number, text, sizeof text), core::printable(path), {}};
  if (number == EACCES) error.hint = "run as a user who may read it";
  return error;
}

bool has_magic(string_view pattern) { return pattern.find_first_of("*?[") != pattern.npos; }

std::string join(string_view directory, string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

class Expander {
 public:
  explicit Expander(const ExpandOptions& options) : options_(options) {}

  void argument(const std::string& text) {
    if (text == "-") {
      if (std::exchange(standard_input_, true)) return;
      Input input;
      input.path = text;
      found_.inputs.push_back(std::move(input));
      return;
    }
    struct stat facts{};
    if (::stat(text.c_str(), &facts) == 0) {
      named(text, facts);
      return;
    }
    const int number = errno;
    if (number == ENOENT && has_magic(text)) {
      std::vector<std::string> matches;
      const size_t errors = found_.unreadable.size();
      match(text.starts_with('/') ? "/" : "", string_view(text), matches);
      std::sort(matches.begin(), matches.end());
      matches.erase(std::unique(matches.begin(), matches.end()), matches.end());
      if (matches.empty() && found_.unreadable.size() == errors) {
        found_.unreadable.push_back(
            {text, Error{"no file matches the pattern", core::printable(text), "check the path"}});
      }
      for (const std::string& path : matches) come_upon(path);
      return;
    }
    found_.unreadable.push_back({text, path_error(number, text)});
  }

  Expansion take() { return std::move(found_); }

 private:
  struct Entry {
    std::string name;
    bool directory;
  };

  // What the user named himself: taken whatever it is, as far as it can be opened and read.
  void named(const std::string& path, const struct stat& facts) {
    if (S_ISDIR(facts.st_mode)) {
      directory(path, facts);
    } else if (S_ISSOCK(facts.st_mode)) {
      found_.unreadable.push_back(
          {path, Error{"is a socket", core::printable(path), "name a file, a FIFO or a directory"}});
    } else {
      file(path, facts);
    }
  }

  void file(const std::string& path, const struct stat& facts) {
    if (!files_.insert(FileId{facts.st_dev, facts.st_ino}).second) {
      found_.skipped.push_back({path, "same file as an earlier input"});
      return;
    }
    // Opening would wait for the writer of a FIFO; the permission is known without.
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
      found_.unreadable.push_back({path, path_error(errno, path)});
      return;
    }
    Input input;
    input.path = path;
    if (S_ISREG(facts.st_mode)) {
      input.regular = true;
      input.size = static_cast<std::uint64_t>(facts.st_size);
      input.modified_ns = std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
    }
    found_.inputs.push_back(std::move(input));
  }

  void directory(const std::string& path, const struct stat& facts) {
    if (!directories_.insert(FileId{facts.st_dev, facts.st_ino}).second) {
      found_.skipped.push_back({path, "directory already read"});
      return;
    }
    for (const Entry& entry : list(path)) {
      const std::string below = join(path, entry.name);
      if (entry.name.front() == '.' && !options_.hidden) {
        found_.skipped.push_back({below, "hidden"});
        continue;
      }
      come_upon(below);
    }
  }

  // What a directory or a pattern brought up: special files are left out, since nobody asked to wait for a FIFO.
  void come_upon(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) {
      const int number = errno;
      struct stat link{};
      if ((number == ENOENT || number == ELOOP) && ::lstat(path.c_str(), &link) == 0) {
        found_.skipped.push_back({path, "dangling symbolic link"});
      } else {
        found_.unreadable.push_back({path, path_error(number, path)});
      }
    } else if (S_ISDIR(facts.st_mode)) {
      directory(path, facts);
    } else if (S_ISREG(facts.st_mode)) {
      file(path, facts);
    } else {
      found_.skipped.push_back({path, S_ISFIFO(facts.st_mode)   ? "FIFO"
                                      : S_ISSOCK(facts.st_mode) ? "socket"
                                                                : "device"});
    }
  }

  // The entries sorted by name, bytewise, whatever the locale.
  std::vector<Entry> list(const std::string& path) {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(path.empty() ? "." : path.c_str()), ::closedir);
    if (!open) {
      refuse(path);
      return entries;
    }
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(open.get());
      if (entry == nullptr) {
        if (errno != 0) refuse(path);
        break;
      }
      const string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      bool directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN) {
        struct stat facts{};
        directory = ::lstat(join(path, name).c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
      }
      entries.push_back({std::string(name), directory});
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  void refuse(const std::string& path) { found_.unreadable.push_back({path, path_error(errno, path)}); }

  // Paths below `base` that match `pattern`, one part of it after another.
  void match(const std::string& base, string_view pattern, std::vector<std::string>& matches) {
    while (pattern.starts_with('/')) pattern.remove_prefix(1);
    if (pattern.empty()) {
      matches.push_back(base);
      return;
    }
    const string_view part = pattern.substr(0, pattern.find('/'));
    const string_view rest = pattern.substr(part.size());
    if (!has_magic(part)) {
      const std::string below = join(base, part);
      struct stat facts{};
      if (::stat(below.c_str(), &facts) == 0) match(below, rest, matches);
      return;
    }
    if (part == "**") {
      // No directory, or any number of them. Links are not followed, so this ends; repeated "**" add nothing.
      string_view after = rest;
      while (after == "/**" || after.starts_with("/**/")) after.remove_prefix(3);
      if (!after.empty()) match(base, after, matches);
      for (const Entry& entry : list(base)) {
        if (entry.name.front() == '.') continue;
        const std::string below = join(base, entry.name);
        if (entry.directory) {
          match(below, pattern, matches);
        } else if (after.empty()) {
          matches.push_back(below);
        }
      }
      return;
    }
    const std::string glob(part);
    struct stat facts{};
    if (::stat(base.empty() ? "." : base.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return;
    for (const Entry& entry : list(base)) {
      if (::fnmatch(glob.c_str(), entry.name.c_str(), FNM_PERIOD) == 0) match(join(base, entry.name), rest, matches);
    }
  }

  const ExpandOptions& options_;
  Expansion found_;
  bool standard_input_ = false;
  absl::flat_hash_set<FileId> files_;
  absl::flat_hash_set<FileId> directories_;
};

// ---- rotation
// -----------------------------------------------------------------------------------------------------------

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(string_view text, size_t at) {
  size_t n = 0;
  while (at + n < text.size() && is_digit(text[at + n])) ++n;
  return n;
}

int two(string_view text, size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

bool plausible_day(string_view digits) {  // YYYYMMDD
  const int year = two(digits, 0) * 100 + two(digits, 2);
  const int month = two(digits, 4);
  const int day = two(digits, 6);
  return year >= 1990 && year <= 2099 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool plausible_clock(string_view digits) {  // hh, hhmm or hhmmss
  return (digits.size() < 2 || two(digits, 0) <= 24) && (digits.size() < 4 || two(digits, 2) <= 59) &&
         (digits.size() < 6 || two(digits, 4) <= 60);
}

// YYYYMMDDhhmmss of seconds since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
// civil_from_days).
std::string from_epoch(std::int64_t seconds) {
  const std::int64_t days = seconds / 86400 + 719468;
  const std::int64_t era = days / 146097;
  const std::int64_t doe = days - era * 146097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const std::int64_t day = doy - (153 * mp + 2) / 5 + 1;
  const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const std::int64_t second = seconds % 86400;
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02d", static_cast<int>(year), static_cast<int>(month),
                static_cast<int>(day), static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60),
                static_cast<int>(second % 60));
  return text;
}

struct Found {
  size_t begin = 0;  // within the name, without the separator before it
  size_t end = 0;
  std::string when;  // digits, not padded
};

// A clock time behind a date: "-13", "T13-00-00", "_13:00", ".130000", "T130000Z". Appends its digits and moves `at`
// behind it.
void take_clock(string_view name, size_t& at, std::string& when) {
  if (at >= name.size() || string_view("-_T.").find(name[at]) == string_view::npos) return;
  size_t i = at + 1;
  const size_t n = digits_at(name, i);
  std::string clock;
  if (n == 4 || n == 6) {
    clock = name.substr(i, n);
    i += n;
  } else if (n == 2) {
    clock = name.substr(i, 2);
    i += 2;
    for (int more = 0; more < 2; ++more) {
      if (i < name.size() && (name[i] == ':' || name[i] == '-') && digits_at(name, i + 1) == 2) {
        clock += name.substr(i + 1, 2);
        i += 3;
      }
    }
  } else {
    return;
  }
  if (i < name.size() && name[i] == 'Z') ++i;
  if (i < name.size() && std::isalnum(static_cast<unsigned char>(name[i]))) return;
  if (!plausible_clock(clock)) return;
  when += clock;
  at = i;
}

// The first date in a name. It must not be part of a longer word or number.
std::optional<Found> find_date(string_view name) {
  for (size_t i = 0; i < name.size(); ++i) {
    const size_t n = digits_at(name, i);
    if (n == 0) continue;
    const bool alone = i == 0 || !std::isalnum(static_cast<unsigned char>(name[i - 1]));
    if (alone) {
      std::string when;
      size_t end = i + n;
      if (n == 4 && end + 6 <= name.size() && string_view("-_.").find(name[end]) != string_view::npos &&
          name[end + 3] == name[end] && digits_at(name, end + 1) == 2 && digits_at(name, end + 4) == 2) {
        when = std::string(name.substr(i, 4)) + std::string(name.substr(end + 1, 2)) +
               std::string(name.substr(end + 4, 2));
        end += 6;
        if (!plausible_day(when)) when.clear();
      } else if (n == 8 || n == 10 || n == 12 || n == 14) {
        when = name.substr(i, n);
        if (!plausible_day(when) || !plausible_clock(string_view(when).substr(8))) when.clear();
        if (when.empty() && n == 10 && name[i] == '1') {
          when = from_epoch(*core::parse_number<std::int64_t>(name.substr(i, n)));
        }
      }
      if (!when.empty()) {
        if (when.size() == 8) take_clock(name, end, when);
        if (end == name.size() || !std::isalnum(static_cast<unsigned char>(name[end]))) return Found{i, end, when};
      }
    }
    i += n - 1;
  }
  return std::nullopt;
}

// Zeek's "00:00:00-01:00:00": the hours that the file covers.
std::optional<Found> find_clock_range(string_view name) {
  constexpr string_view kShape = "dd:dd:dd-dd:dd:dd";
  for (size_t i = 0; i + kShape.size() <= name.size(); ++i) {
    size_t k = 0;
    while (k < kShape.size() && (kShape[k] == 'd' ? is_digit(name[i + k]) : name[i + k] == kShape[k])) ++k;
    if (k < kShape.size()) continue;
    if (i > 0 && name[i - 1] != '.' && name[i - 1] != '-' && name[i - 1] != '_') continue;
    std::string when;
    for (const size_t part : {i, i + 3, i + 6}) when += name.substr(part, 2);
    if (plausible_clock(when)) return Found{i, i + kShape.size(), when};
  }
  return std::nullopt;
}

// Takes a part out of a name together with the separator before it, or, at the front, behind it.
void take_out(std::string& name, size_t begin, size_t end) {
  if (begin > 0) {
    --begin;
  } else if (end < name.size()) {
    ++end;
  }
  name.erase(begin, end - begin);
}

// Is the number at `at` the fourth of an IPv4 address, and of no longer row of numbers?
bool ends_address(string_view name, size_t at) {
  int numbers = 1;
  size_t i = at;
  while (i >= 2 && name[i - 1] == '.' && is_digit(name[i - 2])) {
    i -= 1;
    while (i > 0 && is_digit(name[i - 1])) --i;
    ++numbers;
  }
  return numbers == 4;
}

// The ".2" of "vpn.log.2" or of "vpn.2.log".
std::optional<std::pair<size_t, size_t>> find_number(string_view name) {
  const auto number_before = [&](size_t end) -> std::optional<std::pair<size_t, size_t>> {
    size_t begin = end;
    while (begin > 0 && is_digit(name[begin - 1])) --begin;
    if (begin == end || end - begin > 6 || begin < 2 || name[begin - 1] != '.' || ends_address(name, begin)) {
      return std::nullopt;
    }
    return std::pair{begin, end};
  };
  if (const auto last = number_before(name.size())) return last;
  const size_t dot = name.rfind('.');
  if (dot == name.npos || dot + 1 == name.size()) return std::nullopt;
  for (const char c : name.substr(dot + 1)) {
    if (!std::isalpha(static_cast<unsigned char>(c))) return std::nullopt;
  }
  return number_before(dot);
}

// "2026-11-22" or "20261122", and nothing else.
std::optional<std::string> whole_date(string_view name) {
  const auto date = find_date(name);
  if (!date || date->begin != 0 || date->end != name.size() || date->when.size() != 8) return std::nullopt;
  return date->when;
}

}  // namespace

Rotation rotation_of(string_view path) {
  Rotation rotation;
  const size_t slash = path.rfind('/');
  std::string directory(slash == path.npos ? string_view{} : path.substr(0, slash + 1));
  std::string name(slash == path.npos ? path : path.substr(slash + 1));

  static constexpr std::array<string_view, 10> kSuffixes = {".gz",  ".gzip", ".zst", ".zstd", ".xz",
                                                            ".bz2", ".lzma", ".lz",  ".bz",   ".Z"};
  for (const string_view suffix : kSuffixes) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
      rotation.compressed = true;
      break;
    }
  }

  std::string clock;
  if (const auto range = find_clock_range(name)) {
    clock = range->when;
    take_out(name, range->begin, range->end);
  }
  if (const auto date = find_date(name)) {
    rotation.when = date->when;
    take_out(name, date->begin, date->end);
  }
  if (const auto number = find_number(name)) {
    rotation.number =
        *core::parse_number<std::int64_t>(string_view(name).substr(number->first, number->second - number->first));
    take_out(name, number->first, number->second);
  }

  if (rotation.when.empty()) {
    // The nearest directory that is a date: "2026-11-22/", or the day of "2026/11/22/".
    size_t end = directory.size();
    while (end > 0) {
      const size_t before = end >= 2 ? directory.rfind('/', end - 2) : directory.npos;
      const size_t begin = before == directory.npos ? 0 : before + 1;
      const string_view part = string_view(directory).substr(begin, end - 1 - begin);
      if (const auto date = whole_date(part)) {
        rotation.when = *date;
        directory.replace(begin, part.size(), "*");
        break;
      }
      if (part.size() == 2 && begin >= 8 && directory[begin - 1] == '/') {
        const string_view trio = string_view(directory).substr(begin - 8, 10);  // YYYY/MM/DD
        const bool starts_part = begin == 8 || directory[begin - 9] == '/';
        if (starts_part && trio[4] == '/' && trio[7] == '/' && digits_at(trio, 0) == 4 && digits_at(trio, 5) == 2 &&
            digits_at(trio, 8) == 2) {
          const std::string when =
              std::string(trio.substr(0, 4)) + std::string(trio.substr(5, 2)) + std::string(trio.substr(8));
          if (plausible_day(when)) {
            rotation.when = when;
            directory.replace(begin - 8, 10, "*");
            break;
          }
        }
      }
      end = begin;
    }
  }
  if (!clock.empty() && rotation.when.size() <= 8) {
    if (rotation.when.empty()) rotation.when = "00000000";
    rotation.when += clock;
  }
  if (!rotation.when.empty()) rotation.when.resize(14, '0');
  rotation.stem = directory + name;
  return rotation;
}

bool older(const Rotation& a, const Rotation& b) {
  if (a.when.empty() != b.when.empty()) return !a.when.empty();
  if (a.when != b.when) return a.when < b.when;
  if (a.number != b.number) {
    if (!a.when.empty()) {
      // log-20261122.3 beside log-20261122: the one without number is still written to.
      if (a.number < 0 || b.number < 0) return b.number < 0;
      return a.number < b.number;
    }
    return a.number > b.number;
  }
  return a.compressed && !b.compressed;
}

core::Expected<Expansion> expand(std::span<const std::string> arguments, const ExpandOptions& options) {
  if (arguments.empty())
    return core::fail("no input", {}, "name files, directories, patterns, or - for standard input");
  Expander expander(options);
  for (const std::string& argument : arguments) expander.argument(argument);
  Expansion found = expander.take();

  if (options.join_rotated) {
    struct Placed {
      Rotation rotation;
      size_t group;
      Input input;
    };
    std::vector<Placed> placed;
    placed.reserve(found.inputs.size());
    absl::flat_hash_map<std::string, size_t> groups;
    for (Input& input : found.inputs) {
      Rotation rotation = rotation_of(input.path);
      const size_t group = groups.try_emplace(rotation.stem, groups.size()).first->second;
      placed.push_back({std::move(rotation), group, std::move(input)});
    }
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
      if (a.group != b.group) return a.group < b.group;
      if (older(a.rotation, b.rotation)) return true;
      if (older(b.rotation, a.rotation)) return false;
      return a.input.path < b.input.path;
    });
    found.inputs.clear();
    int place = 0;
    for (size_t i = 0; i < placed.size(); ++i) {
      place = i > 0 && placed[i].group == placed[i - 1].group ? place + 1 : 0;
      placed[i].input.group = std::move(placed[i].rotation.stem);
      placed[i].input.rotation = place;
      found.inputs.push_back(std::move(placed[i].input));
    }
  } else {
    for (Input& input : found.inputs) input.group = input.path;
  }
  for (size_t i = 0; i < found.inputs.size(); ++i) found.inputs[i].id = static_cast<std::uint32_t>(i);
  return found;
}

std::uint64_t total_bytes(std::span<const Input> inputs) {
  std::uint64_t total = 0;
  for (const Input& input : inputs) {
    if (!input.regular) return 0;
    total += input.size;
  }
  return total;
}

}  // namespace orbwatch::source
