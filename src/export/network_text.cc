#include "export/network_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/display.h"
#include "core/text.h"

namespace orbwatch::exporting {
namespace {

using core::terminal_text;
using score::Bounds;
using score::Network;
using score::NetworkNode;

constexpr std::size_t kShownNodes = 40;
constexpr std::size_t kShownLinks = 10;

std::string range(const Bounds& b, int decimals) {
  return fmt::format("{:.{}f} ({:.{}f} to {})", b.value, decimals, b.low, decimals,
                     std::isfinite(b.high) ? fmt::format("{:.{}f}", b.high, decimals) : "any number");
}

std::string day(core::Nanoseconds time) { return core::date_text(time); }

std::string minute(core::Nanoseconds time) {
  std::string text = core::rfc3339(time).substr(0, 16);
  std::ranges::replace(text, 'T', ' ');
  return text;
}

// "exit 61, on-ramp 1"
std::string roles(const Network& network) {
  std::map<score::NodeRole, std::size_t> counts;
  for (const NetworkNode& node : network.nodes) {
    if (node.active) ++counts[node.role];
  }
  std::string out;
  for (const auto& [role, nodes] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", nodes, score::name(role));
  return out;
}

void fact(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += fmt::format("  {:<18} {}\n", name, value);
}

std::string_view or_number(const std::string& provider, std::string& buffer, std::uint32_t asn) {
  if (!provider.empty()) return provider;
  buffer = fmt::format("AS{}", asn);
  return buffer;
}

// ", mostly from A (30 %), B (20 %)"
std::string mostly_from(const Network& network) {
  std::string out, buffer;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, network.likely_providers.size()); ++i) {
    const auto& p = network.likely_providers[i];
    out += fmt::format("{}{} ({:.0f} %)", i == 0 ? ", mostly from " : ", ",
                       terminal_text(or_number(p.provider, buffer, p.asn)), 100 * p.share.value);
  }
  return out;
}

std::string values(const std::vector<score::NetworkTrait>& traits, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, traits.size()); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", terminal_text(traits[i].text));
  if (traits.size() > most) out += ", ...";
  return out;
}

}  // namespace

std::string networks_text(std::span<const Network> networks) {
  if (networks.empty()) return "no covert network\n";
  std::string out = fmt::format("{:<16} {:>6} {:>5} {:>14} {:>9} {:<10} {:<10} {:>5}  {}\n", "network", "active",
                                "gone", "size", "half-life", "first", "last", "conf", "looks like");
  for (const Network& n : networks) {
    const std::string size = !n.size ? "?"
                             : std::isfinite(n.size->high)
                                 ? fmt::format("{:.0f} ({:.0f}-{:.0f})", n.size->value, n.size->low, n.size->high)
                                 : fmt::format(">= {:.0f}", n.size->low);
    const std::string life = n.half_life_days ? fmt::format("{:.1f} d", n.half_life_days->value) : "?";
    out += fmt::format("{:<16} {:>6} {:>5} {:>14} {:>9} {:<10} {:<10} {:>5.2f}  {}\n", n.id, n.active_nodes,
                       n.nodes.size() - n.active_nodes, size, life, day(n.first), day(n.last), n.confidence,
                       n.known.empty() ? "" : terminal_text(n.known.front().name));
  }
  return out;
}

std::string network_text(const Network& n) {
  std::string out = fmt::format("Covert network {}\n", n.id);
  fact(out, "nodes", fmt::format("{} active, {} gone", n.active_nodes, n.nodes.size() - n.active_nodes));
  fact(out, "active", fmt::format("{} to {} UTC", minute(n.first), minute(n.last)));
  fact(out, "roles", roles(n));
  if (n.size) fact(out, "size", fmt::format("{} by {}", range(*n.size, 0), n.size_method));
  for (const std::string& doubt : n.size_doubts) fact(out, "", "but: " + doubt);
  if (n.half_life_days) fact(out, "half-life", range(*n.half_life_days, 1) + " days");
  if (n.births_expected) fact(out, "new tomorrow", range(*n.births_expected, 1) + mostly_from(n));
  if (n.behaviour.attempts_per_account_day > 0)
    fact(out, "attempts", fmt::format("{:.2f} for each account and day", n.behaviour.attempts_per_account_day));
  if (n.behaviour.accounts_tried > 0) fact(out, "accounts tried", std::to_string(n.behaviour.accounts_tried));
  fact(out, "gateways", values(n.behaviour.gateways, 6));
  fact(out, "ports asked for", values(n.behaviour.ports, 10));
  std::string providers, buffer;
  for (std::size_t i = 0; i < std::min<std::size_t>(6, n.providers.size()); ++i) {
    const auto& p = n.providers[i];
    providers +=
        fmt::format("{}{} {:.0f} % (of all sources {:.0f} %)", i == 0 ? "" : ", ",
                    terminal_text(or_number(p.provider, buffer, p.asn)), 100 * p.share, 100 * p.share_background);
  }
  fact(out, "providers", providers);
  fact(out, "confidence", fmt::format("{:.2f}, {:.1f} nats between nodes", n.confidence, n.cohesion));
  if (!n.traits.empty()) out += "\nWhat they have in common\n";
  for (const score::NetworkTrait& t : n.traits)
    out += fmt::format("  {} {}: {} nodes, {:.0f} % of those that show one; {:.2g} % of all sources\n", t.kind,
                       terminal_text(t.text), t.nodes, 100 * t.share_inside, 100 * t.share_background);
  if (!n.known.empty()) out += "\nKnown networks\n";
  for (const score::KnownNetwork& k : n.known) out += fmt::format("  {}\n", terminal_text(k.says));
  if (!n.overlaps.empty()) out += "\nNodes that other networks have or had\n";
  for (const score::NetworkOverlap& o : n.overlaps)
    out +=
        fmt::format("  {} of network {}: {} went on to it, {} came from it, {} were used at once; by chance {:.2g}\n",
                    o.common, o.other, o.onward, o.back, o.together, o.expected);
  if (!n.campaigns.empty()) out += fmt::format("\nSources of findings: {}\n", fmt::join(n.campaigns, ", "));
  if (!n.findings.empty()) out += fmt::format("\nLinked findings: {}\n", fmt::join(n.findings, ", "));
  out += "\nNodes\n";
  for (std::size_t i = 0; i < std::min(kShownNodes, n.nodes.size()); ++i) {
    const NetworkNode& node = n.nodes[i];
    out += fmt::format("  {:<15} {:<9} {} to {}  {}\n", node.ip.text(), node.active ? score::name(node.role) : "gone",
                       minute(node.first), minute(node.last),
                       terminal_text(fmt::format("{}{}{}{}{}", node.provider, node.city.empty() ? "" : ", ", node.city,
                                                 node.country.empty() ? "" : ", ", node.country)));
  }
  if (n.nodes.size() > kShownNodes) out += fmt::format("  and {} more\n", n.nodes.size() - kShownNodes);
  if (!n.links.empty()) out += "\nStrongest links\n";
  for (std::size_t i = 0; i < std::min(kShownLinks, n.links.size()); ++i) {
    const score::NetworkLink& link = n.links[i];
    out += fmt::format("  {} - {}  {:.1f} nats: {}\n", n.nodes[link.a].ip.text(), n.nodes[link.b].ip.text(), link.nats,
                       terminal_text(link.why));
  }
  return out;
}

std::string network_timeline(const Network& n) {
  struct Day {
    std::size_t first = 0, last = 0;
    std::vector<std::string> told;
  };
  std::map<std::int64_t, Day> days;
  for (const NetworkNode& node : n.nodes) {
    ++days[node.first / core::kDay].first;
    if (!node.active) ++days[node.last / core::kDay].last;
  }
  for (const score::NetworkChange& change : n.history) {
    days[change.time / core::kDay].told.push_back(fmt::format("{}{}{}: {}", score::name(change.kind),
                                                              change.other.empty() ? "" : " ", change.other,
                                                              terminal_text(change.why)));
  }
  std::string out = fmt::format("{:<10} {:>9} {:>9} {:>9}\n", "day", "new nodes", "last seen", "known");
  std::size_t known = 0;
  for (const auto& [number, d] : days) {
    known += d.first;
    out += fmt::format("{:<10} {:>9} {:>9} {:>9}\n", day(number * core::kDay), d.first, d.last, known);
    for (const std::string& told : d.told) out += "           " + told + "\n";
  }
  return out;
}

std::string network_block_list(const Network& n) {
  core::Nanoseconds oldest = n.last;
  for (const NetworkNode& node : n.nodes) {
    if (node.active) oldest = std::min(oldest, node.last);
  }
  std::string out = fmt::format("# orbwatch: active nodes of covert network {}, as of {} UTC; seen {} or later\n", n.id,
                                minute(n.last), day(oldest));
  for (const NetworkNode& node : n.nodes) {
    if (node.active) out += node.ip.text() + "\n";
  }
  return out;
}

std::string network_dot(const Network& n) {
  std::string out = fmt::format("graph \"{}\" {{\n", n.id);
  std::vector<bool> used(n.nodes.size());
  for (const score::NetworkLink& link : n.links) used[link.a] = used[link.b] = true;
  for (std::size_t i = 0; i < n.nodes.size(); ++i) {
    if (used[i]) out += fmt::format("  \"{}\" [role=\"{}\"];\n", n.nodes[i].ip.text(), score::name(n.nodes[i].role));
  }
  for (const score::NetworkLink& link : n.links)
    out += fmt::format("  \"{}\" -- \"{}\" [weight={:.2f}];\n", n.nodes[link.a].ip.text(), n.nodes[link.b].ip.text(),
                       link.nats);
  return out + "}\n";
}

}  // namespace orbwatch::exporting
