#include "intel/feed/times.h"

#include <algorithm>
#include <vector>

#include "core/text.h"
#include "intel/feed/item.h"

namespace orbwatch::intel {
namespace {

using core::Nanoseconds;
using std::string_view;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<Nanoseconds> of_date(int year, int month, int day) {
  core::CivilTime civil;
  civil.year = year;
  civil.month = month;
  civil.day = day;
  if (year < 1970 || year > 2261 || !core::valid(civil)) return std::nullopt;
  return core::from_utc(civil);
}

// Exactly "2026-01-31" at the front.
std::optional<Nanoseconds> iso_date(string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = core::parse_number<int>(text.substr(0, 4));
  const auto month = core::parse_number<int>(text.substr(5, 2));
  const auto day = core::parse_number<int>(text.substr(8, 2));
  return year && month && day ? of_date(*year, *month, *day) : std::nullopt;
}

// "1/31/2026": month first, as American tools export.
std::optional<Nanoseconds> slash_date(string_view text) {
  const auto month = core::parse_number<int>(core::take_until(text, '/'));
  const auto day = core::parse_number<int>(core::take_until(text, '/'));
  const auto year = core::parse_number<int>(text);
  if (!month || !day || !year || text.size() != 4) return std::nullopt;
  return of_date(*year, *month, *day);
}

int last_day(int year, int month) {
  core::CivilTime civil;
  civil.year = year;
  civil.month = month;
  for (civil.day = 31; civil.day > 28 && !core::valid(civil);) --civil.day;
  return civil.day;
}

// A date of which parts may be missing (0).
struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
};

struct Word {
  enum class Kind : unsigned char { kMonth, kYear, kDay, kDash, kIso, kOther } kind = Kind::kOther;
  int number = 0;
  Nanoseconds time = 0;
};

constexpr string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                   "july",    "august",   "september", "october", "november", "december"};

// "Sept", "Sept." and "September", but not "Separate".
int month_of(string_view word) {
  if (word.size() < 3) return 0;
  for (int i = 0; i < 12; ++i) {
    const string_view name = kMonths[i];
    if (word.size() <= name.size() && core::equals_ignore_case(name.substr(0, word.size()), word)) return i + 1;
  }
  return 0;
}

std::vector<Word> words_of(string_view text) {
  constexpr std::size_t kMost = 200;
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size() && words.size() < kMost;) {
    const string_view rest = text.substr(i);
    const bool starts = i == 0 || (!is_digit(text[i - 1]) && !is_letter(text[i - 1]) && text[i - 1] != '.');
    if (starts && rest.size() >= 10 && (rest.size() == 10 || !is_digit(rest[10]))) {
      if (const auto date = iso_date(rest)) {
        words.push_back({Word::Kind::kIso, 0, *date});
        i += 10;
        continue;
      }
    }
    if (is_letter(rest.front())) {
      std::size_t end = 0;
      while (end < rest.size() && is_letter(rest[end])) ++end;
      const int month = month_of(rest.substr(0, end));
      words.push_back({month != 0 ? Word::Kind::kMonth : Word::Kind::kOther, month, 0});
      i += end;
      if (month != 0 && i < text.size() && text[i] == '.') ++i;
    } else if (is_digit(rest.front())) {
      std::size_t end = 0;
      while (end < rest.size() && is_digit(rest[end])) ++end;
      const int number = end <= 4 ? core::parse_number<int>(rest.substr(0, end)).value_or(0) : 0;
      // "192.0.2.1", "10:20" and "3rd" are no days.
      const char behind = end < rest.size() ? rest[end] : ' ';
      const bool alone = starts && !is_letter(behind) && behind != ':' &&
                         (behind != '.' || end + 1 >= rest.size() || !is_digit(rest[end + 1]));
      Word word{Word::Kind::kOther, number, 0};
      if (alone && end == 4 && number >= 1970 && number <= 2261) word.kind = Word::Kind::kYear;
      if (alone && end <= 2 && number >= 1 && number <= 31) word.kind = Word::Kind::kDay;
      words.push_back(word);
      i += end;
    } else if (rest.front() == '-' || rest.starts_with("\xe2\x80\x93") || rest.starts_with("\xe2\x80\x94")) {
      words.push_back({Word::Kind::kDash, 0, 0});
      i += rest.front() == '-' ? 1 : 3;
    } else {
      if (rest.front() != ' ' && rest.front() != '\t' && rest.front() != ',') words.push_back({});
      ++i;
    }
  }
  return words;
}

// Reads "Dec 5 2023", "December 2023", "Dec 5", "20 2023" (a day of the month before) from words[at].
bool read_date(const std::vector<Word>& words, std::size_t& at, bool day_may_begin, Date& date) {
  const std::size_t begin = at;
  if (at < words.size() && words[at].kind == Word::Kind::kMonth) date.month = words[at++].number;
  if (date.month == 0 && !day_may_begin) return false;
  if (at < words.size() && words[at].kind == Word::Kind::kDay) date.day = words[at++].number;
  if (at < words.size() && words[at].kind == Word::Kind::kYear) date.year = words[at++].number;
  return at > begin;
}

}  // namespace

std::optional<Nanoseconds> parse_feed_time(string_view text) {
  text = core::trim(text);
  for (const string_view none : {"", "-", "none", "null", "n/a", "never", "present", "unknown"}) {
    if (core::equals_ignore_case(text, none)) return 0;
  }
  if (text.size() > 64) return std::nullopt;
  if (text.size() == 10) {
    if (const auto date = iso_date(text)) return date;
  }
  if (text.find('/') != text.npos && text.size() <= 10) {
    if (const auto date = slash_date(text)) return date;
  }
  if (std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; })) {
    string_view rest = text;
    const auto time = core::parse_epoch(rest);
    // A time of zero is what tools write for none.
    return time && rest.empty() && *time >= 0 ? time : std::nullopt;
  }
  string_view rest = text;
  const auto time = core::parse_iso8601(rest, core::TimeReader());
  rest = core::trim(rest);
  if (!time || *time <= 0 || !(rest.empty() || rest == "UTC" || rest == "GMT")) return std::nullopt;
  return time;
}

std::optional<Nanoseconds> parse_feed_end(string_view text) {
  if (core::trim(text).starts_with("9999-")) return kNoEnd;
  return parse_feed_time(text);
}

TimeSpan find_dates(string_view text) {
  const std::vector<Word> words = words_of(text);
  TimeSpan span;
  for (const Word& word : words) {
    if (word.kind != Word::Kind::kIso) continue;
    if (span.first == 0) span.first = word.time;
    span.last = word.time;
  }
  if (span.first != 0) {
    if (span.last < span.first) std::swap(span.first, span.last);
    return span;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != Word::Kind::kMonth) continue;
    Date first;
    std::size_t at = i;
    read_date(words, at, false, first);
    Date last;
    bool range = false;
    if (at < words.size() && words[at].kind == Word::Kind::kDash) {
      std::size_t behind = at + 1;
      Date end;
      if (read_date(words, behind, true, end) && (end.month != 0 || end.day != 0)) {
        last = end;
        range = true;
        if (last.month == 0) last.month = first.month;
      }
    }
    if (!range) last = first;
    if (last.year == 0) continue;
    if (first.year == 0) first.year = first.month > last.month ? last.year - 1 : last.year;
    const auto begin = of_date(first.year, first.month, first.day != 0 ? first.day : 1);
    const auto end = of_date(last.year, last.month, last.day != 0 ? last.day : last_day(last.year, last.month));
    if (begin && end && *begin <= *end) return {*begin, *end};
  }
  return {};
}

}  // namespace orbwatch::intel
