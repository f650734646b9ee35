#include "decode/json_record.h"

#include <array>

namespace orbwatch::decode::json {
namespace {

struct KeyName {
  std::string_view name;
  std::uint64_t bit;
};

constexpr std::array kKeyNames = {
    KeyName{"ts", kTs},
    KeyName{"uid", kUid},
    KeyName{"win", kWin},
    KeyName{"msg", kWrapper},
    KeyName{"log", kWrapper},
    KeyName{"ecs", kEcs},
    KeyName{"fuid", kFuid},
    KeyName{"data", kData},
    KeyName{"_raw", kWrapper},
    KeyName{"line", kWrapper},
    KeyName{"_path", kZeekPath},
    KeyName{"stats", kStats},
    KeyName{"Event", kEvtxEvent},
    KeyName{"event", kWrapper | kEcs},
    KeyName{"src_ip", kSrcIp},
    KeyName{"winlog", kWinlog},
    KeyName{"System", kSystem},
    KeyName{"rawmsg", kWrapper},
    KeyName{"result", kWrapper},
    KeyName{"detail", kWrapper},
    KeyName{"source", kEcs},
    KeyName{"flow_id", kFlowId},
    KeyName{"EventID", kEventId},
    KeyName{"EventId", kEventId},
    KeyName{"Channel", kChannel},
    KeyName{"channel", kChannel},
    KeyName{"message", kMessage | kWrapper},
    KeyName{"MESSAGE", kJournalMessage | kWrapper},
    KeyName{"RawData", kWrapper},
    KeyName{"Message", kWrapper},
    KeyName{"_source", kWrapper},
    KeyName{"suricata", kSuricata},
    KeyName{"event_id", kEventId},
    KeyName{"Computer", kComputer},
    KeyName{"Hostname", kComputer},
    KeyName{"Provider", kWindowsSource},
    KeyName{"full_log", kWrapper},
    KeyName{"raw_data", kWrapper},
    KeyName{"@message", kWrapper},
    KeyName{"type_uid", kOcsfActivity},
    KeyName{"id.orig_h", kOrigH},
    KeyName{"id_orig_h", kOrigH},
    KeyName{"timestamp", kTimestamp},
    KeyName{"EventData", kEventData},
    KeyName{"AuditData", kWrapper},
    KeyName{"source.ip", kEcs},
    KeyName{"class_uid", kOcsfClass},
    KeyName{"event_type", kEventType},
    KeyName{"event_data", kEventData},
    KeyName{"@timestamp", kAtTimestamp},
    KeyName{"SourceName", kWindowsSource},
    KeyName{"properties", kProperties | kWrapper},
    KeyName{"@rawstring", kWrapper},
    KeyName{"event.kind", kEcs},
    KeyName{"textPayload", kWrapper},
    KeyName{"jsonPayload", kWrapper},
    KeyName{"ecs.version", kEcs},
    KeyName{"activity_id", kOcsfActivity},
    KeyName{"ProviderName", kWindowsSource},
    KeyName{"ProviderGuid", kWindowsSource},
    KeyName{"ComputerName", kComputer},
    KeyName{"log.original", kWrapper},
    KeyName{"full_message", kWrapper},
    KeyName{"event.action", kEcs},
    KeyName{"SyslogMessage", kWrapper},
    KeyName{"short_message", kWrapper},
    KeyName{"event.dataset", kEcs},
    KeyName{"event.outcome", kEcs},
    KeyName{"event.original", kWrapper},
    KeyName{"event.category", kEcs},
    KeyName{"source.address", kEcs},
    KeyName{"EventSourceName", kWindowsSource},
    KeyName{"__REALTIME_TIMESTAMP", kJournalTime},
};

constexpr bool sorted_by_length() {
  for (std::size_t i = 1; i < kKeyNames.size(); ++i) {
    if (kKeyNames[i - 1].name.size() > kKeyNames[i].name.size()) return false;
  }
  return true;
}
static_assert(sorted_by_length());

constexpr std::size_t kLongestKey = 32;

// kFirst[n]: index of the first name that is at least n bytes long.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, kLongestKey + 2> first{};
  for (std::size_t n = 0; n < first.size(); ++n) {
    std::size_t i = 0;
    while (i < kKeyNames.size() && kKeyNames[i].name.size() < n) ++i;
    first[n] = static_cast<std::uint8_t>(i);
  }
  return first;
}();

std::uint64_t bit_of(std::string_view key) {
  if (key.size() > kLongestKey) return 0;
  for (std::size_t i = kFirst[key.size()]; i < kFirst[key.size() + 1]; ++i) {
    if (kKeyNames[i].name == key) return kKeyNames[i].bit;
  }
  return 0;
}

// `p` stands behind an opening quote; gives the place of the closing one, `end` if there is none.
const char* string_end(const char* p, const char* end) {
  while (p < end) {
    const auto* quote = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end - p)));
    if (quote == nullptr) return end;
    const char* slash = quote;
    while (slash > p && slash[-1] == '\\') --slash;
    if ((quote - slash) % 2 == 0) return quote;
    p = quote + 1;
  }
  return end;
}

const char* skip_spaces(const char* p, const char* end) {
  while (p != end && core::is_space(*p)) ++p;
  return p;
}

// `p` stands at a value; gives the place of the "," or "}" behind it at the same depth, `end` if the text breaks off.
const char* value_end(const char* p, const char* end) {
  int depth = 0;
  for (; p < end; ++p) {
    switch (*p) {
      case '"':
        p = string_end(p + 1, end);
        if (p == end) return end;
        break;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth == 0) return p;
        --depth;
        break;
      case ',':
        if (depth == 0) return p;
        break;
      default: break;
    }
  }
  return end;
}

// Calls each(key, place of the value) for the top-level members until it gives false.
template <typename Each>
void members(std::string_view object, Each&& each) {
  const char* p = object.data();
  const char* const end = p + object.size();
  p = skip_spaces(p, end);
  if (p == end || *p != '{') return;
  ++p;
  while (true) {
    p = skip_spaces(p, end);
    if (p == end || *p != '"') return;
    const char* key = p + 1;
    const char* key_end = string_end(key, end);
    if (key_end == end) return;
    p = skip_spaces(key_end + 1, end);
    if (p == end || *p != ':') return;
    p = skip_spaces(p + 1, end);
    if (!each(std::string_view(key, static_cast<std::size_t>(key_end - key)), p)) return;
    p = value_end(p, end);
    if (p == end || *p != ',') return;
    ++p;
  }
}

}  // namespace

std::uint64_t keys_of(const TextRecord& record) {
  if (record.json_keys == 0) {
    std::uint64_t found = kScanned;
    if (record.json) {
      members(record.message, [&](std::string_view key, const char*) {
        found |= bit_of(key);
        return true;
      });
    }
    record.json_keys = found;
  }
  return record.json_keys;
}

std::string_view raw_member(std::string_view object, std::string_view key) {
  std::string_view found;
  members(object, [&](std::string_view name, const char* value) {
    if (name != key) return true;
    found = object.substr(static_cast<std::size_t>(value - object.data()));
    return false;
  });
  return found;
}

std::string_view member(std::string_view object, std::string_view key) {
  const std::string_view found = raw_member(object, key);
  if (found.empty()) return {};
  const char* end = value_end(found.data(), found.data() + found.size());
  while (end != found.data() && core::is_space(end[-1])) --end;
  return found.substr(0, static_cast<std::size_t>(end - found.data()));
}

std::string_view unescaped(Value& value) {
  std::string_view plain;
  return value.get_string().get(plain) == simdjson::SUCCESS ? plain : std::string_view{};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop == text.data()) return std::nullopt;
  if (stop != text.data() + text.size() && *stop != '.') return std::nullopt;
  return value;
}

bool Parser::open(std::string_view text, Object& object) {
  auto error = parser_.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING).get(document_);
  if (error == simdjson::UTF8_ERROR) {
    clean_.assign(text);
    for (std::size_t i = 0; i < clean_.size();) {
      const auto length = core::utf8_length(std::string_view(clean_).substr(i));
      if (length == 0) clean_[i] = '?';
      i += length == 0 ? 1 : length;
    }
    clean_.reserve(clean_.size() + simdjson::SIMDJSON_PADDING);
    error = parser_.iterate(clean_.data(), clean_.size(), clean_.capacity()).get(document_);
  }
  return error == simdjson::SUCCESS && document_.get_object().get(object) == simdjson::SUCCESS;
}

static_assert(simdjson::SIMDJSON_PADDING <= core::kPadding, "the input's padding must satisfy simdjson");

}  // namespace orbwatch::decode::json
