#include "decode/envelope.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/find_byte.h"

namespace orbwatch::decode {
namespace {

using core::Nanoseconds;
using core::TimeReader;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// "<134>" at the front.
bool skip_priority(std::string_view& text) {
  if (text.size() < 3 || text[0] != '<' || !is_digit(text[1])) return false;
  if (text.size() > 4 && text[4] == '>' && is_digit(text[2]) && is_digit(text[3])) {  // the usual length
    text.remove_prefix(5);
    return true;
  }
  for (std::size_t i = 2; i < text.size() && i < 6; ++i) {
    if (text[i] == '>') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (!is_digit(text[i])) return false;
  }
  return false;
}

// "123 <134>...": the length of the record as RFC 6587 counts it.
void skip_octet_count(std::string_view& text) {
  std::size_t i = 0;
  while (i < text.size() && i < 8 && is_digit(text[i])) ++i;
  if (i != 0 && i + 2 < text.size() && text[i] == ' ' && text[i + 1] == '<' && is_digit(text[i + 2])) {
    text.remove_prefix(i + 1);
  }
}

// "Nov 22 08:15:30 2026 HOST" (Aruba): what ctime() writes, without the day of the week.
bool has_year_behind(std::string_view text) {
  return text.size() >= 20 && text[15] == ' ' && text[16] == '2' && text[17] == '0' && is_digit(text[18]) &&
         is_digit(text[19]) && (text.size() == 20 || text[20] == ' ');
}

std::optional<Nanoseconds> parse_year_behind(std::string_view& text, const TimeReader& times) {
  std::array<char, 24> line;
  std::copy_n(text.begin(), 20, std::copy_n("Day ", 4, line.begin()));
  std::string_view ctime(line.data(), line.size());
  const auto time = core::parse_ctime(ctime, times);
  if (time) text.remove_prefix(20);
  return time;
}

bool parse_time(std::string_view& text, const TimeReader& times, Nanoseconds& out) {
  if (text.size() < 15) return false;
  std::optional<Nanoseconds> time;
  std::string_view rest = text;
  if (is_digit(rest[0])) {
    time = core::parse_iso8601(rest, times);
    // A time must end at a word boundary, else it is the beginning of something else (a CSV field, say).
    if (time && !rest.empty() && rest[0] != ' ' && rest[0] != ':') return false;
  } else {
    if (rest[0] == '*' || rest[0] == '.') rest.remove_prefix(1);  // Cisco: clock not synchronised
    time = has_year_behind(rest) ? parse_year_behind(rest, times) : core::parse_bsd(rest, times);
  }
  if (!time) return false;
  text = rest;
  out = *time;
  return true;
}

// An RFC 5424 header value; "-" is nil and leaves `out` as it is.
void header_value(std::string_view& text, std::string_view& out) {
  const auto value = core::take_until(text, ' ');
  if (value != "-") out = value;
}

bool parse_rfc5424(std::string_view text, const TimeReader& times, TextRecord& record) {
  // The version is 1; RFC 5424 allows up to three digits.
  std::size_t version = 0;
  while (version < text.size() && version < 3 && is_digit(text[version])) ++version;
  if (version == 0 || version >= text.size() || text[version] != ' ') return false;
  text.remove_prefix(version + 1);
  Nanoseconds time = 0;
  if (text.starts_with("- ")) {
    text.remove_prefix(1);
  } else if (text.empty() || !is_digit(text[0]) || !parse_time(text, times, time)) {
    return false;
  }
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  if (time != 0) record.time = time;
  header_value(text, record.host);
  // Some write their message right behind the host: "1 TIME HOST CEF:0|...".
  if (text.starts_with("CEF:") || text.starts_with("LEEF:")) {
    record.message = text;
    return true;
  }
  header_value(text, record.program);
  header_value(text, record.pid);
  header_value(text, record.message_id);
  const char* const structured = text.data();
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  } else {
    while (text.starts_with('[')) {  // structured data; a quoted value may hold "\]"
      bool quoted = false;
      std::size_t i = 1;
      for (;; ++i) {
        i = quoted ? find_byte(text.data(), i, text.size(), {'"', '\\'})
                   : find_byte(text.data(), i, text.size(), {'"', ']'});
        if (i >= text.size() || text[i] == ']') break;
        if (text[i] == '"') quoted = !quoted;
        if (text[i] == '\\') ++i;
      }
      text.remove_prefix(i < text.size() ? i + 1 : text.size());
    }
    record.structured = {structured, static_cast<std::size_t>(text.data() - structured)};
  }
  skip_spaces(text);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  record.message = text;
  return true;
}

// "sshd[123]:", "CiscoASA[999]:", "kernel:", "postfix/smtpd[1]:" at the front: a tag; moves behind it and following
// spaces.
bool parse_tag(std::string_view& text, TextRecord& record) {
  std::size_t i = 0;
  while (i < text.size() && i < 64 && text[i] != ':' && text[i] != '[' && text[i] != ' ' && text[i] != '=' &&
         text[i] != ',' && text[i] != '%' && text[i] != '"' && text[i] != '{') {
    ++i;
  }
  if (i == 0 || i >= text.size()) return false;
  const std::string_view program = text.substr(0, i);
  std::string_view pid;
  if (text[i] == '[') {
    const auto close = text.find(']', i);
    if (close == text.npos || close - i > 24) return false;
    pid = text.substr(i + 1, close - i - 1);
    i = close + 1;
    if (i >= text.size()) return false;
  }
  if (text[i] != ':') return false;
  if (i + 1 < text.size() && text[i + 1] != ' ') return false;
  text.remove_prefix(i + 1);
  skip_spaces(text);
  record.program = program;
  record.pid = pid;
  return true;
}

// The space behind a host name, and what no host name holds.
constexpr auto kEndsHost = [] {
  std::array<bool, 256> table{};
  for (const char c : {' ', '=', ',', '"', '{', '[', '<', '|'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// What an envelope can begin with: a month, a year, <PRI>.
constexpr auto kBeginsEnvelope = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("JFMASOND0123456789<")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// One digit is no host but the version with which some records begin (VPC flow logs).
bool is_host(std::string_view word) {
  return word.size() > 1 ? word.front() != '%' : word.size() == 1 && !is_digit(word.front()) && word.front() != '%';
}

// "stdout F ", "stderr P ": the stream that a container wrote to, as the runtime (CRI) notes it.
bool skip_stream(std::string_view word, std::string_view& after) {
  if (word != "stdout" && word != "stderr") return false;
  return core::skip_prefix(after, "F ") || core::skip_prefix(after, "P ");
}

// The part behind a time and its spaces: [ZONE] [:] [HOST] [:] [TAG:] MSG.
void parse_rest(std::string_view text, const TimeReader& times, TextRecord& record) {
  // "EDT:" or "UTC:" right behind the time, as Cisco writes it.
  std::size_t zone = 0;
  while (zone < text.size() && zone < 5 && is_upper(text[zone])) ++zone;
  // A colon without a space behind it belongs to something else ("CEF:0|..."), and so does this word anyway.
  if (zone >= 3 && zone < text.size() && text[zone] == ':' && !(zone + 1 < text.size() && text[zone + 1] != ' ') &&
      text.substr(0, zone) != "CEF" && text.substr(0, zone) != "LEEF") {
    if (const auto hours = zone_hours(text.substr(0, zone)); hours && record.time != 0) {
      // The time was read in the configured zone; the record names its own.
      record.time += times.offset_seconds_at_utc(record.time) * core::kSecond - *hours * core::kHour;
    }
    text.remove_prefix(zone);
  }
  if (text.starts_with(": ")) {
    text.remove_prefix(2);
    skip_spaces(text);
    record.message = text;
    return;
  }
  // A host is a word; what ends in ":" or opens "[" is already the tag.
  std::size_t end = 0;
  while (end < text.size() && !kEndsHost[static_cast<unsigned char>(text[end])]) ++end;
  const std::string_view word = text.substr(0, end);
  if (end < text.size() && text[end] == ' ' && is_host(word)) {
    const bool colon = word.back() == ':';
    std::string_view after = text.substr(end);
    skip_spaces(after);
    if (!colon) {
      if (word.size() == 6 && skip_stream(word, after)) {
        record.message = after;
        return;
      }
      record.host = word;
      text = after;
    } else if (after.starts_with('%')) {  // "host: %ASA-6-..."
      record.host = word.substr(0, word.size() - 1);
      record.message = after;
      return;
    }
  }
  if (text.starts_with(": ")) {
    text.remove_prefix(2);
    skip_spaces(text);
  } else if (!parse_tag(text, record)) {
    // "ftd1 SFIMS : %FTD-6-430003: ...": a tag set off by spaces.
    const auto space = text.substr(0, 32).find(" : %");
    if (space != text.npos && text.substr(0, space).find(' ') == text.npos) {
      record.program = text.substr(0, space);
      text.remove_prefix(space + 3);
    }
  }
  record.message = text;
}

// One envelope at the front of `text`. False, with the record as it was, if there is none.
bool parse_one(std::string_view text, const TimeReader& times, TextRecord& record) {
  if (!text.empty() && is_digit(text.front())) {
    if (text.starts_with("1 ") && parse_rfc5424(text, times, record)) return true;
    skip_octet_count(text);
  }
  const bool priority = skip_priority(text);
  if (priority) {
    record.message = text;
    if (!text.empty() && is_digit(text.front()) && parse_rfc5424(text, times, record)) return true;
    if (text.starts_with(':')) text.remove_prefix(1);  // Cisco EMBLEM: "<166>:Nov 22 08:15:30 UTC: %ASA-..."
    skip_spaces(text);
  }
  Nanoseconds time = 0;
  if (!parse_time(text, times, time)) {
    if (!priority) return false;
    skip_spaces(text);
    record.message = text;
    parse_tag(record.message, record);
    return true;
  }
  record.time = time;
  // A collector's time in front of a whole record, its envelope included: "2026-11-22T08:15:31Z Nov 22 08:15:30 gw
  // ...".
  skip_spaces(text);
  if (!text.empty() && kBeginsEnvelope[static_cast<unsigned char>(text.front())]) {
    std::string_view behind = text;
    Nanoseconds own = 0;
    if (text.front() == '<' ? skip_priority(behind)
                            : parse_time(behind, times, own) && (behind.starts_with(' ') || behind.starts_with(':'))) {
      record.message = text;
      return true;
    }
  }
  parse_rest(text, times, record);
  return true;
}

constexpr int kMostEnvelopes = 3;  // one inside the other, behind the first

// A relay in front of a device: "Nov 22 08:00:01 relay <134>Nov 22 2026 08:00:00 fw1 : %ASA-..." and the like.
void parse_inner_ones(TextRecord& record, const TimeReader& times) {
  for (int i = 0; i < kMostEnvelopes; ++i) {
    const std::string_view inner = record.message;
    if (inner.size() < 3) return;
    if (inner.front() != '<' || !is_digit(inner[1])) {
      // Without <PRI> only a time or the version of RFC 5424 tells an envelope, and programs begin their own messages
      // with such, too.
      if (!record.program.empty()) return;
      std::string_view behind = inner;
      Nanoseconds time = 0;
      const bool begins_with_time =
          parse_time(behind, times, time) && behind.size() > 1 && (behind[0] == ' ' || behind[0] == ':');
      if (!begins_with_time && !inner.starts_with("1 ")) return;
    }
    if (!parse_one(inner, times, record)) return;
  }
}

// "@cee: {...}", also behind a byte order mark.
void skip_cee_cookie(TextRecord& record) {
  constexpr std::string_view kCookie = "@cee";
  if (record.program == kCookie) record.program = {};  // there was no other tag
  std::string_view text = record.message;
  core::skip_prefix(text, "\xef\xbb\xbf");
  if (!core::skip_prefix(text, kCookie) || !core::skip_prefix(text, ":")) return;
  skip_spaces(text);
  if (text.starts_with('{')) record.message = text;
}

// "web-1  | ": the container in front of its line, as `docker compose logs` prints it.
bool skip_container(std::string_view& text) {
  constexpr std::size_t kLongestName = 64;
  std::size_t i = 0;
  while (
      i < text.size() && i < kLongestName &&
      ((text[i] >= 'a' && text[i] <= 'z') || is_digit(text[i]) || text[i] == '_' || text[i] == '-' || text[i] == '.')) {
    ++i;
  }
  if (i == 0 || i + 1 >= text.size() || text[i] != ' ' || is_digit(text[0])) return false;
  std::string_view rest = text.substr(i);
  skip_spaces(rest);
  if (!core::skip_prefix(rest, "| ")) return false;
  text = rest;
  return true;
}

inline void parse(std::string_view text, TextRecord& record, const TimeReader& times) {
  record.message = text;
  // "%ASA-..." behind the first one is the usual case, told quickly.
  if (parse_one(text, times, record)) {
    if (!record.message.starts_with('%')) parse_inner_ones(record, times);
  } else if (skip_container(text)) {
    record.message = text;
    if (parse_one(text, times, record)) parse_inner_ones(record, times);
  }
  if (record.message.empty()) return;
  const char first = record.message.front();
  if (first == '@' || first == '\xef' || first == '{') skip_cee_cookie(record);
}

}  // namespace

std::optional<int> zone_hours(std::string_view name) {
  struct Row {
    std::string_view name;
    int hours;
  };
  static constexpr Row kRows[] = {{"UTC", 0},  {"GMT", 0},   {"EDT", -4},  {"EST", -5},  {"CDT", -5},
                                  {"MDT", -6}, {"MST", -7},  {"PDT", -7},  {"PST", -8},  {"CET", 1},
                                  {"CEST", 2}, {"EET", 2},   {"EEST", 3},  {"MSK", 3},   {"WEST", 1},
                                  {"JST", 9},  {"AEST", 10}, {"AEDT", 11}, {"NZST", 12}, {"NZDT", 13}};
  for (const Row& row : kRows) {
    if (row.name == name) return row.hours;
  }
  return std::nullopt;
}

void parse_envelope(TextRecord& record, const TimeReader& times) { parse(record.raw, record, times); }

void parse_inner_envelope(std::string_view text, TextRecord& record, const TimeReader& times) {
  parse(text, record, times);
}

Nanoseconds read_time(std::string_view text, const TimeReader& times) {
  text = core::trim(text);
  if (text.size() < 9) return 0;
  if (is_digit(text[0])) {
    std::string_view rest = text;
    const bool date = text.size() >= 19 && (text[4] == '-' || text[4] == '/');
    const auto time = date ? core::parse_iso8601(rest, times) : core::parse_epoch(rest);
    return time ? *time : 0;
  }
  // "Sun Nov 22 08:15:30 2026"
  if (text.size() >= 20 && text[3] == ' ' && core::month_number(text.substr(0, 3)) == 0) text.remove_prefix(4);
  core::CivilTime civil;
  std::string_view rest = text;
  auto time = core::parse_bsd(rest, times);
  if (!time) return 0;
  skip_spaces(rest);
  const auto take_zone = [&] {
    std::size_t size = 0;
    while (size < rest.size() && size < 5 && is_upper(rest[size])) ++size;
    const std::string_view name = rest.substr(0, size < 3 ? 0 : size);
    rest.remove_prefix(name.size());
    skip_spaces(rest);
    return name;
  };
  std::string_view zone = take_zone();          // Java writes it before the year: "Sun Nov 22 08:15:30 CET 2026"
  if (rest.size() >= 4 && is_digit(rest[0])) {  // the year behind the time
    const auto year = core::parse_number<int>(rest.substr(0, 4));
    civil = core::to_utc(*time + times.offset_seconds_at_utc(*time) * core::kSecond);
    if (year) {
      civil.year = *year;
      if (core::valid(civil)) time = times.resolve(civil);
    }
    rest.remove_prefix(4);
    skip_spaces(rest);
  }
  if (zone.empty()) zone = take_zone();
  const auto hours = zone_hours(zone);
  if (hours && *time != 0) {
    return *time + times.offset_seconds_at_utc(*time) * core::kSecond - *hours * core::kHour;
  }
  return *time;
}

}  // namespace orbwatch::decode
