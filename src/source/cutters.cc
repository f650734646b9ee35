#include "source/cutters.h"

#include <algorithm>
#include <cstring>

namespace orbwatch::source {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMostDigits = 7;                  // of an octet count
constexpr size_t kLongestCount = kMostDigits + 2;  // one digit too many and the space tell that it is none

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool between_messages(char c) { return c == '\n' || c == '\r' || c == '\0'; }
bool may_follow(char c) { return between_messages(c) || c == '<' || is_digit(c); }

struct Count {
  size_t prefix = 0;  // bytes of the count and its space; 0 if there is none
  size_t octets = 0;
  bool cut = false;  // the text ends before it can be told
};

Count octet_count(string_view text) {
  Count count;
  size_t i = 0;
  for (; i < text.size() && i <= kMostDigits && is_digit(text[i]); ++i) {
    count.octets = count.octets * 10 + static_cast<size_t>(text[i] - '0');
  }
  if (i == 0 || i > kMostDigits) return count;
  count.cut = i == text.size() || (text[i] == ' ' && i + 1 == text.size());
  if (!count.cut && text[i] == ' ' && text[i + 1] == '<' && count.octets != 0) count.prefix = i + 1;
  return count;
}

// Where, from `begin` on, something begins that looks like the next counted message: digits, a space, '<'. The '<' has
// to stand at `from` or behind it.
size_t next_count(string_view text, size_t begin, size_t from) {
  for (size_t at = text.find('<', from); at != text.npos; at = text.find('<', at + 1)) {
    if (at < begin + 2 || text[at - 1] != ' ') continue;
    size_t digits = at - 1;
    while (digits > begin && at - 1 - digits <= kMostDigits && is_digit(text[digits - 1])) --digits;
    const size_t length = at - 1 - digits;
    if (length >= 1 && length <= kMostDigits) return digits;
  }
  return text.npos;
}

}  // namespace

void SyslogCutter::begin_message() {
  scanned_ = 0;
  wrong_count_ = 0;
}

void SyslogCutter::give(string_view raw, std::string& out) {
  while (!raw.empty() && between_messages(raw.back())) raw.remove_suffix(1);
  const size_t begin = out.size();
  out += raw;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\n', ' ');
  out += '\n';
  ++counts_.records;
}

// Where the present line ends, npos if that is not among these bytes.
size_t SyslogCutter::line_end(string_view text) const {
  const auto found = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(scanned_), text.end(),
                                  [](char c) { return c == '\n' || c == '\0'; });
  size_t end = found == text.end() ? text.npos : static_cast<size_t>(found - text.begin());
  if (wrong_count_ != 0) {
    // While a line is passed over, its beginning is gone, and with it the wrong count.
    const size_t begin = passing_line_ ? 0 : wrong_count_;
    end = std::min(end, next_count(text.substr(0, end), begin, std::max(scanned_, begin)));
  }
  return end;
}

// Returns how many of the bytes are used.
size_t SyslogCutter::cut(string_view bytes, Until until, std::string& out) {
  string_view rest = bytes;
  const bool last = until == Until::kEnd;
  while (!rest.empty()) {
    if (passing_ != 0) {
      const size_t n = std::min(passing_, rest.size());
      passing_ -= n;
      rest.remove_prefix(n);
      continue;
    }
    if (passing_line_) {
      const size_t end = line_end(rest);
      if (end == rest.npos) {
        // What may be the beginning of a count is kept.
        const size_t keep = wrong_count_ == 0 || last ? 0 : std::min(kLongestCount, rest.size());
        rest.remove_prefix(rest.size() - keep);
        scanned_ = keep;
        break;
      }
      rest.remove_prefix(end);
      passing_line_ = false;
      begin_message();
      continue;
    }
    if (between_messages(rest.front())) {
      rest.remove_prefix(1);
      continue;
    }
    if (wrong_count_ == 0 && scanned_ == 0) {
      const Count count = octet_count(rest);
      if (count.cut && !last) break;
      if (count.prefix != 0 && count.octets > longest_) {
        if (rest.size() < count.prefix + longest_ && !last) break;
        ++(rest.size() < count.prefix + longest_ ? counts_.unfinished : counts_.oversize);
        give(rest.substr(count.prefix, longest_), out);
        passing_ = count.octets - longest_;
        rest.remove_prefix(std::min(rest.size(), count.prefix + longest_));
        continue;
      }
      if (count.prefix != 0) {
        const size_t end = count.prefix + count.octets;
        if (rest.size() < end && !last) break;
        if (rest.size() == end && until == Until::kMore) break;
        if (rest.size() <= end || may_follow(rest[end])) {
          if (rest.size() < end) ++counts_.unfinished;
          give(rest.substr(count.prefix, count.octets), out);
          rest.remove_prefix(std::min(rest.size(), end));
          continue;
        }
        ++counts_.misframed;
        wrong_count_ = scanned_ = count.prefix;
      }
    }
    const size_t end = line_end(rest);
    const size_t length = std::min(end, rest.size());
    // The digits of a next count may still come and end the line in front of them.
    const size_t undecided = end == rest.npos && wrong_count_ != 0 && !last ? kLongestCount : 0;
    if (length > longest_ + undecided) {
      ++counts_.oversize;
      give(rest.substr(0, longest_), out);
      rest.remove_prefix(length - undecided);
      passing_line_ = true;
      scanned_ = undecided;
      continue;
    }
    if (end == rest.npos && !last) {
      scanned_ = rest.size();
      break;
    }
    if (end == rest.npos) ++counts_.unfinished;
    give(rest.substr(0, length), out);
    rest.remove_prefix(length);
    begin_message();
  }
  return bytes.size() - rest.size();
}

bool SyslogCutter::feed(string_view bytes, std::string& out) {
  if (carry_.empty()) {
    carry_ = bytes.substr(cut(bytes, Until::kMore, out));
  } else {
    carry_ += bytes;
    carry_.erase(0, cut(carry_, Until::kMore, out));
  }
  if (carry_.empty() && carry_.capacity() > 4096) carry_ = {};  // many connections, few long records
  return true;
}

void SyslogCutter::pause(std::string& out) {
  if (!carry_.empty()) carry_.erase(0, cut(carry_, Until::kPause, out));
}

void SyslogCutter::finish(std::string& out) {
  cut(carry_, Until::kEnd, out);
  carry_.clear();
  begin_message();
  passing_line_ = false;
  passing_ = 0;
}

bool IpfixCutter::feed(string_view bytes, std::string& out) {
  if (broken_) return false;
  const auto number = [](string_view text) {
    return static_cast<size_t>(static_cast<unsigned char>(text[0])) << 8 | static_cast<unsigned char>(text[1]);
  };
  if (!carry_.empty()) {
    carry_ += bytes;
    bytes = carry_;
  }
  constexpr size_t kHeader = 16;
  while (bytes.size() >= 4) {
    const size_t size = number(bytes.substr(2));
    if (number(bytes) != 10 || size < kHeader) {
      ++counts_.invalid;
      broken_ = true;
      carry_.clear();
      return false;
    }
    if (bytes.size() < size) break;
    out += static_cast<char>(size & 0xff);
    out += static_cast<char>(size >> 8);
    out += bytes.substr(0, size);
    ++counts_.records;
    bytes.remove_prefix(size);
  }
  if (carry_.empty()) {
    carry_ = bytes;
  } else {
    carry_.erase(0, carry_.size() - bytes.size());
  }
  if (carry_.empty() && carry_.capacity() > 4096) carry_ = {};
  return true;
}

void IpfixCutter::finish(std::string& /*out*/) {
  if (!carry_.empty()) ++counts_.invalid;
  carry_.clear();
  broken_ = true;
}

}  // namespace orbwatch::source
