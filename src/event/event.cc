#include "event/event.h"

#include <array>
#include <string>

#include "core/text.h"

namespace orbwatch::event {
namespace {

template <std::size_t N, typename Enum>
std::string_view pick(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : "?";
}

class JsonObject {
 public:
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    core::append_json_string(out_, value);
  }
  void symbol(std::string_view key, Symbol value) { text(key, value.text()); }
  void number(std::string_view key, std::uint64_t value) {
    if (value == 0) return;
    begin(key);
    out_ += std::to_string(value);
  }
  void ip(std::string_view key, const Ip& value) {
    if (value.present()) text(key, value.text());
  }
  std::string take() { return out_.empty() ? "{}" : std::move(out_) + "}"; }

 private:
  void begin(std::string_view key) {
    out_ += out_.empty() ? '{' : ',';
    core::append_json_string(out_, key);
    out_ += ':';
  }
  std::string out_;
};

}  // namespace

std::string_view name(Class v) {
  return pick(
      std::array<std::string_view, 7>{"", "flow", "connection", "session", "authentication", "handshake", "device"}, v);
}
std::string_view name(Activity v) {
  return pick(std::array<std::string_view, 10>{"", "start", "update", "end", "traffic", "logon", "logoff", "challenge",
                                               "observed", "alert"},
              v);
}
std::string_view name(Outcome v) { return pick(std::array<std::string_view, 3>{"", "success", "failure"}, v); }
std::string_view name(Action v) { return pick(std::array<std::string_view, 3>{"", "allowed", "denied"}, v); }
std::string_view name(Direction v) {
  return pick(std::array<std::string_view, 5>{"", "inbound", "outbound", "internal", "external"}, v);
}
std::string_view name(Mfa v) { return pick(std::array<std::string_view, 3>{"", "no", "yes"}, v); }
std::string_view name(AuthMethod v) {
  return pick(std::array<std::string_view, 10>{"", "password", "publickey", "certificate", "kerberos", "ntlm", "saml",
                                               "radius", "ldap", "other"},
              v);
}
std::string_view name(Service v) {
  return pick(
      std::array<std::string_view, 9>{"", "vpn", "ssh", "rdp", "management", "web", "windows", "kerberos", "other"}, v);
}

std::string to_json(const Event& e) {
  JsonObject o;
  o.text("time", core::rfc3339(e.time));
  if (e.duration > 0) o.number("duration_ns", static_cast<std::uint64_t>(e.duration));
  o.symbol("dataset", e.dataset);
  o.text("class", name(e.event_class));
  o.text("activity", name(e.activity));
  o.text("outcome", name(e.outcome));
  o.text("action", name(e.action));
  o.text("service", name(e.service));
  o.symbol("code", e.code);
  o.symbol("reason", e.reason);
  o.symbol("observer.name", e.observer);
  o.ip("observer.ip", e.observer_ip);
  o.ip("source.ip", e.source_ip);
  o.number("source.port", e.source_port);
  o.ip("destination.ip", e.destination_ip);
  o.number("destination.port", e.destination_port);
  o.symbol("destination.domain", e.destination_name);
  o.ip("assigned.ip", e.assigned_ip);
  o.number("network.iana_number", e.protocol);
  o.symbol("network.protocol", e.application);
  o.symbol("protocol.version", e.protocol_version);
  o.text("network.direction", name(e.direction));
  o.number("source.bytes", e.source_bytes);
  o.number("destination.bytes", e.destination_bytes);
  o.number("source.packets", e.source_packets);
  o.number("destination.packets", e.destination_packets);
  o.number("tcp_flags", e.tcp_flags);
  o.number("sampling", e.sampling);
  o.symbol("user.name", e.user);
  o.symbol("user.domain", e.user_domain);
  o.symbol("group", e.group);
  o.text("auth_method", name(e.auth_method));
  o.text("mfa", name(e.mfa));
  o.number("logon_type", e.logon_type);
  o.number("session_id", e.session_id);
  o.symbol("client.host", e.client_host);
  o.symbol("client.os", e.client_os);
  o.symbol("user_agent", e.user_agent);
  o.symbol("ingress", e.ingress);
  o.symbol("egress", e.egress);
  o.number("ingress_index", e.ingress_index);
  o.number("egress_index", e.egress_index);
  o.symbol("fingerprint", e.fingerprint);
  o.symbol("server_fingerprint", e.server_fingerprint);
  o.symbol("certificate.issuer", e.certificate_issuer);
  o.symbol("certificate.subject", e.certificate_subject);
  o.symbol("certificate.fingerprint", e.certificate_fingerprint);
  o.symbol("banner", e.banner);
  o.symbol("rule", e.rule);
  o.symbol("region", e.region);
  return o.take();
}

}  // namespace orbwatch::event
