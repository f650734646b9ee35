#include "decode/mapping.h"

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "decode/cells.h"
#include "decode/json_record.h"
#include "decode/scanner.h"
#include "decode/time_layout.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;

// What a value becomes. The names are those of the event's JSON (event::to_json).
enum class Target : std::uint8_t {
  kClass,
  kActivity,
  kOutcome,
  kAction,
  kService,
  kAuthMethod,
  kMfa,
  kDirection,
  kSourceIp,
  kDestinationIp,
  kAssignedIp,
  kObserverIp,
  kSourcePort,
  kDestinationPort,
  kSourceBytes,
  kDestinationBytes,
  kSourcePackets,
  kDestinationPackets,
  kSampling,
  kLogonType,
  kTcpFlags,
  kProtocol,
  kSessionId,
  kDurationSeconds,
  kDurationMs,
  kDurationNs,
  kUser,
  kUserDomain,
  kGroup,
  kUserAgent,
  kClientOs,
  kClientHost,
  kCode,
  kReason,
  kObserver,
  kApplication,
  kProtocolVersion,
  kDestinationName,
  kIngress,
  kEgress,
  kFingerprint,
  kServerFingerprint,
  kIssuer,
  kSubject,
  kCertificateFingerprint,
  kBanner,
  kRule,
  kRegion,
};

struct TargetName {
  std::string_view name;
  Target target;
};

constexpr std::array kTargets = {
    TargetName{"class", Target::kClass},
    TargetName{"activity", Target::kActivity},
    TargetName{"outcome", Target::kOutcome},
    TargetName{"action", Target::kAction},
    TargetName{"service", Target::kService},
    TargetName{"auth_method", Target::kAuthMethod},
    TargetName{"mfa", Target::kMfa},
    TargetName{"network.direction", Target::kDirection},
    TargetName{"source.ip", Target::kSourceIp},
    TargetName{"destination.ip", Target::kDestinationIp},
    TargetName{"assigned.ip", Target::kAssignedIp},
    TargetName{"observer.ip", Target::kObserverIp},
    TargetName{"source.port", Target::kSourcePort},
    TargetName{"destination.port", Target::kDestinationPort},
    TargetName{"source.bytes", Target::kSourceBytes},
    TargetName{"destination.bytes", Target::kDestinationBytes},
    TargetName{"source.packets", Target::kSourcePackets},
    TargetName{"destination.packets", Target::kDestinationPackets},
    TargetName{"sampling", Target::kSampling},
    TargetName{"logon_type", Target::kLogonType},
    TargetName{"tcp_flags", Target::kTcpFlags},
    TargetName{"network.iana_number", Target::kProtocol},
    TargetName{"session_id", Target::kSessionId},
    TargetName{"duration_s", Target::kDurationSeconds},
    TargetName{"duration_ms", Target::kDurationMs},
    TargetName{"duration_ns", Target::kDurationNs},
    TargetName{"user.name", Target::kUser},
    TargetName{"user.domain", Target::kUserDomain},
    TargetName{"group", Target::kGroup},
    TargetName{"user_agent", Target::kUserAgent},
    TargetName{"client.os", Target::kClientOs},
    TargetName{"client.host", Target::kClientHost},
    TargetName{"code", Target::kCode},
    TargetName{"reason", Target::kReason},
    TargetName{"observer.name", Target::kObserver},
    TargetName{"network.protocol", Target::kApplication},
    TargetName{"protocol.version", Target::kProtocolVersion},
    TargetName{"destination.domain", Target::kDestinationName},
    TargetName{"ingress", Target::kIngress},
    TargetName{"egress", Target::kEgress},
    TargetName{"fingerprint", Target::kFingerprint},
    TargetName{"server_fingerprint", Target::kServerFingerprint},
    TargetName{"certificate.issuer", Target::kIssuer},
    TargetName{"certificate.subject", Target::kSubject},
    TargetName{"certificate.fingerprint", Target::kCertificateFingerprint},
    TargetName{"banner", Target::kBanner},
    TargetName{"rule", Target::kRule},
    TargetName{"region", Target::kRegion},
};

std::string_view name_of(Target target) {
  for (const TargetName& row : kTargets) {
    if (row.target == target) return row.name;
  }
  return {};
}

// The enumeration's value of that name; the names are those of event.h, closed by one that is "?".
template <typename Enum>
std::optional<Enum> enum_of(std::string_view text) {
  for (std::uint8_t i = 1; i < 32; ++i) {
    const auto value = static_cast<Enum>(i);
    const std::string_view known = event::name(value);
    if (known == "?") break;
    if (known == text) return value;
  }
  return std::nullopt;
}

template <typename Enum>
bool set_enum(std::string_view text, Enum& out) {
  const auto value = enum_of<Enum>(text);
  if (value) out = *value;
  return value.has_value();
}

// A number in the field's unit, "12ms", "1h 5m", "01:02:03" (see scan_duration); 0 if it is none of these.
core::Nanoseconds duration_of(std::string_view text, double unit) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop == text.data() || !(value >= 0)) return 0;
  const std::string_view rest = core::trim(text.substr(static_cast<std::size_t>(stop - text.data())));
  if (rest == "ms") unit = 1e6;
  if (rest == "us") unit = 1e3;
  if (rest == "ns") unit = 1;
  if (rest.empty() || rest == "ms" || rest == "us" || rest == "ns")
    return value * unit < 9e18 ? static_cast<core::Nanoseconds>(value * unit) : 0;
  Scanner s(text);
  const core::Nanoseconds duration = scan_duration(s);
  return s.done() ? duration : 0;
}

// False only for a name that an enumeration does not have; unreadable numbers and addresses leave the field unknown.
bool assign(Target target, std::string_view text, Event& e) {
  const auto count = [&] { return json::number(text).value_or(0); };
  switch (target) {
    case Target::kClass: return set_enum(text, e.event_class);
    case Target::kActivity: return set_enum(text, e.activity);
    case Target::kOutcome: return set_enum(text, e.outcome);
    case Target::kAction: return set_enum(text, e.action);
    case Target::kService: return set_enum(text, e.service);
    case Target::kAuthMethod: return set_enum(text, e.auth_method);
    case Target::kMfa: return set_enum(text, e.mfa);
    case Target::kDirection: return set_enum(text, e.direction);
    case Target::kSourceIp: e.source_ip = json::ip(text); break;
    case Target::kDestinationIp: e.destination_ip = json::ip(text); break;
    case Target::kAssignedIp: e.assigned_ip = json::ip(text); break;
    case Target::kObserverIp: e.observer_ip = json::ip(text); break;
    case Target::kSourcePort: e.source_port = json::port(text); break;
    case Target::kDestinationPort: e.destination_port = json::port(text); break;
    case Target::kSourceBytes: e.source_bytes = count(); break;
    case Target::kDestinationBytes: e.destination_bytes = count(); break;
    case Target::kSourcePackets: e.source_packets = count(); break;
    case Target::kDestinationPackets: e.destination_packets = count(); break;
    case Target::kSampling:
      e.sampling = static_cast<std::uint32_t>(std::min<std::uint64_t>(count(), UINT32_MAX));
      break;
    case Target::kLogonType: e.logon_type = static_cast<std::uint8_t>(std::min<std::uint64_t>(count(), 255)); break;
    case Target::kTcpFlags: e.tcp_flags = static_cast<std::uint16_t>(std::min<std::uint64_t>(count(), 65535)); break;
    case Target::kProtocol: e.protocol = protocol_number(text); break;
    case Target::kSessionId: e.session_id = core::parse_number<std::uint64_t>(text).value_or(core::hash64(text)); break;
    case Target::kDurationSeconds: e.duration = duration_of(text, 1e9); break;
    case Target::kDurationMs: e.duration = duration_of(text, 1e6); break;
    case Target::kDurationNs: e.duration = duration_of(text, 1); break;
    case Target::kUser: set_user(e, text); break;
    case Target::kUserDomain: e.user_domain = core::intern(text); break;
    case Target::kGroup: e.group = core::intern(text); break;
    case Target::kUserAgent: e.user_agent = core::intern(text); break;
    case Target::kClientOs: e.client_os = core::intern(text); break;
    case Target::kClientHost: e.client_host = core::intern(text); break;
    case Target::kCode: e.code = core::intern(text); break;
    case Target::kReason: e.reason = core::intern(text); break;
    case Target::kObserver: e.observer = core::intern(text); break;
    case Target::kApplication: e.application = core::intern(text); break;
    case Target::kProtocolVersion: e.protocol_version = core::intern(text); break;
    case Target::kDestinationName: e.destination_name = core::intern(text); break;
    case Target::kIngress: e.ingress = core::intern(text); break;
    case Target::kEgress: e.egress = core::intern(text); break;
    case Target::kFingerprint: e.fingerprint = core::intern(text); break;
    case Target::kServerFingerprint: e.server_fingerprint = core::intern(text); break;
    case Target::kIssuer: e.certificate_issuer = core::intern(text); break;
    case Target::kSubject: e.certificate_subject = core::intern(text); break;
    case Target::kCertificateFingerprint: e.certificate_fingerprint = core::intern(text); break;
    case Target::kBanner: e.banner = core::intern(text); break;
    case Target::kRule: e.rule = core::intern(text); break;
    case Target::kRegion: e.region = core::intern(text); break;
  }
  return true;
}

enum class Kind : std::uint8_t { kCsv, kJson, kKeyValue, kRegex };

// `values:` of one target: what stands in the record -> what it means.
struct Translation {
  std::map<std::string, std::string, std::less<>> to;
  std::optional<std::string> otherwise;  // "*"
};

struct FieldRule {
  Target target;
  std::size_t slot;
  std::optional<Translation> values;
};

// One pattern of kind regex. RE2 takes time in proportion to the text, whatever the pattern.
struct Pattern {
  std::unique_ptr<RE2> expression;
  std::vector<std::pair<int, std::size_t>> groups;  // number of a named group -> slot
};

struct IgnoreRule {
  std::size_t slot;
  std::string value;
  Symbol name;
};

struct Mapping {
  std::string name;
  Kind kind = Kind::kCsv;
  char delimiter = ',';
  bool header = false;
  bool syslog = false;
  std::vector<std::string> columns;
  std::string match;
  std::string program;
  std::string key;
  std::vector<Pattern> patterns;
  std::vector<std::string>
      slots;  // column or group names, JSON paths or keys that are read; a slot is an index into this
  std::vector<std::size_t> time_slots;  // their texts, joined by a blank, are the time
  TimeLayout time_layout;
  std::vector<std::pair<Target, std::string>> constants;
  std::vector<FieldRule> fields;
  std::vector<IgnoreRule> ignores;
};

// The wanted members of a JSON document as a tree, so that one forward pass finds them all.
struct JsonNode {
  std::string key;
  std::vector<JsonNode> children;
  std::vector<std::size_t> slots;
};

constexpr std::size_t kMostColumns = 4096;
constexpr std::size_t kMostPatterns = 64;
constexpr std::size_t kLongestPattern = 4096;  // bytes
constexpr int kMostGroups = 64;
constexpr std::int64_t kPatternMemory = 8 << 20;  // bytes for one pattern's automata

class MappedDecoder final : public RecordDecoder {
 public:
  MappedDecoder(Mapping mapping, const core::TimeReader& times, MappingTrial* trial)
      : m_(std::move(mapping)), times_(times), trial_(trial) {
    values_.resize(m_.slots.size());
    scratch_.resize(m_.slots.size());
    no_time_ = core::intern(m_.name + ": no time");
    no_subject_ = core::intern(m_.name + ": no address and no user");
    too_few_ = core::intern(m_.name + ": too few columns");
    not_json_ = core::intern(m_.name + ": not JSON");
    header_ = core::intern("header");
    no_match_ = core::intern(m_.name + ": no match");
    if (m_.kind == Kind::kJson) {
      for (std::size_t i = 0; i < m_.slots.size(); ++i) add_path(i);
    }
    if (!m_.columns.empty()) set_columns(m_.columns);
    if (trial_ != nullptr) begin_trial();
  }

  bool claims(const TextRecord& r) const override {
    if (!m_.program.empty() && r.program != m_.program) return false;
    if (m_.kind == Kind::kJson) {
      if (!r.json) return false;
      if (!m_.match.empty() && r.message.find(m_.match) == std::string_view::npos) return false;
      return m_.key.empty() || !json::raw_member(r, m_.key).empty();
    }
    if (r.json) return false;
    const std::string_view text = text_of(r);
    if (m_.kind == Kind::kRegex) {
      if (!m_.match.empty() && text.find(m_.match) == std::string_view::npos) return false;
      return std::any_of(m_.patterns.begin(), m_.patterns.end(),
                         [&](const Pattern& p) { return matches(p, text, nullptr, 0); });
    }
    if (m_.kind == Kind::kCsv && m_.header) {
      if (is_header(text)) return true;
      if (slot_of_column_.empty()) return false;
    }
    if (!m_.match.empty() && text.find(m_.match) == std::string_view::npos) return false;
    return m_.kind == Kind::kKeyValue || slot_of_column_.size() == 1 ||
           text.find(m_.delimiter) != std::string_view::npos;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::fill(values_.begin(), values_.end(), std::string_view{});
    switch (m_.kind) {
      case Kind::kCsv: {
        const std::string_view text = text_of(r);
        if (m_.header && is_header(text)) {
          std::vector<std::string> names;
          each_cell(text, m_.delimiter, [&](std::size_t, std::string_view cell, bool quoted) {
            std::string plain;
            names.emplace_back(unquoted_cell(core::trim(cell), quoted, plain));
            return names.size() < kMostColumns;
          });
          set_columns(names);
          return Fate::ignored(header_);
        }
        if (!read_csv(text)) return Fate::rejected(too_few_);
        break;
      }
      case Kind::kJson:
        if (!read_json(r)) return Fate::rejected(not_json_);
        break;
      case Kind::kKeyValue: read_pairs(text_of(r)); break;
      case Kind::kRegex:
        if (!read_groups(text_of(r))) return Fate::rejected(no_match_);
        break;
    }
    return fill(e);
  }

 private:
  std::string_view text_of(const TextRecord& r) const { return m_.syslog ? r.message : r.raw; }

  // A header names every column that the mapping reads.
  bool is_header(std::string_view line) const {
    if (line.find(m_.slots.front()) == std::string_view::npos) return false;
    for (const std::string& name : m_.slots) {
      bool found = false;
      each_cell(line, m_.delimiter, [&](std::size_t, std::string_view cell, bool quoted) {
        std::string buffer;
        found = unquoted_cell(core::trim(cell), quoted, buffer) == name;
        return !found;
      });
      if (!found) return false;
    }
    return true;
  }

  void set_columns(const std::vector<std::string>& names) {
    slot_of_column_.assign(names.size(), m_.slots.size());
    needed_columns_ = 0;
    for (std::size_t c = 0; c < names.size(); ++c) {
      const auto found = std::find(m_.slots.begin(), m_.slots.end(), names[c]);
      if (found == m_.slots.end()) continue;
      slot_of_column_[c] = static_cast<std::size_t>(found - m_.slots.begin());
      needed_columns_ = c + 1;
    }
  }

  bool read_csv(std::string_view line) {
    std::size_t cells = 0;
    each_cell(line, m_.delimiter, [&](std::size_t index, std::string_view cell, bool quoted) {
      cells = index + 1;
      if (index >= slot_of_column_.size()) return false;
      const std::size_t slot = slot_of_column_[index];
      if (slot < values_.size()) values_[slot] = core::trim(unquoted_cell(cell, quoted, scratch_[slot]));
      return true;
    });
    return cells >= needed_columns_;
  }

  void read_pairs(std::string_view text) {
    each_pair(text, m_.delimiter, [&](std::string_view key, std::string_view value) {
      for (std::size_t i = 0; i < m_.slots.size(); ++i) {
        if (m_.slots[i] == key) values_[i] = value;
      }
    });
  }

  static bool matches(const Pattern& pattern, std::string_view text, re2::StringPiece* groups, int count) {
    return pattern.expression->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED,
                                     groups, count);
  }

  // The first pattern that matches counts.
  bool read_groups(std::string_view text) {
    for (const Pattern& pattern : m_.patterns) {
      const int count = pattern.expression->NumberOfCapturingGroups() + 1;
      groups_.assign(static_cast<std::size_t>(count), {});
      if (!matches(pattern, text, groups_.data(), count)) continue;
      for (const auto& [group, slot] : pattern.groups) {
        const re2::StringPiece& found = groups_[static_cast<std::size_t>(group)];
        if (!found.empty()) values_[slot] = {found.data(), found.size()};
      }
      return true;
    }
    return false;
  }

  void add_path(std::size_t slot) {
    JsonNode* node = &root_;
    std::string_view path = m_.slots[slot];
    const bool pointer = path.starts_with('/');
    if (pointer) path.remove_prefix(1);
    while (true) {
      std::string key(pointer ? core::take_until(path, '/') : std::exchange(path, {}));
      // RFC 6901: ~1 is "/", ~0 is "~".
      for (std::size_t at = 0; pointer && (at = key.find('~', at)) != key.npos; ++at) {
        if (at + 1 < key.size() && (key[at + 1] == '0' || key[at + 1] == '1'))
          key.replace(at, 2, key[at + 1] == '0' ? "~" : "/");
      }
      auto child =
          std::find_if(node->children.begin(), node->children.end(), [&](const JsonNode& n) { return n.key == key; });
      if (child == node->children.end()) {
        node->children.push_back({key, {}, {}});
        child = std::prev(node->children.end());
      }
      node = &*child;
      if (path.empty()) break;
    }
    node->slots.push_back(slot);
  }

  bool read_json(const TextRecord& r) {
    json::Object object;
    if (!parser_.open(r, object)) return false;
    bool good = true;
    const Walk walk = json::each_field(object, [&](std::string_view key, Value& value) {
      good = visit(root_, key, value);
      return good;
    });
    return good && walk != Walk::kBroken;
  }

  // As deep as the mapping's longest path, not as the document.
  bool visit(const JsonNode& parent, std::string_view key, Value& value) {
    for (const JsonNode& node : parent.children) {
      if (node.key != key) continue;
      if (!node.children.empty() && json::is_object(value)) {
        bool good = true;
        const Walk walk = json::each_field(value, [&](std::string_view k, Value& v) {
          good = visit(node, k, v);
          return good;
        });
        return good && walk != Walk::kBroken;
      }
      if (!node.children.empty() && json::is_array(value)) {
        std::size_t index = 0;
        return json::each_element(value, [&](Value& item) {
                 std::array<char, 20> digits;
                 const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), index++);
                 return visit(node, {digits.data(), static_cast<std::size_t>(end - digits.data())}, item);
               }) == Walk::kEnd;
      }
      if (node.slots.empty()) return true;
      const std::string_view found = json::text(value);
      for (const std::size_t slot : node.slots) values_[slot] = found;
      return true;
    }
    return true;
  }

  std::string_view time_text() {
    if (m_.time_slots.size() == 1) return values_[m_.time_slots.front()];
    time_text_.clear();
    for (const std::size_t slot : m_.time_slots) {
      if (!time_text_.empty()) time_text_ += ' ';
      time_text_ += values_[slot];
    }
    return time_text_;
  }

  Fate fill(Event& e) {
    for (const IgnoreRule& rule : m_.ignores) {
      if (values_[rule.slot] == rule.value) return Fate::ignored(rule.name);
    }
    for (const auto& [target, text] : m_.constants) assign(target, text, e);
    if (!m_.time_slots.empty()) {
      const std::string_view text = time_text();
      e.time = m_.time_layout.read(text, times_);
      if (trial_ != nullptr) tell(trial_->fields.front(), text, e.time != 0);
    }
    if (e.time == 0) return Fate::rejected(no_time_);
    for (std::size_t i = 0; i < m_.fields.size(); ++i) {
      const FieldRule& rule = m_.fields[i];
      const std::string_view found = values_[rule.slot];
      const std::string_view text = translated(rule, found);
      const bool given = !text.empty() && text != "-";
      const bool good = !given || assign(rule.target, text, e);
      if (trial_ != nullptr) tell(trial_->fields[i + first_trial_], found, good && (!given || sets(rule.target, text)));
    }
    if (!e.source_ip.present() && !e.destination_ip.present() && !e.user.present()) return Fate::rejected(no_subject_);
    return Fate::kept();
  }

  static std::string_view translated(const FieldRule& rule, std::string_view text) {
    if (!rule.values) return text;
    if (const auto known = rule.values->to.find(text); known != rule.values->to.end()) return known->second;
    return rule.values->otherwise && !text.empty() ? std::string_view(*rule.values->otherwise) : text;
  }

  // Of a trial: is the text one that the field can hold? Zero is read well though it says nothing.
  static bool sets(Target target, std::string_view text) {
    Event probe;
    assign(target, text, probe);
    return text.find_first_not_of("0.") == text.npos || event::to_json(probe) != event::to_json(Event{});
  }

  static void tell(FieldTrial& field, std::string_view text, bool good) {
    if (text.empty() || text == "-") return;
    ++field.carried;
    if (good) {
      ++field.read;
    } else if (field.unread.empty()) {
      field.unread = core::printable(text, 60);
    }
  }

  void begin_trial() {
    trial_->fields.clear();
    if (!m_.time_slots.empty()) {
      std::string from;
      for (const std::size_t slot : m_.time_slots) from += (from.empty() ? "" : ", ") + m_.slots[slot];
      trial_->fields.push_back({.field = "time", .from = from});
    }
    first_trial_ = trial_->fields.size();
    for (const FieldRule& rule : m_.fields)
      trial_->fields.push_back({.field = std::string(name_of(rule.target)), .from = m_.slots[rule.slot]});
  }

  Mapping m_;
  core::TimeReader times_;
  json::Parser parser_;
  JsonNode root_;
  std::vector<std::size_t> slot_of_column_;  // m_.slots.size() for columns that are not read
  std::size_t needed_columns_ = 0;
  std::vector<std::string_view> values_;  // by slot, of the current record
  std::vector<std::string> scratch_;      // by slot: cells whose doubled quotes were undone
  std::vector<re2::StringPiece> groups_;  // of the pattern that is being tried
  std::string time_text_;
  MappingTrial* trial_;
  std::size_t first_trial_ = 0;  // of m_.fields within trial_->fields
  Symbol no_time_, no_subject_, too_few_, not_json_, header_, no_match_;
};

// ---- The YAML text
// -------------------------------------------------------------------------------------------------------------

// "my.yaml:3:7: message", or "mapping, line 3, column 7: message" of a text that is no file.
core::Error error_at(std::string_view file, const YAML::Mark& mark, std::string message, std::string seen = {},
                     std::string hint = {}) {
  std::string place = file.empty() ? "mapping" : std::string(file);
  if (!mark.is_null() && mark.line >= 0) {
    place += (file.empty() ? ", line " : ":") + std::to_string(mark.line + 1);
    place += (file.empty() ? ", column " : ":") + std::to_string(mark.column + 1);
  }
  return {place + ": " + std::move(message), std::move(seen), std::move(hint)};
}

std::string names_of_targets() {
  std::string names;
  for (const TargetName& row : kTargets) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

class Compiler {
 public:
  explicit Compiler(std::string_view file) : file_(file) {}

  core::Expected<Mapping> compile(const YAML::Node& root) {
    if (!root.IsMap()) return std::unexpected(at(root, "must be a YAML mapping"));
    static constexpr std::array<std::string_view, 16> kKeys = {
        "name",   "kind",   "delimiter", "header", "columns", "match",   "key",     "time",
        "fields", "values", "constants", "ignore", "syslog",  "program", "pattern", "patterns"};
    for (const auto& entry : root) {
      const std::string key = scalar(entry.first, "key");
      if (error_) return std::unexpected(*error_);
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
        return std::unexpected(at(entry.first, "unknown key", key,
                                  "known: name, kind, delimiter, header, columns, pattern, patterns, match, key, "
                                  "syslog, program, time, fields, "
                                  "values, constants, ignore"));
      }
    }
    basics(root);
    if (!error_) shape(root);
    if (!error_) time(root);
    if (!error_) constants(root["constants"]);
    if (!error_) fields(root);
    if (!error_) values(root["values"]);
    if (!error_) ignores(root["ignore"]);
    if (!error_) rules(root);
    if (error_) return std::unexpected(*error_);
    return std::move(m_);
  }

 private:
  core::Error at(const YAML::Node& node, std::string message, std::string seen = {}, std::string hint = {}) const {
    return error_at(file_, node.Mark(), std::move(message), std::move(seen), std::move(hint));
  }
  void fail(core::Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::string scalar(const YAML::Node& node, std::string_view what) {
    if (node.IsDefined() && node.IsScalar()) return node.Scalar();
    fail(at(node, std::string(what) + " must be a text"));
    return {};
  }
  bool boolean(const YAML::Node& node, std::string_view what) {
    bool value = false;
    if (node.IsScalar() && YAML::convert<bool>::decode(node, value)) return value;
    fail(at(node, std::string(what) + " must be true or false"));
    return false;
  }
  std::size_t slot(const std::string& name) {
    const auto found = std::find(m_.slots.begin(), m_.slots.end(), name);
    if (found != m_.slots.end()) return static_cast<std::size_t>(found - m_.slots.begin());
    m_.slots.push_back(name);
    return m_.slots.size() - 1;
  }
  std::optional<Target> target(const YAML::Node& node) {
    const std::string name = scalar(node, "field name");
    for (const TargetName& row : kTargets) {
      if (row.name == name) return row.target;
    }
    fail(at(node, "unknown event field", name, "known: " + names_of_targets()));
    return std::nullopt;
  }

  void basics(const YAML::Node& root) {
    if (!root["name"]) return fail(at(root, "name is missing", {}, "name: my_product"));
    m_.name = scalar(root["name"], "name");
    const bool good = !m_.name.empty() && m_.name.size() <= 40 &&
                      std::all_of(m_.name.begin(), m_.name.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (!good) return fail(at(root["name"], "name must be lower-case letters, digits and _", m_.name));
    if (!root["kind"]) return fail(at(root, "kind is missing", {}, "csv, json, kv or regex"));
    const std::string kind = scalar(root["kind"], "kind");
    if (kind == "csv") {
      m_.kind = Kind::kCsv;
    } else if (kind == "json") {
      m_.kind = Kind::kJson;
    } else if (kind == "kv") {
      m_.kind = Kind::kKeyValue;
      m_.delimiter = ' ';
    } else if (kind == "regex") {
      m_.kind = Kind::kRegex;
    } else {
      return fail(at(root["kind"], "unknown kind", kind, "csv, json, kv or regex"));
    }
    if (const auto node = root["match"]) m_.match = scalar(node, "match");
    if (const auto node = root["key"]) {
      m_.key = scalar(node, "key");
      if (m_.kind != Kind::kJson) return fail(at(node, "key is for kind json only"));
    }
    if (const auto node = root["syslog"]) m_.syslog = boolean(node, "syslog");
    if (const auto node = root["program"]) {
      m_.program = scalar(node, "program");
      if (!m_.syslog) return fail(at(node, "program is for records behind syslog", {}, "syslog: true"));
    }
  }

  void shape(const YAML::Node& root) {
    if (const auto node = root["delimiter"]) {
      const std::string text = scalar(node, "delimiter");
      if (text == "\\t") {
        m_.delimiter = '\t';
      } else if (text.size() == 1 && text[0] != '"') {
        m_.delimiter = text[0];
      } else {
        return fail(at(node, "delimiter must be one character", text));
      }
      if (m_.kind != Kind::kCsv && m_.kind != Kind::kKeyValue)
        return fail(at(node, "delimiter is for kinds csv and kv only"));
    }
    if (const auto node = root["header"]) {
      m_.header = boolean(node, "header");
      if (m_.kind != Kind::kCsv) return fail(at(node, "header is for kind csv only"));
    }
    if (const auto node = root["columns"]) {
      if (m_.kind != Kind::kCsv || m_.header) return fail(at(node, "columns is for kind csv without header"));
      if (!node.IsSequence() || node.size() == 0 || node.size() > kMostColumns)
        return fail(at(node, "columns must be a list of names"));
      for (const auto& column : node) m_.columns.push_back(scalar(column, "column"));
    }
    if (m_.kind == Kind::kCsv && !m_.header && m_.columns.empty()) {
      return fail(at(root, "a csv needs `header: true` or `columns`"));
    }
    patterns(root);
    // Without a header or a mark, a mapping would take the records of every other format in the folder.
    if (m_.kind != Kind::kRegex && m_.match.empty() && m_.key.empty() && m_.program.empty() && !m_.header) {
      return fail(at(root, "match is missing", {}, "a text that every record of this format holds, or `key` for JSON"));
    }
  }

  void patterns(const YAML::Node& root) {
    const auto one = root["pattern"];
    const auto many = root["patterns"];
    if (m_.kind != Kind::kRegex) {
      if (one || many) fail(at(one ? one : many, "pattern and patterns are for kind regex only"));
      return;
    }
    if (static_cast<bool>(one) == static_cast<bool>(many))
      return fail(at(root, "a regex needs `pattern` or `patterns`", {}, "pattern: 'login of (?P<user>\\S+)'"));
    if (one) return add_pattern(one);
    if (!many.IsSequence() || many.size() == 0 || many.size() > kMostPatterns)
      return fail(at(many, "patterns must be a list of at most " + std::to_string(kMostPatterns)));
    for (const auto& node : many) add_pattern(node);
  }

  void add_pattern(const YAML::Node& node) {
    const std::string text = scalar(node, "pattern");
    if (error_) return;
    if (text.size() > kLongestPattern)
      return fail(at(node, "pattern is longer than " + std::to_string(kLongestPattern) + " bytes"));
    RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(RE2::Options::EncodingLatin1);  // a log may hold any bytes
    options.set_max_mem(kPatternMemory);
    Pattern pattern;
    pattern.expression = std::make_unique<RE2>(text, options);
    if (!pattern.expression->ok()) return fail(at(node, "not a regular expression", pattern.expression->error()));
    if (pattern.expression->NumberOfCapturingGroups() > kMostGroups)
      return fail(at(node, "more than " + std::to_string(kMostGroups) + " groups"));
    if (RE2::PartialMatch("", *pattern.expression))
      return fail(at(node, "the pattern matches an empty text: it would take every record", text));
    for (const auto& [name, number] : pattern.expression->NamedCapturingGroups()) groups_.push_back(name);
    m_.patterns.push_back(std::move(pattern));
  }

  // Behind all that names slots.
  void bind_groups() {
    for (Pattern& pattern : m_.patterns) {
      for (const auto& [name, number] : pattern.expression->NamedCapturingGroups()) {
        const auto found = std::find(m_.slots.begin(), m_.slots.end(), name);
        if (found != m_.slots.end())
          pattern.groups.emplace_back(number, static_cast<std::size_t>(found - m_.slots.begin()));
      }
    }
  }

  void time(const YAML::Node& root) {
    const auto node = root["time"];
    if (!node) {
      if (!m_.syslog) fail(at(root, "time is missing", {}, "time: {field: NAME, format: iso8601}"));
      return;
    }
    if (!node.IsMap() || !node["field"])
      return fail(at(node, "time needs a field", {}, "time: {field: NAME, format: iso8601}"));
    for (const auto& entry : node) {
      const std::string key = scalar(entry.first, "key");
      if (key != "field" && key != "format") return fail(at(entry.first, "unknown key of time", key, "field, format"));
    }
    const auto field = node["field"];
    if (field.IsSequence() && field.size() > 0 && field.size() <= 4) {
      for (const auto& part : field) m_.time_slots.push_back(slot(scalar(part, "time.field")));
    } else {
      m_.time_slots.push_back(slot(scalar(field, "time.field")));
    }
    const std::string format = node["format"] ? scalar(node["format"], "time.format") : "iso8601";
    const auto layout = TimeLayout::make(format);
    if (!layout) {
      return fail(at(node["format"], "unknown time format", format,
                     "iso8601, epoch, bsd or a pattern such as \"%d/%m/%Y %H:%M:%S\""));
    }
    m_.time_layout = *layout;
  }

  void constants(const YAML::Node& node) {
    if (!node) return;
    if (!node.IsMap()) return fail(at(node, "constants must be a mapping"));
    for (const auto& entry : node) {
      const auto field = target(entry.first);
      const std::string text = scalar(entry.second, "constant");
      if (error_) return;
      Event probe;
      if (!assign(*field, text, probe)) return fail(at(entry.second, "unknown value", text, "see docs/events.md"));
      m_.constants.emplace_back(*field, text);
    }
  }

  void fields(const YAML::Node& root) {
    const auto node = root["fields"];
    if (!node || !node.IsMap() || node.size() == 0)
      return fail(at(root, "fields is missing", {}, "fields: {source.ip: client_ip}"));
    for (const auto& entry : node) {
      const auto field = target(entry.first);
      const std::string from = scalar(entry.second, "column or key");
      if (error_) return;
      if (from.empty()) return fail(at(entry.second, "column or key must not be empty"));
      if (!m_.columns.empty() && std::find(m_.columns.begin(), m_.columns.end(), from) == m_.columns.end()) {
        return fail(at(entry.second, "no such column", from));
      }
      if (m_.kind == Kind::kRegex && std::find(groups_.begin(), groups_.end(), from) == groups_.end())
        return fail(at(entry.second, "no such group", from, "(?P<" + from + ">...)"));
      if (std::count(from.begin(), from.end(), '/') > 16)
        return fail(at(entry.second, "path too deep", from, "at most 16 levels"));
      m_.fields.push_back({*field, slot(from), std::nullopt});
    }
  }

  void values(const YAML::Node& node) {
    if (!node) return;
    if (!node.IsMap()) return fail(at(node, "values must be a mapping"));
    for (const auto& entry : node) {
      const auto field = target(entry.first);
      if (error_) return;
      const auto rule =
          std::find_if(m_.fields.begin(), m_.fields.end(), [&](const FieldRule& r) { return r.target == *field; });
      if (rule == m_.fields.end())
        return fail(at(entry.first, "values of a field that is not under fields", entry.first.Scalar()));
      if (!entry.second.IsMap()) return fail(at(entry.second, "values of a field must be a mapping"));
      Translation translation;
      for (const auto& pair : entry.second) {
        const std::string from = scalar(pair.first, "value");
        const std::string to = scalar(pair.second, "value");
        if (error_) return;
        Event probe;
        if (!to.empty() && !assign(*field, to, probe))
          return fail(at(pair.second, "unknown value", to, "see docs/events.md"));
        if (from == "*") {
          translation.otherwise = to;
        } else {
          translation.to.emplace(from, to);
        }
      }
      rule->values = std::move(translation);
    }
  }

  void ignores(const YAML::Node& node) {
    if (!node) return;
    if (!node.IsSequence()) return fail(at(node, "ignore must be a list", {}, "- {field: type, value: heartbeat}"));
    for (const auto& item : node) {
      if (!item.IsMap() || !item["field"] || !item["value"]) {
        return fail(at(item, "ignore needs field and value", {}, "- {field: type, value: heartbeat}"));
      }
      const std::string field = scalar(item["field"], "ignore.field");
      const std::string value = scalar(item["value"], "ignore.value");
      const std::string name = item["name"] ? scalar(item["name"], "ignore.name") : value;
      if (error_) return;
      m_.ignores.push_back({slot(field), value, core::intern(m_.name + " " + name)});
    }
  }

  void rules(const YAML::Node& root) {
    bool has_class = false;
    bool has_subject = false;
    const auto look = [&](Target t) {
      has_class |= t == Target::kClass;
      has_subject |= t == Target::kSourceIp || t == Target::kDestinationIp || t == Target::kUser;
    };
    for (const auto& [target, text] : m_.constants) look(target);
    for (const FieldRule& rule : m_.fields) look(rule.target);
    if (!has_class) return fail(at(root, "class is missing", {}, "constants: {class: authentication}"));
    if (!has_subject) return fail(at(root, "one of source.ip, destination.ip and user.name must be under fields"));
    if (m_.kind == Kind::kRegex) {
      for (const std::string& name : m_.slots) {
        if (std::find(groups_.begin(), groups_.end(), name) == groups_.end())
          return fail(at(root, "no such group", name, "(?P<" + name + ">...)"));
      }
      bind_groups();
    }
    if (m_.kind == Kind::kCsv && !m_.columns.empty()) {
      for (const std::string& name : m_.slots) {
        if (std::find(m_.columns.begin(), m_.columns.end(), name) == m_.columns.end()) {
          return fail(at(root["columns"], "no such column", name));
        }
      }
    }
  }

  std::string_view file_;
  std::vector<std::string> groups_;  // names in all patterns
  Mapping m_;
  std::optional<core::Error> error_;
};

}  // namespace

core::Expected<MappedFormat> make_mapping(std::string_view yaml, const core::TimeReader& times, std::string_view file,
                                          MappingTrial* trial) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    auto mapping = Compiler(file).compile(root);
    if (!mapping) return std::unexpected(mapping.error());
    MappedFormat format;
    format.name = core::intern(mapping->name);
    format.stateless = !mapping->header;
    format.decoder = std::make_unique<MappedDecoder>(std::move(*mapping), times, trial);
    return format;
  } catch (const YAML::Exception& e) {
    return std::unexpected(error_at(file, e.mark, "not YAML", e.msg));
  }
}

}  // namespace orbwatch::decode
