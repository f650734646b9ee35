// MISP events: {"Event":{..}}, the event alone, {"response":[..]}, {"response":{"Attribute":[..]}}, arrays of events,
// and files of MISP feeds (MISP core format, draft-dulaunoy-misp-core-format).
//
// A record is one attribute, of the event or of its objects. Its sightings are counted into its items: type 0 is a
// sighting, 1 a false positive, 2 an expiration, which ends the validity. A deleted attribute gives revoked items.
// Attributes of an object stand alone, as MISP's own exports have them.
#include "intel/feed/misp.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/text.h"
#include "intel/feed/json_document.h"
#include "intel/feed/readers.h"
#include "intel/feed/recorder.h"
#include "intel/feed/times.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;
using std::string_view;

// `misp-galaxy:banker="Gozi"` gives "Gozi"; empty if the tag is no galaxy's. Techniques name no malware.
string_view galaxy_of(string_view tag) {
  if (!core::skip_prefix(tag, "misp-galaxy:") || tag.find("attack-pattern") != tag.npos) return {};
  const auto value = core::between(tag, "=\"", "\"");
  return value.value_or(string_view{});
}

// `misp-galaxy:mitre-attack-pattern="Proxy - T1090"` gives "T1090".
string_view technique_of(string_view tag) {
  if (!tag.starts_with("misp-galaxy:") || tag.find("attack-pattern") == tag.npos) return {};
  const auto dash = tag.rfind(" - T");
  if (dash == tag.npos || !tag.ends_with('"')) return {};
  return tag.substr(dash + 3, tag.size() - dash - 4);
}

class Events {
 public:
  Events(const FeedSettings& settings, FeedSink& sink) : settings_(settings), recorder_(settings, sink) {}

  core::Expected<FeedCounts> read(string_view bytes) {
    if (const auto loaded = document_.load(bytes); !loaded) return std::unexpected(loaded.error());
    document_.count_others(recorder_);
    if (!take_root(document_.root()))
      return core::fail("no MISP event", "", "\"Event\", \"response\", or an event's \"Attribute\" and \"Object\"");
    return recorder_.finished();
  }

 private:
  bool take_root(const dom::element& root) {
    dom::array array;
    if (root.get(array) == simdjson::SUCCESS) {
      std::size_t at = 0;
      bool any = false;
      for (const dom::element& element : array) any |= take_document(element, document_.place(at++));
      return any;
    }
    return take_document(root, "");
  }
  // An event with or without its wrapping.
  bool take_document(const dom::element& element, const std::string& place) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return stray(place);
    dom::element response;
    if (object["response"].get(response) == simdjson::SUCCESS) {
      dom::array array;
      if (response.get(array) == simdjson::SUCCESS) {
        std::size_t at = 0;
        for (const dom::element& one : array) {
          const std::string where = fmt::format("{}/response/{}", place, at++);
          if (!take_event_in(one, where)) stray(where);
        }
        return true;
      }
      return take_event_in(response, place + "/response") || stray(place);
    }
    return take_event_in(element, place) || stray(place);
  }
  bool stray(const std::string& place) {
    recorder_.reject("no MISP event", "", place);
    return false;
  }
  bool take_event_in(const dom::element& element, const std::string& place) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return false;
    if (const auto event = json_object(object, "Event")) return take_event(*event, place + "/Event");
    if (json_array(object, "Attribute") || json_array(object, "Object") || is_event(object))
      return take_event(object, place);
    return false;
  }
  // An event without attributes is one, too.
  static bool is_event(const dom::object& object) {
    return object["info"].error() == simdjson::SUCCESS &&
           (object["threat_level_id"].error() == simdjson::SUCCESS || object["analysis"].error() == simdjson::SUCCESS);
  }

  bool take_event(const dom::object& event, const std::string& place) {
    event_label_ = feed_label(json_text(event, "info"));
    event_tags_.clear();
    event_galaxy_.clear();
    read_tags(event, event_tags_, event_galaxy_);
    take_attributes(event, place);
    take_proposals(event, place);
    if (const auto objects = json_array(event, "Object")) {
      std::size_t at = 0;
      for (const dom::element& element : *objects) {
        const std::string where = fmt::format("{}/Object/{}", place, at++);
        dom::object object;
        if (element.get(object) != simdjson::SUCCESS) {
          recorder_.reject("object that is none", "", where);
          continue;
        }
        object_deleted_ = json_truth(object, "deleted", false);
        take_attributes(object, where);
        object_deleted_ = false;
      }
    }
    return true;
  }
  void take_attributes(const dom::object& holder, const std::string& place) {
    const auto attributes = json_array(holder, "Attribute");
    if (!attributes) return;
    std::size_t at = 0;
    for (const dom::element& element : *attributes) {
      if (recorder_.full()) return;
      const std::string where = fmt::format("{}/Attribute/{}", place, at++);
      dom::object attribute;
      if (element.get(attribute) != simdjson::SUCCESS) {
        recorder_.reject("attribute that is none", "", where);
        continue;
      }
      take_attribute(attribute, where);
      take_proposals(attribute, where);
    }
  }
  // Changes that somebody proposes and nobody has accepted.
  void take_proposals(const dom::object& holder, const std::string&) {
    if (const auto proposals = json_array(holder, "ShadowAttribute"); proposals && proposals->size() > 0)
      recorder_.ignore("proposal", proposals->size());
  }

  // Texts that items have as tags, and the first galaxy's value.
  void read_tags(const dom::object& holder, std::vector<std::string>& tags, std::string& galaxy) {
    if (const auto list = json_array(holder, "Tag")) {
      for (const dom::element& element : *list) {
        dom::object tag;
        if (element.get(tag) != simdjson::SUCCESS) continue;
        add_tag(json_text(tag, "name"), tags, galaxy);
      }
    }
    if (const auto list = json_array(holder, "Galaxy")) {
      for (const dom::element& element : *list) {
        dom::object one;
        if (element.get(one) != simdjson::SUCCESS) continue;
        const auto clusters = json_array(one, "GalaxyCluster");
        if (!clusters) continue;
        for (const dom::element& inner : *clusters) {
          dom::object cluster;
          if (inner.get(cluster) == simdjson::SUCCESS) add_tag(json_text(cluster, "tag_name"), tags, galaxy);
        }
      }
    }
  }
  void add_tag(string_view name, std::vector<std::string>& tags, std::string& galaxy) {
    if (name.empty()) return;
    if (const string_view value = galaxy_of(name); !value.empty() && galaxy.empty()) galaxy = feed_label(value);
    const string_view technique = technique_of(name);
    std::string tag = technique.empty() ? std::string(name) : "attack:" + std::string(technique);
    if (name.size() > kLongestTag || tags.size() >= kMostTags) return recorder_.leave_out("tag too long or too many");
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
  }

  static bool moment(const dom::object& json, string_view key, core::Nanoseconds& out) {
    dom::element value;
    out = 0;
    if (json[key].get(value) != simdjson::SUCCESS || value.is_null()) return true;
    const auto text = json_scalar(value);
    if (!text) return false;
    if (*text == "0" || *text == "false") return true;
    const auto time = parse_feed_time(*text);
    out = time.value_or(0);
    return time.has_value();
  }

  void take_attribute(const dom::object& attribute, const std::string& place) {
    const string_view type = json_text(attribute, "type");
    const string_view value = core::trim(json_text(attribute, "value"));
    if (type.empty()) return recorder_.reject("attribute without a type", value, place);
    const KindName kind = kind_of_misp(type);
    if (kind.meaning == KindName::Meaning::kUnknown) return recorder_.ignore("attribute " + core::printable(type, 40));
    std::vector<FeedValue> values;
    const ValueVerdict verdict = read_value(refang(value), kind, recorder_.rules(), values);
    FeedItem item;
    if (verdict.fate != ValueFate::kItem) return recorder_.finish(verdict, values, item, value, place);
    item.id = json_text(attribute, "uuid");
    item.detect = json_truth(attribute, "to_ids", false);
    item.revoked = object_deleted_ || json_truth(attribute, "deleted", false);
    if (!moment(attribute, "timestamp", item.modified) || !moment(attribute, "first_seen", item.first_seen) ||
        !moment(attribute, "last_seen", item.last_seen) || !take_sightings(attribute, item))
      return recorder_.reject("time that cannot be read", value, place);
    std::vector<std::string> own = event_tags_;
    std::string galaxy;
    read_tags(attribute, own, galaxy);
    FeedTags tags;
    for (const std::string& tag : own) tags.add(tag);
    item.tags = tags.views();
    const std::string comment = feed_label(json_text(attribute, "comment"));
    item.label = !galaxy.empty()            ? string_view(galaxy)
                 : !event_galaxy_.empty()   ? string_view(event_galaxy_)
                 : !comment.empty()         ? string_view(comment)
                 : !settings_.label.empty() ? string_view()
                                            : string_view(event_label_);
    recorder_.finish(verdict, values, item, value, place);
  }
  // MISP's names where they mean less than elsewhere: "any" and "other" are free text there.
  static KindName kind_of_misp(string_view type) {
    const KindName kind = kind_of_name(type);
    return kind.meaning == KindName::Meaning::kAuto ? KindName{} : kind;
  }
  bool take_sightings(const dom::object& attribute, FeedItem& item) {
    const auto sightings = json_array(attribute, "Sighting");
    if (!sightings) return true;
    for (const dom::element& element : *sightings) {
      dom::object sighting;
      if (element.get(sighting) != simdjson::SUCCESS) continue;
      core::Nanoseconds time = 0;
      if (!moment(sighting, "date_sighting", time)) return false;
      dom::element type;
      const auto kind = sighting["type"].get(type) == simdjson::SUCCESS ? json_scalar(type) : std::nullopt;
      if (!kind || *kind == "0") {
        ++item.sightings;
        item.last_seen = std::max(item.last_seen, time);
      } else if (*kind == "1") {
        ++item.false_positives;
      } else if (*kind == "2") {
        // The latest word on its end counts.
        item.valid_until = std::max(item.valid_until, time);
      } else {
        recorder_.leave_out("sighting of an unknown type");
      }
    }
    return true;
  }

  const FeedSettings& settings_;
  JsonDocument document_;
  FeedRecorder recorder_;
  std::string event_label_;
  std::vector<std::string> event_tags_;
  std::string event_galaxy_;
  bool object_deleted_ = false;
};

class Misp final : public FeedReader {
 public:
  string_view name() const override { return "misp"; }
  string_view description() const override { return "MISP events, exports and files of MISP feeds"; }
  int recognise(string_view head, string_view) const override {
    const char sign = first_sign(head);
    if (sign != '{' && sign != '[') return 0;
    const auto has = [&](string_view text) { return head.find(text) != head.npos; };
    if (has("\"Attribute\"") || has("\"Event\"")) return has("\"spec_version\"") ? 50 : 80;
    return has("\"threat_level_id\"") || (has("\"to_ids\"") && has("\"category\"")) ? 70 : 0;
  }
  core::Expected<FeedCounts> read(string_view bytes, const FeedSettings& settings, FeedSink& sink) const override {
    return std::make_unique<Events>(settings, sink)->read(bytes);
  }
};

bool is_uuid(string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

}  // namespace

const FeedReader& misp_feed() {
  static const Misp reader;
  return reader;
}

core::Expected<std::vector<MispManifestEntry>> read_misp_manifest(string_view bytes) {
  JsonDocument document;
  if (const auto loaded = document.load(bytes); !loaded) return std::unexpected(loaded.error());
  dom::object events;
  if (document.root().get(events) != simdjson::SUCCESS) return core::fail("no manifest of a MISP feed");
  if (events.size() > kMostMispEvents)
    return core::fail("manifest with too many events", std::to_string(events.size()));
  std::vector<MispManifestEntry> entries;
  for (const auto& [uuid, element] : events) {
    dom::object event;
    dom::element timestamp;
    if (!is_uuid(uuid)) return core::fail("no uuid of an event", core::printable(uuid, 60));
    if (element.get(event) != simdjson::SUCCESS || event["timestamp"].get(timestamp) != simdjson::SUCCESS)
      return core::fail("event without a timestamp", std::string(uuid));
    const auto text = json_scalar(timestamp);
    const auto time = text ? parse_feed_time(*text) : std::nullopt;
    if (!time) return core::fail("time that cannot be read", std::string(uuid));
    entries.push_back({core::lower(uuid), *time, feed_label(json_text(event, "info"))});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.uuid < b.uuid; });
  const auto twice =
      std::adjacent_find(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.uuid == b.uuid; });
  if (twice != entries.end()) return core::fail("event that is there twice", twice->uuid);
  return entries;
}

}  // namespace orbwatch::intel
