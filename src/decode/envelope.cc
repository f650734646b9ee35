#include "decode/envelope.h"

#include <array>

#include "core/text.h"

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
  std::size_t i = 1;
  while (i < text.size() && i < 5 && is_digit(text[i])) ++i;
  if (i >= text.size() || text[i] != '>') return false;
  text.remove_prefix(i + 1);
  return true;
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
    time = core::parse_bsd(rest, times);
  }
  if (!time) return false;
  text = rest;
  out = *time;
  return true;
}

// An RFC 5424 header value; "-" is nil.
std::string_view header_value(std::string_view& text) {
  const auto value = core::take_until(text, ' ');
  return value == "-" ? std::string_view{} : value;
}

bool parse_rfc5424(std::string_view text, const TimeReader& times, TextRecord& record) {
  if (!text.starts_with("1 ")) return false;
  text.remove_prefix(2);
  Nanoseconds time = 0;
  if (text.starts_with("- ")) {
    text.remove_prefix(1);
  } else if (text.empty() || !is_digit(text[0]) || !parse_time(text, times, time)) {
    return false;
  }
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  record.time = time;
  record.host = header_value(text);
  record.program = header_value(text);
  record.pid = header_value(text);
  record.message_id = header_value(text);
  const char* const structured = text.data();
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  } else {
    while (text.starts_with('[')) {  // structured data; a quoted value may hold "\]"
      bool quoted = false;
      std::size_t i = 1;
      for (; i < text.size(); ++i) {
        if (text[i] == '\\' && quoted) {
          ++i;
        } else if (text[i] == '"') {
          quoted = !quoted;
        } else if (text[i] == ']' && !quoted) {
          break;
        }
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
  for (const char c : {' ', '=', ',', '"', '{', '[', '<'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// The part behind a time: [ZONE] [:] [HOST] [:] [TAG:] MSG.
void parse_rest(std::string_view text, const TimeReader& times, TextRecord& record) {
  skip_spaces(text);
  // "EDT:" or "UTC:" right behind the time, as Cisco writes it.
  std::size_t zone = 0;
  while (zone < text.size() && zone < 5 && is_upper(text[zone])) ++zone;
  if (zone >= 3 && zone < text.size() && text[zone] == ':') {
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
  if (!word.empty() && word.front() != '%' && end < text.size() && text[end] == ' ') {
    const bool colon = word.back() == ':';
    std::string_view after = text.substr(end);
    skip_spaces(after);
    if (!colon) {
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

void parse_envelope(TextRecord& record, const TimeReader& times) {
  std::string_view text = record.raw;
  record.message = text;
  const bool priority = skip_priority(text);
  if (priority) {
    record.message = text;
    if (parse_rfc5424(text, times, record)) return;
    if (text.starts_with(':')) text.remove_prefix(1);  // Cisco EMBLEM: "<166>:Nov 22 08:15:30 UTC: %ASA-..."
    skip_spaces(text);
  } else if (text.starts_with("1 ") && parse_rfc5424(text, times, record)) {
    return;
  }
  Nanoseconds time = 0;
  if (!parse_time(text, times, time)) {
    if (priority) {
      skip_spaces(text);
      record.message = text;
      parse_tag(record.message, record);
    }
    return;
  }
  record.time = time;
  parse_rest(text, times, record);
  // A relay in front of a device: "Nov 22 08:00:01 relay <134>Nov 22 2026 08:00:00 fw1 : %ASA-..." and the like.
  std::string_view inner = record.message;
  if (inner.starts_with('%')) return;  // the usual case, told quickly
  if (inner.starts_with("1 ") && record.program.empty()) {
    const std::string_view outer_host = record.host;
    if (parse_rfc5424(inner, times, record)) {
      if (record.host.empty()) record.host = outer_host;
      return;
    }
  }
  skip_priority(inner);
  Nanoseconds inner_time = 0;
  if (record.program.empty() && inner.size() > 15 && parse_time(inner, times, inner_time) && inner.size() > 1 &&
      (inner[0] == ' ' || inner[0] == ':')) {
    const std::string_view outer_host = record.host;
    record.time = inner_time;
    parse_rest(inner, times, record);
    if (record.host.empty()) record.host = outer_host;
  }
}

}  // namespace orbwatch::decode
