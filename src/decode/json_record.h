// Shared by the decoders of JSON records: one forward pass over an object's fields with simdjson On-Demand, and a cheap
// look at the names of the top-level keys by which a record decoder knows its own.
//
// Nothing here trusts the input: broken JSON ends a walk with Walk::kBroken, invalid UTF-8 is replaced before parsing,
// nesting is skipped without recursion.
#pragma once

#include <simdjson.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/ip.h"
#include "core/text.h"
#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode::json {

using Value = simdjson::ondemand::value;
using Object = simdjson::ondemand::object;
using Array = simdjson::ondemand::array;

// Top-level keys that tell formats apart. See keys_of().
enum Key : std::uint64_t {
  kTs = 1ULL << 0,               // "ts"
  kUid = 1ULL << 1,              // "uid"
  kZeekPath = 1ULL << 2,         // "_path"
  kOrigH = 1ULL << 3,            // "id.orig_h", "id_orig_h"
  kFuid = 1ULL << 4,             // "fuid"
  kEventType = 1ULL << 5,        // "event_type"
  kFlowId = 1ULL << 6,           // "flow_id"
  kTimestamp = 1ULL << 7,        // "timestamp"
  kSrcIp = 1ULL << 8,            // "src_ip"
  kStats = 1ULL << 9,            // "stats"
  kSuricata = 1ULL << 10,        // "suricata"
  kWinlog = 1ULL << 11,          // "winlog"
  kEvtxEvent = 1ULL << 12,       // "Event"
  kEventId = 1ULL << 13,         // "EventID", "EventId", "event_id"
  kEventData = 1ULL << 14,       // "EventData", "event_data"
  kSystem = 1ULL << 15,          // "System"
  kChannel = 1ULL << 16,         // "Channel", "channel"
  kWindowsSource = 1ULL << 17,   // "SourceName", "ProviderName", "EventSourceName", "Provider", "ProviderGuid"
  kComputer = 1ULL << 18,        // "Computer", "ComputerName", "Hostname"
  kAtTimestamp = 1ULL << 19,     // "@timestamp"
  kMessage = 1ULL << 20,         // "message"
  kJournalTime = 1ULL << 21,     // "__REALTIME_TIMESTAMP"
  kJournalMessage = 1ULL << 22,  // "MESSAGE"
  kProperties = 1ULL << 23,      // "properties"
  kData = 1ULL << 24,            // "data"
  kWin = 1ULL << 25,             // "win"
  kEcs = 1ULL << 40,             // "ecs", "event", "source", "event.category" ...: parts of an ECS document
  kOcsfClass = 1ULL << 41,       // "class_uid"
  kOcsfActivity = 1ULL << 42,    // "activity_id", "type_uid"
  kWrapper = 1ULL << 62,         // any key in which a collector keeps a whole record: see wrapper.cc
  kScanned = 1ULL << 63,         // set once the record was looked at
};

// Which of the keys above stand at the top level of the record's object. One pass over the text for all decoders that
// ask (the answer is kept in the record). A broken object gives the keys before the break.
std::uint64_t keys_of(const TextRecord& record);

// The raw text of a top-level member ("\"sshd\"", "12", "{...}" from its first byte to the object's end), "" if there
// is none. The view is not cut at the value's end.
std::string_view raw_member(std::string_view object, std::string_view key);

// The same, cut at the value's end (or where the text breaks off).
std::string_view member(std::string_view object, std::string_view key);

enum class Walk : std::uint8_t { kEnd, kStopped, kBroken };

// Distance to the next quote. There must be one (simdjson saw the closing quote of every string) and 8 readable bytes
// behind it.
inline std::size_t quote_at(const char* p) {
  for (std::size_t at = 0;; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, p + at, 8);
    word ^= 0x2222222222222222ULL;
    const std::uint64_t zero = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
    if (zero != 0) return at + static_cast<std::size_t>(std::countr_zero(zero)) / 8;
  }
}

// Calls each(key, value) for the fields of an object in their order until it gives false. The key is as it stands in
// the text: a key with escapes equals no known one.
template <typename Each>
Walk each_field(Object object, Each&& each) {
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return Walk::kBroken;
    const char* key = field.key().raw();
    Value value = field.value();
    if (!each(std::string_view(key, quote_at(key)), value)) return Walk::kStopped;
  }
  return Walk::kEnd;
}

// The same for a value that may be an object; a value that is none has no fields.
template <typename Each>
Walk each_field(Value& value, Each&& each) {
  if (value.raw_json_token().front() != '{') return Walk::kEnd;
  Object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return Walk::kBroken;
  return each_field(object, std::forward<Each>(each));
}

// Calls each(path, value) for the members of an object in their order until it gives false; members of nested objects
// come with the keys that lead to them, joined by dots, so that {"host":{"name":"gw"}} and {"host.name":"gw"} are the
// same. enter(path) says whether to look into an object; objects that are not looked into are left out. Arrays are
// given as values. Nesting beyond 8 objects or a path beyond 128 bytes is left out, too.
class PathWalk {
 public:
  template <typename Enter, typename Each>
  Walk object(Object& object, Enter& enter, Each& each) {
    const std::size_t before = size_;
    bool stopped = false;
    const Walk walk = each_field(object, [&](std::string_view key, Value& value) {
      const std::size_t dot = before == 0 ? 0 : 1;
      if (before + dot + key.size() > path_.size()) return true;
      path_[before] = '.';
      std::memcpy(path_.data() + before + dot, key.data(), key.size());
      const std::string_view path(path_.data(), before + dot + key.size());
      if (value.raw_json_token().front() != '{') return each(path, value);
      if (!enter(path) || depth_ == kDeepest) return true;
      Object inner;
      if (value.get_object().get(inner) != simdjson::SUCCESS) {
        broken_ = true;
        return false;
      }
      size_ = path.size();
      ++depth_;
      const Walk within = this->object(inner, enter, each);
      --depth_;
      size_ = before;
      broken_ |= within == Walk::kBroken;
      stopped |= within == Walk::kStopped;
      return !broken_ && !stopped;
    });
    return broken_ ? Walk::kBroken : walk;
  }

 private:
  static constexpr int kDeepest = 8;
  std::array<char, 128> path_;
  std::size_t size_ = 0;
  int depth_ = 0;
  bool broken_ = false;
};

template <typename Enter, typename Each>
Walk each_leaf(Object object, Enter enter, Each each) {
  return PathWalk().object(object, enter, each);
}

inline bool is_object(Value& value) { return value.raw_json_token().front() == '{'; }
inline bool is_array(Value& value) { return value.raw_json_token().front() == '['; }

inline bool has_backslash(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    word ^= 0x5c5c5c5c5c5c5c5cULL;
    if (((word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL) != 0) return true;
  }
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') return true;
  }
  return false;
}

// A string without its quotes and escapes, or the text of a number, "true" or "false"; "" for null, objects and arrays.
// Valid until the parser's next record.
std::string_view unescaped(Value& value);
inline std::string_view text(Value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && core::is_space(token.back())) token.remove_suffix(1);
  if (token.empty()) return {};
  const char first = token.front();
  if (first == '"') {
    if (token.size() < 2 || token.back() != '"') return {};
    token = token.substr(1, token.size() - 2);
    return has_backslash(token) ? unescaped(value) : token;
  }
  return first == '{' || first == '[' || first == 'n' ? std::string_view{} : token;
}

// Calls each(text) for a value, or for the elements of an array of strings or numbers.
template <typename Each>
void each_text(Value& value, Each&& each) {
  if (!is_array(value)) {
    each(text(value));
    return;
  }
  Array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return;
  for (auto element : array) {
    Value item;
    if (std::move(element).get(item) != simdjson::SUCCESS) return;
    each(text(item));
  }
}

// A number, also one within quotes; a fraction is cut. nullopt if there is none or it is negative or too large.
std::optional<std::uint64_t> number(std::string_view text);
inline std::optional<std::uint64_t> number(Value& value) { return number(text(value)); }

// The members of event::Event that many formats fill in the same way. Absent or unreadable values leave the zero.
inline core::Ip ip(std::string_view text) { return core::Ip::parse(text).value_or(core::Ip{}); }
inline std::uint16_t port(std::string_view text) {
  const auto value = number(text);
  return value && *value <= 65535 ? static_cast<std::uint16_t>(*value) : std::uint16_t{0};
}

// One record's parser. Keeps its memory from record to record.
class Parser {
 public:
  // The record's object; false if the text is no JSON object. `text` must be readable core::kPadding bytes behind its
  // end. Views and values are valid until the next call. Invalid UTF-8 is replaced by "?" first.
  bool open(std::string_view text, Object& object);

 private:
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  std::string clean_;
};

}  // namespace orbwatch::decode::json
