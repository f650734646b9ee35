// CSV (RFC 4180, quoted fields may have line breaks) and its kin with tabs, semicolons or bars. The columns are found
// by the header, which may be the last comment in front of the data (abuse.ch), or are mapped by the settings.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text.h"
#include "intel/feed/readers.h"
#include "intel/feed/rows.h"

namespace orbwatch::intel {
namespace {

using std::string_view;

constexpr std::size_t kMostColumns = 1000;

enum class Cut : std::uint8_t { kRecord, kTooLong, kOpenQuote };

// Takes the next record from `text`. A broken one is taken up to the end of its first line.
Cut take_record(string_view& text, char delimiter, std::vector<std::string>& fields, string_view& whole) {
  fields.clear();
  const std::size_t line_end = std::min(text.find('\n'), text.size());
  const auto broken = [&](Cut cut) {
    whole = text.substr(0, line_end);
    text.remove_prefix(std::min(text.size(), line_end + 1));
    return cut;
  };
  std::size_t at = 0;
  for (;;) {
    std::string field;
    while (at < text.size() && (text[at] == ' ' || (text[at] == '\t' && delimiter != '\t'))) ++at;
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) return broken(Cut::kOpenQuote);
        if (at > kLongestFeedLine) return broken(line_end > kLongestFeedLine ? Cut::kTooLong : Cut::kOpenQuote);
        if (text[at] == '"') {
          if (at + 1 >= text.size() || text[at + 1] != '"') break;
          ++at;
        }
        field += text[at];
      }
      ++at;
    }
    // Behind a closing quote nothing is expected; what is there is kept, so that nothing is lost.
    while (at < text.size() && text[at] != delimiter && text[at] != '\n') field += text[at++];
    if (at > kLongestFeedLine) return broken(Cut::kTooLong);
    while (!field.empty() && core::is_space(field.back())) field.pop_back();
    if (fields.size() < kMostColumns) fields.push_back(std::move(field));
    if (at >= text.size() || text[at] == '\n') break;
    ++at;
  }
  whole = text.substr(0, at);
  text.remove_prefix(std::min(text.size(), at + 1));
  return Cut::kRecord;
}

bool empty(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const std::string& f) { return f.empty(); });
}

bool is_comment(string_view text) {
  text = core::trim(text);
  return text.starts_with('#') || text.starts_with("//");
}

// The sign that the first lines that are data have most of.
char find_delimiter(string_view text, std::uint32_t skip = 0) {
  constexpr string_view kSigns = ",\t;|";
  for (int n = 0; n < 100 && !text.empty(); ++n) {
    const string_view line = core::take_until(text, '\n');
    if (static_cast<std::uint32_t>(n) < skip || core::trim(line).empty() || is_comment(line)) continue;
    const auto* const best = std::max_element(kSigns.begin(), kSigns.end(), [&](char a, char b) {
      return std::count(line.begin(), line.end(), a) < std::count(line.begin(), line.end(), b);
    });
    return line.find(*best) == line.npos ? ',' : *best;
  }
  return ',';
}

// "#3" is the third column: 2. Nullopt: not of that form.
std::optional<int> numbered(string_view name) {
  if (!name.starts_with('#')) return std::nullopt;
  const auto number = core::parse_number<int>(name.substr(1));
  if (!number || *number < 1 || *number > static_cast<int>(kMostColumns)) return std::nullopt;
  return *number - 1;
}

// Layout by the settings' names. An error names the column that is not there.
core::Expected<RowLayout> mapped_layout(const FeedMapping& mapping, const std::vector<std::string>& header) {
  RowLayout layout;
  layout.value_kind = kind_of_name("auto");
  const auto names = mapped_names(mapping);
  for (std::size_t i = 0; i < kRowFields; ++i) {
    if (names[i].empty()) continue;
    if (const auto number = numbered(names[i])) {
      layout.at[i] = *number;
      continue;
    }
    const auto at = std::find_if(header.begin(), header.end(),
                                 [&](const std::string& name) { return core::equals_ignore_case(name, names[i]); });
    if (at == header.end()) {
      std::string has;
      for (const std::string& name : header) has += (has.empty() ? "" : ", ") + name;
      return core::fail("no such column", std::string(names[i]), "the header has " + core::printable(has, 300));
    }
    layout.at[i] = static_cast<int>(at - header.begin());
  }
  return layout;
}

bool all_numbered(const FeedMapping& mapping) {
  const auto names = mapped_names(mapping);
  return std::all_of(names.begin(), names.end(), [](string_view name) { return name.empty() || numbered(name); });
}

// A comment's text as if it were a record.
std::vector<std::string> columns_of_comment(string_view line, char delimiter) {
  line = core::trim(line);
  line.remove_prefix(std::min(line.size(), line.find_first_not_of("#/ ")));
  std::vector<std::string> fields;
  string_view whole;
  string_view text = line;
  if (take_record(text, delimiter, fields, whole) != Cut::kRecord) fields.clear();
  return fields;
}

class Csv final : public FeedReader {
 public:
  string_view name() const override { return "csv"; }
  string_view description() const override {
    return "columns with a header, by comma, tab, semicolon or bar; abuse.ch, Sekoia, Microsoft";
  }

  int recognise(string_view head, string_view) const override {
    core::skip_prefix(head, "\xef\xbb\xbf");
    if (core::trim(head).starts_with('{') || core::trim(head).starts_with('[')) return 0;
    const char delimiter = find_delimiter(head);
    std::vector<std::string> fields;
    string_view whole;
    std::vector<std::string> comment;
    for (int n = 0; n < 200 && !head.empty(); ++n) {
      const Cut cut = take_record(head, delimiter, fields, whole);
      if (cut != Cut::kRecord) return 0;
      if (is_comment(whole)) {
        comment = columns_of_comment(whole, delimiter);
      } else if (!empty(fields)) {
        break;
      }
    }
    // A line "value" or "ip" alone is a list with a title.
    if (fields.size() > 1 && usual_layout(fields)) return 80;
    return comment.size() > 1 && usual_layout(comment) && comment.size() == fields.size() ? 80 : 0;
  }

  core::Expected<FeedCounts> read(string_view text, const FeedSettings& settings, FeedSink& sink) const override {
    if (text.size() > kMostFeedBytes) return core::fail("feed too large", std::to_string(text.size()) + " bytes");
    const auto kind = kind_of_settings(settings);
    if (!kind) return std::unexpected(kind.error());
    if (string_view("\"\r\n ").find(settings.delimiter) != string_view::npos)
      return core::fail("no delimiter", core::printable({&settings.delimiter, 1}), "a comma, a tab, \";\" or \"|\"");
    FeedRecorder recorder(settings, sink);
    core::skip_prefix(text, "\xef\xbb\xbf");
    const char delimiter = settings.delimiter != 0 ? settings.delimiter : find_delimiter(text, settings.skip);
    const bool mapped = !settings.mapping.value.empty();
    std::optional<RowLayout> layout;
    std::vector<std::string> comment;
    std::vector<std::string> fields;
    std::uint64_t line = 1;
    bool data = false;
    while (!text.empty() && !recorder.full()) {
      const std::uint64_t number = recorder.record();
      const std::size_t before = text.size();
      const string_view from = text;
      string_view whole;
      const Cut cut = take_record(text, delimiter, fields, whole);
      const std::uint64_t at = line;
      line += core::count_lines(from.substr(0, before - text.size()));
      if (number <= settings.skip) {
        recorder.ignore("skipped line");
      } else if (cut != Cut::kRecord) {
        recorder.reject(cut == Cut::kTooLong ? "record too long" : "quote that is not closed", whole, line_place(at));
        data = true;
      } else if (empty(fields)) {
        recorder.ignore("empty line");
      } else if (is_comment(whole)) {
        comment = columns_of_comment(whole, delimiter);
        recorder.ignore("comment");
      } else {
        if (!layout) {
          auto found = find_layout(settings.mapping, mapped, fields, comment);
          if (!found) return std::unexpected(found.error());
          layout = *found;
          if (!layout_from_comment(mapped, settings.mapping, fields)) {
            recorder.ignore("names of columns");
            continue;
          }
        }
        // Without a header that is known, the first record may still be one.
        const bool may_be_header = !data && mapped && all_numbered(settings.mapping);
        data = true;
        take(fields, *layout, *kind, may_be_header, line_place(at), recorder);
      }
    }
    return recorder.finished();
  }

 private:
  static core::Expected<RowLayout> find_layout(const FeedMapping& mapping, bool mapped,
                                               const std::vector<std::string>& fields,
                                               const std::vector<std::string>& comment) {
    if (mapped) {
      if (all_numbered(mapping)) return mapped_layout(mapping, {});
      return mapped_layout(mapping, fields);
    }
    if (const auto layout = usual_layout(fields)) return *layout;
    if (comment.size() == fields.size()) {
      if (const auto layout = usual_layout(comment)) return *layout;
    }
    std::string has;
    for (const std::string& name : fields) has += (has.empty() ? "" : ", ") + name;
    return core::fail("no column that holds an indicator", core::printable(has, 200),
                      "name one with mapping.value, or \"#1\" for the first");
  }
  // True if the record itself is data: its columns were named elsewhere.
  static bool layout_from_comment(bool mapped, const FeedMapping& mapping, const std::vector<std::string>& fields) {
    return mapped ? all_numbered(mapping) : !usual_layout(fields).has_value();
  }

  static void take(const std::vector<std::string>& fields, const RowLayout& layout, const KindName& of_settings,
                   bool may_be_header, const std::string& place, FeedRecorder& recorder) {
    Row row;
    for (std::size_t i = 0; i < kRowFields; ++i) {
      const int column = layout.at[i];
      if (column >= 0 && static_cast<std::size_t>(column) < fields.size()) row.field[i] = fields[column];
    }
    const KindName& kind = of_settings.meaning != KindName::Meaning::kAuto ? of_settings : layout.value_kind;
    if (may_be_header) {
      std::vector<FeedValue> values;
      if (read_value(row[RowField::kValue], kind, recorder.rules(), values).fate == ValueFate::kRejected &&
          usual_layout({std::string(row[RowField::kValue])}))
        return recorder.ignore("names of columns");
    }
    if (static_cast<std::size_t>(layout[RowField::kValue]) >= fields.size())
      return recorder.reject("record with too few columns", fields.front(), place);
    take_row(row, kind, place, recorder);
  }
};

}  // namespace

const FeedReader& csv_feed() {
  static const Csv reader;
  return reader;
}

}  // namespace orbwatch::intel
