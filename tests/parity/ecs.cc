// ECS, with the names that Sekoia adds to it.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/scanner.h"
#include "parity/parity.h"

namespace orbwatch::parity {
namespace {

// The words with which firewalls say their verdict. Others say what happened to a session ("timeout", "close").
std::optional<std::string> verdict(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kAllowed = {
      "allow", "allowed", "accept", "accepted", "permit", "pass", "permitted", "passthrough", "built"};
  static constexpr std::array<std::string_view, 13> kDenied = {
      "deny",     "denied",   "drop",       "dropped",      "block",        "blocked", "reject",
      "rejected", "drop-all", "reset-both", "reset-client", "reset-server", "discard"};
  const auto is = [&](std::string_view other) { return core::equals_ignore_case(text, other); };
  if (std::any_of(kAllowed.begin(), kAllowed.end(), is)) return "allowed";
  if (std::any_of(kDenied.begin(), kDenied.end(), is)) return "denied";
  return std::nullopt;
}

bool lists(element ecs, std::string_view path, std::string_view word) {
  element list;
  const auto dot = path.find('.');
  if (ecs.at_key(path.substr(0, dot)).at_key(path.substr(dot + 1)).get(list) != simdjson::SUCCESS) return false;
  if (!list.is_array()) return text_at(ecs, path) == word;
  for (const element item : items_of(list.get_array())) {
    std::string_view text;
    if (item.get_string().get(text) == simdjson::SUCCESS && text == word) return true;
  }
  return false;
}

void claim_action(element ecs, Record& record) {
  for (const std::string_view path : {"event.action", "action.name"}) {
    if (const auto word = text_at(ecs, path)) {
      if (auto said = verdict(*word)) {
        record.claim("action", said);
        return;
      }
    }
  }
  if (lists(ecs, "event.type", "denied")) {
    record.claim("action", "denied");
  } else if (lists(ecs, "event.type", "allowed")) {
    record.claim("action", "allowed");
  }
}

void claim_outcome(element ecs, Record& record) {
  const auto outcome = first_of(ecs, {"event.outcome", "action.outcome"});
  if (!outcome) return;
  if (core::equals_ignore_case(*outcome, "success")) record.claim("outcome", "success");
  if (core::equals_ignore_case(*outcome, "failure") || core::equals_ignore_case(*outcome, "failed"))
    record.claim("outcome", "failure");
}

void claim_protocol(element ecs, Record& record) {
  if (auto number = text_at(ecs, "network.iana_number")) return record.claim("network.iana_number", number);
  if (const auto name = text_at(ecs, "network.transport")) {
    if (const auto value = core::parse_number<std::uint8_t>(*name)) {
      record.claim("network.iana_number", std::to_string(*value));
    } else if (const auto known = decode::protocol_number(*name); known != 0) {
      record.claim("network.iana_number", std::to_string(known));
    }
  }
}

// Who logs in. Of Windows events user.name is who asked for it (the subject), user.target or user.effective who it is.
void claim_user(element ecs, Record& record) {
  for (const std::string_view whose : {"user.target", "user.effective", "source.user", "user", "destination.user"}) {
    const auto name = text_at(ecs, std::string(whose) + ".name");
    if (!name || name->empty() || *name == "-") continue;
    record.claim("user.name", name);
    if (auto domain = text_at(ecs, std::string(whose) + ".domain"); domain && *domain != "-")
      record.claim("user.domain", domain);
    return;
  }
}

}  // namespace

void claim_ecs(element ecs, Record& record) {
  const auto one = [&](std::string_view field, std::initializer_list<std::string_view> paths) {
    record.claim(field, first_of(ecs, paths));
  };
  const auto any = [&](std::string_view field, std::initializer_list<std::string_view> paths) {
    for (auto& value : all_of(ecs, paths)) record.claim(field, std::move(value));
  };
  // Peers copy numbers that are no ports.
  const auto port = [&](std::string_view field) {
    if (auto text = text_at(ecs, field); text && core::parse_number<std::uint16_t>(*text)) record.claim(field, text);
  };
  one("time", {"@timestamp"});
  one("flow.start", {"event.start"});
  one("flow.end", {"event.end"});
  one("duration_ns", {"event.duration"});
  one("code", {"event.code"});
  one("reason", {"event.reason"});
  any("observer.name",
      {"observer.hostname", "observer.name", "log.hostname", "host.name", "host.hostname", "winlog.computer_name"});
  one("source.ip", {"source.ip"});
  port("source.port");
  one("destination.ip", {"destination.ip"});
  port("destination.port");
  one("source.bytes", {"source.bytes"});
  one("destination.bytes", {"destination.bytes"});
  one("source.packets", {"source.packets"});
  one("destination.packets", {"destination.packets"});
  one("network.bytes", {"network.bytes"});
  one("network.packets", {"network.packets"});
  for (auto& name : all_of(ecs, {"network.protocol", "network.application"})) {
    // Some write the transport there.
    if (decode::protocol_number(name) == 0) record.claim("network.protocol", std::move(name));
  }
  any("ingress", {"observer.ingress.interface.name", "observer.ingress.interface.alias", "observer.ingress.zone"});
  any("egress", {"observer.egress.interface.name", "observer.egress.interface.alias", "observer.egress.zone"});
  any("rule", {"rule.name", "cisco.asa.rule_name"});
  any("group", {"source.user.group.name", "user.group.name", "group.name"});
  one("client.host", {"source.domain"});
  one("client.os", {"user_agent.os.full"});
  one("user_agent", {"user_agent.original"});
  one("session_id", {"cisco.asa.connection_id", "winlog.event_data.TargetLogonId", "action.properties.TargetLogonId"});
  one("logon_type", {"winlog.event_data.LogonType", "action.properties.LogonType"});
  one("tcp_flags", {"netflow.tcp.flags"});
  // The translated address is left out where it is the source's own.
  if (auto translated = text_at(ecs, "source.nat.ip"); translated && translated != text_at(ecs, "source.ip"))
    record.claim("assigned.ip", translated);
  if (const auto direction = text_at(ecs, "network.direction")) {
    std::string lower = *direction;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == "inbound" || lower == "outbound" || lower == "internal" || lower == "external")
      record.claim("network.direction", lower);
  }
  claim_protocol(ecs, record);
  claim_action(ecs, record);
  claim_outcome(ecs, record);
  claim_user(ecs, record);
}

}  // namespace orbwatch::parity
