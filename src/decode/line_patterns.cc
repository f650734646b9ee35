#include "decode/line_patterns.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/ip.h"
#include "core/text.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostTokens = 200;
constexpr std::size_t kMostVariables = 30;

enum class Kind : unsigned char { kBlank, kPunctuation, kWord, kValue, kNumber, kAddress, kQuoted, kDetail };

struct Token {
  Kind kind;
  std::string text;
};
using Line = std::vector<Token>;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_punctuation(char c) { return std::string_view("()[]{}<>,;=\"'|:").find(c) != std::string_view::npos; }

bool one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_level(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kLevels = {
      "INFO", "WARN", "WARNING", "ERROR", "ERR", "DEBUG", "FATAL", "TRACE", "NOTICE", "CRITICAL", "CRIT", "SEVERE"};
  return one_of(word, kLevels);
}

// The next token at `text`, which is not empty. `value`: a "=" stands before it.
Token next_token(std::string_view text, bool value) {
  const char c = text.front();
  if (core::is_space(c)) {
    std::size_t n = 1;
    while (n < text.size() && core::is_space(text[n])) ++n;
    return {Kind::kBlank, std::string(text.substr(0, n))};
  }
  // An address, perhaps with a port behind it.
  std::size_t n = 0;
  while (n < text.size() && (is_digit(text[n]) || (text[n] >= 'a' && text[n] <= 'f') ||
                             (text[n] >= 'A' && text[n] <= 'F') || text[n] == '.' || text[n] == ':'))
    ++n;
  if (n > 1 && (n == text.size() || !is_letter(text[n]))) {
    std::string_view run = text.substr(0, n);
    while (!run.empty() && (run.back() == '.' || (run.back() == ':' && !run.ends_with("::")))) run.remove_suffix(1);
    if (core::Ip::parse(run)) return {Kind::kAddress, std::string(run)};
    const std::string_view host = run.substr(0, run.find(':'));
    if (host.find('.') != host.npos && core::Ip::parse(host)) return {Kind::kAddress, std::string(host)};
  }
  if (c == '"' || c == '\'') {
    const auto close = text.find(c, 1);
    if (close != text.npos && close > 1 && close < 300) return {Kind::kQuoted, std::string(text.substr(0, close + 1))};
  }
  if (is_punctuation(c)) return {Kind::kPunctuation, std::string(1, c)};
  n = 0;
  while (n < text.size() && !core::is_space(text[n]) && !is_punctuation(text[n])) ++n;
  std::string_view word = text.substr(0, n);
  while (word.size() > 1 && (word.back() == '.' || word.back() == '!')) word.remove_suffix(1);
  const bool digits = std::any_of(word.begin(), word.end(), is_digit);
  if (digits && word.find_first_not_of("0123456789.") == word.npos) return {Kind::kNumber, std::string(word)};
  const bool special = word.find_first_of("@\\") != word.npos;
  return {digits || special || value ? Kind::kValue : Kind::kWord, std::string(word)};
}

// "... from 192.0.2.7: bad password": plain words behind the last colon say why, and differ from line to line.
void join_detail(Line& line) {
  bool variables = false;
  std::size_t colon = 0;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i].text == ":" && line[i + 1].kind == Kind::kBlank && variables) colon = i;
    variables |= line[i].kind == Kind::kAddress || line[i].kind == Kind::kValue || line[i].kind == Kind::kQuoted;
  }
  if (colon == 0 || colon + 2 >= line.size()) return;
  std::string detail;
  for (std::size_t i = colon + 2; i < line.size(); ++i) {
    if (line[i].kind != Kind::kWord && line[i].kind != Kind::kBlank) return;
    detail += line[i].text;
  }
  line.resize(colon + 2);
  line.push_back({Kind::kDetail, detail});
}

Line tokens_of(std::string_view text) {
  Line line;
  bool value = false;
  while (!text.empty() && line.size() < kMostTokens) {
    line.push_back(next_token(text, value));
    value = line.back().text == "=";
    text.remove_prefix(line.back().text.size());
  }
  if (line.size() == kMostTokens) line.clear();
  join_detail(line);
  return line;
}

// A kind of line: for each place its tokens' kind, and whether they differ.
struct Group {
  std::vector<std::size_t> members;  // indices of lines
  std::vector<bool> varies;
};

class Miner {
 public:
  Miner(std::span<const std::string> texts, std::function<bool(std::string_view)> tells)
      : texts_(texts), tells_(std::move(tells)) {
    for (const std::string& text : texts_) lines_.push_back(text.size() <= kLongestLine ? tokens_of(text) : Line{});
  }

  std::vector<LinePattern> mine(std::size_t most) {
    std::map<std::string, std::vector<std::size_t>> shapes;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!lines_[i].empty()) shapes[shape_of(lines_[i])].push_back(i);
    }
    for (auto& [shape, members] : shapes) divide(std::move(members), 0);
    for (const Group& g : groups_) {
      for (std::size_t at = 0; at < g.varies.size(); ++at) {
        for (const std::size_t i : g.members) {
          if (lines_[i][at].kind == Kind::kWord && (g.varies[at] || is_value_of_word(lines_[i], at)))
            variables_.insert(lines_[i][at].text);
        }
      }
    }
    std::map<std::string, LinePattern> found;  // by expression: kinds that turn out to be the same
    for (const Group& g : groups_) {
      LinePattern pattern = pattern_of(g);
      if (pattern.parts.empty()) continue;
      const auto [at, fresh] = found.emplace(pattern.regex([](const std::string&) { return true; }), pattern);
      if (!fresh) at->second.lines += pattern.lines;
    }
    std::vector<LinePattern> out;
    out.reserve(found.size());
    for (auto& [regex, pattern] : found) out.push_back(std::move(pattern));
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.lines > b.lines; });
    if (out.size() > most) out.resize(most);
    return out;
  }

 private:
  // Words that tell what happened, and the small ones that turn their sense around, are no variables.
  bool is_fixed(std::string_view word) const {
    static constexpr std::array<std::string_view, 26> kSmall = {
        "in",   "out", "on", "off", "from", "to",  "for", "of", "by",  "with",   "via",  "not",    "user",
        "port", "the", "a",  "is",  "was",  "has", "as",  "at", "log", "logged", "sign", "signed", "and"};
    const std::string low = core::lower(std::string(word));
    return !is_level(word) && (one_of(low, kSmall) || tells_(low));
  }

  // "user alice", "via password"
  bool is_value_of_word(const Line& line, std::size_t at) const {
    if (at < 2 || is_fixed(line[at].text) || line[at - 1].kind != Kind::kBlank) return false;
    const std::string before = core::lower(line[at - 2].text);
    static constexpr std::array<std::string_view, 5> kNaming = {"user", "username", "via", "using", "method"};
    return one_of(before, kNaming);
  }

  std::string shape_of(const Line& line) const {
    std::string shape;
    for (const Token& t : line) {
      switch (t.kind) {
        case Kind::kBlank: shape += ' '; break;
        case Kind::kPunctuation: shape += t.text; break;
        case Kind::kWord:
          // "alice" in one line and "dave2" in another are the same place.
          shape += is_fixed(t.text) ? "w" + core::lower(t.text) + "." : "v";
          break;
        case Kind::kValue: shape += 'v'; break;
        case Kind::kNumber: shape += 'n'; break;
        case Kind::kAddress: shape += 'a'; break;
        case Kind::kQuoted: shape += 'q'; break;
        case Kind::kDetail: shape += 'd'; break;
      }
    }
    return shape;
  }

  // Lines of one shape may still be different sentences: those in which most words differ are told apart by the word
  // with the fewest texts.
  void divide(std::vector<std::size_t> members, int depth) {
    const Line& first = lines_[members.front()];
    Group g{std::move(members), std::vector<bool>(first.size())};
    std::size_t words = 0;
    std::size_t varying = 0;
    std::size_t fewest = SIZE_MAX;
    std::size_t where = 0;
    for (std::size_t at = 0; at < first.size(); ++at) {
      std::set<std::string_view> texts;
      bool plain = true;
      for (const std::size_t i : g.members) {
        texts.insert(lines_[i][at].text);
        plain &= lines_[i][at].kind == Kind::kWord;
      }
      const bool word = first[at].kind == Kind::kWord || first[at].kind == Kind::kValue;
      g.varies[at] = texts.size() > 1 && word;
      if (!word || !plain) continue;
      ++words;
      if (texts.size() == 1) continue;
      ++varying;
      if (texts.size() < fewest && texts.size() * 2 <= g.members.size()) {
        fewest = texts.size();
        where = at;
      }
    }
    if (varying >= 3 && varying * 2 > words && fewest != SIZE_MAX && depth < 6) {
      std::map<std::string_view, std::vector<std::size_t>> parts;
      for (const std::size_t i : g.members) parts[lines_[i][where].text].push_back(i);
      for (auto& [text, part] : parts) divide(std::move(part), depth + 1);
      return;
    }
    groups_.push_back(std::move(g));
  }

  // Words before `at`, nearest first, blanks and punctuation between them left out; "" if there is none. "=" keeps the
  // word behind it from being one.
  std::string word_before(const Line& line, const std::vector<bool>& variable, std::size_t at, std::size_t skip) const {
    while (at-- > 0) {
      const Token& t = line[at];
      if (t.kind == Kind::kBlank || t.kind == Kind::kPunctuation) continue;
      if (t.kind != Kind::kWord || variable[at]) return {};
      if (skip-- == 0) return core::lower(t.text);
    }
    return {};
  }
  std::string word_behind(const Line& line, const std::vector<bool>& variable, std::size_t at, std::size_t skip) const {
    while (++at < line.size()) {
      const Token& t = line[at];
      if (t.kind == Kind::kBlank) continue;
      if (t.kind != Kind::kWord || variable[at]) return {};
      if (skip-- == 0) return core::lower(t.text);
    }
    return {};
  }

  static std::string group_name(std::string_view text) {
    std::string name;
    for (const char c : core::lower(std::string(text))) {
      if ((c >= 'a' && c <= 'z') || is_digit(c)) {
        name += c;
      } else if (!name.empty() && name.back() != '_') {
        name += '_';
      }
    }
    while (name.ends_with('_')) name.pop_back();
    if (name.empty() || is_digit(name.front())) name = "word";
    return name.substr(0, 40);
  }

  std::string name_of(const Line& line, const std::vector<bool>& variable, std::size_t at,
                      const LinePattern& pattern) const {
    const Token& t = line[at];
    const std::string before = word_before(line, variable, at, 0);
    const std::string behind = word_behind(line, variable, at, 0);
    const bool keyed = at >= 2 && line[at - 1].text == "=" && line[at - 2].kind == Kind::kWord;
    if (keyed) return group_name(line[at - 2].text);
    if (is_level(t.text)) return "level";
    static constexpr std::array<std::string_view, 6> kOfUser = {"for", "of", "by", "account", "username", "login"};
    static constexpr std::array<std::string_view, 4> kSays = {"address", "ip", "addr", "host"};
    switch (t.kind) {
      case Kind::kAddress: {
        const std::string further = word_before(line, variable, at, 1);
        if (one_of(before, kSays)) return further.empty() ? "ip" : group_name(further + "_ip");
        return before.empty() || before == "for" ? "ip" : group_name(before + "_ip");
      }
      case Kind::kNumber: {
        // "192.0.2.7:50123", "192.0.2.7 port 50123"
        const bool port =
            before == "port" || (at >= 2 && line[at - 1].text == ":" && line[at - 2].kind == Kind::kAddress);
        if (port) {
          for (auto part = pattern.parts.rbegin(); part != pattern.parts.rend(); ++part) {
            if (part->name.ends_with("_ip")) return part->name.substr(0, part->name.size() - 3) + "_port";
            if (part->name == "ip") return "client_port";
          }
          return "port";
        }
        static constexpr std::array<std::string_view, 8> kWays = {"in", "out", "sent", "received",
                                                                  "rx", "tx",  "up",   "down"};
        if (behind == "bytes") {
          const std::string way = word_behind(line, variable, at, 1);
          if (one_of(way, kWays)) return "bytes_" + way;
          if (one_of(before, kWays)) return "bytes_" + before;
        }
        if (before == "bytes" && one_of(word_before(line, variable, at, 1), kWays))
          return "bytes_" + word_before(line, variable, at, 1);
        if (one_of(before, kWays) && word_before(line, variable, at, 1) == "bytes") return "bytes_" + before;
        if (behind == "ms" || behind == "milliseconds") return "duration_ms";
        if (behind == "s" || behind == "sec" || behind == "secs" || behind == "seconds") return "duration";
        return before.empty() ? "number" : group_name(before);
      }
      case Kind::kDetail: return "detail";
      default: break;
    }
    if (t.text.find('@') != t.text.npos || t.text.find('\\') != t.text.npos) return "user";
    if (before == "user" || one_of(before, kOfUser)) return "user";
    if (before.empty())
      return tells_(behind) || is_phrase(behind, word_behind(line, variable, at, 1)) ? "user" : "word";
    return group_name(before);
  }

  static std::string expression_of(const Line& line, std::size_t at, bool fraction) {
    switch (line[at].kind) {
      case Kind::kAddress: return std::string(LinePattern::kAddress);
      case Kind::kNumber: return fraction ? "[0-9.]+" : "[0-9]+";
      case Kind::kQuoted: return line[at].text.front() == '"' ? "[^\"]*" : "[^']*";
      case Kind::kDetail: return ".+";
      default: break;
    }
    const bool stops = at + 1 < line.size() && line[at + 1].kind == Kind::kPunctuation;
    if (!stops) return "\\S+";
    const char next = line[at + 1].text.front();
    return std::string("[^\\s") + (next == ']' || next == '[' ? "\\" : "") + next + "]+";
  }

  // The run of literal words that tells what happened, as [begin, end) of tokens; empty if there is none.
  std::pair<std::size_t, std::size_t> telling_run(const Line& line, const std::vector<bool>& variable) const {
    std::pair<std::size_t, std::size_t> best{0, 0};
    std::size_t best_words = 0;
    for (std::size_t at = 0; at < line.size();) {
      // "[auth]" is where it happened, not what.
      if (line[at].kind != Kind::kWord || variable[at] || (at > 0 && line[at - 1].text == "[")) {
        ++at;
        continue;
      }
      std::size_t begin = SIZE_MAX;
      std::size_t end = at;
      std::size_t telling = 0;
      for (; at < line.size() && (line[at].kind == Kind::kBlank || (line[at].kind == Kind::kWord && !variable[at]));
           ++at) {
        if (line[at].kind != Kind::kWord) continue;
        const std::string word = core::lower(line[at].text);
        const bool phrase = is_phrase(word, word_behind(line, variable, at, 0));
        if (is_level(line[at].text) || (!phrase && word != "not" && !tells_(word))) continue;
        if (begin == SIZE_MAX) begin = at;
        ++telling;
        end = at + 1;
        if (phrase) {
          while (end < line.size() && line[end].kind == Kind::kBlank) ++end;
          ++end;
        }
      }
      if (telling > 0 && telling >= best_words) {
        best_words = telling;
        best = {begin, end};
      }
    }
    return best;
  }

  LinePattern pattern_of(const Group& g) const {
    const Line& line = lines_[g.members.front()];
    std::vector<bool> variable(line.size());
    std::size_t count = 0;
    for (std::size_t at = 0; at < line.size(); ++at) {
      const Kind kind = line[at].kind;
      variable[at] = kind == Kind::kNumber || kind == Kind::kAddress || kind == Kind::kQuoted || kind == Kind::kValue ||
                     kind == Kind::kDetail || g.varies[at] || is_level(line[at].text);
    }
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line[at].kind != Kind::kWord || variable[at] || is_fixed(line[at].text)) continue;
      variable[at] = is_value_of_word(line, at) || (line[at].text.size() > 2 && variables_.contains(line[at].text));
    }
    const auto [begin, end] = telling_run(line, variable);
    LinePattern pattern;
    pattern.lines = g.members.size();
    pattern.example = texts_[g.members.front()];
    std::set<std::string> names;
    const auto add = [&](std::string name, std::string expression) {
      for (int n = 2; !names.insert(name).second; ++n) name = group_name(name).substr(0, 36) + "_" + std::to_string(n);
      pattern.parts.push_back({{}, std::move(name), std::move(expression)});
      ++count;
    };
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (at == begin && end > begin) {
        std::string what;
        for (; at < end && at < line.size(); ++at) what += line[at].text;
        --at;
        pattern.parts.push_back({what, "what", {}});
        names.insert("what");
        continue;
      }
      if (!variable[at]) {
        pattern.parts.push_back({line[at].text, {}, {}});
        continue;
      }
      // Several words that differ, one behind the other, at the end of a line: a text of its own.
      std::size_t last = at;
      std::size_t plain = 0;
      while (last < line.size() && (line[last].kind == Kind::kBlank || (variable[last] && g.varies[last]))) {
        plain += line[last].kind != Kind::kBlank ? 1 : 0;
        ++last;
      }
      if (last == line.size() && plain > 1) {
        add("detail", ".+");
        break;
      }
      const bool quoted = line[at].kind == Kind::kQuoted;
      const std::string quote = quoted ? line[at].text.substr(0, 1) : "";
      if (quoted) pattern.parts.push_back({quote, {}, {}});
      bool fraction = false;
      for (const std::size_t i : g.members) fraction |= lines_[i][at].text.find('.') != std::string::npos;
      add(name_of(line, variable, at, pattern), expression_of(line, at, fraction));
      if (quoted) pattern.parts.push_back({quote, {}, {}});
    }
    if (count > kMostVariables) return {};
    return pattern;
  }

  std::span<const std::string> texts_;
  std::function<bool(std::string_view)> tells_;
  std::vector<Line> lines_;
  std::vector<Group> groups_;
  std::set<std::string> variables_;  // words that vary somewhere
};

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (core::is_space(c)) {
      std::size_t n = i;
      while (n < text.size() && core::is_space(text[n])) ++n;
      out += n - i == 1 && c == ' ' ? " " : "\\s+";
      i = n - 1;
      continue;
    }
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

}  // namespace

std::string LinePattern::regex(const std::function<bool(const std::string& name)>& capture) const {
  std::string out = "^";
  for (const Part& part : parts) {
    std::string inner = part.expression;
    if (inner.empty()) append_escaped(inner, part.literal);
    if (!part.name.empty() && capture(part.name)) {
      out += "(?P<" + part.name + ">" + inner + ")";
    } else {
      out += inner;
    }
  }
  return out + "$";
}

bool is_phrase(std::string_view word, std::string_view next) {
  static constexpr std::array<std::string_view, 6> kVerbs = {"log", "logs", "logged", "sign", "signs", "signed"};
  static constexpr std::array<std::string_view, 4> kWays = {"in", "out", "on", "off"};
  return one_of(word, kVerbs) && one_of(next, kWays);
}

std::vector<LinePattern> line_patterns(std::span<const std::string> lines, std::size_t most,
                                       const std::function<bool(std::string_view word)>& tells) {
  return Miner(lines, tells).mine(most);
}

}  // namespace orbwatch::decode
