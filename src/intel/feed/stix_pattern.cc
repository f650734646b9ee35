#include "intel/feed/stix_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/text.h"
#include "intel/feed/times.h"

namespace orbwatch::intel {
namespace {

using std::size_t;
using std::string_view;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-'; }

enum class TokenKind : std::uint8_t {
  kEnd,
  kName,    // keyword, object type or property
  kString,  // '...', escapes resolved
  kTime,    // t'...'
  kBytes,   // h'...' and b'...'
  kNumber,
  kMark  // one of [ ] ( ) : . , * = != <> < <= > >=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t at = 0;
  std::string text;
};

// One comparison.
struct Test {
  std::string object;             // "ipv4-addr"
  std::vector<std::string> path;  // properties; indices are left out
  std::string refused;            // a name if it is not to be understood whatever it compares ("NOT", "MATCHES" ...)
  bool subset = false;            // ISSUBSET, else =
  TokenKind literal = TokenKind::kEnd;
  std::string value;
};

// What must hold at once: tests of one observation.
struct Alternative {
  std::vector<std::uint32_t> tests;
  std::string refused;
  core::Nanoseconds start = 0;
  core::Nanoseconds stop = 0;
};
using Alternatives = std::vector<Alternative>;

class Lexer {
 public:
  explicit Lexer(string_view text) : text_(text) { advance(); }
  const Token& now() const { return token_; }
  // Empty: everything was well so far.
  const std::string& error() const { return error_; }

  void advance() {
    while (at_ < text_.size() && core::is_space(text_[at_])) ++at_;
    token_ = {TokenKind::kEnd, at_, {}};
    if (at_ >= text_.size()) return;
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\'') return quoted(TokenKind::kString);
    if (next == '\'' && (c == 't' || c == 'h' || c == 'b')) {
      ++at_;
      return quoted(c == 't' ? TokenKind::kTime : TokenKind::kBytes);
    }
    if (is_digit(c) || ((c == '-' || c == '+') && (is_digit(next) || next == '.'))) return number();
    if (is_name(c)) {
      token_.kind = TokenKind::kName;
      while (at_ < text_.size() && is_name(text_[at_])) token_.text += text_[at_++];
      return;
    }
    token_.kind = TokenKind::kMark;
    for (const string_view mark : {"!=", "<>", "<=", ">=", "=="}) {
      if (text_.substr(at_, 2) == mark) {
        token_.text = mark == "<>" ? "!=" : mark == "==" ? "=" : mark;
        at_ += 2;
        return;
      }
    }
    if (string_view("[]():.,*=<>").find(c) == string_view::npos) {
      error_ = "a sign that no pattern has";
      token_.kind = TokenKind::kEnd;
      return;
    }
    token_.text = c;
    ++at_;
  }

 private:
  // From the opening quote.
  void quoted(TokenKind kind) {
    token_.kind = kind;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\'') {
        ++at_;
        return;
      }
      if (text_[at_] == '\\') {
        ++at_;
        if (at_ >= text_.size() || (text_[at_] != '\\' && text_[at_] != '\'')) {
          // STIX 2.0 producers write single backslashes in paths and expressions.
          token_.text += '\\';
          --at_;
          continue;
        }
      }
      token_.text += text_[at_];
    }
    error_ = "a quote that is not closed";
    token_.kind = TokenKind::kEnd;
  }
  void number() {
    token_.kind = TokenKind::kNumber;
    token_.text += text_[at_++];
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) token_.text += text_[at_++];
    // "2x" is no number, and a name does not begin with a digit.
    if (at_ < text_.size() && is_name(text_[at_])) error_ = "a number that runs on";
  }

  string_view text_;
  size_t at_ = 0;
  Token token_;
  std::string error_;
};

class Parser {
 public:
  explicit Parser(string_view text) : lexer_(text) {}

  core::Expected<Alternatives> parse() {
    Alternatives out = followed_by(0);
    if (good() && now().kind != TokenKind::kEnd) wrong("something behind the pattern");
    if (!good())
      return core::fail("no STIX pattern", fmt::format("{} at byte {}", error_, place_),
                        "see part 9 of the STIX 2.1 specification");
    return out;
  }
  const std::vector<Test>& tests() const { return tests_; }

 private:
  const Token& now() const { return lexer_.now(); }
  bool good() {
    if (error_.empty() && !lexer_.error().empty()) wrong(lexer_.error());
    return error_.empty();
  }
  void wrong(string_view what) {
    if (!error_.empty()) return;
    // What the lexer met comes first: it ended the tokens.
    error_ = lexer_.error().empty() ? what : string_view(lexer_.error());
    place_ = now().at;
  }
  bool is_mark(string_view mark) const { return now().kind == TokenKind::kMark && now().text == mark; }
  bool is_word(string_view word) const {
    return now().kind == TokenKind::kName && core::equals_ignore_case(now().text, word);
  }
  bool take_mark(string_view mark) {
    if (!is_mark(mark)) return false;
    lexer_.advance();
    return true;
  }
  bool take_word(string_view word) {
    if (!is_word(word)) return false;
    lexer_.advance();
    return true;
  }
  bool too_deep(int depth) {
    if (depth <= kMostPatternDepth) return false;
    wrong("brackets too deep");
    return true;
  }
  // What `alternatives` stand for is refused as a whole: one alternative that says why.
  static Alternatives refuse(string_view name) {
    Alternatives out(1);
    out.front().refused = name;
    return out;
  }
  void append(Alternatives& to, Alternatives&& from) {
    if (to.size() + from.size() > kMostPatternAlternatives) {
      wrong("too many alternatives");
      return;
    }
    std::move(from.begin(), from.end(), std::back_inserter(to));
  }

  // Observation expressions: FOLLOWEDBY binds least, then OR, then AND.
  Alternatives followed_by(int depth) {
    Alternatives out = observation_or(depth);
    bool followed = false;
    while (good() && take_word("FOLLOWEDBY")) {
      observation_or(depth);
      followed = true;
    }
    return followed ? refuse("FOLLOWEDBY") : out;
  }
  Alternatives observation_or(int depth) {
    Alternatives out = observation_and(depth);
    while (good() && take_word("OR")) append(out, observation_and(depth));
    return out;
  }
  Alternatives observation_and(int depth) {
    Alternatives out = observation(depth);
    bool joined = false;
    while (good() && take_word("AND")) {
      observation(depth);
      joined = true;
    }
    return joined ? refuse("AND of observations") : out;
  }
  Alternatives observation(int depth) {
    Alternatives out;
    if (too_deep(depth)) return out;
    if (take_mark("(")) {
      out = followed_by(depth + 1);
      if (good() && !take_mark(")")) wrong("a bracket that is not closed");
    } else if (take_mark("[")) {
      out = comparison_or(depth + 1);
      if (good() && !take_mark("]")) wrong("an observation that is not closed");
    } else {
      wrong("no observation");
    }
    while (good() && qualifier(out)) {
    }
    return out;
  }
  bool qualifier(Alternatives& out) {
    if (take_word("WITHIN")) {
      if (!take_number() || !take_word("SECONDS")) wrong("WITHIN without seconds");
      out = refuse("WITHIN");
      return true;
    }
    if (take_word("REPEATS")) {
      if (!take_number() || !take_word("TIMES")) wrong("REPEATS without times");
      out = refuse("REPEATS");
      return true;
    }
    if (!take_word("START")) return false;
    const auto start = take_time();
    if (!take_word("STOP")) wrong("START without STOP");
    const auto stop = take_time();
    if (!good()) return true;
    if (!start || !stop || *start == 0 || *stop <= *start) {
      wrong("START and STOP that are no time span");
      return true;
    }
    for (Alternative& alternative : out) {
      alternative.start = std::max(alternative.start, *start);
      alternative.stop = alternative.stop == 0 ? *stop : std::min(alternative.stop, *stop);
    }
    return true;
  }
  bool take_number() {
    if (now().kind != TokenKind::kNumber) return false;
    lexer_.advance();
    return true;
  }
  std::optional<core::Nanoseconds> take_time() {
    if (now().kind != TokenKind::kTime && now().kind != TokenKind::kString) {
      wrong("no timestamp");
      return std::nullopt;
    }
    const auto time = parse_feed_time(now().text);
    lexer_.advance();
    return time;
  }

  // Comparison expressions inside of one observation: OR binds less than AND.
  Alternatives comparison_or(int depth) {
    Alternatives out = comparison_and(depth);
    while (good() && take_word("OR")) append(out, comparison_and(depth));
    return out;
  }
  Alternatives comparison_and(int depth) {
    Alternatives out = comparison(depth);
    while (good() && take_word("AND")) {
      const Alternatives right = comparison(depth);
      if (!good()) break;
      if (out.size() * right.size() > kMostPatternAlternatives) {
        wrong("too many alternatives");
        break;
      }
      Alternatives both;
      for (const Alternative& a : out) {
        for (const Alternative& b : right) {
          if (a.tests.size() + b.tests.size() > kMostTestsAtOnce) {
            wrong("too many conjuncts");
            return both;
          }
          both.push_back(a);
          both.back().tests.insert(both.back().tests.end(), b.tests.begin(), b.tests.end());
        }
      }
      out = std::move(both);
    }
    return out;
  }
  Alternatives comparison(int depth) {
    if (too_deep(depth)) return {};
    if (take_mark("(")) {
      Alternatives out = comparison_or(depth + 1);
      if (good() && !take_mark(")")) wrong("a bracket that is not closed");
      return out;
    }
    return test();
  }
  Alternatives test() {
    Test test;
    if (take_word("EXISTS")) test.refused = "EXISTS";
    if (take_word("NOT")) {
      // As STIX 2.0 let producers write it in front.
      test.refused = "NOT";
      if (take_mark("(")) {
        comparison_or(kMostPatternDepth);
        if (good() && !take_mark(")")) wrong("a bracket that is not closed");
        return one(std::move(test));
      }
    }
    if (!path(test)) return {};
    if (test.refused == "EXISTS") return one(std::move(test));
    if (take_word("NOT")) test.refused = "NOT";
    if (take_word("IN")) return in_set(std::move(test));
    if (now().kind == TokenKind::kMark &&
        (now().text == "=" || now().text == "!=" || now().text[0] == '<' || now().text[0] == '>')) {
      if (now().text != "=" && test.refused.empty()) test.refused = now().text;
      lexer_.advance();
    } else if (is_word("LIKE") || is_word("MATCHES") || is_word("ISSUPERSET")) {
      if (test.refused.empty()) test.refused = now().text;
      lexer_.advance();
    } else if (take_word("ISSUBSET")) {
      test.subset = true;
    } else {
      wrong("no operator");
      return {};
    }
    if (!literal(test)) return {};
    return one(std::move(test));
  }
  Alternatives in_set(Test test) {
    Alternatives out;
    if (!take_mark("(")) {
      wrong("IN without a set");
      return out;
    }
    for (bool first = true; good() && !take_mark(")"); first = false) {
      if (!first && !take_mark(",")) {
        wrong("a set that is not closed");
        return out;
      }
      Test member = test;
      if (!literal(member)) return out;
      append(out, one(std::move(member)));
    }
    if (good() && out.empty()) wrong("an empty set");
    // "NOT IN" is one condition, however many values it has.
    return test.refused.empty() ? std::move(out) : one(std::move(test));
  }
  Alternatives one(Test test) {
    Alternatives out;
    if (tests_.size() >= kMostPatternTests) {
      wrong("too many comparisons");
      return out;
    }
    out.resize(1);
    out.front().tests.push_back(static_cast<std::uint32_t>(tests_.size()));
    tests_.push_back(std::move(test));
    return out;
  }
  bool path(Test& test) {
    if (now().kind != TokenKind::kName) {
      wrong("no object path");
      return false;
    }
    test.object = core::lower(now().text);
    lexer_.advance();
    if (!take_mark(":")) {
      wrong("an object type without a property");
      return false;
    }
    for (;;) {
      if (now().kind != TokenKind::kName && now().kind != TokenKind::kString) {
        wrong("no property");
        return false;
      }
      test.path.push_back(now().text);
      if (test.path.size() > kMostSteps) {
        wrong("an object path too long");
        return false;
      }
      lexer_.advance();
      while (take_mark("[")) {
        if (!take_mark("*") && !take_number() && now().kind != TokenKind::kName) wrong("no index");
        if (!take_mark("]")) wrong("an index that is not closed");
        if (!good()) return false;
      }
      if (!take_mark(".")) return good();
    }
  }
  bool literal(Test& test) {
    const bool truth = is_word("true") || is_word("false");
    if (!truth && (now().kind == TokenKind::kEnd || now().kind == TokenKind::kMark || now().kind == TokenKind::kName)) {
      wrong("no value");
      return false;
    }
    test.literal = now().kind;
    test.value = now().text;
    lexer_.advance();
    return good();
  }

  static constexpr size_t kMostSteps = 16;
  static constexpr size_t kMostTestsAtOnce = 16;
  Lexer lexer_;
  std::vector<Test> tests_;
  std::string error_;
  size_t place_ = 0;
};

// What a path stands for.
struct Meaning {
  enum class Kind : std::uint8_t { kValue, kEnd, kPort, kProtocol, kEndType, kOther } kind = Kind::kOther;
  FeedKind value = FeedKind::kPrefix;
  FeedRole role = FeedRole::kAny;
};

std::string path_name(const Test& test) { return test.object + ":" + test.path.front(); }

Meaning meaning_of(const Test& test) {
  using Kind = Meaning::Kind;
  const auto is = [&](std::initializer_list<string_view> wanted) {
    return std::equal(test.path.begin(), test.path.end(), wanted.begin(), wanted.end());
  };
  if (test.object == "ipv4-addr" || test.object == "ipv6-addr") {
    if (is({"value"})) return {Kind::kValue, FeedKind::kPrefix};
  } else if (test.object == "domain-name") {
    if (is({"value"})) return {Kind::kValue, FeedKind::kDomain};
  } else if (test.object == "url") {
    if (is({"value"})) return {Kind::kValue, FeedKind::kUrl};
  } else if (test.object == "autonomous-system") {
    if (is({"number"})) return {Kind::kValue, FeedKind::kAutonomousSystem};
  } else if (test.object == "x509-certificate") {
    if (is({"subject"})) return {Kind::kValue, FeedKind::kCertificateSubject};
    if (is({"issuer"})) return {Kind::kValue, FeedKind::kCertificateIssuer};
    if (test.path.size() == 2 && test.path[0] == "hashes") {
      for (const string_view hash : {"SHA-1", "SHA1", "SHA-256", "SHA256"}) {
        if (core::equals_ignore_case(test.path[1], hash)) return {Kind::kValue, FeedKind::kCertificateFingerprint};
      }
    }
  } else if (test.object == "network-traffic") {
    if (is({"dst_ref", "value"})) return {Kind::kEnd, FeedKind::kPrefix, FeedRole::kDestination};
    if (is({"src_ref", "value"})) return {Kind::kEnd, FeedKind::kPrefix, FeedRole::kSource};
    // Not in the specification, but some producers write it and it can mean nothing else.
    if (is({"dst_ip"})) return {Kind::kEnd, FeedKind::kPrefix, FeedRole::kDestination};
    if (is({"src_ip"})) return {Kind::kEnd, FeedKind::kPrefix, FeedRole::kSource};
    if (is({"dst_port"})) return {Kind::kPort, FeedKind::kPrefix, FeedRole::kDestination};
    if (is({"src_port"})) return {Kind::kPort, FeedKind::kPrefix, FeedRole::kSource};
    if (is({"dst_ref", "type"})) return {Kind::kEndType, FeedKind::kPrefix, FeedRole::kDestination};
    if (is({"src_ref", "type"})) return {Kind::kEndType, FeedKind::kPrefix, FeedRole::kSource};
    if (is({"protocols"})) return {Kind::kProtocol};
    const string_view last = test.path.back();
    if (is({"extensions", "http-request-ext", "request_header", "User-Agent"}))
      return {Kind::kValue, FeedKind::kUserAgent};
    // Extensions and custom properties: the specification has none for fingerprints.
    struct Fingerprint {
      string_view name;
      FeedKind kind;
    };
    for (const auto& [name, kind] :
         {Fingerprint{"ja3", FeedKind::kJa3}, Fingerprint{"ja3_hash", FeedKind::kJa3},
          Fingerprint{"ja3s", FeedKind::kJa3s}, Fingerprint{"ja3s_hash", FeedKind::kJa3s},
          Fingerprint{"ja4", FeedKind::kJa4}, Fingerprint{"ja4s", FeedKind::kJa4s},
          Fingerprint{"jarm", FeedKind::kJarm}, Fingerprint{"jarm_hash", FeedKind::kJarm},
          Fingerprint{"hassh", FeedKind::kHassh}, Fingerprint{"hassh_server", FeedKind::kHasshServer}}) {
      string_view plain = last;
      core::skip_prefix(plain, "x_");
      if (core::equals_ignore_case(plain, name)) return {Kind::kValue, kind};
    }
  }
  return {};
}

string_view said(FeedKind kind) { return kind == FeedKind::kPrefix ? "address" : name(kind); }

// One alternative to one value. The reason if it cannot be.
class Extractor {
 public:
  Extractor(const std::vector<Test>& tests, const ValueRules& rules) : tests_(tests), rules_(rules) {}

  ValueVerdict extract(const Alternative& alternative, std::vector<FeedValue>& out) {
    if (!alternative.refused.empty()) return {ValueFate::kIgnored, alternative.refused};
    value_.clear();
    port_ = 0;
    port_role_ = FeedRole::kAny;
    protocol_ = 0;
    const Test* types[2] = {};
    std::string other;
    string_view kind;
    for (const std::uint32_t at : alternative.tests) {
      const Test& test = tests_[at];
      if (!test.refused.empty()) return {ValueFate::kIgnored, test.refused};
      const Meaning meaning = meaning_of(test);
      switch (meaning.kind) {
        case Meaning::Kind::kValue:
        case Meaning::Kind::kEnd: {
          const auto verdict = value(test, meaning);
          if (verdict.fate != ValueFate::kItem) return verdict;
          if (kind.empty()) kind = said(meaning.value);
          break;
        }
        case Meaning::Kind::kPort: {
          const auto port = core::parse_number<std::uint16_t>(test.value);
          if (test.subset || !port || *port == 0) return {ValueFate::kRejected, "port that is none"};
          if (port_ != 0 && (port_ != *port || port_role_ != meaning.role))
            return {ValueFate::kIgnored, "AND of two ports"};
          port_ = *port;
          port_role_ = meaning.role;
          break;
        }
        case Meaning::Kind::kProtocol: {
          const std::uint8_t number = protocol_number(test.value);
          if (number == 0) return {ValueFate::kIgnored, "protocol " + core::printable(test.value, 20)};
          if (protocol_ != 0 && protocol_ != number) return {ValueFate::kIgnored, "AND of two protocols"};
          protocol_ = number;
          break;
        }
        case Meaning::Kind::kEndType: types[meaning.role == FeedRole::kSource ? 0 : 1] = &test; break;
        case Meaning::Kind::kOther:
          if (other.empty()) other = path_name(test);
          break;
      }
    }
    if (!other.empty())
      return {ValueFate::kIgnored, kind.empty() ? other : fmt::format("AND of {} and {}", kind, other)};
    if (value_.empty()) return {ValueFate::kIgnored, "port without an address"};
    if (value_.size() > 1) {
      if (value_[0].role != value_[1].role && value_[0].kind == FeedKind::kPrefix && value_[1].kind == value_[0].kind)
        return {ValueFate::kIgnored, "AND of two addresses"};
      return {ValueFate::kIgnored, fmt::format("AND of {} and {}", said(value_[0].kind), said(value_[1].kind))};
    }
    FeedValue& value = value_.front();
    for (const Test* type : types) {
      if (type == nullptr) continue;
      const FeedRole role = type == types[0] ? FeedRole::kSource : FeedRole::kDestination;
      const string_view fits = value.kind == FeedKind::kDomain ? "domain-name"
                               : value.prefix.base.is_v4()     ? "ipv4-addr"
                                                               : "ipv6-addr";
      if (value.role != role || type->value != fits) return {ValueFate::kIgnored, "AND of an address and a type"};
    }
    if (port_ != 0 || protocol_ != 0) {
      if (value.kind != FeedKind::kPrefix && value.kind != FeedKind::kDomain)
        return {ValueFate::kIgnored, fmt::format("AND of {} and port or protocol", said(value.kind))};
    }
    if (port_ != 0) {
      if (value.role != FeedRole::kAny && value.role != port_role_)
        return {ValueFate::kIgnored, "AND of an address and the other side's port"};
      value.role = port_role_;
      value.port = port_;
    }
    value.protocol = protocol_;
    value.valid_from = alternative.start;
    value.valid_until = alternative.stop;
    out.push_back(std::move(value));
    return {};
  }

 private:
  static std::uint8_t protocol_number(string_view text) {
    if (core::equals_ignore_case(text, "tcp")) return 6;
    if (core::equals_ignore_case(text, "udp")) return 17;
    if (core::equals_ignore_case(text, "sctp")) return 132;
    return 0;
  }
  // Puts what the test says into value_, once if it is said twice.
  ValueVerdict value(const Test& test, const Meaning& meaning) {
    const bool number = meaning.value == FeedKind::kAutonomousSystem;
    if (test.literal != TokenKind::kString && !(number && test.literal == TokenKind::kNumber))
      return {ValueFate::kRejected, "value of the wrong type"};
    if (test.subset && meaning.value != FeedKind::kPrefix) return {ValueFate::kIgnored, "ISSUBSET"};
    std::vector<FeedValue> read;
    KindName wanted{KindName::Meaning::kKind, meaning.value, meaning.role, {}};
    if (meaning.kind == Meaning::Kind::kEnd && !core::Prefix::parse(test.value)) wanted.kind = FeedKind::kDomain;
    ValueVerdict verdict;
    if (wanted.kind == FeedKind::kPrefix) {
      // No range and no port stands in an address of STIX.
      const auto prefix = core::Prefix::parse(test.value);
      if (!prefix) return {ValueFate::kRejected, "not an address"};
      const bool v4 = prefix->base.is_v4();
      if ((test.object == "ipv4-addr" && !v4) || (test.object == "ipv6-addr" && v4))
        return {ValueFate::kRejected, "address of the wrong family"};
      verdict = read_value(test.value, wanted, rules_, read);
    } else {
      verdict = read_value(test.value, wanted, rules_, read);
      for (FeedValue& one : read) one.role = meaning.role;
    }
    if (verdict.fate != ValueFate::kItem) return verdict;
    for (FeedValue& one : read) {
      const bool twice = std::any_of(value_.begin(), value_.end(), [&](const FeedValue& known) {
        return known.kind == one.kind && known.value == one.value && known.role == one.role;
      });
      if (!twice) value_.push_back(std::move(one));
    }
    return {};
  }

  const std::vector<Test>& tests_;
  const ValueRules& rules_;
  std::vector<FeedValue> value_;
  std::uint16_t port_ = 0;
  FeedRole port_role_ = FeedRole::kAny;
  std::uint8_t protocol_ = 0;
};

}  // namespace

core::Expected<StixPattern> read_stix_pattern(string_view text, const ValueRules& rules) {
  if (text.size() > kLongestPattern)
    return core::fail("STIX pattern too long", fmt::format("{} bytes", text.size()),
                      fmt::format("at most {}", kLongestPattern));
  Parser parser(text);
  const auto alternatives = parser.parse();
  if (!alternatives) return std::unexpected(alternatives.error());
  StixPattern pattern;
  Extractor extractor(parser.tests(), rules);
  for (const Alternative& alternative : *alternatives) {
    ValueVerdict verdict = extractor.extract(alternative, pattern.values);
    if (verdict.fate != ValueFate::kItem) pattern.refused.push_back(std::move(verdict));
  }
  return pattern;
}

bool looks_like_stix_pattern(string_view text) {
  text = core::trim(text);
  while (text.starts_with('(')) text = core::trim(text.substr(1));
  if (!text.starts_with('[')) return false;
  text = core::trim(text.substr(1));
  while (text.starts_with('(')) text = core::trim(text.substr(1));
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon > 64) return false;
  const string_view object = text.substr(0, colon);
  return std::all_of(object.begin(), object.end(), is_name) && colon + 1 < text.size() && text[colon + 1] != ':' &&
         text.find('\'') != text.npos;
}

}  // namespace orbwatch::intel
