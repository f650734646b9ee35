#include "score/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "score/json_object.h"

namespace orbwatch::score {
namespace {

using detail::Object;
using detail::probability;
using detail::trimmed;

// Whether all that is known is written, or what a reader can use.
struct Form {
  bool whole = false;

  std::string number(double value, int decimals = 2) const {
    if (!std::isfinite(value)) return "0";
    return whole ? fmt::format("{}", value) : trimmed(fmt::format("{:.{}f}", value, decimals));
  }
};

void write_bounds(const Form& form, Object& o, std::string_view key, const std::optional<Bounds>& bounds,
                  int decimals = 2) {
  if (!bounds) return;
  Object b(o.key(key));
  b.key("value") += form.number(bounds->value, decimals);
  b.key("low") += form.number(bounds->low, decimals);
  if (std::isfinite(bounds->high)) b.key("high") += form.number(bounds->high, decimals);
  b.close();
}

void write_trait(const Form& form, std::string& out, const NetworkTrait& trait) {
  Object o(out);
  o.text("kind", trait.kind);
  o.text("value", trait.text);
  o.count("nodes", trait.nodes);
  o.key("share_inside") += form.number(trait.share_inside, 4);
  o.key("share_background") += form.number(trait.share_background, 6);
  if (form.whole) o.key("lift") += form.number(trait.lift);
  o.close();
}

void write_node(const Form& form, std::string& out, const NetworkNode& node) {
  Object o(out);
  o.text("ip", node.ip.text());
  o.text("first", core::rfc3339(node.first));
  o.text("last", core::rfc3339(node.last));
  o.key("active") += node.active ? "true" : "false";
  o.text("role", name(node.role));
  o.text("role_why", node.role_why);
  o.count("asn", node.asn);
  o.text("org", node.provider);
  o.text("country", node.country);
  o.text("city", node.city);
  if (node.latitude != 0 || node.longitude != 0) {
    o.key("latitude") += form.number(node.latitude);
    o.key("longitude") += form.number(node.longitude);
  }
  if (node.type != core::NetworkType::kUnknown) o.text("network_type", core::label(node.type));
  o.count("sightings", node.sightings);
  o.key("evidence") += form.number(node.evidence);
  if (form.whole) o.key("strength") += form.number(node.strength);
  o.close();
}

// A cell of CSV; what a spreadsheet would take for a formula is made a text.
std::string cell(std::string_view text) {
  std::string out = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

std::string_view name(NodeRole role) {
  switch (role) {
    case NodeRole::kUnknown: return "unknown";
    case NodeRole::kOnRamp: return "on-ramp";
    case NodeRole::kTraversal: return "traversal";
    case NodeRole::kExit: return "exit";
  }
  return "";
}

std::string_view name(NetworkChangeKind kind) {
  switch (kind) {
    case NetworkChangeKind::kBorn: return "born";
    case NetworkChangeKind::kMerged: return "merged";
    case NetworkChangeKind::kSplit: return "split";
  }
  return "";
}

namespace {

std::string to_json(const Network& n, const Form& form) {
  const auto trait = [&form](std::string& to, const NetworkTrait& one) { write_trait(form, to, one); };
  const auto node = [&form](std::string& to, const NetworkNode& one) { write_node(form, to, one); };
  std::string out;
  Object o(out);
  o.text("id", n.id);
  o.text("first", core::rfc3339(n.first));
  o.text("last", core::rfc3339(n.last));
  o.key("confidence") += form.whole ? form.number(n.confidence) : probability(n.confidence);
  o.key("cohesion") += form.number(n.cohesion);
  o.key("active_nodes") += std::to_string(n.active_nodes);
  o.key("node_count") += std::to_string(n.nodes.size());
  write_bounds(form, o, "size", n.size);
  if (n.size) o.text("size_day", core::date_text(n.size_day));
  o.text("size_method", n.size_method);
  o.texts("size_doubts", n.size_doubts, n.size_doubts.size());
  write_bounds(form, o, "half_life_days", n.half_life_days);
  write_bounds(form, o, "births_expected", n.births_expected);
  o.list("likely_providers", n.likely_providers, n.likely_providers.size(),
         [&form](std::string& to, const LikelyProvider& provider) {
           Object p(to);
           p.count("asn", provider.asn);
           p.text("org", provider.provider);
           write_bounds(form, p, "share", provider.share, 4);
           p.close();
         });
  o.list("known", n.known, n.known.size(), [&form](std::string& to, const KnownNetwork& known) {
    Object k(to);
    k.text("name", known.name);
    k.key("score") += form.number(known.score);
    k.text("says", known.says);
    k.close();
  });
  o.list("overlaps", n.overlaps, Network::kMostOverlaps, [&form](std::string& to, const NetworkOverlap& overlap) {
    Object p(to);
    p.text("network", overlap.other);
    p.count("common", overlap.common);
    p.key("expected") += form.number(overlap.expected, 4);
    p.key("log10_p") += form.number(overlap.log10_p);
    p.count("onward", overlap.onward);
    p.count("back", overlap.back);
    p.count("together", overlap.together);
    p.close();
  });
  o.list("traits", n.traits, n.traits.size(), trait);
  {
    Object b(o.key("behaviour"));
    if (n.behaviour.attempts_per_account_day > 0)
      b.key("attempts_per_account_day") += form.number(n.behaviour.attempts_per_account_day);
    b.count("accounts_tried", n.behaviour.accounts_tried);
    b.list("accounts", n.behaviour.accounts, n.behaviour.accounts.size(), trait);
    b.list("gateways", n.behaviour.gateways, n.behaviour.gateways.size(), trait);
    b.list("ports", n.behaviour.ports, n.behaviour.ports.size(), trait);
    const std::vector<std::uint64_t> hours(n.behaviour.hours.begin(), n.behaviour.hours.end());
    b.list("sightings_by_hour", hours, hours.size(),
           [](std::string& to, std::uint64_t sightings) { to += std::to_string(sightings); });
    b.close();
  }
  o.list("providers", n.providers, n.providers.size(), [&form](std::string& to, const ProviderOfNetwork& provider) {
    Object p(to);
    p.count("asn", provider.asn);
    p.text("org", provider.provider);
    p.count("nodes", provider.nodes);
    p.key("share") += form.number(provider.share, 4);
    p.key("share_background") += form.number(provider.share_background, 4);
    p.close();
  });
  o.list("nodes", n.nodes, form.whole ? n.nodes.size() : Network::kMostToldNodes, node);
  o.list("births_by_day", n.births_by_day, n.births_by_day.size(),
         [](std::string& to, std::uint32_t births) { to += std::to_string(births); });
  o.list("survival", n.survival, n.survival.size(), [&form](std::string& to, const std::pair<double, double>& step) {
    to += fmt::format("[{},{}]", form.number(step.first), form.number(step.second, 4));
  });
  o.list("history", n.history, n.history.size(), [](std::string& to, const NetworkChange& change) {
    Object c(to);
    c.text("time", core::rfc3339(change.time));
    c.text("what", name(change.kind));
    c.text("other", change.other);
    c.text("why", change.why);
    c.close();
  });
  // Places in `nodes`, of those that are told.
  o.list("links", n.links, Network::kMostLinks, [&form](std::string& to, const NetworkLink& link) {
    Object l(to);
    l.key("a") += std::to_string(link.a);
    l.key("b") += std::to_string(link.b);
    l.key("nats") += form.number(link.nats);
    l.text("why", link.why);
    l.close();
  });
  o.texts("campaigns", n.campaigns, n.campaigns.size());
  o.texts("findings", n.findings, n.findings.size());
  o.close();
  return out;
}

}  // namespace

std::string to_json(const Network& network) { return to_json(network, {}); }
std::string to_whole_json(const Network& network) { return to_json(network, {.whole = true}); }

std::string nodes_csv(const Network& network) {
  std::string out = "ip,first,last,active,role,asn,org,country,network_type,sightings\n";
  for (const NetworkNode& node : network.nodes) {
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{}\n", node.ip.text(), core::rfc3339(node.first), core::rfc3339(node.last),
        node.active ? "yes" : "no", name(node.role), node.asn, cell(node.provider), cell(node.country),
        node.type == core::NetworkType::kUnknown ? std::string() : cell(core::label(node.type)), node.sightings);
  }
  return out;
}

}  // namespace orbwatch::score
