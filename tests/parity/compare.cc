// Decoding as the pipeline does it, and the comparison of one field.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.h"
#include "decode/scanner.h"
#include "parity/parity.h"

namespace orbwatch::parity {

using event::Class;
using event::Event;

std::uint64_t Outcome::ignored(std::string_view reason) const {
  const auto found = batch.counts.ignored_by.find(core::intern(reason));
  return found == batch.counts.ignored_by.end() ? 0 : found->second;
}

std::uint64_t Outcome::events_of(std::string_view dataset) const {
  const core::Symbol name = core::intern(dataset);
  return static_cast<std::uint64_t>(
      std::count_if(batch.begin(), batch.end(), [&](const Event& e) { return e.dataset == name; }));
}

std::string Outcome::without_event() const {
  if (what.format.empty()) return "not recognised";
  for (const auto& [kind, reasons] :
       {std::pair{"rejected: ", &batch.counts.rejected_by}, std::pair{"ignored: ", &batch.counts.ignored_by}}) {
    std::string first;  // by name: the map has no order
    for (const auto& [reason, count] : *reasons) {
      const std::string name(reason.text());
      if (name != "blank line" && name != "header" && (first.empty() || name < first)) first = name;
    }
    if (!first.empty()) return kind + first;
  }
  return "no record";
}

Outcome decode_input(const std::string& input, core::Nanoseconds reference) {
  Outcome out;
  decode::Options options;
  options.reference = reference != 0 ? reference : time_of("2027-01-01T00:00:00Z");
  std::string padded = input;
  padded.resize(padded.size() + core::kPadding);
  const std::string_view bytes = std::string_view(padded).substr(0, input.size());
  out.what = decode::recognise(bytes.substr(0, 65536), options);
  if (out.what.format.empty()) return out;
  auto decoder = decode::make_decoder(out.what, options);
  if (!decoder) return out;
  (*decoder)->feed(bytes, out.batch);
  (*decoder)->finish(out.batch);
  return out;
}

namespace {

std::string number(std::uint64_t value) { return value == 0 ? std::string() : std::to_string(value); }
std::string address(const core::Ip& ip) { return ip.present() ? ip.text() : std::string(); }
std::string text(core::Symbol symbol) { return std::string(symbol.text()); }
std::string word(std::string_view name) { return name == "unknown" || name == "none" ? "" : std::string(name); }

// How two values of a field are held against each other.
enum class Kind { kText, kAddress, kNumber, kTime, kUser, kReason };

struct Field {
  std::string_view name;
  Kind kind;
  std::string (*value)(const Event&);
};

constexpr std::array kFields = {
    Field{"time", Kind::kTime, [](const Event& e) { return core::rfc3339(e.time); }},
    Field{"flow.start", Kind::kTime, [](const Event& e) { return core::rfc3339(e.time); }},
    Field{"flow.end", Kind::kTime, [](const Event& e) { return core::rfc3339(e.time + e.duration); }},
    Field{"duration_ns", Kind::kNumber, [](const Event& e) { return number(static_cast<std::uint64_t>(e.duration)); }},
    Field{"outcome", Kind::kText, [](const Event& e) { return word(event::name(e.outcome)); }},
    Field{"action", Kind::kText, [](const Event& e) { return word(event::name(e.action)); }},
    Field{"code", Kind::kText, [](const Event& e) { return text(e.code); }},
    Field{"reason", Kind::kReason, [](const Event& e) { return text(e.reason); }},
    Field{"observer.name", Kind::kText, [](const Event& e) { return text(e.observer); }},
    Field{"observer.ip", Kind::kAddress, [](const Event& e) { return address(e.observer_ip); }},
    Field{"source.ip", Kind::kAddress, [](const Event& e) { return address(e.source_ip); }},
    Field{"source.port", Kind::kNumber, [](const Event& e) { return number(e.source_port); }},
    Field{"destination.ip", Kind::kAddress, [](const Event& e) { return address(e.destination_ip); }},
    Field{"destination.port", Kind::kNumber, [](const Event& e) { return number(e.destination_port); }},
    Field{"destination.domain", Kind::kText, [](const Event& e) { return text(e.destination_name); }},
    Field{"assigned.ip", Kind::kAddress, [](const Event& e) { return address(e.assigned_ip); }},
    Field{"network.iana_number", Kind::kNumber, [](const Event& e) { return number(e.protocol); }},
    Field{"network.protocol", Kind::kText, [](const Event& e) { return text(e.application); }},
    Field{"protocol.version", Kind::kText, [](const Event& e) { return text(e.protocol_version); }},
    Field{"network.direction", Kind::kText, [](const Event& e) { return word(event::name(e.direction)); }},
    Field{"source.bytes", Kind::kNumber, [](const Event& e) { return number(e.source_bytes); }},
    Field{"destination.bytes", Kind::kNumber, [](const Event& e) { return number(e.destination_bytes); }},
    Field{"source.packets", Kind::kNumber, [](const Event& e) { return number(e.source_packets); }},
    Field{"destination.packets", Kind::kNumber, [](const Event& e) { return number(e.destination_packets); }},
    Field{"network.bytes", Kind::kNumber, [](const Event& e) { return number(e.source_bytes + e.destination_bytes); }},
    Field{"network.packets", Kind::kNumber,
          [](const Event& e) { return number(e.source_packets + e.destination_packets); }},
    Field{"source.bytes.scaled", Kind::kNumber,
          [](const Event& e) { return number(e.source_bytes * std::max<std::uint64_t>(e.sampling, 1)); }},
    Field{"tcp_flags", Kind::kNumber, [](const Event& e) { return number(e.tcp_flags); }},
    Field{"sampling", Kind::kNumber, [](const Event& e) { return number(e.sampling); }},
    Field{"user.name", Kind::kUser, [](const Event& e) { return text(e.user); }},
    Field{"user.domain", Kind::kText, [](const Event& e) { return text(e.user_domain); }},
    Field{"group", Kind::kText, [](const Event& e) { return text(e.group); }},
    Field{"auth_method", Kind::kText, [](const Event& e) { return word(event::name(e.auth_method)); }},
    Field{"mfa", Kind::kText, [](const Event& e) { return word(event::name(e.mfa)); }},
    Field{"logon_type", Kind::kNumber, [](const Event& e) { return number(e.logon_type); }},
    Field{"session_id", Kind::kNumber, [](const Event& e) { return number(e.session_id); }},
    Field{"client.host", Kind::kText, [](const Event& e) { return text(e.client_host); }},
    Field{"client.os", Kind::kText, [](const Event& e) { return text(e.client_os); }},
    Field{"user_agent", Kind::kText, [](const Event& e) { return text(e.user_agent); }},
    Field{"ingress", Kind::kText, [](const Event& e) { return text(e.ingress); }},
    Field{"egress", Kind::kText, [](const Event& e) { return text(e.egress); }},
    Field{"ingress_index", Kind::kNumber, [](const Event& e) { return number(e.ingress_index); }},
    Field{"egress_index", Kind::kNumber, [](const Event& e) { return number(e.egress_index); }},
    Field{"fingerprint", Kind::kText, [](const Event& e) { return text(e.fingerprint); }},
    Field{"server_fingerprint", Kind::kText, [](const Event& e) { return text(e.server_fingerprint); }},
    Field{"certificate.issuer", Kind::kText, [](const Event& e) { return text(e.certificate_issuer); }},
    Field{"certificate.subject", Kind::kText, [](const Event& e) { return text(e.certificate_subject); }},
    Field{"certificate.fingerprint", Kind::kText, [](const Event& e) { return text(e.certificate_fingerprint); }},
    Field{"banner", Kind::kText, [](const Event& e) { return text(e.banner); }},
    Field{"rule", Kind::kText, [](const Event& e) { return text(e.rule); }},
    Field{"region", Kind::kText, [](const Event& e) { return text(e.region); }},
};

const Field* field_of(std::string_view name) {
  const auto found = std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) { return f.name == name; });
  return found == kFields.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> parse(std::string_view digits) {
  digits = core::trim(digits);
  if (digits.starts_with("0x")) return core::parse_number<std::uint64_t>(digits.substr(2), 16);
  if (const auto dot = digits.find('.'); dot != digits.npos) digits = digits.substr(0, dot);  // "6273.0"
  return core::parse_number<std::uint64_t>(digits);
}

// The unit of the last digit that stands there: 1 s of "08:15:30Z", 1 ms of "08:15:30.123Z" and "08:15:30.123000Z".
core::Nanoseconds precision(std::string_view time) {
  const auto dot = time.rfind('.');
  if (dot == time.npos) return core::kSecond;
  std::string_view fraction = time.substr(dot + 1);
  fraction = fraction.substr(0, fraction.find_first_not_of("0123456789"));
  while (fraction.size() > 3 && fraction.ends_with("000")) fraction.remove_suffix(3);
  core::Nanoseconds unit = core::kSecond;
  for (std::size_t i = 0; i < fraction.size(); ++i) unit /= 10;
  return std::max<core::Nanoseconds>(unit, 1);
}

bool same_value(const Field& field, const Event& event, const std::string& theirs) {
  const std::string mine = field.value(event);
  switch (field.kind) {
    case Kind::kText: return core::equals_ignore_case(mine, core::trim(theirs));
    case Kind::kReason:
      return core::equals_ignore_case(mine, core::trim(theirs)) ||
             core::equals_ignore_case(mine, decode::closed_reason(theirs).text());
    case Kind::kAddress: {
      const core::Ip a = decode::given_ip(mine);
      return a == decode::given_ip(core::trim(theirs)) && (a.present() || core::Ip::parse(theirs));
    }
    case Kind::kNumber: {
      const auto value = parse(theirs);
      return value && *value == parse(mine).value_or(0);
    }
    case Kind::kTime: {
      const core::Nanoseconds a = time_of(mine);
      const core::Nanoseconds b = time_of(theirs);
      return b != 0 && std::abs(a - b) < std::max<core::Nanoseconds>(precision(theirs), 1);
    }
    case Kind::kUser: {
      // Names are without their domain in an event.
      Event scratch;
      decode::set_typed_user(scratch, core::trim(theirs));
      return core::equals_ignore_case(mine, core::trim(theirs)) || core::equals_ignore_case(mine, scratch.user.text());
    }
  }
  return false;
}

}  // namespace

std::string ours(const Event& event, std::string_view field) {
  const Field* found = field_of(field);
  return found == nullptr ? "(no such field)" : found->value(event);
}

event::Event turned(const event::Event& event) {
  event::Event out = event;
  std::swap(out.source_ip, out.destination_ip);
  std::swap(out.source_port, out.destination_port);
  std::swap(out.source_bytes, out.destination_bytes);
  std::swap(out.source_packets, out.destination_packets);
  std::swap(out.ingress, out.egress);
  std::swap(out.ingress_index, out.egress_index);
  return out;
}

bool same(std::string_view field, const Event& event, const Claim& claim) {
  const Field* found = field_of(field);
  if (found == nullptr) return false;
  return std::any_of(claim.values.begin(), claim.values.end(),
                     [&](const std::string& value) { return same_value(*found, event, value); });
}

bool applies(std::string_view field, const Event& event, const Record& record) {
  const bool traffic = event.event_class == Class::kFlow || event.event_class == Class::kConnection;
  const bool states_start = std::any_of(record.claims.begin(), record.claims.end(),
                                        [](const Claim& claim) { return claim.field == "flow.start"; });
  if (field == "flow.start" || field == "flow.end") return event.event_class == Class::kFlow;
  if (field == "time") return event.event_class != Class::kFlow || !states_start;
  // A firewall's verdict and the outcome of a log-in are two fields here, one in the peers' schemas.
  if (field == "action") return traffic;
  if (field == "outcome") return !traffic;
  return true;
}

}  // namespace orbwatch::parity
