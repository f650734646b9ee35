// A MISP event (MISP core format, draft-dulaunoy-misp-core-format), to be imported as "MISP standard JSON" or put into
// the folder of a MISP feed. A node is an object `ip-port` (template 9f8cea74-16fe-4968-a2b4-026676949ac6) whose
// address is meant for detection (to_ids); its traits are attributes for context, those of a network for detection. TLP
// and techniques are tags, techniques by their names in the galaxy mitre-attack-pattern.
//
// uuids are of version 5: an import changes what is there. A sighting of MISP is one moment: the first and the last are
// given, how many there were stands in the comment.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "export/finding_words.h"
#include "export/json_text.h"
#include "export/sharing/writers.h"

namespace orbwatch::exporting::sharing {
namespace {

using core::Nanoseconds;
using std::string_view;

constexpr std::size_t kLongestValue = 4096;
constexpr string_view kTemplate = "9f8cea74-16fe-4968-a2b4-026676949ac6";

std::string seconds(Nanoseconds time) { return std::to_string(time / core::kSecond); }

struct MispType {
  string_view type;
  bool indicator;  // of a network it may be looked for
};
MispType type_of(TraitKind kind) {
  switch (kind) {
    case TraitKind::kCertificateSha1: return {"x509-fingerprint-sha1", true};
    case TraitKind::kCertificateSha256: return {"x509-fingerprint-sha256", true};
    case TraitKind::kJarm: return {"jarm-fingerprint", true};
    case TraitKind::kJa3: return {"ja3-fingerprint-md5", true};
    case TraitKind::kHassh: return {"hassh-md5", true};
    case TraitKind::kHasshServer: return {"hasshserver-md5", true};
    case TraitKind::kClient: return {"user-agent", true};
    // MISP has no type for these.
    case TraitKind::kJa3s:
    case TraitKind::kJa4:
    case TraitKind::kJa4s:
    case TraitKind::kBanner: return {"text", false};
  }
  return {"text", false};
}

class Event {
 public:
  Event(const Shared& shared, const WriteOptions& options) : shared_(shared), o_(options), json_(kLongestValue) {}

  Written take() {
    json_.open("Event");
    json_.text("uuid", shared_uuid("misp-event", o_, ""));
    json_.text("info", "Covert relay networks: nodes that were seen");
    json_.text("date", core::date_text(o_.made));
    json_.text("timestamp", seconds(o_.made));
    json_.text("threat_level_id", "2");  // medium
    json_.text("analysis", "2");         // completed
    json_.text("distribution", "0");     // this organisation only: whoever imports it decides, within its TLP
    json_.flag("published", false);
    if (!o_.sender.empty()) {
      json_.open("Orgc");
      json_.text("uuid", shared_uuid("misp-organisation", o_, ""));
      json_.text("name", o_.sender);
      json_.close();
    }
    json_.open_list("Tag");
    tag(fmt::format("tlp:{}", name(o_.tlp)));
    json_.close();
    json_.open_list("Attribute");
    for (const Network& n : shared_.networks()) network(n);
    for (const Indicator& i : shared_.indicators()) {
      for (const Trait& t : i.traits) trait(t, fmt::format("{}|{}", i.address.text(), i.port), i.address.text(), false);
    }
    json_.close();
    json_.open_list("Object");
    for (const Indicator& i : shared_.indicators()) node(i);
    json_.close();
    json_.close();
    out_.text = json_.take() + "\n";
    return std::move(out_);
  }

 private:
  void tag(string_view text) {
    json_.open();
    json_.text("name", text);
    json_.close();
  }
  void techniques(const std::vector<std::string>& ids) {
    json_.open_list("Tag");
    for (const std::string& technique : ids) {
      const string_view known = technique_name(technique);
      if (known.empty()) {
        ++out_.left_out["technique: without a name in the galaxy"];
        continue;
      }
      tag(fmt::format("misp-galaxy:mitre-attack-pattern=\"{} - {}\"", known, technique));
    }
    json_.close();
  }

  // What attribute and object have alike, up to its closing.
  void seen(Nanoseconds first, Nanoseconds last) {
    json_.text("timestamp", seconds(o_.made));
    if (first != 0) json_.text("first_seen", time_milliseconds(first));
    if (first != 0) json_.text("last_seen", time_milliseconds(std::max(first, last)));
  }

  void attribute(string_view key, string_view type, string_view value, bool detect, string_view relation = {}) {
    json_.open();
    json_.text("uuid", shared_uuid("misp-attribute", o_, key));
    json_.text("object_relation", relation);
    json_.text("type", type);
    json_.text("category", "Network activity");
    json_.text("value", value);
    json_.flag("to_ids", detect);
  }

  void trait(const Trait& t, string_view of, string_view comment, bool detect) {
    const MispType type = type_of(t.kind());
    attribute(fmt::format("{}|{}|{}", of, name(t.kind()), t.text()), type.type, t.text(), detect && type.indicator);
    json_.text("comment", fmt::format("{} of {}", name(t.kind()), comment));
    json_.text("timestamp", seconds(o_.made));
    json_.close();
  }

  void network(const Network& n) {
    const string_view called = n.name.empty() ? n.id : n.name;
    attribute(fmt::format("network|{}", n.id), "text", called, false);
    json_.text("comment", describe(n));
    seen(n.first_seen, n.last_seen);
    techniques(n.attack);
    json_.close();
    for (const Trait& t : n.traits) trait(t, fmt::format("network|{}", n.id), called, true);
  }

  void node(const Indicator& i) {
    const std::string key = fmt::format("{}|{}", i.address.text(), i.port);
    std::string says = describe(i);
    says = says.substr(0, says.find('\n'));
    json_.open();
    json_.text("uuid", shared_uuid("misp-object", o_, key));
    json_.text("name", "ip-port");
    json_.text("meta-category", "network");
    json_.text("description", "An IP address and a port seen as a tuple");
    json_.text("template_uuid", kTemplate);
    json_.text("template_version", "10");
    json_.text("comment", i.network.empty() ? says : fmt::format("{} Network: {}", says, i.network));
    seen(i.first_seen, i.last_seen);
    json_.open_list("Attribute");
    // A controller is connected to; all others connect.
    const string_view end = i.role == Role::kController ? "ip-dst" : "ip-src";
    attribute("address|" + key, end, i.address.text(), true, end);
    json_.text("comment", fmt::format("{} Confidence {:.0f} of 100.", says, i.confidence * 100));
    seen(i.first_seen, i.last_seen);
    techniques(i.attack);
    sightings(i, key);
    json_.close();
    ++out_.indicators;
    const auto context = [&](string_view type, string_view value, string_view relation) {
      if (value.empty()) return;
      attribute(fmt::format("{}|{}", relation, key), type, value, false, relation);
      json_.text("timestamp", seconds(o_.made));
      json_.close();
    };
    context("port", i.port == 0 ? "" : std::to_string(i.port), "dst-port");
    context("AS", i.asn == 0 ? "" : std::to_string(i.asn), "AS");
    context("text", i.country, "country-code");
    json_.close();
    json_.close();
  }

  void sightings(const Indicator& i, string_view key) {
    json_.open_list("Sighting");
    for (const Sighting& s : i.sightings) {
      for (const Nanoseconds time : {s.first, s.last == s.first ? 0 : s.last}) {
        if (time == 0) continue;
        json_.open();
        json_.text("uuid", shared_uuid("misp-sighting", o_, fmt::format("{}|{}|{}", key, words(s.sensor), time)));
        json_.text("type", "0");
        json_.text("date_sighting", seconds(time));
        json_.text("source", words(s.sensor));
        json_.close();
      }
    }
    json_.close();
  }

  const Shared& shared_;
  const WriteOptions& o_;
  JsonText json_;
  Written out_;
};

}  // namespace

Written write_misp(const Shared& shared, const WriteOptions& options) { return Event(shared, options).take(); }

}  // namespace orbwatch::exporting::sharing
