#include "intel/profiles/profile_matcher.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/text.h"
#include "intel/profiles/profile_set.h"
#include "intel/soho.h"

namespace orbwatch::intel::profiles {
namespace {

constexpr double kOtherBanner = 1.5;     // another service answers on the port of an implant
constexpr double kOtherMakers = 0.7;     // nodes are known, none is of a maker that is reported
constexpr double kOtherNetworks = 1.0;   // nearly no node is in a network of the reported types
constexpr double kOtherHours = 1.0;      // active mostly outside of the reported hours
constexpr double kFewestTypedNodes = 3;  // below, nothing is said against by network types

// Services that stand open everywhere: a port of these tells nothing of a network.
constexpr std::array<std::uint16_t, 33> kOrdinaryPorts = {
    20,  21,  22,  25,  53,  67,  68,  80,  88,   110,  123,  135,  139,  143,  161,  389, 443,
    445, 465, 500, 587, 636, 853, 993, 995, 1194, 1433, 3306, 3389, 4500, 5060, 5432, 8080};

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// `needle` stands in `text` and is not part of a longer word; case ignored.
bool contains_word(std::string_view text, std::string_view needle) {
  const std::string hay = core::lower(text);
  const std::string word = core::lower(core::trim(needle));
  if (word.empty()) return false;
  for (std::size_t at = hay.find(word); at != hay.npos; at = hay.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool free_before = at == 0 || !is_alnum(word.front()) || !is_alnum(hay[at - 1]);
    const bool free_behind = end == hay.size() || !is_alnum(word.back()) || !is_alnum(hay[end]);
    if (free_before && free_behind) return true;
  }
  return false;
}

bool same_text(std::string_view seen, std::string_view wanted, TextMatch how) {
  seen = core::trim(seen);
  wanted = core::trim(wanted);
  if (how == TextMatch::kPrefix) seen = seen.substr(0, wanted.size());
  return core::equals_ignore_case(seen, wanted);
}

// Words in lower case with single blanks, one at both ends: "KV-Botnet (2024)" is " kv botnet 2024 ".
std::string spaced(std::string_view text) {
  std::string out = " ";
  for (const char c : core::lower(text)) {
    if (is_alnum(c)) {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

std::string joined(std::string_view text) {
  std::string out = spaced(text);
  std::erase(out, ' ');
  return out;
}

bool label_names(std::string_view label, std::string_view name) {
  const std::string words = spaced(label);
  const std::string wanted = joined(name);
  if (wanted.size() < 3) return false;
  return words.find(spaced(name)) != words.npos || words.find(" " + wanted + " ") != words.npos ||
         joined(label) == wanted;
}

double capped(double worth, const std::optional<Weight>& weight) {
  if (weight == Weight::kWeak) return std::min(worth, kWeakCap);
  if (weight == Weight::kMedium) return std::min(worth, kMediumCap);
  return worth;
}

Weight strength_of(double llr) {
  const double size = std::abs(llr);
  return size >= kStrongFrom ? Weight::kStrong : size >= kMediumFrom ? Weight::kMedium : Weight::kWeak;
}

double port_worth(const Port& port) {
  const double width = port.last - port.first + 1;
  double worth = std::min(kRarePortWorth, std::log(65535 / width));
  if (port.first == port.last) {
    if (std::find(kOrdinaryPorts.begin(), kOrdinaryPorts.end(), port.first) != kOrdinaryPorts.end()) worth = 0;
    if (const SohoPort* soho = soho_port(port.first, port.protocol)) {
      if (soho->weight == SohoWeight::kWeak) worth = std::min(worth, 0.3);
      // A row that names a covert network is not a reason to doubt.
      if (soho->weight == SohoWeight::kMedium && soho->network.empty()) worth = std::min(worth, 1.5);
    }
  }
  return capped(worth, port.weight);
}

std::string port_text(const Port& port) {
  const std::string_view protocol = port.protocol == 17 ? "UDP " : "";
  if (port.first != port.last) return fmt::format("a port of {}{} to {}", protocol, port.first, port.last);
  return fmt::format("{}port {}", protocol, port.first);
}

std::string number_text(double value) { return fmt::format("{:g}", value); }

// One trait of a profile, ready to be compared.
struct Check {
  TraitKind kind = TraitKind::kService;
  std::string key;   // equal for traits that are the same in several profiles
  double worth = 0;  // before the discount for sharing
  const Port* port = nullptr;
  double port_alone = 0;  // of a banner with a port: what the port is worth without it
  const Banner* banner = nullptr;
  const Certificate* certificate = nullptr;
  const Fingerprint* fingerprint = nullptr;
  const Client* client = nullptr;
  const Device* device = nullptr;
  const Cadence* cadence = nullptr;
  const Target* target = nullptr;
  const std::string* service = nullptr;
  const Provider* provider = nullptr;
  const User* user = nullptr;
  std::vector<std::uint16_t> sources;
  double sharers = 1;  // profiles that have it
};

double shared_worth(double worth, double sharers) { return std::max(0.0, worth - std::log(std::max(1.0, sharers))); }

template <typename List>
std::vector<std::uint16_t> all_sources(const List& list) {
  std::vector<std::uint16_t> out;
  for (const auto& item : list) out.insert(out.end(), item.sources.begin(), item.sources.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string port_key(const Port& port) { return fmt::format("port {} {} {}", port.protocol, port.first, port.last); }

void add_services(const Profile& profile, std::vector<Check>& out) {
  const auto with_banner = [&](const Port& port) {
    return std::any_of(profile.banners.begin(), profile.banners.end(), [&](const Banner& b) {
      return b.port != 0 && port.protocol == 6 && b.port == port.first && port.first == port.last;
    });
  };
  for (const Port& port : profile.ports) {
    if (with_banner(port)) continue;  // one trait with its banner
    Check c;
    c.key = port_key(port);
    c.worth = port_worth(port);
    c.port = &port;
    c.sources = port.sources;
    out.push_back(std::move(c));
  }
  for (const Banner& banner : profile.banners) {
    Check c;
    c.key = "banner " + core::lower(core::trim(banner.text));
    c.worth = capped(kBannerWorth, banner.weight);
    c.banner = &banner;
    c.sources = banner.sources;
    for (const Port& port : profile.ports) {
      if (banner.port == 0 || port.first != banner.port || port.last != banner.port || port.protocol != 6) continue;
      c.port = &port;
      c.port_alone = port_worth(port);
    }
    out.push_back(std::move(c));
  }
}

void add_certificates(const Profile& profile, std::vector<Check>& out) {
  for (const Certificate& certificate : profile.certificates) {
    Check c;
    c.kind = TraitKind::kCertificate;
    c.key = fmt::format("certificate {}|{}|{}", core::lower(certificate.issuer), core::lower(certificate.subject),
                        certificate.sha256);
    c.worth = capped(certificate.sha256.empty() ? kCertificateTextWorth : kHashWorth, certificate.weight);
    c.certificate = &certificate;
    c.sources = certificate.sources;
    out.push_back(std::move(c));
  }
}

void add_fingerprints_and_clients(const Profile& profile, std::vector<Check>& out) {
  for (const Fingerprint& fingerprint : profile.fingerprints) {
    Check c;
    c.kind = TraitKind::kFingerprint;
    c.key = fmt::format("fingerprint {} {}", name(fingerprint.kind), core::lower(fingerprint.value));
    c.worth = capped(kFingerprintWorth, fingerprint.weight);
    c.fingerprint = &fingerprint;
    c.sources = fingerprint.sources;
    out.push_back(std::move(c));
  }
  for (const Client& client : profile.clients) {
    Check c;
    c.kind = TraitKind::kClient;
    c.key = "client " + core::lower(core::trim(client.text));
    c.worth = capped(kClientWorth, client.weight);
    c.client = &client;
    c.sources = client.sources;
    out.push_back(std::move(c));
  }
}

void add_behaviour(const Profile& profile, std::vector<Check>& out) {
  for (const Device& device : profile.devices) {
    Check c;
    c.kind = TraitKind::kDevice;
    c.key = device.maker.empty() ? fmt::format("kind {}", name(device.kind)) : "maker " + core::lower(device.maker);
    c.worth = device.maker.empty() ? kDeviceKindWorth : kMakerWorth;
    c.device = &device;
    c.sources = device.sources;
    out.push_back(std::move(c));
  }
  for (const Cadence& cadence : profile.cadence) {
    Check c;
    c.kind = TraitKind::kCadence;
    c.key = fmt::format("cadence {} {} {}", cadence.attempts_per_account_and_day.value_or(0),
                        cadence.from_hour.value_or(-1), cadence.to_hour.value_or(-1));
    c.cadence = &cadence;
    c.sources = cadence.sources;
    out.push_back(std::move(c));
  }
  for (const Target& target : profile.targets) {
    if (!target.ports.empty()) {
      Check c;
      c.kind = TraitKind::kAskedPorts;
      c.key = fmt::format("asked {}", fmt::join(target.ports, ","));
      c.target = &target;
      c.sources = target.sources;
      out.push_back(std::move(c));
    }
    for (const std::string& service : target.services) {
      Check c;
      c.kind = TraitKind::kTargetService;
      c.key = "service" + spaced(service);
      c.worth = kServiceWorth;
      c.service = &service;
      c.sources = target.sources;
      out.push_back(std::move(c));
    }
  }
}

void add_places_and_labels(const Profile& profile, std::vector<Check>& out) {
  if (!profile.network_types.empty()) {
    Check c;
    c.kind = TraitKind::kNetworkType;
    c.key = "types";
    for (const auto& type : profile.network_types) c.key += fmt::format(" {}", core::name(type.type));
    c.worth = kNetworkTypeWorth;
    c.sources = all_sources(profile.network_types);
    out.push_back(std::move(c));
  }
  if (!profile.countries.empty()) {
    Check c;
    c.kind = TraitKind::kCountry;
    c.key = "countries";
    for (const Country& country : profile.countries) c.key += fmt::format(" {}", country.code);
    c.worth = kCountryWorth;
    c.sources = all_sources(profile.countries);
    out.push_back(std::move(c));
  }
  for (const Provider& provider : profile.providers) {
    Check c;
    c.kind = TraitKind::kProvider;
    c.key = fmt::format("AS{}", provider.asn);
    c.worth = kProviderWorth;
    c.provider = &provider;
    c.sources = provider.sources;
    out.push_back(std::move(c));
  }
  Check label;  // of the network's own names
  label.kind = TraitKind::kLabel;
  label.key = "label " + joined(profile.name);
  label.worth = kLabelWorth;
  out.push_back(std::move(label));
  for (const User& user : profile.used_by) {
    Check c;
    c.kind = TraitKind::kLabel;
    c.key = "actor " + joined(user.actor);
    c.worth = kActorLabelWorth;
    c.user = &user;
    c.sources = user.sources;
    out.push_back(std::move(c));
  }
}

TraitResult result(const Check& check, TraitVerdict verdict, std::string says, double llr) {
  return {check.kind, verdict, std::move(says), llr, strength_of(llr), check.sources, {}};
}
TraitResult matched(const Check& check, std::string says, double worth) {
  return result(check, TraitVerdict::kMatched, std::move(says), shared_worth(worth, check.sharers));
}
TraitResult against(const Check& check, std::string says, double size) {
  return result(check, TraitVerdict::kContradicted, std::move(says), -std::min(size, kMostAgainst));
}
// Nothing found: `observed` says whether it could have been.
TraitResult missing(const Check& check, std::string says, bool observed) {
  return result(check, observed ? TraitVerdict::kNotFound : TraitVerdict::kNotSeen, std::move(says), 0);
}

TraitResult judge_port(const Check& c, const NetworkTraits& seen) {
  for (const ObservedPort& p : seen.ports) {
    if (p.protocol != c.port->protocol || p.port < c.port->first || p.port > c.port->last) continue;
    std::string says =
        c.port->first == c.port->last ? port_text(*c.port) : fmt::format("port {} ({})", p.port, c.port->meaning);
    return matched(c, std::move(says), c.worth);
  }
  return missing(c, port_text(*c.port), !seen.ports.empty());
}

TraitResult judge_banner(const Check& c, const NetworkTraits& seen) {
  const Banner& b = *c.banner;
  const std::string banner_text = fmt::format("banner '{}'", b.text);
  const std::string pair = c.port != nullptr ? fmt::format("{} with {}", port_text(*c.port), banner_text) : banner_text;
  bool open = false;
  const std::string* other = nullptr;
  bool elsewhere = false;
  for (const ObservedPort& p : seen.ports) {
    const bool here = c.port != nullptr && p.protocol == 6 && p.port == b.port;
    if (!p.banner.empty() && same_text(p.banner, b.text, b.match)) {
      if (here) return matched(c, pair, c.worth);
      elsewhere = true;
    } else if (here) {
      open = true;
      if (!p.banner.empty()) other = &p.banner;
    }
  }
  for (const std::string& text : seen.banners) elsewhere |= same_text(text, b.text, b.match);
  if (elsewhere) return matched(c, banner_text, c.worth);
  if (other != nullptr) {
    return against(c, fmt::format("{} answers '{}', not '{}'", port_text(*c.port), core::printable(*other, 60), b.text),
                   kOtherBanner);
  }
  if (open) return matched(c, fmt::format("{}, its banner not seen", port_text(*c.port)), c.port_alone);
  return missing(c, pair, !seen.ports.empty() || !seen.banners.empty());
}

std::string certificate_text(const Certificate& c) {
  const std::string_view what = c.self_signed.value_or(false) ? "self-signed certificate" : "certificate";
  if (!c.sha256.empty()) return fmt::format("{} {}...", what, c.sha256.substr(0, 12));
  if (!c.issuer.empty()) return fmt::format("{} of issuer '{}'", what, c.issuer);
  return fmt::format("{} of subject '{}'", what, c.subject);
}

TraitResult judge_certificate(const Check& c, const NetworkTraits& seen) {
  const Certificate& wanted = *c.certificate;
  std::string says = certificate_text(wanted);
  bool other = false;
  for (std::size_t i = 0; i < seen.certificates.size(); ++i) {
    const ObservedCertificate& s = seen.certificates[i];
    if (!wanted.sha256.empty() && !core::equals_ignore_case(s.sha256, wanted.sha256)) continue;
    if (!wanted.issuer.empty() && !contains_word(s.issuer, wanted.issuer)) continue;
    if (!wanted.subject.empty() && !contains_word(s.subject, wanted.subject)) continue;
    const bool signing = wanted.self_signed && s.self_signed && *wanted.self_signed != *s.self_signed;
    const bool validity = wanted.valid_days && s.valid_days && std::abs(*wanted.valid_days - *s.valid_days) > 1;
    if (!signing && !validity) {
      TraitResult out = matched(c, std::move(says), c.worth);
      out.certificate = i;
      return out;
    }
    other = true;
  }
  if (other) return against(c, says + ", but signed or valid otherwise", kMostAgainst);
  return missing(c, std::move(says), !seen.certificates.empty());
}

TraitResult judge_fingerprint(const Check& c, const NetworkTraits& seen) {
  std::string says = fmt::format("{} {}", name(c.fingerprint->kind), c.fingerprint->value);
  bool observed = false;
  for (const ObservedFingerprint& s : seen.fingerprints) {
    if (s.kind != c.fingerprint->kind) continue;
    observed = true;
    if (core::equals_ignore_case(core::trim(s.value), c.fingerprint->value))
      return matched(c, std::move(says), c.worth);
  }
  return missing(c, std::move(says), observed);
}

TraitResult judge_client(const Check& c, const NetworkTraits& seen) {
  std::string says = fmt::format("client '{}'", c.client->text);
  for (const std::string& text : seen.clients) {
    if (same_text(text, c.client->text, c.client->match)) return matched(c, std::move(says), c.worth);
  }
  return missing(c, std::move(says), !seen.clients.empty());
}

TraitResult judge_device(const Check& c, const NetworkTraits& seen) {
  const Device& d = *c.device;
  std::string says = d.maker.empty() ? std::string(plural(d.kind)) : fmt::format("{} {}", d.maker, plural(d.kind));
  const std::string_view wanted = d.maker.empty() ? name(d.kind) : std::string_view(d.maker);
  for (const std::string& text : seen.devices) {
    if (contains_word(text, wanted)) return matched(c, std::move(says), c.worth);
  }
  return missing(c, std::move(says), !seen.devices.empty());
}

// Of an hour-of-day histogram: the part that lies in from..to, which may run over midnight. Negative if it is empty.
double part_inside(const std::array<double, 24>& hours, int from, int to) {
  double all = 0, inside = 0;
  for (int h = 0; h < 24; ++h) {
    const double value = hours[static_cast<std::size_t>(h)];
    if (!(value > 0) || !std::isfinite(value)) continue;
    all += value;
    if (from < to ? h >= from && h < to : h >= from || h < to) inside += value;
  }
  return all > 0 ? inside / all : -1;
}

TraitResult judge_hours(const Check& c, const NetworkTraits& seen) {
  const int from = *c.cadence->from_hour, to = *c.cadence->to_hour;
  std::string says = fmt::format("active from {:02} to {:02} h UTC", from, to);
  const double inside = seen.activity_by_hour ? part_inside(*seen.activity_by_hour, from, to) : -1;
  if (inside < 0) return missing(c, std::move(says), false);
  const double width = ((to - from + 24) % 24) / 24.0;
  const double share = c.cadence->share.value_or(0.8);
  if (inside >= 0.8) return matched(c, std::move(says), std::max(0.0, std::log(share / width)));
  if (inside < width) return against(c, fmt::format("not {}", says), kOtherHours);
  return missing(c, std::move(says), true);
}

TraitResult judge_cadence(const Check& c, const NetworkTraits& seen) {
  if (!c.cadence->attempts_per_account_and_day) return judge_hours(c, seen);
  const double wanted = *c.cadence->attempts_per_account_and_day;
  const auto text = [](double n) {
    return fmt::format("{} {} per account and day", number_text(n), n == 1 ? "attempt" : "attempts");
  };
  const double observed = seen.attempts_per_account_and_day.value_or(0);
  if (!(observed > 0) || !std::isfinite(observed)) return missing(c, text(wanted), false);
  // A report's round number.
  const double share = c.cadence->share.value_or(0.5);
  if (std::abs(observed - wanted) <= wanted / 4) {
    return matched(c, text(wanted), std::max(0.0, std::log(share / kUsualCadenceShare)));
  }
  const double size = -std::log(std::max(1 - share, 0.01) / (1 - kUsualCadenceShare));
  return against(c, fmt::format("{}, not {}", text(std::round(observed * 10) / 10), number_text(wanted)),
                 std::max(0.0, size));
}

TraitResult judge_asked_ports(const Check& c, const NetworkTraits& seen) {
  const auto& wanted = c.target->ports;
  std::string says = fmt::format("asks for the ports {}", fmt::join(wanted, ", "));
  absl::flat_hash_set<std::uint16_t> asked(seen.asked_ports.begin(), seen.asked_ports.end());
  if (asked.empty()) return missing(c, std::move(says), false);
  double common = 0;
  for (const std::uint16_t port : wanted) common += asked.contains(port) ? 1 : 0;
  const double covered = common / static_cast<double>(wanted.size());
  const double precise = common / static_cast<double>(asked.size());
  if (covered < 0.5) return missing(c, std::move(says), true);
  return matched(c, common == static_cast<double>(wanted.size()) ? says : fmt::format("{} of: {}", common, says),
                 kAskedPortsWorth * covered * covered * precise);
}

TraitResult judge_target_service(const Check& c, const NetworkTraits& seen) {
  std::string says = fmt::format("log-ins at {}", *c.service);
  for (const std::string& service : seen.services) {
    if (joined(service) == joined(*c.service)) return matched(c, std::move(says), c.worth);
  }
  return missing(c, std::move(says), !seen.services.empty());
}

TraitResult judge_network_types(const Check& c, const Profile& profile, const NetworkTraits& seen) {
  std::string says = "nodes in";
  for (std::size_t i = 0; i < profile.network_types.size(); ++i) {
    says += fmt::format("{} {}", i == 0 ? "" : " or", core::label(profile.network_types[i].type));
  }
  double all = 0, inside = 0;
  for (const ObservedNetworkType& t : seen.network_types) {
    if (t.type == core::NetworkType::kUnknown || !(t.nodes > 0) || !std::isfinite(t.nodes)) continue;
    all += t.nodes;
    const auto same = [&](const NetworkTypeTrait& p) { return p.type == t.type; };
    if (std::any_of(profile.network_types.begin(), profile.network_types.end(), same)) inside += t.nodes;
  }
  if (all <= 0) return missing(c, std::move(says), false);
  if (inside >= all / 2) return matched(c, std::move(says), c.worth);
  if (all >= kFewestTypedNodes && inside < all / 10) return against(c, "hardly any " + says, kOtherNetworks);
  return missing(c, std::move(says), true);
}

TraitResult judge_countries(const Check& c, const Profile& profile, const NetworkTraits& seen) {
  std::string says = "nodes in";
  for (std::size_t i = 0; i < profile.countries.size(); ++i) {
    says += fmt::format("{} {}", i == 0 ? "" : ",", core::unpack_country(profile.countries[i].code).view());
  }
  std::size_t inside = 0;
  for (const std::uint16_t code : seen.countries) {
    const auto same = [&](const Country& p) { return p.code == code; };
    inside += std::any_of(profile.countries.begin(), profile.countries.end(), same) ? 1 : 0;
  }
  if (!seen.countries.empty() && inside * 2 >= seen.countries.size()) return matched(c, std::move(says), c.worth);
  return missing(c, std::move(says), !seen.countries.empty());
}

TraitResult judge_provider(const Check& c, const NetworkTraits& seen) {
  std::string says = fmt::format("nodes of AS{} {}", c.provider->asn, c.provider->title);
  const auto& all = seen.as_numbers;
  if (std::find(all.begin(), all.end(), c.provider->asn) != all.end()) return matched(c, std::move(says), c.worth);
  return missing(c, std::move(says), !all.empty());
}

TraitResult judge_label(const Check& c, const Profile& profile, const NetworkTraits& seen) {
  std::vector<std::string_view> names;
  if (c.user != nullptr) {
    names.push_back(c.user->actor);
    names.insert(names.end(), c.user->aliases.begin(), c.user->aliases.end());
  } else {
    names.push_back(profile.name);
    names.insert(names.end(), profile.aliases.begin(), profile.aliases.end());
    for (const CatalogueEntry& entry : profile.catalogues) names.push_back(entry.title);
  }
  for (const std::string& label : seen.labels) {
    for (const std::string_view name : names) {
      if (!label_names(label, name)) continue;
      std::string says = c.user != nullptr ? fmt::format("a list names {}, who uses it", c.user->actor)
                                           : fmt::format("a list names it: '{}'", core::printable(label, 80));
      return matched(c, std::move(says), c.worth);
    }
  }
  return missing(c, c.user != nullptr ? c.user->actor : profile.name, !seen.labels.empty());
}

TraitResult judge(const Check& c, const Profile& profile, const NetworkTraits& seen) {
  switch (c.kind) {
    case TraitKind::kService: return c.banner != nullptr ? judge_banner(c, seen) : judge_port(c, seen);
    case TraitKind::kCertificate: return judge_certificate(c, seen);
    case TraitKind::kFingerprint: return judge_fingerprint(c, seen);
    case TraitKind::kClient: return judge_client(c, seen);
    case TraitKind::kDevice: return judge_device(c, seen);
    case TraitKind::kCadence: return judge_cadence(c, seen);
    case TraitKind::kAskedPorts: return judge_asked_ports(c, seen);
    case TraitKind::kTargetService: return judge_target_service(c, seen);
    case TraitKind::kNetworkType: return judge_network_types(c, profile, seen);
    case TraitKind::kCountry: return judge_countries(c, profile, seen);
    case TraitKind::kProvider: return judge_provider(c, seen);
    case TraitKind::kLabel: return judge_label(c, profile, seen);
  }
  return missing(c, {}, false);
}

// Nodes are known and none is of a maker that is reported: one contradiction for all of them.
void add_other_makers(const Profile& profile, std::vector<TraitResult>& traits) {
  bool observed = false;
  for (const TraitResult& t : traits) {
    if (t.kind != TraitKind::kDevice) continue;
    if (t.verdict == TraitVerdict::kMatched) return;
    observed |= t.verdict == TraitVerdict::kNotFound;
  }
  const auto named = [](const Device& d) { return !d.maker.empty(); };
  if (!observed || !std::all_of(profile.devices.begin(), profile.devices.end(), named)) return;
  TraitResult out;
  out.kind = TraitKind::kDevice;
  out.verdict = TraitVerdict::kContradicted;
  out.says = "no device of a maker that is reported";
  out.llr = -kOtherMakers;
  out.strength = strength_of(out.llr);
  out.sources = all_sources(profile.devices);
  traits.push_back(std::move(out));
}

std::string_view kinds_text(TraitKind kind) {
  switch (kind) {
    case TraitKind::kService: return "ports and banners";
    case TraitKind::kCertificate: return "certificates";
    case TraitKind::kFingerprint: return "fingerprints";
    case TraitKind::kClient: return "client texts";
    case TraitKind::kDevice: return "devices";
    case TraitKind::kCadence: return "cadence";
    case TraitKind::kAskedPorts: return "ports asked for";
    case TraitKind::kTargetService: return "services tried";
    case TraitKind::kNetworkType: return "kinds of network";
    case TraitKind::kCountry: return "countries";
    case TraitKind::kProvider: return "providers";
    case TraitKind::kLabel: return "lists";
  }
  return "?";
}

std::string sentence(const ProfileMatch& match) {
  std::size_t traits = 0, found = 0;
  std::string lists, with, contra, unseen;
  absl::flat_hash_set<TraitKind> unseen_kinds;
  for (const TraitResult& t : match.traits) {
    const bool label = t.kind == TraitKind::kLabel;
    const bool extra = t.kind == TraitKind::kDevice && t.verdict == TraitVerdict::kContradicted;
    if (!label && !extra) ++traits;
    const std::string item = fmt::format("{} ({})", t.says, name(t.strength));
    if (t.verdict == TraitVerdict::kMatched) {
      if (!label) ++found;
      std::string& list = label ? lists : with;
      list += (list.empty() ? "" : ", ") + item;
    } else if (t.verdict == TraitVerdict::kContradicted) {
      contra += (contra.empty() ? "" : ", ") + item;
    } else if (t.verdict == TraitVerdict::kNotSeen && !label && unseen_kinds.insert(t.kind).second) {
      unseen += (unseen.empty() ? "" : ", ") + std::string(kinds_text(t.kind));
    }
  }
  std::string out = fmt::format("{} of {} traits of {}", found, traits, match.profile->name);
  if (!lists.empty()) with += (with.empty() ? "" : ", ") + lists;
  if (!with.empty()) out += ": " + with;
  out += '.';
  if (!contra.empty()) out += " Against it: " + contra + '.';
  if (!unseen.empty()) out += " Could not be seen: " + unseen + '.';
  return out;
}

// The k-th best of a kind counts 1/2^k, a certificate once.
double score_of(const std::vector<TraitResult>& traits) {
  double score = 0;
  absl::flat_hash_set<std::size_t> counted;  // certificates
  std::array<double, static_cast<std::size_t>(TraitKind::kLabel) + 1> factor{};
  factor.fill(1);
  for (const TraitResult& t : traits) {  // the strongest first
    if (t.verdict == TraitVerdict::kMatched) {
      if (t.certificate && !counted.insert(*t.certificate).second) continue;
      double& f = factor[static_cast<std::size_t>(t.kind)];
      score += t.llr * f;
      f /= 2;
    } else if (t.verdict == TraitVerdict::kContradicted) {
      score += t.llr;
    }
  }
  return score;
}

}  // namespace

std::string_view name(TraitKind kind) {
  switch (kind) {
    case TraitKind::kService: return "service";
    case TraitKind::kCertificate: return "certificate";
    case TraitKind::kFingerprint: return "fingerprint";
    case TraitKind::kClient: return "client";
    case TraitKind::kDevice: return "device";
    case TraitKind::kCadence: return "cadence";
    case TraitKind::kAskedPorts: return "asked_ports";
    case TraitKind::kTargetService: return "target_service";
    case TraitKind::kNetworkType: return "network_type";
    case TraitKind::kCountry: return "country";
    case TraitKind::kProvider: return "provider";
    case TraitKind::kLabel: return "label";
  }
  return "?";
}

std::string_view name(TraitVerdict verdict) {
  switch (verdict) {
    case TraitVerdict::kMatched: return "matched";
    case TraitVerdict::kContradicted: return "contradicted";
    case TraitVerdict::kNotFound: return "not_found";
    case TraitVerdict::kNotSeen: return "not_seen";
  }
  return "?";
}

struct ProfileMatcher::Index {
  struct Entry {
    const Profile* profile = nullptr;
    std::vector<Check> checks;
  };
  std::vector<Entry> entries;
};

ProfileMatcher::ProfileMatcher(std::span<const Profile> profiles) {
  auto index = std::make_unique<Index>();
  absl::flat_hash_map<std::string, double> sharers;
  for (const Profile& profile : profiles) {
    Index::Entry entry;
    entry.profile = &profile;
    add_services(profile, entry.checks);
    add_certificates(profile, entry.checks);
    add_fingerprints_and_clients(profile, entry.checks);
    add_behaviour(profile, entry.checks);
    add_places_and_labels(profile, entry.checks);
    absl::flat_hash_set<std::string> once;
    for (const Check& c : entry.checks) {
      if (once.insert(c.key).second) ++sharers[c.key];
    }
    index->entries.push_back(std::move(entry));
  }
  for (Index::Entry& entry : index->entries) {
    for (Check& c : entry.checks) c.sharers = sharers[c.key];
  }
  index_ = std::move(index);
}

ProfileMatcher::~ProfileMatcher() = default;
ProfileMatcher::ProfileMatcher(ProfileMatcher&&) noexcept = default;
ProfileMatcher& ProfileMatcher::operator=(ProfileMatcher&&) noexcept = default;

std::vector<ProfileMatch> ProfileMatcher::match(const NetworkTraits& traits) const {
  std::vector<ProfileMatch> out;
  for (const Index::Entry& entry : index_->entries) {
    ProfileMatch m;
    m.profile = entry.profile;
    for (const Check& c : entry.checks) m.traits.push_back(judge(c, *entry.profile, traits));
    add_other_makers(*entry.profile, m.traits);
    std::stable_sort(m.traits.begin(), m.traits.end(), [](const TraitResult& a, const TraitResult& b) {
      if (a.verdict != b.verdict) return a.verdict < b.verdict;
      return std::abs(a.llr) > std::abs(b.llr);
    });
    bool telling = false;
    for (const TraitResult& t : m.traits) {
      m.matched += t.verdict == TraitVerdict::kMatched ? 1 : 0;
      m.contradicted += t.verdict == TraitVerdict::kContradicted ? 1 : 0;
      telling |= t.verdict == TraitVerdict::kMatched && t.strength != Weight::kWeak;
    }
    m.score = score_of(m.traits);
    if (!telling || m.score < kLeastScore) continue;
    m.says = sentence(m);
    out.push_back(std::move(m));
  }
  std::sort(out.begin(), out.end(), [](const ProfileMatch& a, const ProfileMatch& b) {
    return a.score != b.score ? a.score > b.score : a.profile->name < b.profile->name;
  });
  return out;
}

std::vector<ProfileMatch> match(const NetworkTraits& traits) {
  static const ProfileMatcher matcher(embedded_profiles().profiles);
  return matcher.match(traits);
}

}  // namespace orbwatch::intel::profiles
