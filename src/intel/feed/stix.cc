// STIX 2.1 and 2.0: bundles, TAXII 2.1 envelopes ({"more":..,"objects":[..]}), one bundle or object a line.
//
// A record is one object. Indicators and observables give items; sightings give items that say so; what other objects
// say of these (names, TLP, kill chains, times observed) is joined to them, and the objects are counted as ignored by
// their type. Of several versions of an object in one document the newest counts.
#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "intel/feed/json_document.h"
#include "intel/feed/readers.h"
#include "intel/feed/recorder.h"
#include "intel/feed/stix_pattern.h"
#include "intel/feed/times.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;
using std::string_view;

// The ids that STIX 2.1 (part 7.2.1.4) and OASIS' TLP 2.0 extension fix.
struct Marking {
  string_view id;
  string_view tag;
};
constexpr Marking kTlp[] = {
    {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "tlp:white"},
    {"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "tlp:green"},
    {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "tlp:amber"},
    {"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "tlp:red"},
    {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "tlp:clear"},
    {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "tlp:green"},
    {"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "tlp:amber"},
    {"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "tlp:amber+strict"},
    {"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "tlp:red"},
};

// What may name an indicator, the most telling first.
constexpr string_view kNaming[] = {"malware", "infrastructure", "campaign", "intrusion-set", "threat-actor", "tool"};

int rank(string_view type) {
  const auto* const at = std::find(std::begin(kNaming), std::end(kNaming), type);
  return at == std::end(kNaming) ? -1 : static_cast<int>(at - std::begin(kNaming));
}

struct Object {
  dom::object json;
  string_view type;
  string_view id;
  std::string place;
  core::Nanoseconds modified = 0;
  bool replaced = false;
};

// What observed-data says of the observables that it refers to.
struct Observed {
  core::Nanoseconds first = 0;
  core::Nanoseconds last = 0;
  std::uint64_t number = 0;
  std::vector<string_view> tags;
};

struct Wrong {
  string_view reason;
};

class Document {
 public:
  Document(const FeedSettings& settings, FeedSink& sink) : recorder_(settings, sink) {}

  core::Expected<FeedCounts> read(string_view bytes) {
    if (const auto loaded = document_.load(bytes); !loaded) return std::unexpected(loaded.error());
    if (const auto collected = collect(); !collected) return std::unexpected(collected.error());
    document_.count_others(recorder_);
    for (const std::string& place : strays_) recorder_.reject("no STIX object", "", place);
    index();
    for (const Object& object : objects_) {
      if (recorder_.full()) break;
      take(object);
    }
    return recorder_.finished();
  }

 private:
  // Finds the objects. An error: the document is no STIX.
  core::Expected<void> collect() {
    const dom::element root = document_.root();
    dom::array array;
    if (root.get(array) == simdjson::SUCCESS) {
      std::size_t at = 0;
      for (const dom::element& element : array) {
        const std::string place = document_.place(at++);
        if (!collect(element, place)) strays_.push_back(place);
      }
      if (objects_.empty() && containers_ == 0) return core::fail("no STIX objects", "an array of other things");
      return {};
    }
    if (!collect(root, ""))
      return core::fail("no STIX objects", "", "a bundle, a TAXII envelope or objects with \"type\" and \"id\"");
    return {};
  }
  bool collect(const dom::element& element, const std::string& place) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return false;
    const string_view type = json_text(object, "type");
    const auto objects = json_array(object, "objects");
    if (type == "bundle" || (type.empty() && (objects || object["more"].error() == simdjson::SUCCESS))) {
      // An empty page of TAXII has no "objects".
      ++containers_;
      std::size_t at = 0;
      if (!objects) return object["objects"].error() == simdjson::NO_SUCH_FIELD;
      for (const dom::element& one : *objects) {
        const std::string where = fmt::format("{}/objects/{}", place, at++);
        if (!collect_object(one, where)) strays_.push_back(where);
      }
      return true;
    }
    return collect_object(element, place);
  }
  bool collect_object(const dom::element& element, const std::string& place) {
    Object object;
    if (element.get(object.json) != simdjson::SUCCESS) return false;
    object.type = json_text(object.json, "type");
    object.id = json_text(object.json, "id");
    // 2.0 has observables only inside of observed-data; 2.1 gives them ids.
    if (object.type.empty() || object.id.find("--") == object.id.npos) return false;
    object.place = place;
    // An unreadable time is told when the object is read.
    object.modified = parse_feed_time(json_text(object.json, "modified")).value_or(0);
    objects_.push_back(std::move(object));
    return true;
  }

  void index() {
    for (Object& object : objects_) {
      const auto [at, fresh] = by_id_.try_emplace(object.id, &object);
      if (fresh) continue;
      // At equal times the later one in the document.
      Object*& known = at->second;
      if (object.modified >= known->modified) {
        known->replaced = true;
        known = &object;
      } else {
        object.replaced = true;
      }
    }
    for (const Object& object : objects_) {
      if (object.replaced || json_truth(object.json, "revoked", false)) continue;
      if (object.type == "relationship") {
        const string_view what = json_text(object.json, "relationship_type");
        if (what != "indicates") continue;
        auto& targets = targets_[json_text(object.json, "source_ref")];
        if (targets.size() >= kMostRelations) {
          recorder_.leave_out("relationship beyond 256 of one indicator");
        } else {
          targets.push_back(json_text(object.json, "target_ref"));
        }
      } else if (object.type == "observed-data") {
        index_observed(object);
      } else if (object.type == "marking-definition") {
        index_marking(object);
      }
    }
  }
  void index_observed(const Object& object) {
    const auto refs = json_array(object.json, "object_refs");
    if (!refs) return;
    const auto first = parse_feed_time(json_text(object.json, "first_observed")).value_or(0);
    const auto last = parse_feed_time(json_text(object.json, "last_observed")).value_or(0);
    std::uint64_t number = 0;
    if (object.json["number_observed"].get(number) != simdjson::SUCCESS) number = 1;
    for (const dom::element& element : *refs) {
      string_view ref;
      if (element.get(ref) != simdjson::SUCCESS) continue;
      Observed& observed = observed_[ref];
      if (first != 0 && (observed.first == 0 || first < observed.first)) observed.first = first;
      observed.last = std::max(observed.last, last);
      observed.number =
          std::min<std::uint64_t>(UINT32_MAX, observed.number + std::min<std::uint64_t>(number, UINT32_MAX));
      if (observed.tags.size() < kMostTags) add_markings(object.json, observed.tags);
    }
  }
  void index_marking(const Object& object) {
    // 2.1 has the fixed ids; some make their own.
    if (!core::equals_ignore_case(json_text(object.json, "definition_type"), "tlp")) return;
    const auto definition = json_object(object.json, "definition");
    if (!definition) return;
    const string_view colour = json_text(*definition, "tlp");
    if (!colour.empty() && colour.size() < 20) own_tlp_[object.id] = "tlp:" + core::lower(colour);
  }
  void add_markings(const dom::object& json, std::vector<string_view>& tags) const {
    const auto refs = json_array(json, "object_marking_refs");
    if (!refs) return;
    for (const dom::element& element : *refs) {
      string_view ref;
      if (element.get(ref) != simdjson::SUCCESS) continue;
      for (const Marking& marking : kTlp) {
        if (marking.id == ref) tags.push_back(marking.tag);
      }
      if (const auto own = own_tlp_.find(ref); own != own_tlp_.end()) tags.push_back(own->second);
    }
  }

  void take(const Object& object) {
    if (object.replaced) return recorder_.ignore("older version");
    place_ = object.place.empty() ? std::string(object.id) : object.place + " " + std::string(object.id);
    if (object.type == "indicator") return take_indicator(object, nullptr);
    if (object.type == "sighting") return take_sighting(object);
    if (object.type == "observed-data") return take_observed(object);
    if (is_observable(object.type)) return take_observable(object);
    recorder_.ignore(core::printable(object.type, 60));
  }
  static bool is_observable(string_view type) {
    for (const string_view one :
         {"ipv4-addr", "ipv6-addr", "domain-name", "url", "autonomous-system", "x509-certificate", "network-traffic"}) {
      if (one == type) return true;
    }
    return false;
  }

  // The fields that all objects share. The tags' and the label's texts live in this object until the next call.
  std::optional<Wrong> common(const Object& object, FeedItem& item) {
    tags_.clear();
    item.id = object.id;
    item.revoked = json_truth(object.json, "revoked", false);
    if (!moment(object.json, "modified", item.modified)) return Wrong{"time that cannot be read"};
    dom::element confidence;
    if (object.json["confidence"].get(confidence) == simdjson::SUCCESS) {
      const auto text = json_scalar(confidence);
      const auto value = text ? parse_confidence(*text) : std::nullopt;
      if (!value) return Wrong{"confidence that is no number from 0 to 100"};
      item.confidence = *value;
    }
    std::vector<string_view> markings;
    add_markings(object.json, markings);
    for (const string_view tag : markings) tag_with(tag);
    if (const auto labels = json_array(object.json, "labels")) {
      for (const dom::element& label : *labels) {
        string_view text;
        if (label.get(text) == simdjson::SUCCESS) tag_with(text);
      }
    }
    return std::nullopt;
  }
  void tag_with(string_view tag) {
    if (!tags_.add(tag)) recorder_.leave_out("tag too long or too many");
  }
  static bool moment(const dom::object& json, string_view key, core::Nanoseconds& out) {
    const auto time =
        key == "valid_until" ? parse_feed_end(json_text(json, key)) : parse_feed_time(json_text(json, key));
    out = time.value_or(0);
    return time.has_value();
  }

  // Labels by what the indicator is related to.
  void name_by_relations(const Object& object, FeedItem& item) {
    label_.clear();
    int best = 100;
    const auto targets = targets_.find(object.id);
    if (targets != targets_.end()) {
      for (const string_view ref : targets->second) {
        const auto at = by_id_.find(ref);
        if (at == by_id_.end()) continue;
        const Object& target = *at->second;
        tag_techniques(target);
        const string_view name = json_text(target.json, "name");
        const int r = rank(target.type);
        if (r < 0 || name.empty()) continue;
        tag_with(fmt::format("{}:{}", target.type, name.substr(0, 150)));
        if (r < best) {
          best = r;
          label_ = feed_label(name);
        }
      }
    }
    if (label_.empty()) label_ = feed_label(json_text(object.json, "name"));
    if (label_.empty()) label_ = feed_label(json_text(object.json, "description"));
    item.label = label_;
  }
  // "attack:T1090" of techniques and software of ATT&CK.
  void tag_techniques(const Object& target) {
    const auto references = json_array(target.json, "external_references");
    if (!references) return;
    for (const dom::element& element : *references) {
      dom::object reference;
      if (element.get(reference) != simdjson::SUCCESS || json_text(reference, "source_name") != "mitre-attack")
        continue;
      const string_view id = json_text(reference, "external_id");
      if (!id.empty() && id.size() < 40) tag_with(fmt::format("attack:{}", id));
    }
  }

  // `sighting`: items say that they were sighted.
  void take_indicator(const Object& object, const Object* sighting) {
    FeedItem item;
    if (const auto wrong = common(object, item)) return recorder_.reject(wrong->reason, object.id, place_);
    const string_view type = json_text(object.json, "pattern_type");
    if (!type.empty() && !core::equals_ignore_case(type, "stix"))
      return recorder_.ignore("pattern of type " + core::printable(type, 20));
    const string_view pattern = json_text(object.json, "pattern");
    if (pattern.empty()) return recorder_.reject("indicator without a pattern", object.id, place_);
    if (!moment(object.json, "valid_from", item.valid_from) || !moment(object.json, "valid_until", item.valid_until))
      return recorder_.reject("time that cannot be read", object.id, place_);
    if (const auto types = json_array(object.json, "indicator_types")) {
      for (const dom::element& element : *types) {
        string_view text;
        if (element.get(text) != simdjson::SUCCESS) continue;
        tag_with(text);
        item.known_good |= text == "benign";
      }
    }
    if (const auto phases = json_array(object.json, "kill_chain_phases")) {
      for (const dom::element& element : *phases) {
        dom::object phase;
        if (element.get(phase) != simdjson::SUCCESS) continue;
        tag_with(fmt::format("kill-chain:{}/{}", json_text(phase, "kill_chain_name").substr(0, 80),
                             json_text(phase, "phase_name").substr(0, 80)));
      }
    }
    name_by_relations(object, item);
    item.tags = tags_.views();
    if (sighting != nullptr && !take_sighting_fields(sighting->json, item))
      return recorder_.reject("time that cannot be read", object.id, place_);
    auto read = read_stix_pattern(pattern, recorder_.rules(item.known_good));
    if (!read) return recorder_.reject("no STIX pattern", read.error().seen + ": " + std::string(pattern), place_);
    if (read->values.empty()) {
      const ValueVerdict refused =
          read->refused.empty() ? ValueVerdict{ValueFate::kRejected, "no STIX pattern"} : read->refused.front();
      return recorder_.finish(refused, {}, item, pattern, place_);
    }
    for (const ValueVerdict& refused : read->refused) recorder_.leave_out("alternative: " + refused.reason);
    recorder_.finish({}, read->values, item, pattern, place_);
  }

  bool take_sighting_fields(const dom::object& sighting, FeedItem& item) {
    item.sighting = true;
    item.valid_from = item.valid_until = 0;
    std::uint64_t count = 0;
    if (sighting["count"].get(count) != simdjson::SUCCESS) count = 1;
    const auto times = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
    // OpenCTI's way to say that it was none.
    (json_truth(sighting, "x_opencti_negative", false) ? item.false_positives : item.sightings) = times;
    return moment(sighting, "first_seen", item.first_seen) && moment(sighting, "last_seen", item.last_seen) &&
           moment(sighting, "modified", item.modified);
  }
  void take_sighting(const Object& object) {
    if (json_truth(object.json, "revoked", false)) return recorder_.ignore("revoked sighting");
    const string_view ref = json_text(object.json, "sighting_of_ref");
    const auto at = by_id_.find(ref);
    if (at == by_id_.end()) return recorder_.ignore("sighting of an object that is not in the document");
    if (at->second->type != "indicator")
      return recorder_.ignore("sighting of " + core::printable(at->second->type, 40));
    // Each sighting reads the pattern again: many sightings of a long one would take for ever.
    sighted_bytes_ += json_text(at->second->json, "pattern").size();
    if (sighted_bytes_ > kMostSightedBytes) return recorder_.reject("too many sightings of long patterns", ref, place_);
    take_indicator(*at->second, &object);
  }

  // The values of an observable. `siblings` resolves its references.
  template <typename Resolve>
  ValueVerdict observable_values(const dom::object& json, string_view type, const Resolve& resolve,
                                 std::vector<FeedValue>& values) {
    const ValueRules rules = recorder_.rules();
    if (type == "network-traffic") return traffic_values(json, resolve, values);
    if (type == "autonomous-system") {
      std::uint64_t number = 0;
      if (json["number"].get(number) != simdjson::SUCCESS) return {ValueFate::kRejected, "observable without a value"};
      return read_value(std::to_string(number), kind_of_name("asn"), rules, values);
    }
    if (type == "x509-certificate") {
      ValueVerdict last{ValueFate::kIgnored, "certificate without SHA-1 or SHA-256"};
      const auto hashes = json_object(json, "hashes");
      if (!hashes) return last;
      for (const string_view hash : {"SHA-1", "SHA-256"}) {
        if (const string_view text = json_text(*hashes, hash); !text.empty())
          last = read_value(text, kind_of_name("certificate"), rules, values);
      }
      return values.empty() ? last : ValueVerdict{};
    }
    const string_view text = json_text(json, "value");
    if (text.empty()) return {ValueFate::kRejected, "observable without a value"};
    return read_value(text, kind_of_name(type), rules, values);
  }
  template <typename Resolve>
  ValueVerdict traffic_values(const dom::object& json, const Resolve& resolve, std::vector<FeedValue>& values) {
    std::uint8_t protocol = 0;
    if (const auto protocols = json_array(json, "protocols")) {
      for (const dom::element& element : *protocols) {
        string_view text;
        if (element.get(text) != simdjson::SUCCESS) continue;
        if (core::equals_ignore_case(text, "tcp")) protocol = 6;
        if (core::equals_ignore_case(text, "udp")) protocol = 17;
      }
    }
    ValueVerdict last{ValueFate::kIgnored, "network-traffic without an address"};
    for (const bool source : {false, true}) {
      const auto end = resolve(json_text(json, source ? "src_ref" : "dst_ref"));
      if (!end) continue;
      const string_view type = json_text(*end, "type");
      if (type != "ipv4-addr" && type != "ipv6-addr" && type != "domain-name") continue;
      const std::size_t before = values.size();
      const ValueVerdict verdict = read_value(json_text(*end, "value"), kind_of_name(type), recorder_.rules(), values);
      if (verdict.fate != ValueFate::kItem) {
        // One's own side is mostly a private address.
        last = verdict;
        continue;
      }
      std::uint64_t port = 0;
      if (json[source ? "src_port" : "dst_port"].get(port) != simdjson::SUCCESS || port > UINT16_MAX) port = 0;
      for (std::size_t i = before; i < values.size(); ++i) {
        values[i].role = source ? FeedRole::kSource : FeedRole::kDestination;
        values[i].port = static_cast<std::uint16_t>(port);
        values[i].protocol = protocol;
      }
    }
    return values.empty() ? last : ValueVerdict{};
  }

  void take_observable(const Object& object) {
    FeedItem item;
    if (const auto wrong = common(object, item)) return recorder_.reject(wrong->reason, object.id, place_);
    item.detect = false;
    if (const auto observed = observed_.find(object.id); observed != observed_.end()) {
      item.first_seen = observed->second.first;
      item.last_seen = observed->second.last;
      item.sightings = static_cast<std::uint32_t>(observed->second.number);
      for (const string_view tag : observed->second.tags) tag_with(tag);
    }
    item.tags = tags_.views();
    std::vector<FeedValue> values;
    const auto resolve = [this](string_view ref) -> std::optional<dom::object> {
      const auto at = by_id_.find(ref);
      return at == by_id_.end() ? std::nullopt : std::optional(at->second->json);
    };
    const ValueVerdict verdict = observable_values(object.json, object.type, resolve, values);
    recorder_.finish(verdict, values, item, json_text(object.json, "value"), place_);
  }

  // STIX 2.0 has the observables inside; those of 2.1 are objects of their own, which know of it by then.
  void take_observed(const Object& object) {
    const auto inside = json_object(object.json, "objects");
    if (!inside) return recorder_.ignore("observed-data");
    if (inside->size() > kMostInside) return recorder_.reject("observed-data of too many objects", object.id, place_);
    FeedItem item;
    if (const auto wrong = common(object, item)) return recorder_.reject(wrong->reason, object.id, place_);
    if (!moment(object.json, "first_observed", item.first_seen) ||
        !moment(object.json, "last_observed", item.last_seen))
      return recorder_.reject("time that cannot be read", object.id, place_);
    item.detect = false;
    std::uint64_t number = 0;
    if (object.json["number_observed"].get(number) == simdjson::SUCCESS)
      item.sightings = static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX));
    item.tags = tags_.views();
    const auto resolve = [&](string_view ref) { return json_object(*inside, ref); };
    std::vector<FeedValue> values;
    ValueVerdict last{ValueFate::kIgnored, "observed-data"};
    for (const auto& [key, element] : *inside) {
      dom::object one;
      if (element.get(one) != simdjson::SUCCESS) continue;
      const string_view type = json_text(one, "type");
      if (!is_observable(type)) {
        last = {ValueFate::kIgnored, "observed-data of " + core::printable(type, 40)};
        continue;
      }
      std::vector<FeedValue> some;
      const ValueVerdict verdict = observable_values(one, type, resolve, some);
      if (verdict.fate != ValueFate::kItem) last = verdict;
      std::move(some.begin(), some.end(), std::back_inserter(values));
    }
    recorder_.finish(values.empty() ? last : ValueVerdict{}, values, item, object.id, place_);
  }

  // A real indicator has a handful.
  static constexpr std::size_t kMostRelations = 256;
  static constexpr std::size_t kMostSightedBytes = std::size_t{16} << 20;
  // References inside are looked up one after the other.
  static constexpr std::size_t kMostInside = 4096;

  JsonDocument document_;
  FeedRecorder recorder_;
  std::vector<Object> objects_;
  std::vector<std::string> strays_;
  std::uint64_t containers_ = 0;
  absl::flat_hash_map<string_view, Object*> by_id_;
  absl::flat_hash_map<string_view, std::vector<string_view>> targets_;
  absl::flat_hash_map<string_view, Observed> observed_;
  absl::flat_hash_map<string_view, std::string> own_tlp_;
  FeedTags tags_;
  std::string label_;
  std::string place_;
  std::size_t sighted_bytes_ = 0;
};

class Stix final : public FeedReader {
 public:
  string_view name() const override { return "stix"; }
  string_view description() const override {
    return "STIX 2.1 and 2.0 bundles, TAXII 2.1 envelopes, STIX objects a line";
  }
  int recognise(string_view head, string_view) const override {
    const char sign = first_sign(head);
    if (sign != '{' && sign != '[') return 0;
    const auto has = [&](string_view text) { return head.find(text) != head.npos; };
    if (has("\"bundle--") || has("\"spec_version\"")) return 90;
    // A page of TAXII, or objects of STIX 2.0.
    const bool objects = has("\"objects\"") && has("\"more\"");
    const bool ids = has("\"created\"") && has("\"modified\"") && has("--");
    return ids ? 85 : objects ? 60 : 0;
  }
  core::Expected<FeedCounts> read(string_view bytes, const FeedSettings& settings, FeedSink& sink) const override {
    return std::make_unique<Document>(settings, sink)->read(bytes);
  }
};

}  // namespace

const FeedReader& stix_feed() {
  static const Stix reader;
  return reader;
}

}  // namespace orbwatch::intel
