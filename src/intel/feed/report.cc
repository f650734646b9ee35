// Running text with indicators in it, as research groups publish beside their reports (Black Lotus Labs' IOC files,
// ESET's AsciiDoc): addresses anywhere in a line, names only where they are defanged ("example[.]org"), because
// "update.sh" looks like a name too. Links that are not defanged are references. A line above that names nothing is a
// heading; dates and words behind an indicator, or "First Seen: ...; Description: ..." in the lines below it, belong
// to it.
#include <algorithm>
#include <optional>

#include "core/text.h"
#include "intel/csv.h"
#include "intel/feed/readers.h"
#include "intel/feed/recorder.h"
#include "intel/feed/times.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

using std::string_view;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Sees a defanged name from a plain one.
bool is_defanged(string_view token) {
  for (const string_view mark : {"[.", ".]", "(.)", "{.}", "[dot]", "(dot)", "hxxp", "h**p", "[:]", "[://]"}) {
    if (core::contains_ignore_case(token, mark)) return true;
  }
  return false;
}

// "C2:hxxp://x" and "address:198.51.100[.]1": a word in front of the indicator.
string_view without_word(string_view token) {
  for (;;) {
    const auto colon = token.find(':');
    if (colon == token.npos || colon == 0 || colon + 1 >= token.size()) return token;
    const string_view front = token.substr(0, colon);
    if (front.size() > 20 || token.substr(colon).starts_with("://") || token.substr(colon).starts_with(":]"))
      return token;
    // "C2", "address", "sha1"; "2001" and "dead" of an address are hexadecimal.
    const bool word = std::all_of(front.begin(), front.end(), [](char c) { return is_letter(c) || is_digit(c); });
    if (!word || core::Ip::parse(token) || is_hex(front)) {
      if (!core::equals_ignore_case(front, "c2")) return token;
    }
    token.remove_prefix(colon + 1);
  }
}

struct Found {
  std::vector<FeedValue> values;
  std::string_view rest;  // of the line behind the last value
  bool hash = false;
  std::string_view refused;  // a defanged indicator that may not be used
  std::string reason;
  bool cut = false;  // there are more words than are looked at
};

constexpr string_view kBetween = " \t,;|\"'`<>";

Found find_values(string_view line, const ValueRules& rules) {
  Found found;
  constexpr int kMostTokens = 4096;
  std::size_t at = 0;
  for (int n = 0;; ++n) {
    at = line.find_first_not_of(kBetween, at);
    if (at == line.npos) break;
    if (n == kMostTokens) {
      found.cut = true;
      break;
    }
    const std::size_t end = std::min(line.find_first_of(kBetween, at), line.size());
    string_view token = line.substr(at, end - at);
    at = end;
    while (token.size() > 1 && (token.front() == '(' || token.front() == '*')) token.remove_prefix(1);
    while (!token.empty() && string_view(".:)!*").find(token.back()) != string_view::npos) token.remove_suffix(1);
    token = without_word(token);
    if (token.empty() || token.size() > kLongestValue) continue;
    const bool defanged = is_defanged(token);
    std::vector<FeedValue> values;
    const ValueVerdict verdict = read_value(refang(token), rules, values);
    if (verdict.fate == ValueFate::kIgnored && verdict.reason == "file hash") found.hash = true;
    if (verdict.fate == ValueFate::kRejected && defanged && found.refused.empty()) {
      found.refused = token;
      found.reason = verdict.reason;
    }
    if (verdict.fate != ValueFate::kItem) continue;
    const FeedValue& first = values.front();
    // A version ("1.2.3.4" apart) or a number is no address: an address needs all four parts, which parse() demands.
    const bool address = first.kind == FeedKind::kPrefix ||
                         (first.kind == FeedKind::kUrl && first.host.empty() && token.find("://") == token.npos);
    if (!address && !defanged) continue;
    std::move(values.begin(), values.end(), std::back_inserter(found.values));
    found.rest = line.substr(end);
  }
  return found;
}

// Dates and words of one indicator.
struct Details {
  TimeSpan dates;
  std::string words;
};

// What stands in cells behind the indicator: the last one without a date names it.
std::string words_behind(string_view rest) {
  string_view words;
  while (!rest.empty()) {
    const auto tab = rest.find('\t');
    const auto blanks = rest.find("  ");
    const std::size_t end = std::min({tab, blanks, rest.size()});
    string_view cell = core::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    while (!cell.empty() && (cell.front() == '-' || cell.front() == '|' || cell.front() == '`' || cell.front() == ',' ||
                             cell.front() == ':'))
      cell = core::trim(cell.substr(1));
    const bool any = std::any_of(cell.begin(), cell.end(), is_letter);
    if (!any || cell == "IP" || find_dates(cell).first != 0) continue;
    words = cell;
  }
  return std::string(words);
}

// "First Seen: 2025-04-11; Last Seen: Present; Description: C2", "First: January 3, 2024". False: no such line.
bool take_details(string_view line, Details& details) {
  const auto begins = [&](string_view part, string_view word) {
    return core::equals_ignore_case(part.substr(0, word.size()), word) && part.size() > word.size() &&
           part.find(':') != part.npos;
  };
  if (!begins(line, "first") && !begins(line, "last") && !begins(line, "description")) return false;
  for (string_view rest = line; !rest.empty();) {
    const string_view part = core::trim(core::take_until(rest, ';'));
    const auto colon = part.find(':');
    if (colon == part.npos) continue;
    const string_view value = core::trim(part.substr(colon + 1));
    if (begins(part, "first")) details.dates.first = find_dates(value).first;
    if (begins(part, "last")) details.dates.last = find_dates(value).last;
    if (begins(part, "description")) details.words = value;
  }
  return true;
}

class Report final : public FeedReader {
 public:
  string_view name() const override { return "report"; }
  string_view description() const override {
    return "running text with defanged indicators, dates and words to them; Black Lotus Labs, AsciiDoc";
  }

  int recognise(string_view head, string_view) const override {
    constexpr int kLooked = 400;
    if (core::trim(head).starts_with('{') || core::trim(head).starts_with('<')) return 0;
    // Without defanging a version of four numbers would look like an address.
    const bool titled =
        core::contains_ignore_case(head, "indicator") || head.find("IOC") != head.npos || head.find("IoC") != head.npos;
    int with = 0;
    int defanged = 0;
    for (int n = 0; n < kLooked && !head.empty(); ++n) {
      const string_view line = core::trim(take_line(head));
      if (line.size() > 2000 || find_values(line, {}).values.empty()) continue;
      ++with;
      defanged += is_defanged(line) ? 1 : 0;
    }
    return defanged > 0 ? 45 : titled && with > 0 ? 20 : 0;
  }

  core::Expected<FeedCounts> read(string_view text, const FeedSettings& settings, FeedSink& sink) const override {
    if (text.size() > kMostFeedBytes) return core::fail("feed too large", std::to_string(text.size()) + " bytes");
    FeedRecorder recorder(settings, sink);
    core::skip_prefix(text, "\xef\xbb\xbf");
    std::string heading;
    while (!text.empty() && !recorder.full()) {
      const std::uint64_t number = recorder.record();
      const string_view line = core::trim(take_line(text));
      if (line.empty()) {
        recorder.ignore("empty line");
        continue;
      }
      if (line.size() > kLongestFeedLine) {
        recorder.reject("line too long", line, line_place(number));
        continue;
      }
      const Found found = find_values(line, recorder.rules());
      if (found.cut) recorder.leave_out("words beyond 4096 of a line");
      if (found.values.empty()) {
        if (found.hash) {
          recorder.ignore("file hash");
        } else if (!found.refused.empty()) {
          recorder.reject(found.reason, found.refused, line_place(number));
        } else {
          // "2nd Stage Servers (active prior to publication)", "= Linux/Moose", "# Loader C2s".
          const auto word = line.find_first_not_of("#=*-. ");
          if (word != line.npos) heading = feed_label(line.substr(word));
          while (heading.ends_with(':')) heading.pop_back();
          recorder.ignore("text");
        }
        continue;
      }
      Details details;
      details.words = words_behind(found.rest);
      details.dates = find_dates(found.rest);
      // A following line is only looked at here: it is counted as a record of its own, below.
      std::uint64_t below = 0;
      string_view behind = text;
      for (; below < 3 && !behind.empty(); ++below) {
        string_view after = behind;
        if (!take_details(core::trim(take_line(after)), details)) break;
        behind = after;
      }
      FeedItem item;
      const std::string said = details.words.empty() ? heading : details.words;
      const std::string label =
          feed_label(settings.label.empty() || said.empty() ? settings.label + said : settings.label + ": " + said);
      item.label = label;
      item.first_seen = details.dates.first;
      item.last_seen = details.dates.last;
      recorder.finish({}, found.values, item, line, line_place(number));
      if (below > 0) recorder.ignore("line about the one above", below);
      text = behind;
    }
    return recorder.finished();
  }
};

}  // namespace

const FeedReader& report_feed() {
  static const Report reader;
  return reader;
}

}  // namespace orbwatch::intel
