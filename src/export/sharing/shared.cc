#include "export/sharing/shared.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "export/finding_words.h"
#include "export/sharing/free_text.h"

namespace orbwatch::exporting::sharing {
namespace {

using detect::FindingKind;
using score::Finding;
using std::string_view;

core::Nanoseconds earlier(core::Nanoseconds a, core::Nanoseconds b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

bool is_ja4(string_view text) {  // "t13d1516h2_8daaf6152771_b186095e22b6", "t130200_1301_a56c5b993250"
  if (text.size() < 12 || text.size() > 40 || std::ranges::count(text, '_') != 2) return false;
  return std::ranges::all_of(text, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

bool is_allowed(TraitKind kind, string_view text) {
  switch (kind) {
    case TraitKind::kCertificateSha1: return is_hex_of(text, 40);
    case TraitKind::kCertificateSha256: return is_hex_of(text, 64);
    case TraitKind::kJarm: return is_hex_of(text, 62);
    case TraitKind::kJa3:
    case TraitKind::kJa3s:
    case TraitKind::kHassh:
    case TraitKind::kHasshServer: return is_hex_of(text, 32);
    case TraitKind::kJa4:
    case TraitKind::kJa4s: return is_ja4(text);
    case TraitKind::kBanner:
    case TraitKind::kClient: return is_software_text(text);
  }
  return false;
}

Role role_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin:
    case FindingKind::kSpray: return Role::kExit;
    case FindingKind::kRecon: return Role::kScanner;
    case FindingKind::kRelay: return Role::kTraversal;
    default: return Role::kUnknown;
  }
}

Sensor sensor_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin:
    case FindingKind::kSpray: return Sensor::kRemoteAccess;
    case FindingKind::kRecon: return Sensor::kEdge;
    case FindingKind::kRelay: return Sensor::kFlows;
    default: return Sensor::kUnknown;
  }
}

void unite(std::vector<std::string>& into, const std::vector<std::string>& more) {
  into.insert(into.end(), more.begin(), more.end());
  std::ranges::sort(into);
  into.erase(std::unique(into.begin(), into.end()), into.end());
}
bool unite(std::vector<Trait>& into, const std::vector<Trait>& more) {
  into.insert(into.end(), more.begin(), more.end());
  std::ranges::sort(into);
  into.erase(std::unique(into.begin(), into.end()), into.end());
  if (into.size() <= kMostTraits) return true;
  into.resize(kMostTraits, into.front());
  return false;
}

// What several sensors saw of a node and what is known of it as a node of a network are the same events. The unknown
// sensor stands first.
void count_once(std::vector<Sighting>& sightings) {
  if (sightings.size() < 2 || sightings.front().sensor != Sensor::kUnknown) return;
  std::uint64_t known = 0;
  for (std::size_t i = 1; i < sightings.size(); ++i) known += sightings[i].count;
  if (sightings.front().count <= known) {
    sightings.erase(sightings.begin());
  } else {
    sightings.front().count -= known;
  }
}

double probability(double p) { return std::isfinite(p) ? std::clamp(p, 0.0, 1.0) : 0; }

// "between 2026-01-02 and 2026-01-09", "on 2026-01-02", "".
std::string span(core::Nanoseconds first, core::Nanoseconds last) {
  if (first == 0) return {};
  const std::string from = core::date_text(first), to = core::date_text(last);
  return last == 0 || from == to ? " on " + from : fmt::format(" between {} and {}", from, to);
}

// The source was seen in the finding: how often, from when to when.
Sighting seen(const Finding& f, const core::Ip& address) {
  Sighting s;
  s.sensor = sensor_of(f.kind);
  for (const score::TimelineEntry& entry : f.timeline) {
    if (entry.source.ip != address) continue;
    s.count += entry.what != score::Step::kSessionEnd;
    s.first = earlier(s.first, entry.time);
    s.last = std::max(s.last, entry.time);
  }
  if (s.count == 0 && f.sources.size() <= 1 && f.source_count <= 1) s.count = f.records.size();
  s.count = std::max<std::uint64_t>(s.count, 1);
  if (s.first == 0) s.first = f.time;
  if (s.last == 0) s.last = std::max(f.time, f.end);
  return s;
}

}  // namespace

string_view name(Tlp tlp) {
  switch (tlp) {
    case Tlp::kClear: return "clear";
    case Tlp::kGreen: return "green";
    case Tlp::kAmber: return "amber";
    case Tlp::kAmberStrict: return "amber+strict";
    case Tlp::kRed: return "red";
  }
  return "?";
}

std::optional<Tlp> parse_tlp(string_view word) {
  for (const Tlp tlp : kTlps) {
    if (core::equals_ignore_case(word, name(tlp))) return tlp;
  }
  return std::nullopt;
}

string_view name(Role role) {
  switch (role) {
    case Role::kUnknown: return "";
    case Role::kScanner: return "scanner";
    case Role::kExit: return "exit-node";
    case Role::kTraversal: return "traversal-node";
    case Role::kEntry: return "entry-node";
    case Role::kController: return "controller";
  }
  return "";
}

string_view words(Role role) {
  switch (role) {
    case Role::kUnknown: return "node";
    case Role::kScanner: return "scanning node";
    case Role::kExit: return "exit node";
    case Role::kTraversal: return "traversal node";
    case Role::kEntry: return "entry node";
    case Role::kController: return "controller";
  }
  return "node";
}

string_view words(Sensor sensor) {
  switch (sensor) {
    case Sensor::kUnknown: return "";
    case Sensor::kRemoteAccess: return "remote access";
    case Sensor::kEdge: return "network edge";
    case Sensor::kFlows: return "traffic flows";
    case Sensor::kFeed: return "threat feed";
  }
  return "";
}

string_view name(TraitKind kind) {
  switch (kind) {
    case TraitKind::kCertificateSha1: return "certificate-sha1";
    case TraitKind::kCertificateSha256: return "certificate-sha256";
    case TraitKind::kJarm: return "jarm";
    case TraitKind::kJa3: return "ja3";
    case TraitKind::kJa3s: return "ja3s";
    case TraitKind::kJa4: return "ja4";
    case TraitKind::kJa4s: return "ja4s";
    case TraitKind::kHassh: return "hassh";
    case TraitKind::kHasshServer: return "hassh-server";
    case TraitKind::kBanner: return "banner";
    case TraitKind::kClient: return "client";
  }
  return "?";
}

std::optional<Trait> Trait::make(TraitKind kind, string_view text) {
  if (!is_allowed(kind, text)) return std::nullopt;
  return Trait(kind, text);
}

std::string describe(const Indicator& i) {
  std::uint64_t count = 0;
  std::string sensors;
  for (const Sighting& s : i.sightings) {
    count += s.count;
    if (!words(s.sensor).empty()) sensors += fmt::format("{}{}", sensors.empty() ? "" : ", ", words(s.sensor));
  }
  std::string out = fmt::format("Likely {} of a covert network", words(i.role));
  if (i.network_type != core::NetworkType::kUnknown) out += fmt::format(", {}", core::label(i.network_type));
  if (i.asn != 0) out += fmt::format(", AS{}", i.asn);
  if (!i.country.empty()) out += fmt::format(", {}", i.country);
  if (count != 0) out += fmt::format("; seen {} {}", count, count == 1 ? "time" : "times");
  if (!sensors.empty()) out += fmt::format(" ({})", sensors);
  out += span(i.first_seen, i.last_seen) + ".";
  for (const Trait& t : i.traits) out += fmt::format("\n{}: {}", name(t.kind()), t.text());
  return out;
}

std::string describe(const Network& n) {
  std::string out = fmt::format("Covert network of {} {} seen", n.nodes, n.nodes == 1 ? "node" : "nodes");
  out += span(n.first_seen, n.last_seen);
  if (n.most != 0) out += fmt::format(", estimated at {} to {}", n.least, n.most);
  if (!n.profile.empty()) out += fmt::format("; looks like {}", n.profile);
  return out + ".";
}

string_view Selection::objection(const core::Ip& address) const {
  if (!address.present()) return "finding without a source address";
  if (address.is_private() || address.is_cgnat()) return "address: private or shared";
  // Examples use documentation ranges, which are nobody's.
  if (!address.is_global() && !address.is_documentation()) return "address: not met on the Internet";
  if (rules_.own && rules_.own(address)) return "address: the organisation's own";
  return {};
}

bool Selection::takes(const Finding& f, score::Judgement said, bool judged) {
  const auto no = [this](string_view reason) {
    leave_out(reason);
    return false;
  };
  const bool confirmed = judged && said == score::Judgement::kTrue;
  if (judged && !confirmed) return no("finding: called false or benign");
  if (!confirmed && !rules_.all) return no("finding: not confirmed by a verdict");
  if (!confirmed && !f.suppressed_by.id.empty()) return no("finding: covered by a suppression");
  if (f.kind == FindingKind::kExposure || f.kind == FindingKind::kDevice)
    return no("finding: about a device of the organisation");
  if (f.kind == FindingKind::kIntel) return no("finding: known from a feed of somebody else");
  if (probability(f.score) < rules_.least) return no("finding: below the least probability");
  if (std::max(f.time, f.end) < rules_.since) return no("finding: older than asked for");
  return true;
}

void Selection::clean(std::vector<std::string>& attack) {
  std::erase_if(attack, [](const std::string& id) { return !is_technique(id); });
  unite(attack, {});
  if (attack.size() > kMostTechniques) attack.resize(kMostTechniques);
}

void Selection::add(const Finding& f, const score::Verdict* said) {
  const bool judged = said != nullptr || !f.verdict.says.empty();
  const score::Judgement judgement = said != nullptr            ? said->says
                                     : f.verdict.says == "true" ? score::Judgement::kTrue
                                                                : score::Judgement::kFalse;
  if (!takes(f, judgement, judged)) return;
  const auto sources = sources_of(f);
  if (sources.empty()) return leave_out("finding without a source address");
  if (f.source_count > f.sources.size() && f.source_count > 1)
    left_out_["address: not listed in its finding"] += f.source_count - sources.size();
  const auto gateway = core::Ip::parse(f.gateway);
  const auto device = core::Ip::parse(f.device);
  std::string network = f.network;
  if (!network.empty() && !is_plain_name(network)) {
    leave_out("network: name on no allowed pattern");
    network.clear();
  }
  bool gave = false;
  for (const score::SourceFacts* source : sources) {
    if (said != nullptr && !said->speaks_of(source->ip)) {
      leave_out("address: not among those that the verdict names");
      continue;
    }
    if ((gateway && *gateway == source->ip) || (device && *device == source->ip)) {
      leave_out("address: the organisation's own");
      continue;
    }
    Indicator i;
    i.address = source->ip;
    const Sighting sighting = seen(f, source->ip);
    i.first_seen = sighting.first;
    i.last_seen = sighting.last;
    i.sightings = {sighting};
    i.asn = source->asn;
    i.country = source->country;
    core::parse_network_type(source->network_type, i.network_type);
    i.confidence = probability(f.score);
    if (judged) i.confidence = std::max(i.confidence, kConfirmed);
    i.role = role_of(f.kind);
    i.network = network;
    for (const string_view id : techniques_of(f)) i.attack.emplace_back(id);
    const std::size_t before = indicators_.size();
    const Key key{i.address, 0};
    add(std::move(i));
    if (indicators_.size() == before && !indicators_.contains(key)) continue;
    gave = true;
    if (network.empty()) continue;
    Network n;
    n.id = network;
    n.first_seen = sighting.first;
    n.last_seen = sighting.last;
    n.confidence = probability(f.score);
    for (const string_view id : techniques_of(f)) n.attack.emplace_back(id);
    add(std::move(n));
  }
  findings_ += gave;
}

void Selection::add(Indicator i) {
  if (const string_view reason = objection(i.address); !reason.empty()) return leave_out(reason);
  if (i.network_type == core::NetworkType::kInternal) return leave_out("address: the organisation's own");
  if (i.country.size() != 2 || core::pack_country(i.country) == 0) i.country.clear();
  if (!i.network.empty() && !is_plain_name(i.network)) {
    leave_out("network: name on no allowed pattern");
    i.network.clear();
  }
  i.confidence = probability(i.confidence);
  i.last_seen = std::max(i.first_seen, i.last_seen);
  clean(i.attack);
  if (!unite(i.traits, {})) leave_out("trait: too many of one node");
  const Key key{i.address, i.port};
  const auto known = indicators_.find(key);
  if (known == indicators_.end()) {
    if (indicators_.size() >= kMostIndicators) return leave_out("address: too many");
    indicators_.emplace(key, std::move(i));
    return;
  }
  Indicator& k = known->second;
  k.first_seen = earlier(k.first_seen, i.first_seen);
  k.last_seen = std::max(k.last_seen, i.last_seen);
  // Where two disagree the choice only has to be the same in any order.
  k.asn = k.asn == 0 ? i.asn : i.asn == 0 ? k.asn : std::max(k.asn, i.asn);
  k.country = std::max(k.country, i.country);
  k.network_type = std::max(k.network_type, i.network_type);
  k.confidence = std::max(k.confidence, i.confidence);
  k.role = std::max(k.role, i.role);
  if (k.tracked == i.tracked) {
    k.network = std::max(k.network, i.network);
  } else if (i.tracked) {
    k.network = i.network;
  }
  k.tracked = k.tracked || i.tracked;
  unite(k.attack, i.attack);
  if (!unite(k.traits, i.traits)) leave_out("trait: too many of one node");
  for (const Sighting& s : i.sightings) {
    const auto same = std::ranges::find(k.sightings, s.sensor, &Sighting::sensor);
    if (same == k.sightings.end()) {
      k.sightings.push_back(s);
      continue;
    }
    same->count += s.count;
    same->first = earlier(same->first, s.first);
    same->last = std::max(same->last, s.last);
  }
  std::ranges::sort(k.sightings, {}, &Sighting::sensor);
}

void Selection::add(Network n) {
  if (!is_plain_name(n.id) || (!n.name.empty() && !is_plain_name(n.name)) ||
      (!n.profile.empty() && !is_plain_name(n.profile)))
    return leave_out("network: name on no allowed pattern");
  clean(n.attack);
  if (!unite(n.traits, {})) leave_out("trait: too many of one network");
  n.confidence = probability(n.confidence);
  n.last_seen = std::max(n.first_seen, n.last_seen);
  const auto known = networks_.find(n.id);
  if (known == networks_.end()) {
    if (networks_.size() >= kMostNetworks) return leave_out("network: too many");
    std::string id = n.id;
    networks_.emplace(std::move(id), std::move(n));
    return;
  }
  Network& k = known->second;
  k.first_seen = earlier(k.first_seen, n.first_seen);
  k.last_seen = std::max(k.last_seen, n.last_seen);
  k.name = std::max(k.name, n.name);
  k.profile = std::max(k.profile, n.profile);
  k.nodes = std::max(k.nodes, n.nodes);
  k.least = std::max(k.least, n.least);
  k.most = std::max(k.most, n.most);
  k.confidence = std::max(k.confidence, n.confidence);
  unite(k.attack, n.attack);
  if (!unite(k.traits, n.traits)) leave_out("trait: too many of one network");
}

bool Selection::has(const core::Ip& address) const {
  const auto node = indicators_.lower_bound(Key{address, 0});
  return node != indicators_.end() && node->first.first == address;
}

void Selection::add_trait(const core::Ip& address, TraitKind kind, string_view text) {
  const auto node = indicators_.lower_bound(Key{address, 0});
  if (node == indicators_.end() || node->first.first != address) return leave_out("trait: of no node that is shared");
  const auto trait = Trait::make(kind, text);
  if (!trait) return leave_out(fmt::format("trait: {} on no allowed pattern", name(kind)));
  if (!unite(node->second.traits, {*trait})) leave_out("trait: too many of one node");
}

Shared Selection::take() {
  Shared out;
  std::erase_if(indicators_, [this](const auto& entry) {
    const bool old = entry.second.last_seen < rules_.seen_since;
    if (old) leave_out("address: last seen too long ago");
    return old;
  });
  std::map<string_view, std::uint64_t> members;
  for (const auto& [key, i] : indicators_) ++members[i.network];
  for (auto& [id, n] : networks_) {
    if (n.nodes == 0) n.nodes = members[id];
    if (n.nodes == 0) {
      leave_out("network: none of its nodes is given");
      continue;
    }
    out.networks_.push_back(std::move(n));
  }
  for (auto& [key, i] : indicators_) {
    count_once(i.sightings);
    out.indicators_.push_back(std::move(i));
  }
  networks_.clear();
  indicators_.clear();
  return out;
}

}  // namespace orbwatch::exporting::sharing
