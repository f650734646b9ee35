// Documents of the Elastic Common Schema (ECS 1.x and 8.x) without the vendor's own text, nested or with dotted keys:
//   {"@timestamp":"2026-11-22T08:15:30Z","event":{"category":["authentication"],"outcome":"failure"},"source":{"ip":...
//   {"@timestamp":"2026-11-22T08:15:30Z","event.category":"network","event.action":"denied","source.ip":"192.0.2.1",...
// A document that has the text beside it (event.original, message) is read by the text's own format: see wrapper.h.
//
// Source: ECS field reference and its "Categorization" pages (event.kind, category, type, outcome).
//
// Ignored by name: documents of other categories ("category process"), and such as have no ends and no user.
#include <memory>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/name_table.h"
#include "decode/scanner.h"
#include "decode/schema_row.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("ecs: not JSON");
const Symbol kOwnAlert = core::intern("alert of orbwatch");  // read back from a SIEM: nobody has logged in again
const Symbol kNoCategory = core::intern("category none");
const Symbol kNoEnds = core::intern("no user and no address");

enum Field : std::uint8_t {
  kAction = schema::kOwnFields,
  kOutcome,
  kCode,
  kDataset,
  kGroup,
  kDirection,
  kHost,
  kIngress,
  kEgress,
  kProcess,
  kJa3,
  kJa3s,
  kCategory,
  kType,
};

// Several names for one field: the first one in the document counts.
const json::Fields kFields({
    {"@timestamp", schema::kTime},
    {"event.start", schema::kStart},
    {"event.end", schema::kEnd},
    {"event.duration", schema::kDuration},
    {"event.action", kAction},
    {"event.outcome", kOutcome},
    {"event.reason", schema::kReason},
    {"event.code", kCode},
    {"event.dataset", kDataset},
    {"event.category", kCategory, true},
    {"event.type", kType, true},
    {"source.ip", schema::kSourceIp},
    {"source.address", schema::kSourceIp},
    {"client.ip", schema::kSourceIp},
    {"source.port", schema::kSourcePort},
    {"client.port", schema::kSourcePort},
    {"source.nat.ip", schema::kAssigned},
    {"source.bytes", schema::kSourceBytes},
    {"client.bytes", schema::kSourceBytes},
    {"source.packets", schema::kSourcePackets},
    {"client.packets", schema::kSourcePackets},
    {"source.domain", schema::kSourceName},
    {"source.user.name", schema::kOtherUser},
    {"client.user.name", schema::kOtherUser},
    {"source.geo.country_name", schema::kRegion},
    {"source.geo.country_iso_code", schema::kRegion},
    {"destination.ip", schema::kDestinationIp},
    {"destination.address", schema::kDestinationIp},
    {"server.ip", schema::kDestinationIp},
    {"destination.port", schema::kDestinationPort},
    {"server.port", schema::kDestinationPort},
    {"destination.bytes", schema::kDestinationBytes},
    {"server.bytes", schema::kDestinationBytes},
    {"destination.packets", schema::kDestinationPackets},
    {"server.packets", schema::kDestinationPackets},
    {"destination.domain", schema::kDestinationName},
    {"server.domain", schema::kDestinationName},
    {"tls.client.server_name", schema::kServerName},
    {"user.name", schema::kUser},
    {"user.domain", schema::kUserDomain},
    {"user.email", schema::kUserEmail},
    {"group.name", kGroup},
    {"user.group.name", kGroup},
    {"network.transport", schema::kProtocolName},
    {"network.iana_number", schema::kProtocolNumber},
    {"network.protocol", schema::kApplication},
    {"network.application", schema::kApplication},
    {"network.direction", kDirection},
    {"network.community_id", schema::kSession},
    {"observer.name", schema::kObserver},
    {"observer.hostname", schema::kObserver},
    {"observer.ip", schema::kObserverIp},
    {"observer.ingress.zone", kIngress},
    {"observer.ingress.interface.name", kIngress},
    {"observer.egress.zone", kEgress},
    {"observer.egress.interface.name", kEgress},
    {"host.name", kHost},
    {"host.hostname", kHost},
    {"rule.name", schema::kRule},
    {"rule.id", schema::kRule},
    {"user_agent.original", schema::kUserAgent},
    {"user_agent.os.full", schema::kClientOs},
    {"user_agent.os.name", schema::kClientOs},
    {"process.name", kProcess},
    {"tls.version", schema::kTlsVersion},
    {"tls.client.ja3", kJa3},
    {"tls.client.ja4", schema::kFingerprint},
    {"tls.server.ja3s", kJa3s},
});

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

// Calls each(word) for a text, or for those of an array as it stands in the JSON.
template <typename Each>
void each_word(std::string_view text, Each&& each) {
  if (!text.starts_with('[')) {
    if (!text.empty()) each(text);
    return;
  }
  Scanner s(text);
  while (!s.done()) {
    s.until('"');
    s.skip('"');
    const std::string_view word = s.until('"');
    s.skip('"');
    if (word.ends_with('\\')) return;  // no word of the vocabulary has escapes
    if (!word.empty()) each(word);
  }
}

std::uint32_t words_of(const json::Row& row) {
  std::uint32_t words = 0;
  for (const Field field : {kCategory, kType}) {
    each_word(row[field], [&](std::string_view text) {
      if (const Word* word = kWords.find(text); word != nullptr) words |= *word;
    });
  }
  return words;
}

Direction direction_of(std::string_view text) {
  if (text == "inbound" || text == "ingress" || text == "incoming") return Direction::kInbound;
  if (text == "outbound" || text == "egress" || text == "outgoing") return Direction::kOutbound;
  if (text == "internal") return Direction::kInternal;
  return text == "external" ? Direction::kExternal : Direction::kUnknown;
}

class Ecs final : public json::TableDecoder {
 public:
  explicit Ecs(const core::TimeReader& times) : TableDecoder(kFields, kNotJson), times_(times) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::keys_of(r);
    if (!json::has_all(keys, json::kAtTimestamp | json::kEcs)) return false;
    // Without a category it is a document of another kind: measurements, plain text.
    if ((keys & json::kEcsCategory) != 0) return true;
    return holds_text(json::whole_member(r, "event"), "\"category\"");
  }

 private:
  static bool speaks_of(const json::Row& row, std::string_view word) {
    return core::contains_ignore_case(row[kAction], word) || core::contains_ignore_case(row[kDataset], word);
  }
  static bool denies(const json::Row& row) {
    return speaks_of(row, "den") || speaks_of(row, "drop") || speaks_of(row, "block");
  }

  static Service service_of(const json::Row& row) {
    if (speaks_of(row, "vpn") || speaks_of(row, "globalprotect")) return Service::kVpn;
    if (row[kProcess].starts_with("sshd") || speaks_of(row, "ssh")) return Service::kSsh;
    if (speaks_of(row, "rdp")) return Service::kRdp;
    return Service::kOther;
  }

  // What the document is about; kNone if nothing that is needed.
  static Class class_of(std::uint32_t words, const json::Row& row) {
    if ((words & kAuthentication) != 0) return Class::kAuthentication;
    if ((words & kSession) != 0 && (words & kNetwork) == 0) return Class::kSession;
    if ((words & kSession) != 0 && service_of(row) == Service::kVpn) return Class::kSession;
    if ((words & (kNetwork | kIntrusion)) == 0) return Class::kNone;
    const bool verdict = (words & (kAllowed | kDenied | kIntrusion)) != 0 || denies(row) || speaks_of(row, "firewall");
    return verdict ? Class::kConnection : Class::kFlow;
  }

  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    const std::uint32_t words = words_of(row);
    e.event_class = class_of(words, row);
    if (e.event_class == Class::kNone) return ignored(row[kCategory]);
    if (row[kDataset].starts_with("orbwatch.")) return Fate::ignored(kOwnAlert);
    const std::string_view start = row[schema::kStart];
    if (const auto time = read_time(start.empty() ? row[schema::kTime] : start, times_); time != 0) e.time = time;
    if (!schema::put_ends(row, e)) return Fate::ignored(kNoEnds);

    switch (e.event_class) {
      case Class::kAuthentication: authentication(words, row, e); break;
      case Class::kSession:
        put_session(e, (words & kStarts) != 0 ? Activity::kStart
                       : (words & kEnds) != 0 ? Activity::kEnd
                                              : Activity::kUpdate);
        e.service = service_of(row);
        break;
      case Class::kFlow: e.activity = Activity::kTraffic; break;
      default:
        if ((words & kDenied) != 0 || denies(row)) {
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
      if (row[kOutcome] == "success") e.outcome = Outcome::kSuccess;
      if (row[kOutcome] == "failure") e.outcome = Outcome::kFailure;
    }
    schema::put_rest(row, e);
    e.duration = schema::duration(row, 1);
    if (const auto end = read_time(row[schema::kEnd], times_); e.duration == 0 && !start.empty() && end > e.time)
      e.duration = end - e.time;
    if (row[schema::kObserver].empty() && !row[kHost].empty()) e.observer = core::intern(row[kHost]);
    e.direction = direction_of(row[kDirection]);
    // Codes and actions are words of the vendor's.
    e.code = core::intern(row[row[kCode].empty() ? kAction : kCode].substr(0, 64));
    e.group = core::intern(row[kGroup]);
    e.ingress = core::intern(row[kIngress]);
    e.egress = core::intern(row[kEgress]);
    if (!e.fingerprint.present()) e.fingerprint = core::intern(row[kJa3]);
    e.server_fingerprint = core::intern(row[kJa3s]);
    return Fate::kept();
  }

  static void authentication(std::uint32_t words, const json::Row& row, Event& e) {
    put_login(e, Outcome::kUnknown, service_of(row));
    const bool off = speaks_of(row, "logout") || speaks_of(row, "logoff") || speaks_of(row, "logged-out") ||
                     speaks_of(row, "logged-off") || ((words & kEnds) != 0 && (words & kStarts) == 0);
    if (off) e.activity = Activity::kLogoff;
  }

  static Fate ignored(std::string_view categories) {
    std::string_view category;
    each_word(categories, [&](std::string_view word) {
      if (category.empty()) category = word;
    });
    return category.empty() ? Fate::ignored(kNoCategory) : json::ignored("category", category);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ecs(const core::TimeReader& times) { return std::make_unique<Ecs>(times); }

}  // namespace orbwatch::decode
