// Shared by the decoders of JSON records: an index of the record's tokens, made once for all who look at it, one
// forward pass over an object's fields, and a cheap look at the names of the top-level keys by which a record decoder
// knows its own.
//
// The index is the first stage of simdjson (Langdale, Lemire: Parsing Gigabytes of JSON per Second, 2019): the places
// of brackets, colons, commas and of the first byte of each value. What is walked is checked, what is skipped is only
// counted by its brackets.
//
// Nothing here trusts the input: broken JSON ends a walk with Walk::kBroken, invalid UTF-8 is replaced before parsing,
// nesting is skipped without recursion.
#pragma once

#include <simdjson.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "core/text.h"
#include "core/time.h"
#include "decode/decoder.h"
#include "decode/find_byte.h"
#include "decode/name_key.h"
#include "decode/name_memory.h"

namespace orbwatch::decode::json {

enum class Walk : std::uint8_t { kEnd, kStopped, kBroken };

class Value;

// A member of an object. The name is as it stands in the text, without its quotes: one with escapes equals no known
// one.
struct Member {
  const char* begin = nullptr;
  NameKey key;
  std::uint32_t token = 0;  // of its value

  std::string_view name() const { return {begin, key.size}; }
};

// What keys_of() and products_of() say of one name.
struct KnownKey {
  std::uint64_t key = 0;
  std::uint64_t product = 0;
};

// The tokens of one record. Keeps its memory from record to record: 5 bytes for each byte of the longest one, and 40
// for each member of its object.
class Index {
 public:
  Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // False if the text is not one JSON object as far as its strings and its outermost bracket tell. `text` must be
  // readable core::kPadding bytes behind its end. Views and values are valid until the next call.
  bool build(std::string_view text);
  // See keys_of() and products_of().
  std::uint64_t keys() {
    if (!listed_) list_members();
    return keys_;
  }
  std::uint64_t products() {
    if (!listed_) list_members();
    return products_;
  }
  // What was indexed: the text, or a copy where it was not UTF-8.
  std::string_view text() const { return {text_, size_}; }

 private:
  friend class Value;
  template <typename Each>
  friend Walk scan_members(const Value& value, Each&& each);
  template <typename Each>
  friend Walk walk_members(const Value& value, Each&& each);
  template <typename Each>
  friend Walk walk_array(const Value& value, Each&& each);

  // Lists the members of the record's object, which many ask for.
  void list_members();
  bool scan(std::string_view text);
  // Room for the text of a string without its escapes, until the next build().
  char* room(std::size_t bytes);
  // The token behind the value that begins at `token`.
  std::uint32_t behind(std::uint32_t token) const {
    const char first = kind(token);
    return first == '{' || first == '[' ? behind_container(token) : token + 1;
  }
  std::uint32_t behind_container(std::uint32_t token) const;
  char kind(std::uint32_t token) const { return token < count_ ? text_[at_[token]] : '\0'; }

  std::unique_ptr<simdjson::internal::dom_parser_implementation> scanner_;
  const char* text_ = nullptr;
  std::size_t size_ = 0;
  const std::uint32_t* at_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t walked_ = UINT32_MAX;  // the container that was walked last, and the token behind it
  std::uint32_t walked_behind_ = 0;
  std::vector<Member> members_;  // of the record's object, once listed; up to where it is broken
  std::size_t listed_members_ = 0;
  Walk members_walk_ = Walk::kEnd;
  bool listed_ = false;
  std::uint64_t keys_ = 0;  // what keys_of() and products_of() say of them
  std::uint64_t products_ = 0;
  NameMemory<KnownKey> names_;
  std::string clean_;
  std::string unescaped_;
  std::size_t unescaped_used_ = 0;
  std::deque<std::string> more_;
};

// One value of an indexed record. Cheap to copy, valid as long as the index holds the record.
class Value {
 public:
  Value() = default;
  Value(Index* index, std::uint32_t token) : index_(index), token_(token) {}

  // First byte: { [ " - digit t f n, or something else if the JSON is broken.
  char kind() const { return index_->kind(token_); }
  // As it stands in the text, a string with its quotes; of an object or array only its bracket.
  std::string_view raw() const {
    const std::uint32_t begin = index_->at_[token_];
    const std::size_t end = token_ + 1 < index_->count_ ? index_->at_[token_ + 1] : index_->size_;
    std::string_view token(index_->text_ + begin, end - begin);
    while (!token.empty() && core::is_space(token.back())) token.remove_suffix(1);
    return token;
  }
  // As it stands in the text, up to the bracket that closes an object or array, or to where the text breaks off.
  std::string_view whole() const;
  // The value of a member of the same record.
  Value at(const Member& member) const { return {index_, member.token}; }
  // A string's text without quotes and escapes; "" if there is an invalid escape.
  std::string_view unescaped(std::string_view between_quotes) const;

 private:
  template <typename Each>
  friend Walk scan_members(const Value& value, Each&& each);
  template <typename Each>
  friend Walk walk_members(const Value& value, Each&& each);
  template <typename Each>
  friend Walk walk_array(const Value& value, Each&& each);

  Index* index_ = nullptr;
  std::uint32_t token_ = 0;
};

using Object = Value;  // what Parser::open() gives

// Top-level keys that tell formats apart. See keys_of().
enum Key : std::uint64_t {
  kTs = 1ULL << 0,                // "ts"
  kUid = 1ULL << 1,               // "uid"
  kZeekPath = 1ULL << 2,          // "_path"
  kOrigH = 1ULL << 3,             // "id.orig_h", "id_orig_h"
  kFuid = 1ULL << 4,              // "fuid"
  kEventType = 1ULL << 5,         // "event_type"
  kFlowId = 1ULL << 6,            // "flow_id"
  kTimestamp = 1ULL << 7,         // "timestamp"
  kSrcIp = 1ULL << 8,             // "src_ip"
  kStats = 1ULL << 9,             // "stats"
  kSuricata = 1ULL << 10,         // "suricata"
  kWinlog = 1ULL << 11,           // "winlog"
  kEvtxEvent = 1ULL << 12,        // "Event"
  kEventId = 1ULL << 13,          // "EventID", "EventId", "event_id"
  kEventData = 1ULL << 14,        // "EventData", "event_data"
  kSystem = 1ULL << 15,           // "System"
  kChannel = 1ULL << 16,          // "Channel", "channel"
  kWindowsSource = 1ULL << 17,    // "SourceName", "ProviderName", "EventSourceName", "Provider", "ProviderGuid"
  kComputer = 1ULL << 18,         // "Computer", "ComputerName", "Hostname"
  kAtTimestamp = 1ULL << 19,      // "@timestamp"
  kLogType = 1ULL << 20,          // "LogType"
  kDeviceSerial = 1ULL << 21,     // "DeviceSN", "LogSourceID"
  kSchemaVersion = 1ULL << 22,    // "schemaVersion", "SchemaVersion"
  kProperties = 1ULL << 23,       // "properties"
  kData = 1ULL << 24,             // "data"
  kWin = 1ULL << 25,              // "win"
  kSrcAddr = 1ULL << 26,          // "srcaddr", "srcAddr", "src_addr"
  kDstAddr = 1ULL << 27,          // "dstaddr", "dstAddr", "dst_addr"
  kFlowRecords = 1ULL << 28,      // "flowRecords"
  kFlowTuple = 1ULL << 29,        // "flow.0"
  kJsonPayload = 1ULL << 30,      // "jsonPayload", "json_payload"
  kConnection = 1ULL << 31,       // "connection"
  kBytesSent = 1ULL << 32,        // "bytes_sent"
  kNfdumpSource = 1ULL << 33,     // "src4_addr", "src6_addr"
  kNfdumpTime = 1ULL << 34,       // "first", "t_first"
  kIp = 1ULL << 35,               // "ip"
  kIpText = 1ULL << 36,           // "ip_str"
  kPort = 1ULL << 37,             // "port", "ports"
  kServices = 1ULL << 38,         // "services"
  kWrappedHost = 1ULL << 39,      // "host", "host_v1", "resource", "result"
  kEcs = 1ULL << 40,              // "event", "event.category": what an ECS document is about
  kOcsfClass = 1ULL << 41,        // "class_uid"
  kOcsfActivity = 1ULL << 42,     // "activity_id", "type_uid"
  kNetskopeUser = 1ULL << 43,     // "ur_normalized" and others of its own
  kNetskopeAccess = 1ULL << 44,   // "access_method"
  kFlowSource = 1ULL << 45,       // the source's address as NetFlow, IPFIX or pmacct name it: "IPV4_SRC_ADDR"
  kFlowDestination = 1ULL << 46,  // likewise
  kNetflow = 1ULL << 47,          // "netflow", "ipfix", "flow", "flows": objects
  kSampler = 1ULL << 48,          // "sampler_address", "SamplerAddress"
  kAsctime = 1ULL << 49,          // "asctime": of Python's logging
  kRemoteIp = 1ULL << 50,         // "remote_ip"
  kEcsCategory = 1ULL << 51,      // "event.category" as one name
  kWrapper = 1ULL << 62,          // any key in which a collector keeps a whole record: see wrapper.cc
  kScanned = 1ULL << 63,          // set once the record was looked at
};

// The same for products of identity and cloud services: products_of(). These names are compared without regard to case.
enum ProductKey : std::uint64_t {
  kCreatedDateTime = 1ULL << 0,
  kAppDisplayName = 1ULL << 1,
  kUserPrincipalName = 1ULL << 2,
  kIpAddress = 1ULL << 3,
  kServicePrincipalId = 1ULL << 4,
  kCategory = 1ULL << 5,
  kOperationName = 1ULL << 6,
  kActivityDateTime = 1ULL << 7,
  kLoggedByService = 1ULL << 8,
  kOktaEventType = 1ULL << 9,
  kActor = 1ULL << 10,
  kPublished = 1ULL << 11,
  kOutcome = 1ULL << 12,
  kDisplayMessage = 1ULL << 13,
  kEventSource = 1ULL << 14,
  kEventName = 1ULL << 15,
  kAwsRegion = 1ULL << 16,
  kUserIdentity = 1ULL << 17,
  kId = 1ULL << 18,
  kIdApplication = 1ULL << 19,  // "id.applicationName"
  kAccessDevice = 1ULL << 20,
  kAuthDevice = 1ULL << 21,
  kFactor = 1ULL << 22,
  kIntegration = 1ULL << 23,
  kIsoTimestamp = 1ULL << 24,
  kDescription = 1ULL << 25,
  kUsername = 1ULL << 26,
  kAction = 1ULL << 27,
  kTelephonyId = 1ULL << 28,
  kWorkload = 1ULL << 29,
  kOperation = 1ULL << 30,
  kRecordType = 1ULL << 31,
  kAuditData = 1ULL << 32,
  kRealmId = 1ULL << 33,
  kType = 1ULL << 34,
  kLogger = 1ULL << 35,  // "loggerName", "log.logger"
  kRayId = 1ULL << 36,
  kAllowed = 1ULL << 37,
  kActionType = 1ULL << 38,
  kActorIp = 1ULL << 39,
  kDestinationIp = 1ULL << 40,
  kSourceIp = 1ULL << 41,
  kDatetime = 1ULL << 42,
  kSessionId = 1ULL << 43,
  kSessionStartTime = 1ULL << 44,
  kOriginIp = 1ULL << 45,
  kSourcetype = 1ULL << 46,
  kEvent = 1ULL << 47,
  kLogTimestamp = 1ULL << 48,
  kCustomer = 1ULL << 49,
  kEventGroupId = 1ULL << 50,
  kNodeId = 1ULL << 51,
  kLogged = 1ULL << 52,
  kLogId = 1ULL << 53,
  kEventTypeId = 1ULL << 54,
  kActorUserId = 1ULL << 55,
  kAuthVia = 1ULL << 56,
  kClientIp = 1ULL << 57,
  kCode = 1ULL << 58,
  kEventUid = 1ULL << 59,
  kTime = 1ULL << 60,
  kRequestId = 1ULL << 61,
};
std::uint64_t products_of(const TextRecord& record);
inline bool has_all(std::uint64_t keys, std::uint64_t wanted) { return (keys & wanted) == wanted; }

// Which of the keys above stand at the top level of the record's object. One pass over the text for all decoders that
// ask (the answer is kept in the record). A broken object gives the keys before the break.
std::uint64_t keys_of(const TextRecord& record);

// The raw text of a top-level member ("\"sshd\"", "12", "{...}" from its first byte to the record's end), "" if there
// is none. For a look at how it begins; whole_member() finds where it ends, too (in broken JSON that may be the end of
// the text).
std::string_view raw_member(const TextRecord& record, std::string_view key);
std::string_view whole_member(const TextRecord& record, std::string_view key);

inline bool starts_value(char kind) {
  return kind == '"' || kind == '{' || kind == '[' || kind == 't' || kind == 'f' || kind == 'n' || kind == '-' ||
         (kind >= '0' && kind <= '9');
}

// Calls each(member) for the members of an object as its tokens tell.
template <typename Each>
Walk scan_members(const Value& value, Each&& each) {
  Index& index = *value.index_;
  const char* const text = index.text_;
  const std::uint32_t* const at = index.at_;
  std::uint32_t token = value.token_ + 1;
  if (index.kind(token) == '}') {
    index.walked_ = value.token_;
    index.walked_behind_ = token + 1;
    return Walk::kEnd;
  }
  while (true) {
    if (token + 2 >= index.count_) return Walk::kBroken;
    const char* const quote = text + at[token];
    const char* end = text + at[token + 1];
    if (*quote != '"' || *end != ':') return Walk::kBroken;
    while (end[-1] != '"') --end;  // white space before the colon; the opening quote ends this at the latest
    if (end <= quote + 1) return Walk::kBroken;
    if (!starts_value(text[at[token + 2]])) return Walk::kBroken;
    const std::string_view name(quote + 1, static_cast<std::size_t>(end - quote - 2));
    if (!each(Member{quote + 1, NameKey::padded(name), token + 2})) return Walk::kStopped;
    token = index.behind(token + 2);
    const char next = index.kind(token);
    ++token;
    if (next == '}') break;
    if (next != ',') return Walk::kBroken;
  }
  index.walked_ = value.token_;
  index.walked_behind_ = token;
  return Walk::kEnd;
}

// Calls each(member) for the members of an object in their order until it gives false; a value that is no object has
// none.
template <typename Each>
Walk walk_members(const Value& value, Each&& each) {
  if (value.kind() != '{') return Walk::kEnd;
  Index& index = *value.index_;
  if (value.token_ != 0 || !index.listed_) return scan_members(value, each);
  for (std::size_t i = 0; i < index.listed_members_; ++i) {
    if (!each(std::as_const(index.members_[i]))) return Walk::kStopped;
  }
  return index.members_walk_;
}

// See each_element().
template <typename Each>
Walk walk_array(const Value& value, Each&& each) {
  Index& index = *value.index_;
  std::uint32_t token = value.token_ + 1;
  if (index.kind(token) == ']') {
    index.walked_ = value.token_;
    index.walked_behind_ = token + 1;
    return Walk::kEnd;
  }
  while (true) {
    Value element(&index, token);
    if (!starts_value(element.kind())) return Walk::kBroken;
    if (!each(element)) return Walk::kStopped;
    token = index.behind(token);
    const char next = index.kind(token);
    ++token;
    if (next == ']') break;
    if (next != ',') return Walk::kBroken;
  }
  index.walked_ = value.token_;
  index.walked_behind_ = token;
  return Walk::kEnd;
}

inline bool is_object(const Value& value) { return value.kind() == '{'; }
inline bool is_array(const Value& value) { return value.kind() == '['; }

// The same with each(name, value).
template <typename Each>
Walk each_field(const Value& object, Each&& each) {
  return walk_members(object, [&](const Member& member) {
    Value value = object.at(member);
    return each(member.name(), value);
  });
}

// Calls each(value) for the elements of an array until it gives false; a value that is no array has none.
template <typename Each>
Walk each_element(const Value& value, Each&& each) {
  return is_array(value) ? walk_array(value, std::forward<Each>(each)) : Walk::kEnd;
}

// A string without its quotes and escapes, or the text of a number, "true" or "false"; "" for null, objects and arrays.
// Valid until the record's index is built anew.
inline std::string_view text(const Value& value) {
  const char first = value.kind();
  if (first == '{' || first == '[' || first == 'n') return {};
  std::string_view token = value.raw();
  if (first != '"') return token;
  if (token.size() < 2 || token.back() != '"') return {};
  token = token.substr(1, token.size() - 2);
  return holds_byte(token.data(), token.size(), '\\') ? value.unescaped(token) : token;
}

// Calls each(text) for a value, or for the elements of an array of strings or numbers.
template <typename Each>
Walk each_text(const Value& value, Each&& each) {
  if (!is_array(value)) {
    each(text(value));
    return Walk::kEnd;
  }
  return walk_array(value, [&](const Value& element) {
    each(text(element));
    return true;
  });
}

// A number, also one within quotes; a fraction is cut. nullopt if there is none or it is negative or too large.
std::optional<std::uint64_t> number(std::string_view text);
inline std::optional<std::uint64_t> number(const Value& value) { return number(text(value)); }

// The members of event::Event that many formats fill in the same way. Absent or unreadable values leave the zero.
inline core::Ip ip(std::string_view text) { return core::Ip::parse(text).value_or(core::Ip{}); }
inline std::uint16_t port(std::string_view text) {
  const auto value = number(text);
  return value && *value <= 65535 ? static_cast<std::uint16_t>(*value) : std::uint16_t{0};
}

// Reads one record at a time.
class Parser {
 public:
  // The record's object; false if the text is no JSON object. `text` must be readable core::kPadding bytes behind its
  // end. Views and values are valid until the next call. Invalid UTF-8 is replaced by "?" first.
  bool open(std::string_view text, Object& object);
  // The same for a record: takes the index that was made when claims() asked for keys_of().
  bool open(const TextRecord& record, Object& object);

 private:
  Index own_;
};

}  // namespace orbwatch::decode::json
