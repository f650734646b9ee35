#include "decode/json_record.h"

#include <algorithm>
#include <array>
#include <bit>

namespace orbwatch::decode::json {
namespace {

struct KeyName {
  std::string_view name;
  std::uint64_t bit;
};

constexpr std::array kKeyNames = {
    KeyName{"ts", kTs},
    KeyName{"ip", kIp},
    KeyName{"uid", kUid},
    KeyName{"win", kWin},
    KeyName{"msg", kWrapper},
    KeyName{"log", kWrapper},
    KeyName{"fuid", kFuid},
    KeyName{"data", kData},
    KeyName{"_raw", kWrapper},
    KeyName{"line", kWrapper},
    KeyName{"port", kPort},
    KeyName{"host", kWrappedHost},
    KeyName{"_path", kZeekPath},
    KeyName{"stats", kStats},
    KeyName{"ports", kPort},
    KeyName{"Event", kEvtxEvent},
    KeyName{"event", kWrapper | kEcs},
    KeyName{"first", kNfdumpTime},
    KeyName{"src_ip", kSrcIp},
    KeyName{"ip_str", kIpText},
    KeyName{"result", kWrapper | kWrappedHost},
    KeyName{"winlog", kWinlog},
    KeyName{"System", kSystem},
    KeyName{"rawmsg", kWrapper},
    KeyName{"detail", kWrapper},
    KeyName{"flow.0", kFlowTuple},
    KeyName{"flow_id", kFlowId},
    KeyName{"host_v1", kWrappedHost},
    KeyName{"EventID", kEventId},
    KeyName{"EventId", kEventId},
    KeyName{"Channel", kChannel},
    KeyName{"channel", kChannel},
    KeyName{"message", kWrapper},
    KeyName{"MESSAGE", kWrapper},
    KeyName{"srcaddr", kSrcAddr},
    KeyName{"srcAddr", kSrcAddr},
    KeyName{"dstaddr", kDstAddr},
    KeyName{"dstAddr", kDstAddr},
    KeyName{"t_first", kNfdumpTime},
    KeyName{"RawData", kWrapper},
    KeyName{"Message", kWrapper},
    KeyName{"_source", kWrapper},
    KeyName{"suricata", kSuricata},
    KeyName{"services", kServices},
    KeyName{"resource", kWrappedHost},
    KeyName{"event_id", kEventId},
    KeyName{"Computer", kComputer},
    KeyName{"Hostname", kComputer},
    KeyName{"Provider", kWindowsSource},
    KeyName{"src_addr", kSrcAddr},
    KeyName{"dst_addr", kDstAddr},
    KeyName{"full_log", kWrapper},
    KeyName{"raw_data", kWrapper},
    KeyName{"@message", kWrapper},
    KeyName{"type_uid", kOcsfActivity},
    KeyName{"id.orig_h", kOrigH},
    KeyName{"id_orig_h", kOrigH},
    KeyName{"timestamp", kTimestamp},
    KeyName{"EventData", kEventData},
    KeyName{"src4_addr", kNfdumpSource},
    KeyName{"src6_addr", kNfdumpSource},
    KeyName{"AuditData", kWrapper},
    KeyName{"class_uid", kOcsfClass},
    KeyName{"event_type", kEventType},
    KeyName{"event_data", kEventData},
    KeyName{"@timestamp", kAtTimestamp},
    KeyName{"SourceName", kWindowsSource},
    KeyName{"properties", kProperties | kWrapper},
    KeyName{"connection", kConnection},
    KeyName{"bytes_sent", kBytesSent},
    KeyName{"@rawstring", kWrapper},
    KeyName{"flowRecords", kFlowRecords},
    KeyName{"textPayload", kWrapper},
    KeyName{"jsonPayload", kJsonPayload | kWrapper},
    KeyName{"activity_id", kOcsfActivity},
    KeyName{"ProviderName", kWindowsSource},
    KeyName{"ProviderGuid", kWindowsSource},
    KeyName{"ComputerName", kComputer},
    KeyName{"json_payload", kJsonPayload},
    KeyName{"log.original", kWrapper},
    KeyName{"full_message", kWrapper},
    KeyName{"SyslogMessage", kWrapper},
    KeyName{"short_message", kWrapper},
    KeyName{"event.original", kWrapper},
    KeyName{"event.category", kEcs},
    KeyName{"EventSourceName", kWindowsSource},
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

// In lower case.
constexpr std::array kProductNames = {
    KeyName{"createddatetime", kCreatedDateTime},
    KeyName{"appdisplayname", kAppDisplayName},
    KeyName{"userprincipalname", kUserPrincipalName},
    KeyName{"ipaddress", kIpAddress},
    KeyName{"serviceprincipalid", kServicePrincipalId},
    KeyName{"category", kCategory},
    KeyName{"operationname", kOperationName},
    KeyName{"activitydatetime", kActivityDateTime},
    KeyName{"loggedbyservice", kLoggedByService},
    KeyName{"eventtype", kOktaEventType},
    KeyName{"actor", kActor},
    KeyName{"published", kPublished},
    KeyName{"outcome", kOutcome},
    KeyName{"displaymessage", kDisplayMessage},
    KeyName{"eventsource", kEventSource},
    KeyName{"eventname", kEventName},
    KeyName{"awsregion", kAwsRegion},
    KeyName{"useridentity", kUserIdentity},
    KeyName{"id", kId},
    KeyName{"id.applicationname", kIdApplication},
    KeyName{"access_device", kAccessDevice},
    KeyName{"auth_device", kAuthDevice},
    KeyName{"factor", kFactor},
    KeyName{"integration", kIntegration},
    KeyName{"isotimestamp", kIsoTimestamp},
    KeyName{"description", kDescription},
    KeyName{"username", kUsername},
    KeyName{"action", kAction},
    KeyName{"telephony_id", kTelephonyId},
    KeyName{"workload", kWorkload},
    KeyName{"operation", kOperation},
    KeyName{"recordtype", kRecordType},
    KeyName{"auditdata", kAuditData},
    KeyName{"realmid", kRealmId},
    KeyName{"type", kType},
    KeyName{"loggername", kLogger},
    KeyName{"rayid", kRayId},
    KeyName{"allowed", kAllowed},
    KeyName{"actiontype", kActionType},
    KeyName{"actorip", kActorIp},
    KeyName{"destinationip", kDestinationIp},
    KeyName{"sourceip", kSourceIp},
    KeyName{"datetime", kDatetime},
    KeyName{"sessionid", kSessionId},
    KeyName{"sessionstarttime", kSessionStartTime},
    KeyName{"originip", kOriginIp},
    KeyName{"sourcetype", kSourcetype},
    KeyName{"event", kEvent},
    KeyName{"logtimestamp", kLogTimestamp},
    KeyName{"customer", kCustomer},
    KeyName{"eventgroupid", kEventGroupId},
    KeyName{"nodeid", kNodeId},
    KeyName{"logged", kLogged},
    KeyName{"log_id", kLogId},
    KeyName{"event_type_id", kEventTypeId},
    KeyName{"actor_user_id", kActorUserId},
    KeyName{"auth_via", kAuthVia},
    KeyName{"client_ip", kClientIp},
    KeyName{"code", kCode},
    KeyName{"uid", kEventUid},
    KeyName{"time", kTime},
    KeyName{"request_id", kRequestId},
    KeyName{"log.logger", kLogger},
    KeyName{"ray_id", kRayId},
};

std::uint64_t hash_of(std::string_view name) {
  const auto letter = [](char c) { return static_cast<std::uint64_t>(static_cast<unsigned char>(c) | 0x20); };
  return name.size() * 11 + letter(name.front()) * 5 + letter(name.back()) * 3 + letter(name[name.size() / 2]);
}

constexpr std::size_t kBuckets = 512;
static_assert(kBuckets > 4 * kProductNames.size());

// hash -> row + 1, 0 = empty.
const auto kProductBuckets = [] {
  std::array<std::uint8_t, kBuckets> buckets{};
  for (std::size_t i = 0; i < kProductNames.size(); ++i) {
    std::size_t at = hash_of(kProductNames[i].name) % kBuckets;
    while (buckets[at] != 0) at = (at + 1) % kBuckets;
    buckets[at] = static_cast<std::uint8_t>(i + 1);
  }
  return buckets;
}();

std::uint64_t product_bit_of(std::string_view key) {
  if (key.empty() || key.size() > kLongestKey) return 0;
  for (std::size_t at = hash_of(key) % kBuckets; kProductBuckets[at] != 0; at = (at + 1) % kBuckets) {
    const KeyName& row = kProductNames[kProductBuckets[at] - 1U];
    if (core::equals_ignore_case(row.name, key)) return row.bit;
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

namespace {

// The index that the frame lends to the record, made when first asked for.
bool indexed(const TextRecord& record) {
  if (!record.indexed) {
    record.indexed = true;
    record.index_good = record.index->build(record.message);
  }
  return record.index_good;
}

}  // namespace

namespace {

template <typename Bit>
std::uint64_t look(const TextRecord& record, Bit&& bit) {
  std::uint64_t found = kScanned;
  const auto each = [&](std::string_view key, const auto&) {
    found |= bit(key);
    return true;
  };
  if (!record.json) return found;
  if (record.index != nullptr && indexed(record)) {
    each_field(Object(record.index, 0), each);
  } else {
    members(record.message, each);
  }
  return found;
}

}  // namespace

std::uint64_t keys_of(const TextRecord& record) {
  if (record.json_keys == 0) record.json_keys = look(record, bit_of);
  return record.json_keys;
}

std::uint64_t products_of(const TextRecord& record) {
  if (record.product_keys == 0) record.product_keys = look(record, product_bit_of);
  return record.product_keys;
}

std::string_view raw_member(const TextRecord& record, std::string_view key) {
  const char* found = nullptr;
  const char* end = nullptr;
  if (record.index != nullptr && indexed(record)) {
    const std::string_view text = record.index->text();
    end = text.data() + text.size();
    each_field(Object(record.index, 0), [&](std::string_view name, const Value& value) {
      if (name != key) return true;
      found = value.raw().data();
      return false;
    });
  } else {
    end = record.message.data() + record.message.size();
    members(record.message, [&](std::string_view name, const char* value) {
      if (name != key) return true;
      found = value;
      return false;
    });
  }
  return found == nullptr ? std::string_view{} : std::string_view(found, static_cast<std::size_t>(end - found));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop == text.data()) return std::nullopt;
  if (stop != text.data() + text.size() && *stop != '.') return std::nullopt;
  return value;
}

Index::Index() = default;

bool Index::scan(std::string_view text) {
  if (!scanner_ || scanner_->capacity() < text.size()) {
    const std::size_t capacity = std::bit_ceil(std::max<std::size_t>(text.size(), 4096));
    scanner_.reset();
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, scanner_) !=
        simdjson::SUCCESS) {
      scanner_.reset();
      return false;
    }
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto error = scanner_->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) {
    count_ = error == simdjson::UTF8_ERROR ? 1 : 0;
    return false;
  }
  text_ = text.data();
  size_ = text.size();
  at_ = scanner_->structural_indexes.get();
  count_ = scanner_->n_structural_indexes;
  return true;
}

bool Index::build(std::string_view text) {
  walked_ = UINT32_MAX;
  unescaped_used_ = 0;
  if (!more_.empty()) more_.clear();
  if (!scan(text)) {
    if (count_ == 0) return false;
    clean_.assign(text);
    for (std::size_t i = 0; i < clean_.size();) {
      const auto length = core::utf8_length(std::string_view(clean_).substr(i));
      if (length == 0) clean_[i] = '?';
      i += length == 0 ? 1 : length;
    }
    clean_.reserve(clean_.size() + core::kPadding);
    if (!scan(clean_)) return false;
  }
  return count_ >= 2 && kind(0) == '{' && kind(count_ - 1) == '}';
}

std::uint32_t Index::behind(std::uint32_t token) const {
  const char first = kind(token);
  if (first != '{' && first != '[') return token + 1;
  if (token == walked_) return walked_behind_;
  std::uint32_t depth = 0;
  for (; token < count_; ++token) {
    switch (text_[at_[token]]) {
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) return token + 1;
        break;
      default: break;
    }
  }
  return count_;
}

char* Index::room(std::size_t bytes) {
  bytes += core::kPadding;  // what was unescaped may be a record itself
  if (unescaped_used_ == 0 && unescaped_.size() < size_ + core::kPadding) unescaped_.resize(size_ + core::kPadding);
  if (unescaped_.size() - unescaped_used_ >= bytes) {
    char* const place = unescaped_.data() + unescaped_used_;
    unescaped_used_ += bytes - core::kPadding;  // the next string may overwrite the padding
    return place;
  }
  return more_.emplace_back(bytes, '\0').data();  // one string was asked for twice
}

namespace {

// The four hexadecimal digits of \uXXXX.
std::optional<std::uint32_t> code_unit(const char* p, const char* end) {
  if (end - p < 4) return std::nullopt;
  return core::parse_number<std::uint32_t>({p, 4}, 16);
}

char* put_utf8(std::uint32_t code, char* to) {
  const auto put = [&to](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
  return to;
}

char plain_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return '\0';
  }
}

}  // namespace

std::string_view Value::whole() const {
  if (!is_object(*this) && !is_array(*this)) return raw();
  const std::uint32_t behind = index_->behind(token_);
  const std::uint32_t begin = index_->at_[token_];
  return {index_->text_ + begin, index_->at_[behind - 1] + 1 - begin};
}

std::string_view Value::unescaped(std::string_view between_quotes) const {
  const char* p = between_quotes.data();
  const char* const end = p + between_quotes.size();
  char* const begin = index_->room(between_quotes.size());  // an escape is never shorter than what it stands for
  char* to = begin;
  while (p != end) {
    if (*p != '\\') {
      *to++ = *p++;
      continue;
    }
    if (++p == end) return {};
    if (*p != 'u') {
      const char plain = plain_escape(*p++);
      if (plain == '\0') return {};
      *to++ = plain;
      continue;
    }
    auto code = code_unit(++p, end);
    if (!code) return {};
    p += 4;
    if (*code >= 0xd800 && *code < 0xdc00) {
      const bool more = end - p >= 6 && p[0] == '\\' && p[1] == 'u';
      const auto low = more ? code_unit(p + 2, end) : std::nullopt;
      if (!low || *low < 0xdc00 || *low > 0xdfff) return {};
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      p += 6;
    } else if (*code >= 0xdc00 && *code < 0xe000) {
      return {};
    }
    to = put_utf8(*code, to);
  }
  return {begin, static_cast<std::size_t>(to - begin)};
}

bool Parser::open(std::string_view text, Object& object) {
  if (!own_.build(text)) return false;
  object = Object(&own_, 0);
  return true;
}

bool Parser::open(const TextRecord& record, Object& object) {
  if (record.index == nullptr) return open(record.message, object);
  if (!indexed(record)) return false;
  object = Object(record.index, 0);
  return true;
}

static_assert(simdjson::SIMDJSON_PADDING <= core::kPadding, "the input's padding must satisfy simdjson");

}  // namespace orbwatch::decode::json
