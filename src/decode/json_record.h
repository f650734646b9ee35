// Shared by the decoders of JSON records: one forward pass over an object's fields with simdjson On-Demand, and a cheap
// look at the names of the top-level keys by which a record decoder knows its own.
//
// Nothing here trusts the input: broken JSON ends a walk with Walk::kBroken, invalid UTF-8 is replaced before parsing,
// nesting is skipped without recursion.
#pragma once

#include <simdjson.h>

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
  kScanned = 1ULL << 63,         // set once the record was looked at
};

// Which of the keys above stand at the top level of the record's object. One pass over the text for all decoders that
// ask (the answer is kept in the record). A broken object gives the keys before the break.
std::uint64_t keys_of(const TextRecord& record);

// The raw text of a top-level member ("\"sshd\"", "12", "{...}" from its first byte to the object's end), "" if there
// is none. The view is not cut at the value's end.
std::string_view raw_member(std::string_view object, std::string_view key);

enum class Walk : std::uint8_t { kEnd, kStopped, kBroken };

// The top bit of each of the 8 bytes at `p` that is `c`. Above the lowest that is set, others may be set wrongly.
inline std::uint64_t marks_of(char c, const char* p) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  word ^= kOnes * static_cast<unsigned char>(c);
  return (word - kOnes) & ~word & (kOnes << 7);
}

// Distance to the next quote. There must be one (simdjson saw the closing quote of every string) and 8 readable bytes
// behind it.
inline std::size_t quote_at(const char* p) {
  for (std::size_t at = 0;; at += 8) {
    const std::uint64_t quotes = marks_of('"', p + at);
    if (quotes != 0) return at + static_cast<std::size_t>(std::countr_zero(quotes)) / 8;
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

inline bool is_object(Value& value) { return value.raw_json_token().front() == '{'; }
inline bool is_array(Value& value) { return value.raw_json_token().front() == '['; }

inline bool has_backslash(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    if (marks_of('\\', text.data() + at) != 0) return true;
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
