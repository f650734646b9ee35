// Lists: one indicator a line, defanged or not, or CSV with the indicator in the first column. "#", ";" and "//" begin
// comments; what stands behind an indicator or in the second column names it. Maltrail's trails ("# Reference: URL"
// names the block below), Tor's and x4bnet's lists, and most block lists are such.
#include <algorithm>

#include "core/text.h"
#include "intel/csv.h"
#include "intel/feed/readers.h"
#include "intel/feed/rows.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

using std::string_view;

bool is_comment(string_view line) { return line.front() == '#' || line.front() == ';' || line.starts_with("//"); }

// Value and name of a line that is no comment.
struct Parts {
  string_view field;
  string_view label;
};

Parts parts_of(string_view line) {
  string_view rest = line;
  Parts parts;
  parts.field = take_field(rest);
  parts.label = take_field(rest);
  // A comment behind the indicator names it; a blank in front of the sign tells it from a URL's fragment.
  for (const string_view sign : {" #", "\t#", " ;", "\t;", " //", "\t//"}) {
    if (const auto at = parts.field.find(sign); at != parts.field.npos) {
      parts.label = core::trim(parts.field.substr(at + sign.size()));
      parts.field = core::trim(parts.field.substr(0, at));
    }
  }
  if (!parts.label.empty() && parts.label.front() == '#') parts.label = core::trim(parts.label.substr(1));
  return parts;
}

ValueVerdict read_line(Parts& parts, const KindName& kind, const ValueRules& rules, std::vector<FeedValue>& values) {
  ValueVerdict verdict = read_value(refang(parts.field), kind, rules, values);
  if (verdict.fate != ValueFate::kRejected) return verdict;
  // "192.0.2.1 text" and "192.0.2.1<tab>text": the first word counts, the others name it.
  const auto blank = parts.field.find_first_of(" \t");
  if (blank == parts.field.npos) return verdict;
  std::vector<FeedValue> of_word;
  ValueVerdict first_word = read_value(refang(parts.field.substr(0, blank)), kind, rules, of_word);
  // "evil.example is bad" may be a sentence; an address is not one's first word by chance.
  if (first_word.fate != ValueFate::kItem || of_word.front().kind == FeedKind::kDomain) return verdict;
  values = std::move(of_word);
  if (parts.label.empty()) parts.label = core::trim(parts.field.substr(blank));
  return first_word;
}

class Text final : public FeedReader {
 public:
  string_view name() const override { return "text"; }
  string_view description() const override {
    return "list with one indicator a line, or in the first column of CSV; Maltrail, Tor, x4bnet";
  }

  int recognise(string_view head, string_view file_name) const override {
    constexpr int kLooked = 300;
    // Documents; a line of theirs that is a name alone is mostly a file's.
    if (file_name.ends_with(".adoc") || file_name.ends_with(".md")) return 0;
    // The last line may be cut.
    const bool cut = head.size() >= 60'000;
    int good = 0;
    int bad = 0;
    std::vector<FeedValue> values;
    while (!head.empty() && good + bad < kLooked) {
      const string_view line = core::trim(take_line(head));
      if (head.empty() && cut) break;
      if (line.empty() || is_comment(line)) continue;
      values.clear();
      Parts parts = parts_of(line);
      const ValueVerdict verdict = read_line(parts, kind_of_name("auto"), {}, values);
      (verdict.fate == ValueFate::kRejected ? bad : good) += 1;
    }
    if (good == 0) return 0;
    return bad * 10 <= good || (good == 1 && bad == 1) ? 50 : bad * 2 <= good ? 30 : 0;
  }

  core::Expected<FeedCounts> read(string_view text, const FeedSettings& settings, FeedSink& sink) const override {
    if (text.size() > kMostFeedBytes) return core::fail("feed too large", std::to_string(text.size()) + " bytes");
    const auto kind = kind_of_settings(settings);
    if (!kind) return std::unexpected(kind.error());
    FeedRecorder recorder(settings, sink);
    std::vector<FeedValue> values;
    std::string reference;
    bool in_references = false;
    FeedTags tags;
    core::skip_prefix(text, "\xef\xbb\xbf");
    while (!text.empty() && !recorder.full()) {
      const std::uint64_t number = recorder.record();
      const string_view whole = take_line(text);
      const string_view line = core::trim(whole);
      if (number <= settings.skip) {
        recorder.ignore("skipped line");
      } else if (line.empty()) {
        in_references = false;
        recorder.ignore("empty line");
      } else if (line.size() > kLongestFeedLine) {
        recorder.reject("line too long", line, line_place(number));
      } else if (is_comment(line)) {
        // The first of several references is the report; the others are mostly look-ups of samples.
        if (line.starts_with("# Reference:")) {
          if (!in_references) reference = feed_label(line.substr(12));
          in_references = true;
        } else if (line.starts_with("# Aliases:")) {
          take_aliases(line.substr(10), tags, recorder);
        }
        recorder.ignore("comment");
      } else {
        in_references = false;
        values.clear();
        Parts parts = parts_of(line);
        const ValueVerdict verdict = read_line(parts, *kind, recorder.rules(), values);
        // The first line of a CSV file names the columns.
        if (verdict.fate == ValueFate::kRejected && number == 1 && whole.find(',') != whole.npos) {
          recorder.ignore("names of columns");
          continue;
        }
        FeedItem item;
        std::string label = feed_label(parts.label);
        if (label.empty() && settings.label.empty()) label = reference;
        item.label = label;
        item.tags = tags.views();
        recorder.finish(verdict, values, item, line, line_place(number));
      }
    }
    return recorder.finished();
  }

 private:
  static void take_aliases(string_view text, FeedTags& tags, FeedRecorder& recorder) {
    while (!text.empty()) {
      if (!tags.add(core::trim(core::take_until(text, ',')))) recorder.leave_out("tag too long or too many");
    }
  }
};

}  // namespace

const FeedReader& text_feed() {
  static const Text reader;
  return reader;
}

}  // namespace orbwatch::intel
