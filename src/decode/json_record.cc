#include "decode/json_record.h"

#include <algorithm>
#include <array>
#include <bit>

#include "decode/name_table.h"

namespace orbwatch::decode::json {
namespace {

constexpr NameTable kKeys(std::to_array<Name<std::uint64_t>>({
    {"ts", kTs},
    {"resource", kWrappedHost},
    {"services", kServices},
    {"host_v1", kWrappedHost},
    {"ip_str", kIpText},
    {"ports", kPort},
    {"host", kWrappedHost},
    {"port", kPort},
    {"ip", kIp},
    {"uid", kUid},
    {"win", kWin},
    {"msg", kWrapper},
    {"log", kWrapper},
    {"fuid", kFuid},
    {"data", kData},
    {"_raw", kWrapper},
    {"line", kWrapper},
    {"_path", kZeekPath},
    {"stats", kStats},
    {"Event", kEvtxEvent},
    {"event", kWrapper | kEcs},
    {"first", kNfdumpTime},
    {"src_ip", kSrcIp},
    {"winlog", kWinlog},
    {"System", kSystem},
    {"rawmsg", kWrapper},
    {"result", kWrapper | kWrappedHost},
    {"detail", kWrapper},
    {"flow.0", kFlowTuple},
    {"flow_id", kFlowId},
    {"EventID", kEventId},
    {"EventId", kEventId},
    {"Channel", kChannel},
    {"channel", kChannel},
    {"LogType", kLogType},
    {"message", kWrapper},
    {"asctime", kAsctime},
    {"MESSAGE", kWrapper},
    {"srcaddr", kSrcAddr},
    {"srcAddr", kSrcAddr},
    {"dstaddr", kDstAddr},
    {"dstAddr", kDstAddr},
    {"t_first", kNfdumpTime},
    {"RawData", kWrapper},
    {"Message", kWrapper},
    {"_source", kWrapper},
    {"suricata", kSuricata},
    {"event_id", kEventId},
    {"Computer", kComputer},
    {"Hostname", kComputer},
    {"Provider", kWindowsSource},
    {"src_addr", kSrcAddr},
    {"remote_ip", kRemoteIp},
    {"dst_addr", kDstAddr},
    {"full_log", kWrapper},
    {"raw_data", kWrapper},
    {"@message", kWrapper},
    {"type_uid", kOcsfActivity},
    {"id.orig_h", kOrigH},
    {"id_orig_h", kOrigH},
    {"timestamp", kTimestamp},
    {"DeviceSN", kDeviceSerial},
    {"EventData", kEventData},
    {"LogSourceID", kDeviceSerial},
    {"src4_addr", kNfdumpSource},
    {"src6_addr", kNfdumpSource},
    {"AuditData", kWrapper},
    {"class_uid", kOcsfClass},
    {"event_type", kEventType},
    {"event_data", kEventData},
    {"@timestamp", kAtTimestamp},
    {"SourceName", kWindowsSource},
    {"properties", kProperties | kWrapper},
    {"connection", kConnection},
    {"bytes_sent", kBytesSent},
    {"@rawstring", kWrapper},
    {"flowRecords", kFlowRecords},
    {"textPayload", kWrapper},
    {"jsonPayload", kJsonPayload | kWrapper},
    {"activity_id", kOcsfActivity},
    {"ProviderName", kWindowsSource},
    {"ProviderGuid", kWindowsSource},
    {"ComputerName", kComputer},
    {"json_payload", kJsonPayload},
    {"log.original", kWrapper},
    {"full_message", kWrapper},
    {"SyslogMessage", kWrapper},
    {"short_message", kWrapper},
    {"event.original", kWrapper},
    {"event.category", kEcs | kEcsCategory},
    {"EventSourceName", kWindowsSource},
    {"ip_src", kFlowSource},
    {"ip_dst", kFlowDestination},
    {"netflow", kNetflow},
    {"flows", kNetflow},
    {"ipfix", kNetflow},
    {"flow", kNetflow},
    {"nsdeviceuid", kNetskopeUser},
    {"ur_normalized", kNetskopeUser},
    {"flow.src.ip.addr", kFlowSource},
    {"flow.dst.ip.addr", kFlowDestination},
    {"access_method", kNetskopeAccess},
    {"schemaVersion", kSchemaVersion},
    {"SchemaVersion", kSchemaVersion},
    {"IPV4_SRC_ADDR", kFlowSource},
    {"IPV6_SRC_ADDR", kFlowSource},
    {"IPV4_DST_ADDR", kFlowDestination},
    {"IPV6_DST_ADDR", kFlowDestination},
    {"ipv4_src_addr", kFlowSource},
    {"ipv6_src_addr", kFlowSource},
    {"ipv4_dst_addr", kFlowDestination},
    {"ipv6_dst_addr", kFlowDestination},
    {"SamplerAddress", kSampler},
    {"sampler_address", kSampler},
    {"sourceIPv4Address", kFlowSource},
    {"sourceIPv6Address", kFlowSource},
    {"destinationIPv4Address", kFlowDestination},
    {"destinationIPv6Address", kFlowDestination},
    {"iana:sourceIPv4Address", kFlowSource},
    {"iana:sourceIPv6Address", kFlowSource},
    {"iana:destinationIPv4Address", kFlowDestination},
    {"iana:destinationIPv6Address", kFlowDestination},
    {"_insertion_epoch_timestamp", kNetskopeUser},
}));

// In lower case.
constexpr NameTable kProducts(std::to_array<Name<std::uint64_t>>({
    {"createddatetime", kCreatedDateTime},
    {"appdisplayname", kAppDisplayName},
    {"userprincipalname", kUserPrincipalName},
    {"ipaddress", kIpAddress},
    {"serviceprincipalid", kServicePrincipalId},
    {"category", kCategory},
    {"operationname", kOperationName},
    {"activitydatetime", kActivityDateTime},
    {"loggedbyservice", kLoggedByService},
    {"eventtype", kOktaEventType},
    {"actor", kActor},
    {"published", kPublished},
    {"outcome", kOutcome},
    {"displaymessage", kDisplayMessage},
    {"eventsource", kEventSource},
    {"eventname", kEventName},
    {"awsregion", kAwsRegion},
    {"useridentity", kUserIdentity},
    {"id", kId},
    {"id.applicationname", kIdApplication},
    {"access_device", kAccessDevice},
    {"auth_device", kAuthDevice},
    {"factor", kFactor},
    {"integration", kIntegration},
    {"isotimestamp", kIsoTimestamp},
    {"description", kDescription},
    {"username", kUsername},
    {"action", kAction},
    {"telephony_id", kTelephonyId},
    {"workload", kWorkload},
    {"operation", kOperation},
    {"recordtype", kRecordType},
    {"auditdata", kAuditData},
    {"realmid", kRealmId},
    {"type", kType},
    {"loggername", kLogger},
    {"rayid", kRayId},
    {"allowed", kAllowed},
    {"actiontype", kActionType},
    {"actorip", kActorIp},
    {"destinationip", kDestinationIp},
    {"sourceip", kSourceIp},
    {"datetime", kDatetime},
    {"sessionid", kSessionId},
    {"sessionstarttime", kSessionStartTime},
    {"originip", kOriginIp},
    {"sourcetype", kSourcetype},
    {"event", kEvent},
    {"logtimestamp", kLogTimestamp},
    {"customer", kCustomer},
    {"eventgroupid", kEventGroupId},
    {"nodeid", kNodeId},
    {"logged", kLogged},
    {"log_id", kLogId},
    {"event_type_id", kEventTypeId},
    {"actor_user_id", kActorUserId},
    {"auth_via", kAuthVia},
    {"client_ip", kClientIp},
    {"code", kCode},
    {"uid", kEventUid},
    {"time", kTime},
    {"request_id", kRequestId},
    {"log.logger", kLogger},
    {"ray_id", kRayId},
}));

KnownKey known(std::string_view name, const NameKey& key) {
  const std::uint64_t* const bit = kKeys.find(name, key);
  const std::uint64_t* const product =
      kProducts.find(key.lower(), [&](std::string_view row) { return core::equals_ignore_case(row, name); });
  return {bit == nullptr ? 0 : *bit, product == nullptr ? 0 : *product};
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

void look(const TextRecord& record) {
  record.json_keys = record.product_keys = kScanned;
  if (!record.json) return;
  if (record.index != nullptr && indexed(record)) {
    record.json_keys |= record.index->keys();
    record.product_keys |= record.index->products();
    return;
  }
  members(record.message, [&](std::string_view name, const char*) {
    const KnownKey key = known(name, NameKey::of(name));
    record.json_keys |= key.key;
    record.product_keys |= key.product;
    return true;
  });
}

}  // namespace

std::uint64_t keys_of(const TextRecord& record) {
  if (record.json_keys == 0) look(record);
  return record.json_keys;
}

std::uint64_t products_of(const TextRecord& record) {
  if (record.product_keys == 0) look(record);
  return record.product_keys;
}

namespace {

// Gives the first member of that name to one of the two: as a value of the index, or its place and the text's end.
template <typename Indexed, typename Scanned>
void find_member(const TextRecord& record, std::string_view key, Indexed&& in_index, Scanned&& in_text) {
  if (record.index != nullptr && indexed(record)) {
    const NameKey wanted = NameKey::of(key);
    const Object object(record.index, 0);
    walk_members(object, [&](const Member& member) {
      if (member.key != wanted || member.name() != key) return true;
      in_index(object.at(member));
      return false;
    });
    return;
  }
  const char* const end = record.message.data() + record.message.size();
  members(record.message, [&](std::string_view name, const char* value) {
    if (name != key) return true;
    in_text(value, end);
    return false;
  });
}

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::string_view raw_member(const TextRecord& record, std::string_view key) {
  std::string_view found;
  find_member(
      record, key,
      [&](const Value& value) {
        const std::string_view text = record.index->text();
        found = text.substr(static_cast<std::size_t>(value.raw().data() - text.data()));
      },
      [&](const char* value, const char* end) { found = between(value, end); });
  return found;
}

std::string_view whole_member(const TextRecord& record, std::string_view key) {
  std::string_view found;
  find_member(
      record, key, [&](const Value& value) { found = value.whole(); },
      [&](const char* value, const char* end) { found = core::trim(between(value, value_end(value, end))); });
  return found;
}

std::optional<std::uint64_t> number(std::string_view text) {
  constexpr std::size_t kSafe = 19;  // so many digits always fit
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (; digits < text.size(); ++digits) {
    const unsigned digit = static_cast<unsigned char>(text[digits]) - '0';
    if (digit > 9) break;
    if (digits >= kSafe && value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (digits == 0 || (digits != text.size() && text[digits] != '.')) return std::nullopt;
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
  listed_ = false;
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

namespace {

// What a token does to the depth. A table, because the kind of the next token is hard to predict.
constexpr auto kDepth = [] {
  std::array<std::int8_t, 256> depth{};
  depth['{'] = depth['['] = 1;
  depth['}'] = depth[']'] = -1;
  return depth;
}();

}  // namespace

std::uint32_t Index::behind_container(std::uint32_t token) const {
  if (token == walked_) return walked_behind_;
  const char* const text = text_;
  const std::uint32_t* const at = at_;
  const std::uint32_t count = count_;
  std::int32_t depth = 0;
  for (; token < count; ++token) {
    depth += kDepth[static_cast<unsigned char>(text[at[token]])];
    if (depth == 0) return token + 1;
  }
  return count;
}

// Written word by word where it stays: a copy of what was just written in parts stalls a processor.
void Index::list_members() {
  listed_ = true;
  if (members_.empty()) members_.resize(32);
  Member* next = members_.data();
  Member* end = next + members_.size();
  std::uint64_t keys = 0;
  std::uint64_t products = 0;
  auto names = names_.names();
  members_walk_ = scan_members(Value(this, 0), [&](const Member& member) {
    if (next == end) {
      const std::size_t count = members_.size();
      members_.resize(count * 2);
      next = members_.data() + count;
      end = next + count;
    }
    Member& kept = *next++;
    kept.begin = member.begin;
    kept.key.first = member.key.first;
    kept.key.last = member.key.last;
    kept.key.size = member.key.size;
    kept.token = member.token;
    const KnownKey key = names.find(member.begin, member.key, &kKeys, [&] { return known(kept.name(), kept.key); });
    keys |= key.key;
    products |= key.product;
    return true;
  });
  keys_ = keys;
  products_ = products;
  listed_members_ = static_cast<std::size_t>(next - members_.data());
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
