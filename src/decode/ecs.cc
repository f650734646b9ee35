// Documents of the Elastic Common Schema (ECS 1.x and 8.x) without the vendor's own text, nested or with dotted keys:
//   {"@timestamp":"2026-11-22T08:15:30Z","event":{"category":["authentication"],"outcome":"failure"},"source":{"ip":...
//   {"@timestamp":"2026-11-22T08:15:30Z","event.category":"network","event.action":"denied","source.ip":"192.0.2.1",...
// A document that has the text beside it (event.original, message) is read by the text's own format: see wrapper.h.
//
// Source: ECS field reference and its "Categorization" pages (event.kind, category, type, outcome).
//
// Ignored by name: documents of other categories ("category process"), and such as have no ends and no user.
#include <algorithm>
#include <array>
#include <memory>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/json_record.h"
#include "decode/name_table.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("ecs: not JSON");
const Symbol kNoCategory = core::intern("category none");
const Symbol kNoEnds = core::intern("no user and no address");

enum Field : std::uint8_t {
  kTime,
  kStart,
  kEnd,
  kDuration,
  kAction,
  kOutcome,
  kReason,
  kCode,
  kDataset,
  kSourceIp,
  kSourcePort,
  kSourceNat,
  kSourceBytes,
  kSourcePackets,
  kSourceName,
  kSourceUser,
  kRegion,
  kDestinationIp,
  kDestinationPort,
  kDestinationBytes,
  kDestinationPackets,
  kDestinationName,
  kServerName,
  kUser,
  kUserDomain,
  kUserEmail,
  kGroup,
  kTransport,
  kNumber,
  kProtocol,
  kDirection,
  kCommunity,
  kObserver,
  kObserverIp,
  kHost,
  kIngress,
  kEgress,
  kRule,
  kUserAgent,
  kClientOs,
  kProcess,
  kTlsVersion,
  kJa3,
  kJa4,
  kJa3s,
  kCategory,
  kType,
  kFieldCount,
};

// Several names for one field: the first one in the document counts.
constexpr NameTable kFields(std::to_array<Name<Field>>({
    {"@timestamp", kTime},
    {"event.start", kStart},
    {"event.end", kEnd},
    {"event.duration", kDuration},
    {"event.action", kAction},
    {"event.outcome", kOutcome},
    {"event.reason", kReason},
    {"event.code", kCode},
    {"event.dataset", kDataset},
    {"event.category", kCategory},
    {"event.type", kType},
    {"source.ip", kSourceIp},
    {"source.address", kSourceIp},
    {"client.ip", kSourceIp},
    {"source.port", kSourcePort},
    {"client.port", kSourcePort},
    {"source.nat.ip", kSourceNat},
    {"source.bytes", kSourceBytes},
    {"client.bytes", kSourceBytes},
    {"source.packets", kSourcePackets},
    {"client.packets", kSourcePackets},
    {"source.domain", kSourceName},
    {"source.user.name", kSourceUser},
    {"client.user.name", kSourceUser},
    {"source.geo.country_name", kRegion},
    {"source.geo.country_iso_code", kRegion},
    {"destination.ip", kDestinationIp},
    {"destination.address", kDestinationIp},
    {"server.ip", kDestinationIp},
    {"destination.port", kDestinationPort},
    {"server.port", kDestinationPort},
    {"destination.bytes", kDestinationBytes},
    {"server.bytes", kDestinationBytes},
    {"destination.packets", kDestinationPackets},
    {"server.packets", kDestinationPackets},
    {"destination.domain", kDestinationName},
    {"server.domain", kDestinationName},
    {"tls.client.server_name", kServerName},
    {"user.name", kUser},
    {"user.domain", kUserDomain},
    {"user.email", kUserEmail},
    {"group.name", kGroup},
    {"user.group.name", kGroup},
    {"network.transport", kTransport},
    {"network.iana_number", kNumber},
    {"network.protocol", kProtocol},
    {"network.application", kProtocol},
    {"network.direction", kDirection},
    {"network.community_id", kCommunity},
    {"observer.name", kObserver},
    {"observer.hostname", kObserver},
    {"observer.ip", kObserverIp},
    {"observer.ingress.zone", kIngress},
    {"observer.ingress.interface.name", kIngress},
    {"observer.egress.zone", kEgress},
    {"observer.egress.interface.name", kEgress},
    {"host.name", kHost},
    {"host.hostname", kHost},
    {"rule.name", kRule},
    {"rule.id", kRule},
    {"user_agent.original", kUserAgent},
    {"user_agent.os.full", kClientOs},
    {"user_agent.os.name", kClientOs},
    {"process.name", kProcess},
    {"tls.version", kTlsVersion},
    {"tls.client.ja3", kJa3},
    {"tls.client.ja4", kJa4},
    {"tls.server.ja3s", kJa3s},
}));

// Objects that hold one of the fields.
constexpr NameTable kContainers(std::to_array<Name<bool>>({
    {"event", true},
    {"source", true},
    {"source.nat", true},
    {"source.user", true},
    {"source.geo", true},
    {"client", true},
    {"client.user", true},
    {"destination", true},
    {"server", true},
    {"tls", true},
    {"tls.client", true},
    {"tls.server", true},
    {"user", true},
    {"user.group", true},
    {"group", true},
    {"network", true},
    {"observer", true},
    {"observer.ingress", true},
    {"observer.ingress.interface", true},
    {"observer.egress", true},
    {"observer.egress.interface", true},
    {"host", true},
    {"rule", true},
    {"user_agent", true},
    {"user_agent.os", true},
    {"process", true},
}));

// Categories and types are lists of words from a closed vocabulary.
enum Word : std::uint32_t {
  kAuthentication = 1U << 0,
  kSession = 1U << 1,
  kNetwork = 1U << 2,
  kIntrusion = 1U << 3,
  kStarts = 1U << 4,
  kEnds = 1U << 5,
  kAllowed = 1U << 6,
  kDenied = 1U << 7,
};
constexpr NameTable kWords(std::to_array<Name<Word>>({
    {"authentication", kAuthentication},
    {"session", kSession},
    {"network", kNetwork},
    {"network_traffic", kNetwork},
    {"intrusion_detection", kIntrusion},
    {"start", kStarts},
    {"end", kEnds},
    {"allowed", kAllowed},
    {"denied", kDenied},
}));

Direction direction_of(std::string_view text) {
  if (text == "inbound" || text == "ingress" || text == "incoming") return Direction::kInbound;
  if (text == "outbound" || text == "egress" || text == "outgoing") return Direction::kOutbound;
  if (text == "internal") return Direction::kInternal;
  return text == "external" ? Direction::kExternal : Direction::kUnknown;
}

constexpr std::size_t kEventAtMost = 2048;  // bytes of "event" up to its category

class Ecs final : public RecordDecoder {
 public:
  explicit Ecs(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) return false;
    constexpr std::uint64_t kBoth = json::kAtTimestamp | json::kEcs;
    if ((json::keys_of(r) & kBoth) != kBoth) return false;
    // Without a category it is a document of another kind: measurements, plain text.
    if (!json::raw_member(r, "event.category").empty()) return true;
    return json::raw_member(r, "event").substr(0, kEventAtMost).contains("\"category\"");
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    row_.fill({});
    std::uint32_t words = 0;
    bool broken = false;
    const Walk walk = json::each_leaf(
        object, [](std::string_view path, const Value&) { return kContainers.find(path) != nullptr; },
        [&](std::string_view path, const Value& value) {
          const Field* field = kFields.find(path);
          if (field == nullptr || !row_[*field].empty()) return true;
          broken |= json::each_text(value, [&](std::string_view text) {
                      if (row_[*field].empty()) row_[*field] = text;
                      if (*field != kCategory && *field != kType) return;
                      if (const Word* word = kWords.find(text); word != nullptr) words |= *word;
                    }) == Walk::kBroken;
          return !broken;
        });
    if (broken || walk == Walk::kBroken) return Fate::rejected(kNotJson);
    return fill(words, e);
  }

 private:
  std::uint64_t number(Field field) const { return json::number(row_[field]).value_or(0); }
  bool speaks_of(std::string_view word) const {
    return core::contains_ignore_case(row_[kAction], word) || core::contains_ignore_case(row_[kDataset], word);
  }

  Service service() const {
    if (speaks_of("vpn") || speaks_of("globalprotect")) return Service::kVpn;
    if (row_[kProcess].starts_with("sshd") || speaks_of("ssh")) return Service::kSsh;
    if (speaks_of("rdp")) return Service::kRdp;
    return Service::kOther;
  }

  // What the document is about; kNone if nothing that is needed.
  Class class_of(std::uint32_t words) const {
    if ((words & kAuthentication) != 0) return Class::kAuthentication;
    if ((words & kSession) != 0 && (words & kNetwork) == 0) return Class::kSession;
    if ((words & kSession) != 0 && service() == Service::kVpn) return Class::kSession;
    if ((words & (kNetwork | kIntrusion)) == 0) return Class::kNone;
    const bool verdict = (words & (kAllowed | kDenied | kIntrusion)) != 0 || speaks_of("den") || speaks_of("drop") ||
                         speaks_of("block") || speaks_of("firewall");
    return verdict ? Class::kConnection : Class::kFlow;
  }

  Fate fill(std::uint32_t words, Event& e) {
    e.event_class = class_of(words);
    if (e.event_class == Class::kNone) return ignored();
    if (const auto time = read_time(row_[kStart].empty() ? row_[kTime] : row_[kStart], times_); time != 0)
      e.time = time;
    e.source_ip = given_ip(row_[kSourceIp]);
    e.source_port = json::port(row_[kSourcePort]);
    e.destination_ip = given_ip(row_[kDestinationIp]);
    e.destination_port = json::port(row_[kDestinationPort]);
    set_user(e, !row_[kUser].empty() ? row_[kUser] : !row_[kUserEmail].empty() ? row_[kUserEmail] : row_[kSourceUser]);
    if (e.user.present() && !row_[kUserDomain].empty()) e.user_domain = core::intern(row_[kUserDomain]);
    if (!e.source_ip.present() && !e.destination_ip.present() && !e.user.present()) return Fate::ignored(kNoEnds);

    switch (e.event_class) {
      case Class::kAuthentication: authentication(words, e); break;
      case Class::kSession:
        put_session(e, (words & kStarts) != 0 ? Activity::kStart
                       : (words & kEnds) != 0 ? Activity::kEnd
                                              : Activity::kUpdate);
        e.service = service();
        break;
      case Class::kFlow: e.activity = Activity::kTraffic; break;
      default:
        if ((words & kDenied) != 0 || speaks_of("den") || speaks_of("drop") || speaks_of("block")) {
          e.action = Action::kDenied;
        } else if ((words & kAllowed) != 0) {
          e.action = Action::kAllowed;
        }
        if ((words & kIntrusion) != 0) {
          e.activity = Activity::kAlert;
        } else if (e.action != Action::kDenied) {
          e.activity = (words & kEnds) != 0     ? Activity::kEnd
                       : (words & kStarts) != 0 ? Activity::kStart
                                                : Activity::kNone;
        }
    }
    if (e.event_class == Class::kAuthentication || e.event_class == Class::kSession) {
      if (row_[kOutcome] == "success") e.outcome = Outcome::kSuccess;
      if (row_[kOutcome] == "failure") e.outcome = Outcome::kFailure;
    }
    rest(e);
    return Fate::kept();
  }

  void authentication(std::uint32_t words, Event& e) const {
    put_login(e, Outcome::kUnknown, service());
    const bool off = speaks_of("logout") || speaks_of("logoff") || speaks_of("logged-out") || speaks_of("logged-off") ||
                     ((words & kEnds) != 0 && (words & kStarts) == 0);
    if (off) e.activity = Activity::kLogoff;
  }

  void rest(Event& e) const {
    e.duration = static_cast<core::Nanoseconds>(std::min<std::uint64_t>(number(kDuration), 30ULL * 365 * core::kDay));
    if (const auto end = read_time(row_[kEnd], times_); e.duration == 0 && !row_[kStart].empty() && end > e.time)
      e.duration = end - e.time;
    if (const std::string_view name = !row_[kObserver].empty() ? row_[kObserver] : row_[kHost]; !name.empty())
      e.observer = core::intern(name);
    e.observer_ip = given_ip(row_[kObserverIp]);
    e.assigned_ip = given_ip(row_[kSourceNat]);
    e.source_bytes = number(kSourceBytes);
    e.source_packets = number(kSourcePackets);
    e.destination_bytes = number(kDestinationBytes);
    e.destination_packets = number(kDestinationPackets);
    e.protocol = protocol_number(row_[kNumber].empty() ? row_[kTransport] : row_[kNumber]);
    e.application = lower_symbol(row_[kProtocol]);
    e.direction = direction_of(row_[kDirection]);
    e.session_id = row_[kCommunity].empty() ? 0 : core::hash64(row_[kCommunity]);
    // Codes and actions are words of the vendor's.
    e.code = core::intern((row_[kCode].empty() ? row_[kAction] : row_[kCode]).substr(0, 64));
    e.reason = closed_reason(row_[kReason]);
    e.group = core::intern(row_[kGroup]);
    e.client_host = core::intern(row_[kSourceName]);
    e.client_os = core::intern(row_[kClientOs]);
    e.user_agent = core::intern(row_[kUserAgent]);
    e.destination_name = core::intern(row_[kServerName].empty() ? row_[kDestinationName] : row_[kServerName]);
    e.region = core::intern(row_[kRegion]);
    e.rule = core::intern(row_[kRule]);
    e.ingress = core::intern(row_[kIngress]);
    e.egress = core::intern(row_[kEgress]);
    e.protocol_version = core::intern(row_[kTlsVersion]);
    e.fingerprint = core::intern(row_[kJa4].empty() ? row_[kJa3] : row_[kJa4]);
    e.server_fingerprint = core::intern(row_[kJa3s]);
  }

  Fate ignored() const {
    const std::string_view category = row_[kCategory];
    if (category.empty()) return Fate::ignored(kNoCategory);
    return json::ignored("category", category);
  }

  core::TimeReader times_;
  json::Parser parser_;
  std::array<std::string_view, kFieldCount> row_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ecs(const core::TimeReader& times) { return std::make_unique<Ecs>(times); }

}  // namespace orbwatch::decode
