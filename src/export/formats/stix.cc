// STIX 2.1 bundle (OASIS standard, 10 June 2021). In it: the identity that reports, the addresses, systems and accounts
// that were seen (observables), one observed-data over them, a note with the reasons, and for findings about a hostile
// source one indicator per address with a sighting, the attack patterns that it indicates and, if the finding is linked
// to one, the covert network as infrastructure.
//
// All ids are UUIDs of version 5: those of observables as 2.9 demands, over their contributing properties in canonical
// JSON (RFC 8785); those of the other objects in a name space of our own, so that the same finding gives the same
// bundle and a finding that has grown gives newer versions of the same objects.
//
// Everything is marked TLP:AMBER, since it names users and addresses of an organisation.
#include <fmt/format.h>

#include <algorithm>

#include "export/digest.h"
#include "export/finding_words.h"
#include "export/formats.h"
#include "export/json_text.h"

namespace orbwatch::exporting {
namespace {

using detect::FindingKind;
using score::Finding;
using score::SourceFacts;

constexpr std::string_view kObservables = "00abedb4-aa42-466c-9c01-fed23315a9b7";  // STIX 2.1, 2.9
constexpr std::string_view kOurs = "6f1d6b0e-52a3-4c5c-9f5e-0c7d2b1a9e44";
constexpr std::string_view kTlpAmber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
// Of objects that are the same in every bundle.
constexpr std::string_view kLongAgo = "2025-01-01T00:00:00.000Z";
// A line's address passes to somebody else; relays of such networks live for weeks.
constexpr core::Nanoseconds kIndicatorLife = 30 * core::kDay;

// A string as canonical JSON writes it.
std::string canonical(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string our_id(std::string_view type, std::string_view name) {
  return fmt::format("{}--{}", type, uuid5(kOurs, fmt::format("{}|{}", type, name)));
}
std::string observable_id(std::string_view type, std::string_view canonical_json) {
  return fmt::format("{}--{}", type, uuid5(kObservables, canonical_json));
}

bool is_hostile(FindingKind kind) { return kind != FindingKind::kExposure && kind != FindingKind::kDevice; }

class Bundle {
 public:
  Bundle(const Finding& finding, const RenderOptions& options)
      : f_(finding), json_(options.longest_value), longest_(options.longest_value) {
    organisation_ = bounded_utf8(options.organisation.empty() ? "orbwatch" : options.organisation, longest_);
    const core::Nanoseconds first = moment_of(f_, options.now);
    const core::Nanoseconds last = std::max(first, f_.end);
    until_ = time_milliseconds(last + kIndicatorLife);
    first_ = time_milliseconds(first);
    last_ = time_milliseconds(last);
    identity_ = our_id("identity", organisation_);
    seen_ = std::clamp<std::uint64_t>(f_.records.size(), 1, 999'999'999);
  }

  std::string take() {
    json_.text("type", "bundle");
    json_.text("id", our_id("bundle", f_.id));
    json_.open_list("objects");
    object("identity", identity_, kLongAgo, kLongAgo, false);
    json_.text("name", organisation_);
    json_.text("identity_class", "organization");
    json_.close();
    observables();
    observed();
    note();
    if (is_hostile(f_.kind) && !addresses_.empty()) indicators();
    json_.close();
    return json_.take();
  }

 private:
  struct Address {
    const SourceFacts* source;
    std::string id;
  };

  void object(std::string_view type, std::string_view id, std::string_view created, std::string_view modified,
              bool by_us = true) {
    json_.open();
    json_.text("type", type);
    json_.text("spec_version", "2.1");
    json_.text("id", id);
    if (!created.empty()) {
      if (by_us) json_.text("created_by_ref", identity_);
      json_.text("created", created);
      json_.text("modified", modified);
    }
    json_.texts("object_marking_refs", {kTlpAmber});
  }
  void mine(std::string_view type, std::string_view id) { object(type, id, first_, last_); }

  void relationship(std::string_view from, std::string_view what, std::string_view to) {
    mine("relationship", our_id("relationship", fmt::format("{}|{}|{}|{}", f_.id, from, what, to)));
    json_.text("relationship_type", what);
    json_.text("source_ref", from);
    json_.text("target_ref", to);
    json_.close();
  }

  void observables() {
    std::vector<std::uint32_t> systems;
    for (const SourceFacts* source : sources_of(f_)) {
      const std::string_view type = source->ip.is_v4() ? "ipv4-addr" : "ipv6-addr";
      const std::string value = source->ip.text();
      addresses_.push_back({source, observable_id(type, fmt::format("{{\"value\":{}}}", canonical(value)))});
      const std::string system = observable_id("autonomous-system", fmt::format("{{\"number\":{}}}", source->asn));
      object(type, addresses_.back().id, {}, {});
      json_.text("value", value);
      if (source->asn != 0) json_.texts("belongs_to_refs", {system});
      json_.close();
      refs_.push_back(addresses_.back().id);
      if (source->asn == 0 || std::ranges::find(systems, source->asn) != systems.end()) continue;
      systems.push_back(source->asn);
      object("autonomous-system", system, {}, {});
      json_.count("number", source->asn);
      json_.text("name", source->org);
      json_.close();
      refs_.push_back(system);
    }
    for (const std::string_view user : users_of(f_)) {
      const std::string name = bounded_utf8(user, longest_);
      refs_.push_back(observable_id("user-account", fmt::format("{{\"account_login\":{}}}", canonical(name))));
      object("user-account", refs_.back(), {}, {});
      json_.text("account_login", name);
      json_.close();
    }
  }

  void observed() {
    if (refs_.empty()) return;
    observed_ = our_id("observed-data", f_.id);
    mine("observed-data", observed_);
    json_.text("first_observed", first_);
    json_.text("last_observed", last_);
    json_.count("number_observed", seen_);
    json_.texts("object_refs", {refs_.begin(), refs_.end()});
    json_.close();
  }

  void note() {
    mine("note", our_id("note", f_.id));
    json_.text("abstract", title(f_));
    std::string content = summary(f_, longest_);
    for (const detect::Evidence& e : f_.evidence) {
      if (content.size() > longest_) break;
      content += fmt::format("\n{:+.1f} {}", e.llr, one_line(e.says.empty() ? e.kind : std::string_view(e.says), 512));
    }
    json_.text("content", content);
    json_.texts("object_refs", {observed_.empty() ? std::string_view(identity_) : std::string_view(observed_)});
    json_.close();
  }

  void indicators() {
    std::vector<std::string> indicated;
    for (const std::string_view id : techniques_of(f_)) {
      indicated.push_back(our_id("attack-pattern", id));
      object("attack-pattern", indicated.back(), kLongAgo, kLongAgo);
      const std::string_view known = technique_name(id);
      json_.text("name", known.empty() ? id : known);
      json_.open_list("external_references");
      json_.open();
      json_.text("source_name", "mitre-attack");
      json_.text("url", technique_url(id));
      json_.text("external_id", id);
      json_.close();
      json_.close();
      json_.close();
    }
    if (!f_.network.empty()) {
      indicated.push_back(our_id("infrastructure", organisation_ + "|" + f_.network + "|" + f_.id));
      mine("infrastructure", indicated.back());
      json_.text("name", f_.network);
      json_.texts("infrastructure_types", {"anonymization"});
      json_.close();
    }
    for (const Address& address : addresses_) {
      const std::string ip = address.source->ip.text();
      const std::string indicator = our_id("indicator", f_.id + "|" + ip);
      mine("indicator", indicator);
      json_.text("name", fmt::format("{}: {}", title(f_), ip));
      json_.text("description", describe(*address.source, longest_));
      json_.texts("indicator_types", {f_.kind == FindingKind::kIntel ? "anomalous-activity" : "anonymization"});
      json_.text("pattern",
                 fmt::format("[{}:value = '{}']", address.source->ip.is_v4() ? "ipv4-addr" : "ipv6-addr", ip));
      json_.text("pattern_type", "stix");
      json_.text("valid_from", first_);
      json_.text("valid_until", until_);
      json_.number("confidence", std::to_string(score_percent(f_)));
      json_.close();
      relationship(indicator, "based-on", observed_);
      for (const std::string& other : indicated) relationship(indicator, "indicates", other);
      mine("sighting", our_id("sighting", f_.id + "|" + ip));
      json_.text("first_seen", first_);
      json_.text("last_seen", last_);
      json_.count("count", seen_);
      json_.text("sighting_of_ref", indicator);
      json_.texts("observed_data_refs", {observed_});
      json_.texts("where_sighted_refs", {identity_});
      json_.close();
    }
  }

  const Finding& f_;
  JsonText json_;
  std::size_t longest_;
  std::string organisation_, identity_, observed_, first_, last_, until_;
  std::uint64_t seen_ = 1;
  std::vector<Address> addresses_;
  std::vector<std::string> refs_;
};

}  // namespace

std::string render_stix(const Finding& finding, const RenderOptions& options) {
  return Bundle(finding, options).take();
}

}  // namespace orbwatch::exporting
