// STIX 2.1 bundle (OASIS standard, 10 June 2021), one object a line.
//
//   identity            the sender, if he gives his name
//   marking-definition  TLP 2.0 (extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d); marks every object
//   infrastructure      a network: consists-of the addresses of its nodes and their certificates; its controllers are
//   an
//                       infrastructure of their own, which it uses and communicates-with
//   indicator           an address, or a trait of a network; indicates the network and the attack patterns
//   observables         ipv4-addr, ipv6-addr (belongs-to autonomous-system), network-traffic where a port is known,
//                       x509-certificate
//   observed-data       over the observables of an indicator; sighting: of an indicator, for each kind of sensor
//   attack-pattern      with its number in ATT&CK
//
// Ids of observables are those of 2.9 of the standard: UUIDs of version 5 over their contributing properties in
// canonical JSON (RFC 8785).
//
// Versions (3.6). `created` is when the thing was first seen, or what the earlier file has; `modified` is the time of
// the export that changed the object: an object that is as it was keeps it. An indicator that the earlier file has,
// that is still valid and is not given any more is revoked, if the export is whole.
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "core/text.h"
#include "export/digest.h"
#include "export/finding_words.h"
#include "export/json_text.h"
#include "export/sharing/writers.h"

namespace orbwatch::exporting::sharing {
namespace {

using core::Nanoseconds;
using std::string_view;

constexpr string_view kObservables = "00abedb4-aa42-466c-9c01-fed23315a9b7";  // STIX 2.1, 2.9
constexpr std::size_t kLongestValue = 4096;
// A line's address passes to somebody else; relays of such networks live for weeks.
constexpr Nanoseconds kIndicatorLife = 30 * core::kDay;
// `created` of what is the same in every bundle.
constexpr Nanoseconds kLongAgo = 1'735'689'600 * core::kSecond;  // 2025-01-01
constexpr std::uint64_t kMostNumber = 999'999'999;               // of number_observed and count
constexpr string_view kHead = "{\"type\":\"";
constexpr string_view kPatternHead4 = "[ipv4-addr:value = '", kPatternHead6 = "[ipv6-addr:value = '";

string_view marking_of(Tlp tlp) {
  switch (tlp) {
    case Tlp::kClear: return "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
    case Tlp::kGreen: return "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    case Tlp::kAmber: return "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    case Tlp::kAmberStrict: return "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
    case Tlp::kRed: return "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
  }
  return {};
}

std::string observable_id(string_view type, string_view canonical_json) {
  return fmt::format("{}--{}", type, uuid5(kObservables, canonical_json));
}

string_view type_of(const core::Ip& address) { return address.is_v4() ? "ipv4-addr" : "ipv6-addr"; }
std::string address_id(const core::Ip& address) {
  return observable_id(type_of(address), fmt::format("{{\"value\":\"{}\"}}", address.text()));
}
std::string pattern_of(const Indicator& i) {
  if (i.port == 0) return fmt::format("[{}:value = '{}']", type_of(i.address), i.address.text());
  return fmt::format(
      "[network-traffic:dst_ref.type = '{}' AND network-traffic:dst_ref.value = '{}' AND network-traffic:"
      "dst_port = {}]",
      type_of(i.address), i.address.text(), i.port);
}

// The specification has no object for fingerprints of handshakes; these names are what other producers write.
std::optional<std::string> pattern_of(const Trait& trait) {
  string_view name;
  switch (trait.kind()) {
    case TraitKind::kCertificateSha1: return fmt::format("[x509-certificate:hashes.'SHA-1' = '{}']", trait.text());
    case TraitKind::kCertificateSha256: return fmt::format("[x509-certificate:hashes.'SHA-256' = '{}']", trait.text());
    case TraitKind::kJarm: name = "x_jarm"; break;
    case TraitKind::kJa3: name = "x_ja3"; break;
    case TraitKind::kJa3s: name = "x_ja3s"; break;
    case TraitKind::kJa4: name = "x_ja4"; break;
    case TraitKind::kJa4s: name = "x_ja4s"; break;
    case TraitKind::kHassh: name = "x_hassh"; break;
    case TraitKind::kHasshServer: name = "x_hassh_server"; break;
    case TraitKind::kClient:
      return fmt::format("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = '{}']",
                         trait.text());
    case TraitKind::kBanner: return std::nullopt;
  }
  return fmt::format("[network-traffic:{} = '{}']", name, trait.text());
}

// "2026-01-02T03:04:05.000Z" and nothing else.
std::optional<Nanoseconds> moment(std::optional<string_view> text) {
  if (!text || text->size() != 24) return std::nullopt;
  string_view rest = *text;
  const auto time = core::parse_iso8601(rest, core::TimeReader());
  if (!time || !rest.empty() || time_milliseconds(*time) != *text) return std::nullopt;
  return time;
}

bool is_certificate(const Trait& t) {
  return t.kind() == TraitKind::kCertificateSha1 || t.kind() == TraitKind::kCertificateSha256;
}

unsigned percent(double p) { return static_cast<unsigned>(std::lround(std::clamp(p, 0.0, 1.0) * 100)); }

class Bundle {
 public:
  Bundle(const Shared& shared, const WriteOptions& options) : shared_(shared), o_(options) { read_before(); }

  Written take() {
    marking();
    if (!o_.sender.empty()) identity();
    for (const Network& n : shared_.networks()) network(n);
    for (const Indicator& i : shared_.indicators()) indicator(i);
    if (o_.whole) revoke();
    std::string text = fmt::format("{}bundle\",\"id\":\"{}\",\"objects\":[", kHead, id("bundle", ""));
    std::size_t size = text.size();
    for (const std::string& line : lines_) size += line.size() + 2;
    text.reserve(size + 8);
    for (std::size_t i = 0; i < lines_.size(); ++i) text += (i == 0 ? "\n" : ",\n") + lines_[i];
    out_.text = text + "\n]}\n";
    return std::move(out_);
  }

 private:
  using Body = std::function<void(JsonText&)>;
  struct Earlier {
    Nanoseconds created = 0;
    Nanoseconds modified = 0;
    string_view line;
  };

  std::string id(string_view type, string_view name) const {
    return fmt::format("{}--{}", type, shared_uuid(type, o_, name));
  }

  // The objects of the earlier file that have versions. It is ours: one object a line, its head in our order. What
  // looks otherwise is passed over.
  void read_before() {
    string_view rest = o_.before;
    while (!rest.empty()) {
      string_view line = core::trim(core::take_until(rest, '\n'));
      if (line.ends_with(',')) line.remove_suffix(1);
      if (!line.starts_with(kHead)) continue;
      const auto object = core::between(line, "\"id\":\"", "\"");
      const auto created = moment(core::between(line, "\"created\":\"", "\""));
      const auto modified = moment(core::between(line, "\"modified\":\"", "\""));
      if (object && created && modified && *created <= *modified) before_[*object] = {*created, *modified, line};
    }
  }

  std::string make(string_view type, string_view object, Nanoseconds created, Nanoseconds modified, const Body& body) {
    JsonText json(kLongestValue);
    json.text("type", type);
    json.text("spec_version", "2.1");
    json.text("id", object);
    if (created != 0) {
      if (!o_.sender.empty() && type != "identity") json.text("created_by_ref", id("identity", ""));
      json.text("created", time_milliseconds(created));
      json.text("modified", time_milliseconds(modified));
    }
    body(json);
    json.texts("object_marking_refs", {marking_of(o_.tlp)});
    return json.take();
  }

  // An object with versions; `first`: when what it tells of began.
  void add(string_view type, const std::string& object, Nanoseconds first, const Body& body) {
    if (!made_.insert(object).second) return;
    Nanoseconds created = first == 0 ? o_.made : std::min(first, o_.made);
    created -= created % core::kMillisecond;
    Nanoseconds modified = std::max(o_.made - o_.made % core::kMillisecond, created);
    if (const auto known = before_.find(object); known != before_.end()) {
      created = known->second.created;
      std::string same = make(type, object, created, known->second.modified, body);
      if (same == known->second.line) {
        lines_.push_back(std::move(same));
        return;
      }
      modified = std::max(modified, known->second.modified + core::kMillisecond);
    }
    lines_.push_back(make(type, object, created, modified, body));
  }
  void add_observable(string_view type, const std::string& object, const Body& body) {
    if (made_.insert(object).second) lines_.push_back(make(type, object, 0, 0, body));
  }
  void relate(const std::string& from, string_view what, const std::string& to, Nanoseconds first) {
    add("relationship", id("relationship", fmt::format("{}|{}|{}", from, what, to)), first, [&](JsonText& json) {
      json.text("relationship_type", what);
      json.text("source_ref", from);
      json.text("target_ref", to);
    });
  }

  // As FIRST and OASIS fix it, to the last member.
  void marking() {
    const std::string tlp(name(o_.tlp));
    std::string upper;
    for (const char c : tlp) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    lines_.push_back(fmt::format(
        R"({}marking-definition","spec_version":"2.1","id":"{}","created":"2022-10-01T00:00:00.000Z","name":"TLP:{}","extensions":{{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{{"extension_type":"property-extension","tlp_2_0":"{}"}}}}}})",
        kHead, marking_of(o_.tlp), upper, tlp));
  }

  void identity() {
    add("identity", id("identity", ""), kLongAgo, [&](JsonText& json) {
      json.text("name", o_.sender);
      json.text("identity_class", "organization");
    });
  }

  std::string attack_pattern(string_view technique) {
    std::string object = id("attack-pattern", technique);
    add("attack-pattern", object, kLongAgo, [&](JsonText& json) {
      const string_view known = technique_name(technique);
      json.text("name", known.empty() ? technique : known);
      json.open_list("external_references");
      json.open();
      json.text("source_name", "mitre-attack");
      json.text("url", technique_url(technique));
      json.text("external_id", technique);
      json.close();
      json.close();
    });
    return object;
  }

  std::string certificate(const Trait& trait) {
    const string_view hash = trait.kind() == TraitKind::kCertificateSha1 ? "SHA-1" : "SHA-256";
    std::string object =
        observable_id("x509-certificate", fmt::format("{{\"hashes\":{{\"{}\":\"{}\"}}}}", hash, trait.text()));
    add_observable("x509-certificate", object, [&](JsonText& json) {
      json.open("hashes");
      json.text(hash, trait.text());
      json.close();
    });
    return object;
  }

  std::string network_id(string_view name) const { return id("infrastructure", name); }
  std::string controllers_id(string_view name) const {
    return id("infrastructure", fmt::format("controllers|{}", name));
  }

  void network(const Network& n) {
    const std::string object = network_id(n.id);
    add("infrastructure", object, n.first_seen, [&](JsonText& json) {
      json.text("name", n.name.empty() ? n.id : n.name);
      json.text("description", describe(n));
      json.texts("infrastructure_types", {"anonymization", "botnet"});
      if (!n.profile.empty()) json.texts("aliases", {n.profile});
      if (n.first_seen != 0) json.text("first_seen", time_milliseconds(n.first_seen));
      if (n.last_seen != 0) json.text("last_seen", time_milliseconds(n.last_seen));
    });
    names_[n.id] = n.name.empty() ? n.id : n.name;
    for (const Trait& trait : n.traits) {
      if (is_certificate(trait)) relate(object, "consists-of", certificate(trait), n.first_seen);
      const auto pattern = pattern_of(trait);
      if (!pattern) {
        ++out_.left_out["trait: banner of a network, which STIX has no pattern for"];
        continue;
      }
      const std::string sign = id("indicator", fmt::format("{}|{}|{}", n.id, name(trait.kind()), trait.text()));
      add("indicator", sign, n.first_seen, [&](JsonText& json) {
        json.text("name", fmt::format("{} of {}", name(trait.kind()), names_[n.id]));
        json.text("description", describe(n));
        json.texts("indicator_types", {"anonymization"});
        condition(json, *pattern, n.first_seen, n.last_seen, n.confidence);
      });
      ++out_.indicators;
      relate(sign, "indicates", object, n.first_seen);
      for (const std::string& technique : n.attack) relate(sign, "indicates", attack_pattern(technique), n.first_seen);
    }
  }

  void condition(JsonText& json, string_view pattern, Nanoseconds first, Nanoseconds last, double confidence) const {
    json.text("pattern", pattern);
    json.text("pattern_type", "stix");
    json.text("pattern_version", "2.1");
    json.text("valid_from", time_milliseconds(first == 0 ? o_.made : first));
    json.text("valid_until", time_milliseconds((last == 0 ? o_.made : last) + kIndicatorLife));
    json.number("confidence", std::to_string(percent(confidence)));
  }

  std::string port_text(const Indicator& i) const { return i.port == 0 ? "" : fmt::format(" port {}", i.port); }

  std::vector<std::string> observables(const Indicator& i, const std::string& address) {
    std::vector<std::string> refs = {address};
    add_observable(type_of(i.address), address, [&](JsonText& json) { json.text("value", i.address.text()); });
    if (i.asn != 0) {
      refs.push_back(observable_id("autonomous-system", fmt::format("{{\"number\":{}}}", i.asn)));
      add_observable("autonomous-system", refs.back(), [&](JsonText& json) { json.count("number", i.asn); });
      relate(address, "belongs-to", refs.back(), i.first_seen);
    }
    if (i.port != 0) {
      const string_view family = i.address.is_v4() ? "ipv4" : "ipv6";
      refs.push_back(observable_id(
          "network-traffic",
          fmt::format(R"({{"dst_port":{},"dst_ref":"{}","protocols":["{}","tcp"]}})", i.port, address, family)));
      add_observable("network-traffic", refs.back(), [&](JsonText& json) {
        json.text("dst_ref", address);
        json.count("dst_port", i.port);
        json.texts("protocols", {family, "tcp"});
      });
    }
    for (const Trait& trait : i.traits) {
      if (is_certificate(trait)) refs.push_back(certificate(trait));
    }
    return refs;
  }

  void indicator(const Indicator& i) {
    const std::string where = fmt::format("{}|{}", i.address.text(), i.port);
    const std::string address = address_id(i.address);
    const std::string object = id("indicator", where);
    const Nanoseconds first = i.first_seen == 0 ? o_.made : i.first_seen;
    const Nanoseconds last = std::max(first, i.last_seen);
    const std::vector<std::string> refs = observables(i, address);
    add("indicator", object, i.first_seen, [&](JsonText& json) {
      json.text("name", fmt::format("Covert network, {}: {}{}", words(i.role), i.address.text(), port_text(i)));
      json.text("description", describe(i));
      json.texts("indicator_types", {"anonymization"});
      condition(json, pattern_of(i), first, last, i.confidence);
      json.open_list("labels");
      json.item(name(i.role));
      if (i.network_type != core::NetworkType::kUnknown)
        json.item(fmt::format("network-type:{}", core::name(i.network_type)));
      if (!i.country.empty()) json.item("country:" + i.country);
      json.close();
    });
    ++out_.indicators;
    std::uint64_t count = 0;
    for (const Sighting& s : i.sightings) count += std::min(s.count, kMostNumber);
    const std::string observed = id("observed-data", where);
    add("observed-data", observed, i.first_seen, [&](JsonText& json) {
      json.text("first_observed", time_milliseconds(first));
      json.text("last_observed", time_milliseconds(last));
      json.count("number_observed", std::clamp<std::uint64_t>(count, 1, kMostNumber));
      json.texts("object_refs", {refs.begin(), refs.end()});
    });
    relate(object, "based-on", observed, i.first_seen);
    for (const std::string& technique : i.attack) relate(object, "indicates", attack_pattern(technique), i.first_seen);
    if (names_.contains(i.network)) belong(i, object, address, refs);
    for (const Sighting& s : i.sightings) sighting(s, where, object, observed);
  }

  void belong(const Indicator& i, const std::string& object, const std::string& address,
              const std::vector<std::string>& refs) {
    const std::string network = network_id(i.network);
    relate(object, "indicates", network, i.first_seen);
    if (i.role == Role::kController) {
      const std::string controllers = controllers_id(i.network);
      add("infrastructure", controllers, i.first_seen, [&](JsonText& json) {
        json.text("name", fmt::format("Controllers of {}", names_[i.network]));
        json.texts("infrastructure_types", {"command-and-control"});
      });
      relate(network, "uses", controllers, i.first_seen);
      relate(network, "communicates-with", address, i.first_seen);
      relate(controllers, "consists-of", address, i.first_seen);
      return;
    }
    relate(network, "consists-of", address, i.first_seen);
    for (const std::string& ref : refs) {
      if (ref.starts_with("x509-certificate")) relate(network, "consists-of", ref, i.first_seen);
    }
  }

  void sighting(const Sighting& s, const std::string& where, const std::string& object, const std::string& observed) {
    const string_view sensor = words(s.sensor);
    add("sighting", id("sighting", fmt::format("{}|{}", where, sensor)), s.first, [&](JsonText& json) {
      if (!sensor.empty()) json.text("description", fmt::format("Seen by: {}", sensor));
      if (s.first != 0) json.text("first_seen", time_milliseconds(s.first));
      if (s.last != 0) json.text("last_seen", time_milliseconds(std::max(s.first, s.last)));
      json.count("count", std::min(s.count, kMostNumber));
      json.text("sighting_of_ref", object);
      json.texts("observed_data_refs", {observed});
      if (!o_.sender.empty()) json.texts("where_sighted_refs", {id("identity", "")});
    });
  }

  // What is taken back keeps what tells a reader which one it was, and is made anew out of checked parts.
  void revoke() {
    std::vector<string_view> gone;
    for (const auto& [object, earlier] : before_) {
      if (object.starts_with("indicator--") && !made_.contains(std::string(object))) gone.push_back(object);
    }
    std::ranges::sort(gone);
    for (const string_view object : gone) {
      const Earlier& earlier = before_[object];
      const auto from = moment(core::between(earlier.line, "\"valid_from\":\"", "\""));
      const auto until = moment(core::between(earlier.line, "\"valid_until\":\"", "\""));
      const auto pattern = core::between(earlier.line, "\"pattern\":\"", "\"");
      if (!from || !until || !pattern || *until <= o_.made) continue;
      string_view value = *pattern;
      if (!core::skip_prefix(value, kPatternHead4) && !core::skip_prefix(value, kPatternHead6)) continue;
      const auto address = value.ends_with("']") ? core::Ip::parse(value.substr(0, value.size() - 2)) : std::nullopt;
      if (!address || object != id("indicator", address->text() + "|0")) continue;
      add("indicator", std::string(object), earlier.created, [&](JsonText& json) {
        json.flag("revoked", true);
        json.text("name", fmt::format("Taken back: {}", address->text()));
        json.texts("indicator_types", {"unknown"});
        json.text("pattern", fmt::format("[{}:value = '{}']", type_of(*address), address->text()));
        json.text("pattern_type", "stix");
        json.text("pattern_version", "2.1");
        json.text("valid_from", time_milliseconds(*from));
        json.text("valid_until", time_milliseconds(*until));
      });
      ++out_.revoked;
    }
  }

  const Shared& shared_;
  const WriteOptions& o_;
  absl::flat_hash_map<string_view, Earlier> before_;
  absl::flat_hash_set<std::string> made_;
  absl::flat_hash_map<std::string, std::string> names_;  // of networks, by id
  std::vector<std::string> lines_;
  Written out_;
};

}  // namespace

Written write_stix(const Shared& shared, const WriteOptions& options) { return Bundle(shared, options).take(); }

}  // namespace orbwatch::exporting::sharing
