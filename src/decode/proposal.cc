#include "decode/proposal.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/text.h"
#include "decode/cells.h"
#include "decode/json_record.h"
#include "decode/line_patterns.h"
#include "decode/mapping.h"
#include "decode/scanner.h"
#include "decode/text.h"
#include "decode/time_layout.h"

namespace orbwatch::decode {
namespace {

// A table with a column such as "event" may hold whole records in it; that of an unknown format is the table itself.
Framing framing_of_sample(std::string_view sample) {
  const Framing framing = framing_of(sample);
  return framing == Framing::kCsvWrapper ? Framing::kLines : framing;
}

constexpr std::size_t kMostRecords = 2000;
constexpr std::size_t kMostColumns = 400;
constexpr std::size_t kMostPatterns = 24;
constexpr std::size_t kLongestPattern = 4096;  // as in a mapping
constexpr std::size_t kDeepest = 8;            // levels of a JSON object that are looked into

// ---- Records and their columns

struct Sampled {
  std::string raw;
  std::string message;
  std::string program;
  bool enveloped = false;
  bool json = false;
};

// Takes every record of the frame and lets none become an event.
class Collector final : public RecordDecoder {
 public:
  explicit Collector(std::vector<Sampled>& out) : out_(out) {}
  bool claims(const TextRecord&) const override { return true; }
  Fate decode(const TextRecord& r, Event&) override {
    if (out_.size() < kMostRecords) {
      out_.push_back({std::string(r.raw), std::string(r.message), std::string(r.program),
                      r.time != 0 && (!r.host.empty() || !r.program.empty()), r.json});
    }
    return Fate::ignored("seen");
  }

 private:
  std::vector<Sampled>& out_;
};

std::vector<Sampled> records_of(std::string_view sample, const core::TimeReader& times) {
  std::vector<Sampled> records;
  const Framing framing = framing_of_sample(sample);
  // A sample that was cut out of a longer file may end within a record.
  if (framing == Framing::kLines && !sample.ends_with('\n')) {
    const auto end = sample.rfind('\n');
    if (end != sample.npos) sample = sample.substr(0, end + 1);
  }
  TextDecoder decoder(framing, "", true, {}, times);
  decoder.offer_first(core::intern("sample"), std::make_unique<Collector>(records));
  EventBatch batch;
  std::string padded(sample);
  padded.reserve(padded.size() + core::kPadding);
  decoder.feed(padded, batch);
  if (framing == Framing::kLines) decoder.finish(batch);
  return records;
}

struct Column {
  std::string name;
  std::vector<std::string> texts;  // of the records that carry one, in their order
};

struct Table {
  std::string kind;  // "csv", "json", "kv", "regex"
  char delimiter = ',';
  bool header = false;
  bool syslog = false;
  std::string program;                // that all records behind syslog share
  std::vector<LinePattern> patterns;  // regex
  std::vector<std::string> bodies;    // of the records, without the envelope if syslog
  std::vector<Column> columns;
  std::size_t records = 0;

  Column& column(std::string_view name) {
    const auto found = index_.find(name);
    if (found != index_.end()) return columns[found->second];
    index_.emplace(std::string(name), columns.size());
    columns.push_back({std::string(name), {}});
    return columns.back();
  }
  void forget_columns() {
    columns.clear();
    index_.clear();
  }
  void put(std::string_view name, std::string_view text) {
    text = core::trim(text);
    if (text.empty() || text == "-" || text.size() > 2000) return;
    if (!index_.contains(name) && columns.size() >= kMostColumns) return;
    column(name).texts.emplace_back(text);
  }

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

std::string pointer_of(std::string_view parent, std::string_view key) {
  std::string path(parent);
  path += '/';
  for (const char c : key) path += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return path;
}

// Every scalar member of the object; of arrays the first element. A top-level name stands for itself.
void flatten(Table& table, const std::string& path, std::string_view key, json::Value& value, std::size_t depth) {
  const std::string here = pointer_of(path, key);
  if (json::is_object(value)) {
    if (depth >= kDeepest) return;
    json::each_field(value, [&](std::string_view k, json::Value& v) {
      flatten(table, here, k, v, depth + 1);
      return true;
    });
    return;
  }
  if (json::is_array(value)) return;
  table.put(depth == 0 && !key.starts_with('/') ? std::string(key) : here, json::text(value));
}

bool read_json(Table& table, std::span<const Sampled> records) {
  json::Parser parser;
  for (const Sampled& record : records) {
    std::string text = record.message;
    text.reserve(text.size() + core::kPadding);
    json::Object object;
    if (!parser.open(text, object)) continue;
    ++table.records;
    json::each_field(object, [&](std::string_view key, json::Value& value) {
      flatten(table, "", key, value, 0);
      return true;
    });
  }
  table.kind = "json";
  return table.records * 10 >= records.size() * 8;
}

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= 64 && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  });
}

bool read_pairs(Table& table) {
  std::size_t whole = 0;
  for (const char delimiter : {' ', ',', ';', '\t', '|'}) {
    whole = 0;
    table.delimiter = delimiter;
    for (const std::string& body : table.bodies) {
      std::size_t pairs = 0;
      std::size_t bytes = 0;
      each_pair(body, delimiter, [&](std::string_view key, std::string_view value) {
        if (!is_key(key)) return;
        ++pairs;
        bytes += key.size() + value.size() + 2;
      });
      // Most of the record must be pairs, not one `=` within a sentence or a URL.
      if (pairs >= 3 && bytes * 10 >= body.size() * 6) ++whole;
    }
    if (whole * 10 >= table.bodies.size() * 8) break;
  }
  if (whole * 10 < table.bodies.size() * 8 || whole == 0) return false;
  for (const std::string& body : table.bodies) {
    each_pair(body, table.delimiter, [&](std::string_view key, std::string_view value) {
      if (is_key(key)) table.put(key, value);
    });
  }
  table.records = table.bodies.size();
  table.kind = "kv";
  return true;
}

std::vector<std::string> cells_of(std::string_view line, char delimiter) {
  std::vector<std::string> cells;
  each_cell(line, delimiter, [&](std::size_t, std::string_view cell, bool quoted) {
    std::string buffer;
    cells.emplace_back(unquoted_cell(core::trim(cell), quoted, buffer));
    return cells.size() < kMostColumns;
  });
  return cells;
}

// Names and no values: all different, without digits alone, addresses and empty cells.
bool looks_like_header(const std::vector<std::string>& cells) {
  std::set<std::string> seen;
  for (const std::string& cell : cells) {
    const bool letter =
        std::any_of(cell.begin(), cell.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    if (!letter || cell.size() > 64 || is_digit(cell[0]) || core::Ip::parse(cell) || !seen.insert(cell).second)
      return false;
  }
  return true;
}

bool read_cells(Table& table) {
  double best = 0;
  std::size_t best_count = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::map<std::size_t, std::size_t> counts;
    for (const std::string& body : table.bodies) ++counts[cells_of(body, delimiter).size()];
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == counts.end() || most->first < 3) continue;
    const double share = static_cast<double>(most->second) / static_cast<double>(table.bodies.size());
    if (share * static_cast<double>(most->first) > best && share >= 0.8) {
      best = share * static_cast<double>(most->first);
      best_count = most->first;
      table.delimiter = delimiter;
    }
  }
  if (best_count == 0) return false;
  std::vector<std::string> names;
  std::size_t first = 0;
  const auto head = cells_of(table.bodies.front(), table.delimiter);
  table.header = table.bodies.size() > 1 && head.size() == best_count && looks_like_header(head);
  for (std::size_t r = 1; table.header && r < table.bodies.size(); ++r) {
    // A name that comes again as a text of its column is none.
    const auto cells = cells_of(table.bodies[r], table.delimiter);
    for (std::size_t i = 0; i < std::min(cells.size(), head.size()); ++i) table.header &= cells[i] != head[i];
  }
  if (table.header) {
    names = head;
    first = 1;
  } else {
    for (std::size_t i = 0; i < best_count; ++i) names.push_back(fmt::format("column_{}", i + 1));
  }
  for (const std::string& name : names) table.column(name);
  for (std::size_t r = first; r < table.bodies.size(); ++r) {
    const auto cells = cells_of(table.bodies[r], table.delimiter);
    for (std::size_t i = 0; i < std::min(cells.size(), names.size()); ++i) table.put(names[i], cells[i]);
  }
  table.records = table.bodies.size() - first;
  table.kind = "csv";
  return true;
}

bool tells(std::string_view word);
bool is_name_of_user(std::string_view name);
struct TimePrefix {
  std::size_t words = 0;         // between blanks; 0 = there is none
  std::string opening, closing;  // "[" and "]"
};
TimePrefix time_prefix(std::span<const std::string> lines, const core::TimeReader& times);

// What stands behind the time with which a line begins; nullopt for a line that is shorter.
std::optional<std::string_view> behind_time(std::string_view line, const TimePrefix& prefix, std::string& time) {
  if (!core::skip_prefix(line, prefix.opening)) return std::nullopt;
  time.clear();
  for (std::size_t i = 0; i < prefix.words; ++i) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    if (end == 0) return std::nullopt;
    if (!time.empty()) time += ' ';
    time += line.substr(0, end);
    line.remove_prefix(end);
    if (i + 1 < prefix.words) line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
  }
  if (!prefix.closing.empty()) {
    if (!time.ends_with(prefix.closing)) return std::nullopt;
    time.resize(time.size() - prefix.closing.size());
  }
  return line;
}

// Does the line name an address or a user? Without one it is of no use.
bool has_subject(const LinePattern& pattern) {
  return std::any_of(pattern.parts.begin(), pattern.parts.end(), [](const LinePattern::Part& part) {
    return !part.name.empty() && (part.expression == LinePattern::kAddress || is_name_of_user(part.name));
  });
}

// Lines of free text: patterns of those that say the same, and a column for each of their variables.
bool read_text(Table& table, const core::TimeReader& times) {
  TimePrefix prefix;
  if (!table.syslog) {
    prefix = time_prefix(table.bodies, times);
    if (prefix.words == 0) return false;
  }
  std::vector<std::string> rests;
  std::string time;
  for (const std::string& body : table.bodies) {
    if (prefix.words == 0) {
      rests.push_back(body);
    } else if (const auto rest = behind_time(body, prefix, time)) {
      rests.emplace_back(*rest);
    }
  }
  if (rests.size() * 10 < table.bodies.size() * 8) return false;
  table.patterns = line_patterns(rests, kMostPatterns, tells);
  for (LinePattern& pattern : table.patterns) {
    if (prefix.words == 0) continue;
    std::string expression;
    const std::string last = prefix.closing.empty()  ? "\\S+"
                             : prefix.closing == "]" ? "[^\\s\\]]+"
                                                     : "[^\\s" + prefix.closing + "]+";
    for (std::size_t i = 0; i < prefix.words; ++i)
      expression += (i == 0 ? "" : "\\s+") + (i + 1 == prefix.words ? last : std::string("\\S+"));
    std::vector<LinePattern::Part> parts;
    if (!prefix.opening.empty()) parts.push_back({prefix.opening, {}, {}});
    parts.push_back({{}, "logtime", expression});
    if (!prefix.closing.empty()) parts.push_back({prefix.closing, {}, {}});
    pattern.parts.insert(pattern.parts.begin(), parts.begin(), parts.end());
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  std::vector<std::unique_ptr<RE2>> expressions;
  std::erase_if(table.patterns, [&](const LinePattern& pattern) {
    auto expression = std::make_unique<RE2>(pattern.regex([](const std::string&) { return true; }), options);
    // What a mapping would refuse is not proposed.
    const bool good = expression->ok() && expression->pattern().size() <= kLongestPattern;
    if (good) expressions.push_back(std::move(expression));
    return !good;
  });
  for (const std::string& body : table.bodies) {
    ++table.records;
    for (std::size_t i = 0; i < expressions.size(); ++i) {
      const auto& expression = expressions[i];
      std::vector<re2::StringPiece> groups(static_cast<std::size_t>(expression->NumberOfCapturingGroups()) + 1);
      if (!expression->Match(body, 0, body.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
        continue;
      if (!has_subject(table.patterns[i])) break;
      for (const auto& [number, name] : expression->CapturingGroupNames()) {
        const re2::StringPiece& found = groups[static_cast<std::size_t>(number)];
        table.put(name, {found.data(), found.size()});
      }
      break;
    }
  }
  table.kind = "regex";
  return !table.columns.empty();
}

core::Expected<Table> table_of(std::vector<Sampled> records, const core::TimeReader& times) {
  if (records.empty()) return core::fail("the sample holds no records");
  Table table;
  const auto json = std::count_if(records.begin(), records.end(), [](const Sampled& r) { return r.json; });
  const auto enveloped = std::count_if(records.begin(), records.end(), [](const Sampled& r) { return r.enveloped; });
  const auto all = static_cast<std::ptrdiff_t>(records.size());
  table.syslog = enveloped * 10 >= all * 8;
  for (const Sampled& r : records) table.bodies.push_back(table.syslog ? r.message : r.raw);
  const std::string program = records.front().program;
  if (table.syslog &&
      std::all_of(records.begin(), records.end(), [&](const Sampled& r) { return r.program == program; }))
    table.program = program;
  if (json * 10 >= all * 8) {
    std::erase_if(records, [](const Sampled& r) { return !r.json; });
    if (read_json(table, records)) return table;
  }
  table.forget_columns();
  if (read_pairs(table)) return table;
  table.forget_columns();
  if (read_cells(table)) return table;
  table.forget_columns();
  if (read_text(table, times)) return table;
  return core::fail(
      "the records are no table (neither JSON, nor key=value, nor cells between , ; | or tabs), and no lines of text "
      "that begin with a time",
      core::printable(table.bodies.front(), 120));
}

// ---- What a column holds

double share_of(const Column& column, const std::function<bool(const std::string&)>& is) {
  if (column.texts.empty()) return 0;
  return static_cast<double>(std::count_if(column.texts.begin(), column.texts.end(), is)) /
         static_cast<double>(column.texts.size());
}

bool is_address(const std::string& text) { return core::Ip::parse(text).has_value(); }
bool is_whole_number(const std::string& text) {
  return !text.empty() && text.size() <= 19 && std::all_of(text.begin(), text.end(), is_digit);
}
bool is_port(const std::string& text) {
  return is_whole_number(text) && text.size() <= 5 && core::parse_number<int>(text).value_or(99999) <= 65535;
}
bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == text.npos &&
         std::count(text.begin(), text.end(), '.') <= 1;
}
// "12", "1.5", "12ms", "1h5m", "01:02:03"
bool is_duration(const std::string& text) {
  return !text.empty() && is_digit(text[0]) && text.size() <= 24 &&
         text.find_first_not_of("0123456789.:dhmnus") == text.npos;
}
bool is_protocol(const std::string& text) { return protocol_number(text) != 0; }
bool is_words(const std::string& text) {
  return text.size() <= 256 && std::any_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
         });
}
bool is_name(const std::string& text) { return text.size() <= 128 && !is_address(text); }

// Says nothing without a name.
bool is_yes_or_no(const std::string& text) {
  const std::string low = core::lower(text);
  return low == "yes" || low == "no" || low == "true" || low == "false";
}

std::set<std::string> distinct(const Column& column) { return {column.texts.begin(), column.texts.end()}; }

// "Client address", "clientAddress", "/client/address" -> "clientaddress"; `last` takes the last member of a path only.
std::string normal(std::string_view name, bool last) {
  if (last) {
    if (const auto slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
    if (const auto dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);
  }
  std::string out;
  for (const char c : core::lower(name)) {
    if ((c >= 'a' && c <= 'z') || is_digit(c)) out += c;
  }
  return out;
}

// Words of a text: "LOGIN_FAILED: Bad password" -> login failed bad password.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool letter = upper || (c >= 'a' && c <= 'z');
    const bool hump = upper && i > 0 && text[i - 1] >= 'a' && text[i - 1] <= 'z';
    if ((!letter || hump) && !word.empty()) words.push_back(std::exchange(word, {}));
    if (letter) word += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  // "logged in", "sign out"
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (!is_phrase(words[i], words[i + 1])) continue;
    words[i] = words[i + 1] == "in" || words[i + 1] == "on" ? "login" : "logout";
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return words;
}

struct Meaning {
  std::string_view word;  // with a trailing *: any word that begins so
  std::string_view value;
};

constexpr Meaning kOutcomes[] = {
    {"fail*", "failure"},         {"den*", "failure"},       {"reject*", "failure"},
    {"invalid*", "failure"},      {"bad*", "failure"},       {"wrong", "failure"},
    {"locked", "failure"},        {"lockout", "failure"},    {"expired", "failure"},
    {"error*", "failure"},        {"false", "failure"},      {"no", "failure"},
    {"not", "failure"},           {"unauth*", "failure"},    {"blocked", "failure"},
    {"timeout", "failure"},       {"incorrect", "failure"},  {"refused", "failure"},
    {"nouser", "failure"},        {"unsuccess*", "failure"}, {"success*", "success"},
    {"succe*", "success"},        {"ok", "success"},         {"pass", "success"},
    {"passed", "success"},        {"accept*", "success"},    {"grant*", "success"},
    {"allow*", "success"},        {"true", "success"},       {"yes", "success"},
    {"authenticated", "success"}, {"permit*", "success"},
};
constexpr Meaning kActions[] = {
    {"den*", "denied"},    {"drop*", "denied"},   {"block*", "denied"},  {"reject*", "denied"},  {"discard*", "denied"},
    {"refused", "denied"}, {"reset*", "denied"},  {"allow*", "allowed"}, {"accept*", "allowed"}, {"permit*", "allowed"},
    {"pass", "allowed"},   {"passed", "allowed"}, {"built", "allowed"},
};
constexpr Meaning kActivities[] = {
    {"logout", "logoff"},    {"logoff", "logoff"},    {"signout", "logoff"},
    {"loggedout", "logoff"}, {"login", "logon"},      {"logon", "logon"},
    {"signin", "logon"},     {"auth*", "logon"},      {"challenge*", "challenge"},
    {"disconnect*", "end"},  {"stop*", "end"},        {"end*", "end"},
    {"clos*", "end"},        {"terminat*", "end"},    {"down", "end"},
    {"teardown", "end"},     {"connect*", "start"},   {"start*", "start"},
    {"open*", "start"},      {"establish*", "start"}, {"begin*", "start"},
    {"up", "start"},         {"update*", "update"},   {"interim", "update"},
};
constexpr Meaning kMfa[] = {
    {"yes", "yes"}, {"true", "yes"}, {"y", "yes"}, {"used", "yes"}, {"ok", "yes"}, {"success*", "yes"},
    {"no", "no"},   {"false", "no"}, {"n", "no"},  {"none", "no"},  {"not", "no"}, {"disabled", "no"},
};
constexpr Meaning kMethods[] = {
    {"password", "password"}, {"pw", "password"},       {"pwd", "password"},      {"publickey", "publickey"},
    {"key", "publickey"},     {"cert*", "certificate"}, {"kerberos", "kerberos"}, {"krb", "kerberos"},
    {"ntlm", "ntlm"},         {"saml", "saml"},         {"radius", "radius"},     {"ldap", "ldap"},
    {"local", "password"},    {"sso", "saml"},
};

// The first meaning in the table that one of the text's words has.
std::string_view meaning_of(std::string_view text, std::span<const Meaning> table) {
  const auto words = words_of(text);
  for (const Meaning& m : table) {
    const bool prefix = m.word.ends_with('*');
    const std::string_view stem = prefix ? m.word.substr(0, m.word.size() - 1) : m.word;
    for (const std::string& word : words) {
      if (prefix ? word.starts_with(stem) : word == stem) return m.value;
    }
  }
  return {};
}

// Does the word say what happened?
bool tells(std::string_view word) {
  static constexpr std::string_view kTooShort[] = {"no", "up", "down", "yes", "true", "false", "pass", "not", "open"};
  if (std::find(std::begin(kTooShort), std::end(kTooShort), word) != std::end(kTooShort)) return false;
  // "AuthManager" is where it happened.
  if (word.starts_with("auth") && word != "auth" && !word.starts_with("authenti")) return false;
  return !meaning_of(word, kOutcomes).empty() || !meaning_of(word, kActivities).empty() ||
         !meaning_of(word, kActions).empty();
}

// Share of the column's different texts that the table knows; 0 if there are too many of them for a closed vocabulary.
double known_share(const Column& column, std::span<const Meaning> table) {
  const auto texts = distinct(column);
  if (texts.empty() || texts.size() > 40) return 0;
  const auto known = std::count_if(texts.begin(), texts.end(),
                                   [&](const std::string& text) { return !meaning_of(text, table).empty(); });
  return static_cast<double>(known) / static_cast<double>(texts.size());
}

// ---- Times

constexpr std::string_view kTimeFormats[] = {
    "iso8601",
    "%d.%m.%Y %H:%M:%E*S",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S",
    "%d/%m/%Y %H:%M:%E*S",
    "%m/%d/%Y %H:%M:%E*S",
    "%d-%m-%Y %H:%M:%E*S",
    "%m-%d-%Y %H:%M:%E*S",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%E*S",
    "%d %b %Y %H:%M:%E*S",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y %H:%M:%S",
    "%d/%m/%y %H:%M:%S",
    "%m/%d/%y %H:%M:%S",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %H:%M",
    "%E4Y%m%d%H%M%S",
    "%E4Y%m%d %H%M%S",
    "%E4Y%m%dT%H%M%E*S%Ez",
    "%E4Y%m%dT%H%M%S",
    "bsd",
    "epoch",
};

constexpr std::string_view kTimeNames[] = {
    "time",      "timestamp", "datetime", "date",         "when",      "eventtime",     "ts",        "start",
    "starttime", "logtime",   "created",  "createdat",    "eventdate", "timegenerated", "occurred",  "begin",
    "logdate",   "loggedat",  "devtime",  "receivedtime", "eventts",   "utctime",       "localtime",
};

struct TimeFound {
  std::vector<std::string> columns;
  std::string format;
  std::size_t read = 0;
  std::size_t carried = 0;
  core::Nanoseconds first = 0, last = 0;
  bool ambiguous = false;  // day and month could be the other way round
  double score = 0;
};

// A moment that a log of today can hold: 1990 to 2100. Keeps counters and ports from being read as times.
bool sensible(core::Nanoseconds t) { return t > 631152000 * core::kSecond && t < 4102444800 * core::kSecond; }

std::optional<TimeFound> time_in(const std::vector<std::string>& texts, const core::TimeReader& times) {
  std::optional<TimeFound> best;
  if (texts.empty()) return best;
  for (const std::string_view format : kTimeFormats) {
    if (format == "epoch" &&
        std::any_of(texts.begin(), texts.end(), [](const std::string& t) { return t.size() < 10 || !is_number(t); }))
      continue;
    const TimeLayout layout = *TimeLayout::make(format);
    TimeFound found;
    found.format = format;
    found.carried = texts.size();
    for (const std::string& text : texts) {
      const core::Nanoseconds t = layout.read(text, times);
      if (!sensible(t)) continue;
      ++found.read;
      if (found.first == 0 || t < found.first) found.first = t;
      found.last = std::max(found.last, t);
    }
    if (found.read * 10 < texts.size() * 9) continue;
    if (!best || found.read > best->read) {
      best = found;
    } else if (found.read == best->read && best->format.starts_with("%d") && format.starts_with("%m") &&
               best->format.size() == format.size()) {
      best->ambiguous = true;
    }
  }
  return best;
}

TimePrefix time_prefix(std::span<const std::string> lines, const core::TimeReader& times) {
  TimePrefix best;
  if (lines.empty()) return best;
  const std::string& first = lines.front();
  const std::string opening =
      !first.empty() && (first[0] == '[' || first[0] == '(' || first[0] == '<') ? first.substr(0, 1) : "";
  for (std::size_t words = 1; words <= 6; ++words) {
    for (const char* closing : {"]", ")", ">", ":", ",", ""}) {
      const TimePrefix prefix{words, opening, closing};
      std::vector<std::string> texts;
      std::string time;
      for (const std::string& line : lines) {
        if (behind_time(line, prefix, time)) texts.push_back(time);
      }
      if (texts.size() * 10 < lines.size() * 9) continue;
      const auto found = time_in(texts, times);
      // A date alone is not enough. Formats that are read from the front need no more words than hold them.
      if (!found || (found->format != "epoch" && texts.front().find(':') == std::string::npos)) continue;
      if (best.words != 0 && !found->format.starts_with('%')) continue;
      if (best.words == words) continue;
      best = prefix;
    }
  }
  return best;
}

std::optional<TimeFound> find_time(const Table& table, const core::TimeReader& times) {
  std::optional<TimeFound> best;
  const auto consider = [&](std::optional<TimeFound> found, std::vector<std::string> columns, double bonus) {
    if (!found) return;
    found->columns = std::move(columns);
    found->score =
        static_cast<double>(found->read) / static_cast<double>(std::max<std::size_t>(table.records, 1)) + bonus;
    if (!best || found->score > best->score) best = std::move(found);
  };
  const Column* date = nullptr;
  const Column* clock = nullptr;
  for (const Column& column : table.columns) {
    const std::string name = normal(column.name, true);
    const auto* known = std::find(std::begin(kTimeNames), std::end(kTimeNames), name);
    const double bonus =
        known == std::end(kTimeNames) ? 0.0 : 0.5 - 0.01 * static_cast<double>(known - std::begin(kTimeNames));
    consider(time_in(column.texts, times), {column.name}, bonus);
    if (name == "date" || name.ends_with("date")) date = date == nullptr ? &column : date;
    if (name == "time" || name.ends_with("time")) clock = clock == nullptr ? &column : clock;
  }
  if (date != nullptr && clock != nullptr && date != clock && date->texts.size() == clock->texts.size()) {
    std::vector<std::string> both;
    both.reserve(date->texts.size());
    for (std::size_t i = 0; i < date->texts.size(); ++i) both.push_back(date->texts[i] + " " + clock->texts[i]);
    consider(time_in(both, times), {date->name, clock->name}, 0.4);
  }
  return best;
}

// ---- Fields

struct Rule {
  std::string_view field;
  bool (*fits)(const std::string&);
  std::string_view names;  // normalised, between blanks
  std::string_view note = {};
};

// Earlier rows choose first.
constexpr Rule kRules[] = {
    {"source.ip", is_address,
     " srcip sourceip src source sourceaddress srcaddr sourceipaddress clientip clientaddress client clientipaddress "
     "remoteip remoteaddress remoteaddr remotehost fromip fromaddress from peerip peer callingstationid ipaddress ip "
     "calleripaddress callerip userip publicip externalip origip idorigh originip realip cip rhost srchost sip ipaddr "
     "addr address rip raddr forip atip "},
    {"destination.ip", is_address,
     " dstip dst destip destinationip destination dest destinationaddress dstaddr destinationipaddress targetip "
     "targetaddress serverip serveraddress toip toaddress to idresph dip respip "},
    {"assigned.ip", is_address,
     " assignedip assignedaddress tunnelip virtualip vip internalip framedipaddress framedip innerip poolip natip "
     "natsrcip vpnip leasedip leaseip localip insideip tunneladdress vpnaddress privateip "},
    {"observer.ip", is_address,
     " deviceip gatewayip observerip nasip nasipaddress firewallip sensorip deviceaddress gatewayaddress hostip "
     "localaddress "},
    {"source.port", is_port,
     " srcport sport sourceport clientport remoteport fromport spt peerport idorigp cport callerport rport rp "},
    {"destination.port", is_port,
     " dstport dport destport destinationport serverport toport dpt port idrespp targetport service "},
    {"user.name", is_name,
     " user username useraccount account accountname login loginname loginid userid uid userprincipalname upn "
     "principal "
     "email mail useremail member suser duser srcuser targetusername identity who person name usrname subjectname "
     "actor usr usrid "},
    {"user.domain", is_name, " domain userdomain domainname targetdomainname ntdomain "},
    {"group", is_name,
     " group groupname realm usergroup tunnelgroup connectionprofile role grouppolicy department vpngroup "},
    {"session_id", is_name, " session sessionid sessid connectionid connid flowid tunnelid acctsessionid sid "},
    {"source.bytes", is_number,
     " srcbytes sourcebytes bytesin inbytes rxbytes bytesrx bytesreceived receivedbytes received upload "
     "sentbyte bytesfromclient rx acctinputoctets octetsin origbytes bytestoserver ",
     "as the gateway counts what comes in from the client: see that it is not the other way round"},
    {"destination.bytes", is_number,
     " dstbytes destinationbytes bytesout outbytes txbytes bytestx bytessent sentbytes sent download "
     "rcvdbyte bytestoclient tx acctoutputoctets octetsout respbytes ",
     "as the gateway counts what goes out to the client: see that it is not the other way round"},
    {"source.packets", is_number,
     " srcpackets sourcepackets packetsin inpackets rxpackets packetsreceived origpkts packetstoserver "},
    {"destination.packets", is_number,
     " dstpackets destinationpackets packetsout outpackets txpackets packetssent resppkts packetstoclient "},
    {"duration_ms", is_duration, " durationms elapsedms durationmilliseconds responsetimems latencyms timems "},
    {"duration_s", is_duration,
     " dur duration elapsed durations durationseconds durationsec sessiontime acctsessiontime connectiontime "
     "sessionduration connecttime elapsedtime secs seconds "},
    {"network.iana_number", is_protocol,
     " protocol proto prot ipproto ipprotocol transport transportprotocol protocolid ianaprotocol "},
    {"client.os", is_words, " os system operatingsystem clientos platform osname osversion osfull useros deviceos "},
    {"user_agent", is_words,
     " useragent agent httpuseragent clientversion browser software clientsoftware clientname clienttype "
     "clientapp clientapplication client "},
    {"client.host", is_name,
     " computer computername workstation workstationname machine machinename endpoint clienthostname clienthost "
     "srchostname pcname devicename "},
    {"observer.name", is_name,
     " gateway gate device devname hostname host firewall node server servername sensor nas nasidentifier appliance fw "
     "observer gatewayname site instance "},
    {"network.protocol", is_words, " application app appproto appid appname service l7protocol "},
    {"destination.domain", is_name,
     " sni servername destinationhost desthost destinationdomain url hostheader targethost dsthost "},
    {"ingress", is_words,
     " inif ininterface ingress srcintf srczone inzone sourcezone iif inputinterface fromzone in "},
    {"egress", is_words,
     " outif outinterface egress dstintf dstzone outzone destinationzone oif outputinterface tozone out "},
    {"rule", is_name, " rule rulename policy policyname policyid ruleid acl accesslist signature accessgroup "},
    {"code", is_name, " eventid messageid msgid code eventcode logid msgno eventnumber "},
    {"reason", is_words,
     " reason failurereason errormessage error cause errorcode terminatecause acctterminatecause failreason detail "
     "resulttext "},
    {"region", is_name, " country countrycode geo location srccountry sourcecountry geocountry region city "},
    {"tcp_flags", is_whole_number, " tcpflags "},
};

bool is_name_of_user(std::string_view name) {
  const std::string plain = " " + normal(name, false) + " ";
  return std::any_of(std::begin(kRules), std::end(kRules), [&](const Rule& rule) {
    return rule.field == "user.name" && rule.names.find(plain) != rule.names.npos;
  });
}

struct Placed {
  std::string field;
  std::string column;
  std::string_view confidence;
  std::string because;
  std::vector<std::pair<std::string, std::string>> values;  // text, value; "" = not known
  std::vector<std::string> unknown;                         // texts whose meaning was not found
};

class Proposer {
 public:
  Proposer(Table table, TimeFound time, std::string_view file, std::string_view name)
      : t_(std::move(table)), time_(std::move(time)), file_(file), name_(name) {
    for (const std::string& column : time_.columns) used_.insert(column);
  }

  core::Expected<std::string> yaml() {
    what_happened();
    closed_vocabularies();
    by_words();
    by_names();
    by_shapes();
    by_places();
    keep_patterns();
    if (!has("source.ip") && !has("destination.ip") && !has("user.name"))
      return core::fail("the sample has a time, but neither an address nor a user was found in it");
    decide_class();
    return write();
  }

 private:
  bool has(std::string_view field) const {
    return std::any_of(placed_.begin(), placed_.end(), [&](const Placed& p) { return p.field == field; });
  }
  bool is_free(const Column& c) const { return !c.texts.empty() && !used_.contains(c.name); }
  static bool named(const Column& c, std::string_view names) {
    return names.find(" " + normal(c.name, true) + " ") != names.npos ||
           names.find(" " + normal(c.name, false) + " ") != names.npos;
  }

  // "/tunnel/ip" is an assigned address, though "ip" alone is mostly the client's.
  static bool named_in_full_elsewhere(const Column& c, const Rule& rule) {
    const std::string name = " " + normal(c.name, false) + " ";
    return std::any_of(std::begin(kRules), std::end(kRules), [&](const Rule& other) {
      return &other != &rule && other.names.find(name) != name.npos && share_of(c, other.fits) >= 0.8;
    });
  }

  void place(std::string_view field, const Column& c, std::string_view confidence, std::string because) {
    placed_.push_back({std::string(field), c.name, confidence, std::move(because), {}, {}});
    used_.insert(c.name);
  }

  void translate(Placed& p, const Column& c, std::span<const Meaning> table) {
    for (const std::string& text : distinct(c)) {
      const std::string_view value = meaning_of(text, table);
      if (value.empty()) {
        p.unknown.push_back(text);
      } else {
        p.values.emplace_back(text, value);
      }
    }
  }

  const Column* find(std::string_view name) const {
    const auto found =
        std::find_if(t_.columns.begin(), t_.columns.end(), [&](const Column& c) { return c.name == name; });
    return found == t_.columns.end() ? nullptr : &*found;
  }

  // Of lines of text: the words that say what happened say how it ended, too.
  void what_happened() {
    const Column* what = t_.kind == "regex" ? find("what") : nullptr;
    if (what == nullptr) return;
    Placed activity{"activity", what->name, "likely", "its words", {}, {}};
    Placed outcome{"outcome", what->name, "likely", "its words", {}, {}};
    Placed action{"action", what->name, "likely", "its words", {}, {}};
    const bool user = has_user();
    for (const std::string& text : distinct(*what)) {
      std::string_view did = meaning_of(text, kActivities);
      std::string_view ended = user ? meaning_of(text, kOutcomes) : std::string_view();
      if (const auto verdict = meaning_of(text, kActions); !user && !verdict.empty())
        action.values.emplace_back(text, verdict);
      if (did.empty() && !ended.empty()) did = "logon";
      // "alice logged in" is done; "authentication attempt" says nothing of its end.
      const std::string low = core::lower(text);
      const bool done = low.find("logged") != low.npos || low.find("signed") != low.npos;
      if (user && ended.empty() && did == "logon" && done) ended = "success";
      if (did.empty()) {
        activity.unknown.push_back(text);
      } else {
        activity.values.emplace_back(text, did);
      }
      if (user && (!did.empty() || !ended.empty())) outcome.values.emplace_back(text, ended);
    }
    for (const Placed& p : {activity, outcome, action}) {
      if (p.values.empty()) continue;
      used_.insert(what->name);
      placed_.push_back(p);
    }
  }

  // Columns whose texts are few words with a meaning: what happened and how it ended.
  void closed_vocabularies() {
    struct Closed {
      std::string_view field;
      std::span<const Meaning> table;
      std::string_view names;
      double by_texts;  // share of known texts that counts without the name; above 1 = never
    };
    const Closed vocabularies[] = {
        {"outcome", kOutcomes,
         " result outcome status success state loginresult authresult authstatus loginstatus "
         "authenticationresult resultstatus resultcode ",
         0.9},
        {"action", kActions, " action verdict disposition act firewallaction decision ", 0.9},
        {"activity", kActivities,
         " event eventtype type activity operation eventname op message subtype logtype "
         "msg eventaction description category action acctstatustype ",
         0.9},
        {"mfa", kMfa, " mfa secondfactor twofactor 2fa otp mfaused factor2 mfastatus multifactor ", 2},
        {"auth_method", kMethods,
         " method authmethod authenticationmethod authtype logintype authentication "
         "credentialtype authenticationtype via using with ",
         2},
    };
    for (const bool with_name : {true, false}) {
      for (const Closed& closed : vocabularies) {
        if (has(closed.field)) continue;
        for (const Column& c : t_.columns) {
          if (!is_free(c) || named(c, closed.names) != with_name) continue;
          const double known = known_share(c, closed.table);
          const bool allow_and_deny = closed.field == "outcome" && known_share(c, kActions) >= known && !has_user();
          const bool only_yes_and_no = !with_name && share_of(c, is_yes_or_no) == 1;
          if (only_yes_and_no || allow_and_deny || (with_name ? known < 0.4 : known < closed.by_texts)) continue;
          place(closed.field, c, with_name && known >= 0.9 ? "certain" : "likely",
                with_name ? "name and texts" : "its texts");
          translate(placed_.back(), c, closed.table);
          break;
        }
      }
    }
    // "Login OK", "Login failed": what happened says how it ended.
    if (has("outcome") || !has_user()) return;
    for (const Placed& p : placed_) {
      const Column& c = column(p.column);
      if (p.field != "activity" || known_share(c, kOutcomes) < 0.5) continue;
      Placed outcome{"outcome", p.column, "guess", "words of the activity", {}, {}};
      translate(outcome, c, kOutcomes);
      placed_.push_back(std::move(outcome));
      break;
    }
  }

  // Is there a column named like a user's?
  bool has_user() const {
    for (const Rule& rule : kRules) {
      if (rule.field != "user.name") continue;
      for (const Column& c : t_.columns) {
        if (!c.texts.empty() && named(c, rule.names)) return true;
      }
    }
    return false;
  }

  // "src_p", "/network/client/port", "in_pkts": a word for the side and one for the thing.
  void by_words() {
    struct Thing {
      std::string_view source, destination;
      bool (*fits)(const std::string&);
      std::string_view words;
      bool amount;
    };
    static constexpr Thing kThings[] = {
        {"source.ip", "destination.ip", is_address, " ip ipaddress addr address ", false},
        {"source.port", "destination.port", is_port, " port prt p ", false},
        {"source.bytes", "destination.bytes", is_whole_number, " bytes byte octets ", true},
        {"source.packets", "destination.packets", is_whole_number, " packets pkts packet ", true},
    };
    static constexpr std::string_view kSource = " src source client remote peer caller orig originator initiator from ";
    static constexpr std::string_view kDestination = " dst dest destination server target resp responder to ";
    static constexpr std::string_view kIn = " in rx received recv up upload ingress ";
    static constexpr std::string_view kOut = " out tx sent down download egress ";
    // Somebody else's: given by the gateway, translated, the gateway's own.
    static constexpr std::string_view kOther =
        " assigned tunnel inner virtual framed leased internal nat translated xlate mapped mac gateway observer device "
        "sensor inside ";
    const auto any = [](const std::vector<std::string>& words, std::string_view list) {
      return std::any_of(words.begin(), words.end(),
                         [&](const std::string& w) { return list.find(" " + w + " ") != list.npos; });
    };
    // "/_source/..." around everything says nothing of sides.
    std::size_t common = t_.columns.empty() ? 0 : t_.columns.front().name.find('/', 1);
    if (common == std::string::npos || t_.columns.front().name[0] != '/') common = 0;
    for (const Column& c : t_.columns) {
      if (!c.name.starts_with(t_.columns.front().name.substr(0, common + 1))) common = 0;
    }
    for (const Thing& thing : kThings) {
      for (const bool source : {true, false}) {
        const std::string_view field = source ? thing.source : thing.destination;
        const Column* best = nullptr;
        std::size_t fewest = SIZE_MAX;
        for (const Column& c : t_.columns) {
          if (has(field) || !is_free(c) || share_of(c, thing.fits) < 0.8) continue;
          const auto words = words_of(std::string_view(c.name).substr(common));
          const bool side =
              any(words, source ? kSource : kDestination) || (thing.amount && any(words, source ? kIn : kOut));
          if (!side || any(words, kOther) || !any(words, thing.words) || words.size() >= fewest) continue;
          best = &c;
          fewest = words.size();
        }
        if (best == nullptr) continue;
        if (thing.amount) {
          place(field, *best, "likely",
                fmt::format("words of the name; as the gateway counts what {} the client: see that it is not the other "
                            "way round",
                            source ? "comes in from" : "goes out to"));
        } else {
          place(field, *best, share_of(*best, thing.fits) == 1 ? "certain" : "likely",
                "words of the name and its texts");
        }
      }
    }
  }

  // Cells without names: ports mostly stand behind their addresses, the user is a name among the rest.
  void by_places() {
    if (t_.kind != "csv" || t_.header) return;
    const auto index = [&](std::string_view field) {
      for (const Placed& p : placed_) {
        if (p.field != field) continue;
        for (std::size_t i = 0; i < t_.columns.size(); ++i) {
          if (t_.columns[i].name == p.column) return i;
        }
      }
      return t_.columns.size();
    };
    const auto is_free_port = [&](std::size_t i) {
      return i < t_.columns.size() && is_free(t_.columns[i]) && share_of(t_.columns[i], is_port) >= 0.95;
    };
    const std::size_t source = index("source.ip");
    const std::size_t destination = index("destination.ip");
    if (destination == source + 1 && is_free_port(source + 2) && is_free_port(source + 3)) {
      place("source.port", t_.columns[source + 2], "guess", "behind the addresses");
      place("destination.port", t_.columns[source + 3], "guess", "behind the addresses");
    } else {
      if (is_free_port(source + 1))
        place("source.port", t_.columns[source + 1], "guess", "behind the source's address");
      if (is_free_port(destination + 1))
        place("destination.port", t_.columns[destination + 1], "guess", "behind the destination's address");
    }
    const bool logs_in = std::any_of(placed_.begin(), placed_.end(), [](const Placed& p) {
      return p.field == "activity" &&
             std::any_of(p.values.begin(), p.values.end(), [](const auto& v) { return v.second == "logon"; });
    });
    if (has("user.name") || !logs_in) return;
    for (const Column& c : t_.columns) {
      const bool names =
          share_of(c, [](const std::string& s) {
            return is_words(s) && s.size() <= 64 && s.find_first_of(" ,:/") == s.npos && !is_yes_or_no(s);
          }) >= 0.95;
      if (!is_free(c) || !names || distinct(c).size() < 2) continue;
      place("user.name", c, "guess", "names, in a log of log-ins");
      return;
    }
  }

  // Of lines of text: those patterns count that hold an address or a user. What only the others hold is placed nowhere.
  void keep_patterns() {
    if (t_.kind != "regex") return;
    std::set<std::string> subjects;
    for (const Placed& p : placed_) {
      if (p.field == "source.ip" || p.field == "destination.ip" || p.field == "user.name") subjects.insert(p.column);
    }
    std::set<std::string> held;
    for (const LinePattern& pattern : t_.patterns) {
      if (!is_kept(pattern, subjects)) continue;
      subjects_ = subjects;
      for (const LinePattern::Part& part : pattern.parts) held.insert(part.name);
    }
    std::erase_if(placed_, [&](const Placed& p) { return !held.contains(p.column); });
  }
  static bool is_kept(const LinePattern& pattern, const std::set<std::string>& subjects) {
    return std::any_of(pattern.parts.begin(), pattern.parts.end(),
                       [&](const LinePattern::Part& part) { return subjects.contains(part.name); });
  }

  void by_names() {
    for (const Rule& rule : kRules) {
      if (has(rule.field)) continue;
      // The list is in the order of preference: "src_ip" before "ip".
      const Column* best = nullptr;
      std::size_t rank = std::string_view::npos;
      for (const Column& c : t_.columns) {
        if (!is_free(c) || share_of(c, rule.fits) < 0.8) continue;
        for (const bool last : {false, true}) {
          if (last && named_in_full_elsewhere(c, rule)) continue;
          const auto at = rule.names.find(" " + normal(c.name, last) + " ");
          if (at < rank) {
            rank = at;
            best = &c;
          }
        }
      }
      if (best == nullptr) continue;
      const double share = share_of(*best, rule.fits);
      std::string because =
          share == 1 ? "name and all texts" : fmt::format("name and {:.0f} % of the texts", share * 100);
      if (!rule.note.empty()) because += "; " + std::string(rule.note);
      place(rule.field, *best, rule.note.empty() && share >= 0.99 ? "certain" : "likely", because);
    }
  }

  void by_shapes() {
    for (const std::string_view field : {"source.ip", "destination.ip"}) {
      if (has(field)) continue;
      // Of addresses without a telling name the first is mostly the client.
      for (const Column& c : t_.columns) {
        if (!is_free(c) || share_of(c, is_address) < 0.9) continue;
        place(field, c, "guess", "addresses, but the name says nothing");
        break;
      }
    }
    const auto place_by = [&](std::string_view field, bool (*is)(const std::string&), std::string because) {
      if (has(field)) return;
      for (const Column& c : t_.columns) {
        if (!is_free(c) || share_of(c, is) < 0.8) continue;
        place(field, c, "likely", std::move(because));
        return;
      }
    };
    place_by(
        "user.name",
        [](const std::string& s) {
          const auto at = s.find_first_of("\\@");
          return at != s.npos && at != 0 && at + 1 < s.size() && s.size() <= 128 && s.find(' ') == s.npos;
        },
        "texts like DOMAIN\\user or user@domain");
    place_by(
        "client.os",
        [](const std::string& s) {
          for (const std::string_view os :
               {"windows", "macos", "mac os", "linux", "android", "ios", "iphone", "ubuntu"}) {
            if (core::lower(s).find(os) != std::string::npos && s.size() < 64) return true;
          }
          return false;
        },
        "names of operating systems");
    place_by(
        "network.iana_number", [](const std::string& s) { return !is_whole_number(s) && is_protocol(s); },
        "names of IP protocols");
    // The reason of a failure often stands in the text of the result.
    if (!has("reason")) {
      for (const Placed& p : placed_) {
        if (p.field != "outcome" || p.values.size() < 3) continue;
        Placed reason{"reason", p.column, "likely", "the result in its own words", {}, {}};
        placed_.push_back(reason);
        break;
      }
    }
  }

  void decide_class() {
    const bool user = has("user.name");
    const bool amounts = has("source.bytes") || has("destination.bytes") || has("duration_s") || has("duration_ms");
    Placed* activity = nullptr;
    for (Placed& p : placed_) {
      if (p.field == "activity") activity = &p;
    }
    std::set<std::string> kinds;
    if (activity != nullptr) {
      for (const auto& [text, value] : activity->values) kinds.insert(value);
    }
    const bool logons = kinds.contains("logon") || kinds.contains("logoff") || kinds.contains("challenge");
    const bool sessions = kinds.contains("start") || kinds.contains("end") || kinds.contains("update");
    if (user && logons && sessions) {
      Placed by_text{"class", activity->column, activity->confidence, "as the activity", {}, activity->unknown};
      for (const auto& [text, value] : activity->values) {
        const bool logon = value == "logon" || value == "logoff" || value == "challenge";
        by_text.values.emplace_back(text, logon ? "authentication" : "session");
      }
      placed_.push_back(std::move(by_text));
      constant("service", service(), "guess: the word stands in the sample");
      return;
    }
    const bool logons_alone = logons && !sessions && !has("action");
    if (logons_alone || (user && (logons || has("outcome") || (!amounts && !has("assigned.ip") && !sessions)))) {
      constant("class", "authentication",
               logons_alone && !user ? "likely: log-ins, though without a user"
               : has("outcome")      ? "likely: a user and a result"
                                     : "guess: there is a user");
      if (activity == nullptr) constant("activity", "logon", "guess");
      constant("service", service(), "guess: the word stands in the sample");
    } else if (user) {
      constant("class", "session", "likely: a user, and what a session has");
      if (activity == nullptr) constant("activity", amounts ? "end" : "start", "guess");
      constant("service", service(), "guess: the word stands in the sample");
    } else if (has("action") || sessions) {
      constant("class", "connection", "likely: a firewall's verdict, or connections that begin and end");
      if (activity == nullptr) constant("activity", amounts ? "end" : "start", "guess");
    } else if (amounts || has("source.packets")) {
      constant("class", "flow", "likely: addresses and amounts, but no verdict and no user");
      if (activity == nullptr) constant("activity", "traffic", "likely");
    } else {
      constant("class", "connection", "guess: addresses, but neither user nor amounts");
      if (activity == nullptr) constant("activity", "start", "guess");
    }
  }

  void constant(std::string_view field, std::string_view value, std::string_view because) {
    constants_.push_back({std::string(field), std::string(value), std::string(because)});
  }

  // What is being logged in to, if the sample says so anywhere.
  std::string service() {
    static constexpr struct {
      std::string_view word;
      std::string_view service;
    } kWords[] = {{"vpn", "vpn"},   {"anyconnect", "vpn"}, {"globalprotect", "vpn"}, {"wireguard", "vpn"},
                  {"ipsec", "vpn"}, {"tunnel", "vpn"},     {"sshd", "ssh"},          {"rdp", "rdp"},
                  {"ssh", "ssh"},   {"http", "web"},       {"portal", "web"},        {"saml", "web"}};
    if (has("assigned.ip")) return "vpn";
    std::string all = core::lower(std::string(file_));
    for (std::size_t i = 0; i < std::min<std::size_t>(t_.bodies.size(), 50); ++i)
      all += ' ' + core::lower(t_.bodies[i]);
    for (const auto& [word, service] : kWords) {
      if (all.find(word) != all.npos) return std::string(service);
    }
    return "";
  }

  static std::string quoted(std::string_view text) {
    static constexpr std::string_view kWords[] = {"yes", "no", "true", "false", "null", "on", "off", "y", "n", "~"};
    const std::string low = core::lower(text);
    bool plain = !text.empty() && text.front() != ' ' && text.back() != ' ' && !is_digit(text.front()) &&
                 std::find(std::begin(kWords), std::end(kWords), low) == std::end(kWords);
    for (std::size_t i = 0; plain && i < text.size(); ++i) {
      const char c = text[i];
      plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '/' || c == '.' ||
              (i > 0 && (c == ' ' || c == '-'));
    }
    if (plain) return std::string(text);
    // A JSON string is a YAML string.
    std::string out;
    core::append_json_string(out, text);
    return out;
  }

  // A text that all records share, the longest; "" if there is none.
  std::string shared_text() const {
    if (t_.kind == "kv") {
      std::string best;
      for (const Column& c : t_.columns) {
        const std::string key = c.name + "=";
        const bool everywhere = std::all_of(t_.bodies.begin(), t_.bodies.end(),
                                            [&](const std::string& body) { return body.find(key) != body.npos; });
        if (everywhere && key.size() > best.size()) best = key;
      }
      return best;
    }
    std::string best;
    const std::string& first = t_.bodies.front();
    for (std::size_t at = 0; at < first.size();) {
      const auto begin = first.find_first_not_of(" ,;|\t\"", at);
      if (begin == first.npos) break;
      const auto end = std::min(first.find_first_of(" ,;|\t\"", begin), first.size());
      const std::string word = first.substr(begin, end - begin);
      at = end;
      const bool letter =
          std::any_of(word.begin(), word.end(), [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; });
      if (word.size() < 3 || word.size() <= best.size() || !letter) continue;
      if (std::all_of(t_.bodies.begin(), t_.bodies.end(),
                      [&](const std::string& body) { return body.find(word) != body.npos; }))
        best = word;
    }
    return best;
  }

  // JSON: a top-level key that all records have; of several the one least likely to stand elsewhere: the longest.
  std::string shared_key() const {
    std::string best;
    std::set<std::string> tops;
    json::Parser parser;
    bool first = true;
    for (const std::string& body : t_.bodies) {
      const auto brace = body.find('{');
      if (brace == body.npos) continue;
      std::string text = body.substr(brace);
      text.reserve(text.size() + core::kPadding);
      json::Object object;
      if (!parser.open(text, object)) continue;
      std::set<std::string> here;
      json::each_field(object, [&](std::string_view key, json::Value&) {
        if (first || tops.contains(std::string(key))) here.emplace(key);
        return true;
      });
      tops = std::move(here);
      first = false;
    }
    for (const std::string& key : tops) {
      const bool rarer = is_common_key(best) && !is_common_key(key);
      if (best.empty() || rarer || (is_common_key(best) == is_common_key(key) && key.size() > best.size())) best = key;
    }
    return best;
  }
  static bool is_common_key(std::string_view key) {
    static constexpr std::string_view kCommon =
        " @timestamp @version timestamp time ts date message msg event host level id type tags user username ip name "
        "agent "
        "client network source destination log service data src_ip dst_ip status action result ";
    return kCommon.find(" " + core::lower(std::string(key)) + " ") != kCommon.npos;
  }

  void write_patterns(std::string& out) const {
    out += "patterns:\n";
    std::string rest;
    for (const LinePattern& pattern : t_.patterns) {
      const std::string example = core::printable(pattern.example, 120);
      if (!is_kept(pattern, subjects_)) {
        rest += fmt::format("# Left out, no address and no user ({} in the sample): {}\n", pattern.lines, example);
        continue;
      }
      std::string regex = pattern.regex([&](const std::string& name) { return used_.contains(name); });
      for (std::size_t at = 0; (at = regex.find('\'', at)) != regex.npos; at += 2) regex.insert(at, 1, '\'');
      out += fmt::format("  # {} in the sample, such as: {}\n  - '{}'\n", pattern.lines, example, regex);
    }
    out += rest;
  }

  static std::string example_of(const Column& c) { return c.texts.empty() ? "" : core::printable(c.texts.front(), 40); }
  const Column& column(std::string_view name) const {
    return *std::find_if(t_.columns.begin(), t_.columns.end(), [&](const Column& c) { return c.name == name; });
  }

  std::string write() const {
    std::string out = fmt::format(
        "# Proposed by `orbwatch format new` from {} records of {}. Look at what is marked \"likely\" or \"guess\", "
        "then\n"
        "# try it:  orbwatch format test THIS-FILE {}\n"
        "# Reference: docs/formats/mapping.md\n",
        t_.records, core::printable(file_, 100), core::printable(file_, 100));
    out += "name: " + name_ + "\n";
    out += "kind: " + t_.kind + "\n";
    if ((t_.kind == "csv" || t_.kind == "kv") && t_.delimiter != (t_.kind == "csv" ? ',' : ' ')) {
      out += "delimiter: " + (t_.delimiter == '\t' ? std::string("\"\\t\"") : quoted({&t_.delimiter, 1})) + "\n";
    }
    if (t_.syslog) out += "syslog: true  # the records stand behind a syslog envelope\n";
    if (!t_.program.empty()) out += fmt::format("program: {}  # all are of this program\n", quoted(t_.program));
    if (t_.header) {
      out += "header: true\n";
    } else if (t_.kind == "csv") {
      out += "columns:\n";
      for (const Column& c : t_.columns) out += fmt::format("  - {}  # e.g. {}\n", quoted(c.name), example_of(c));
    }
    if (t_.kind == "json") {
      const std::string key = shared_key();
      out += fmt::format("key: {}  # {}every record has it; so that other JSON is left alone\n", quoted(key),
                         is_common_key(key) ? "guess, other formats have it, too: " : "");
    } else if (t_.kind == "regex") {
      write_patterns(out);
    } else if (!t_.header) {
      const std::string shared = shared_text();
      if (shared.empty() && !t_.program.empty()) {
        // The program alone tells the records apart.
      } else if (shared.empty()) {
        out += fmt::format(
            "match: {}  # guess: the records share no other text. This takes the lines of any format that is not "
            "known: "
            "keep it to this file\n",
            quoted({&t_.delimiter, 1}));
      } else {
        out += fmt::format("match: {}  # every record holds it; so that other logs' lines are left alone\n",
                           quoted(shared));
      }
    }
    write_time(out);
    const bool any =
        std::any_of(constants_.begin(), constants_.end(), [](const Constant& c) { return !c.value.empty(); });
    out += any ? "constants:\n" : "# constants:\n";
    for (const auto& [field, value, because] : constants_) {
      if (value.empty()) {
        out += fmt::format("  # {}: vpn  # not found: what is logged in to (vpn, ssh, rdp, management, web, other)\n",
                           field);
      } else {
        out += fmt::format("  {}: {}{}\n", field, value, because.empty() ? "" : "  # " + because);
      }
    }
    out += "fields:\n";
    for (const Placed& p : placed_) {
      const Column& c = column(p.column);
      out += fmt::format("  {}: {}  # {}: {}; in {} of {}, e.g. {}\n", p.field, quoted(p.column), p.confidence,
                         p.because, c.texts.size(), t_.records, example_of(c));
    }
    write_values(out);
    write_ignores(out);
    write_rest(out);
    return out;
  }

  void write_time(std::string& out) const {
    if (time_.columns.empty()) return;
    out += "time:\n";
    const bool whole = time_.read == t_.records && !time_.ambiguous;
    std::string from = quoted(time_.columns.front());
    if (time_.columns.size() > 1) from = "[" + from + ", " + quoted(time_.columns[1]) + "]";
    out += fmt::format("  field: {}  # {}: {} of {} read so, {} to {}\n", from, whole ? "certain" : "likely",
                       time_.read, t_.records, core::rfc3339(time_.first), core::rfc3339(time_.last));
    out += "  format: " + quoted(time_.format);
    if (time_.ambiguous) out += "  # guess: day and month may be the other way round";
    out += "\n";
  }

  void write_values(std::string& out) const {
    if (std::none_of(placed_.begin(), placed_.end(), [](const Placed& p) { return !p.values.empty(); })) return;
    out += "values:\n";
    for (const Placed& p : placed_) {
      if (p.values.empty()) continue;
      out += "  " + p.field + ":\n";
      for (const auto& [text, value] : p.values) out += fmt::format("    {}: {}\n", quoted(text), quoted(value));
      for (std::size_t i = 0; i < std::min<std::size_t>(p.unknown.size(), 20); ++i)
        out += fmt::format("    # {}:  # not placed: its meaning is not known\n", quoted(p.unknown[i]));
    }
  }

  // A record whose class is not known is of no use.
  void write_ignores(std::string& out) const {
    for (const Placed& p : placed_) {
      if (p.field != "class" || p.unknown.empty()) continue;
      out += "ignore:  # guess: neither a log-in nor a session\n";
      for (const std::string& text : p.unknown)
        out += fmt::format("  - {{field: {}, value: {}}}\n", quoted(p.column), quoted(text));
    }
  }

  void write_rest(std::string& out) const {
    std::string rest;
    for (const Column& c : t_.columns) {
      if (used_.contains(c.name)) continue;
      const auto texts = distinct(c);
      if (texts.empty()) {
        rest += fmt::format("#   {}: always empty\n", core::printable(c.name, 60));
      } else {
        rest += fmt::format("#   {}: {} different texts, e.g. {}\n", core::printable(c.name, 60), texts.size(),
                            example_of(c));
      }
    }
    if (!rest.empty()) out += "# Not placed:\n" + rest;
  }

  struct Constant {
    std::string field, value, because;
  };

  Table t_;
  TimeFound time_;
  std::string file_;
  std::string name_;
  std::vector<Placed> placed_;
  std::vector<Constant> constants_;
  std::set<std::string> used_;
  std::set<std::string> subjects_;  // regex: groups that hold an address or a user
};

std::string format_name(std::string_view text) {
  std::string name;
  for (const char c : core::lower(text)) name += (c >= 'a' && c <= 'z') || is_digit(c) ? c : '_';
  name.resize(std::min<std::size_t>(name.size(), 40));
  return name.empty() ? "my_format" : name;
}

}  // namespace

core::Expected<Proposal> propose_mapping(std::string_view sample, std::string_view file, std::string_view name,
                                         const core::TimeReader& times) {
  auto table = table_of(records_of(sample, times), times);
  if (!table) return std::unexpected(table.error());
  auto time = find_time(*table, times);
  if (!time && !table->syslog) {
    return core::fail(
        fmt::format("no time was found in {} {}", table->columns.size(), table->kind == "csv" ? "columns" : "keys"),
        core::printable(table->bodies.front(), 120));
  }
  auto yaml = Proposer(std::move(*table), time.value_or(TimeFound{}), file, format_name(name)).yaml();
  if (!yaml) return std::unexpected(yaml.error());
  Proposal proposal;
  proposal.yaml = std::move(*yaml);
  auto made = make_mapping(proposal.yaml, times);
  if (!made) return std::unexpected(made.error());
  TextDecoder decoder(framing_of_sample(sample), "", true, {}, times);
  decoder.offer_first(made->name, std::move(made->decoder));
  EventBatch batch;
  std::string padded(sample);
  padded.reserve(padded.size() + core::kPadding);
  decoder.feed(padded, batch);
  proposal.records = batch.counts.records;
  proposal.events = batch.counts.events;
  return proposal;
}

}  // namespace orbwatch::decode
