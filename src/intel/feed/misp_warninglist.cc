// MISP warning lists: {"name":..,"type":"cidr|string|hostname|substring|regex","matching_attributes":[..],"list":[..]}.
// They hold what is not to be alarmed on: every item is known_good. A record is one entry of the list.
#include <algorithm>

#include "core/text.h"
#include "intel/feed/json_document.h"
#include "intel/feed/readers.h"
#include "intel/feed/recorder.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;
using std::string_view;

// What the entries are, by the list's type and the attributes that it is made for. "string" lists hold anything that is
// compared as it is.
struct Entries {
  KindName kind;
  string_view ignored;  // a reason if no entry can be used
};

Entries entries_of(const dom::object& list) {
  const string_view type = json_text(list, "type");
  bool systems = false;
  if (const auto attributes = json_array(list, "matching_attributes")) {
    systems = std::any_of(attributes->begin(), attributes->end(), [](const dom::element& element) {
      string_view text;
      return element.get(text) == simdjson::SUCCESS && text == "AS";
    });
  }
  if (type == "cidr") return {kind_of_name("cidr"), {}};
  if (type == "hostname") return {kind_of_name("hostname"), {}};
  if (type == "string") return {kind_of_name(systems ? "asn" : "auto"), {}};
  if (type == "substring") return {{}, "entry that is a part of a text"};
  if (type == "regex") return {{}, "entry that is a regular expression"};
  return {{}, "entry of an unknown type of list"};
}

class WarningList final : public FeedReader {
 public:
  string_view name() const override { return "misp_warninglist"; }
  string_view description() const override { return "MISP warning lists: what is not to be alarmed on"; }
  int recognise(string_view head, string_view) const override {
    if (first_sign(head) != '{') return 0;
    const auto has = [&](string_view text) { return head.find(text) != head.npos; };
    if (!has("\"list\"")) return 0;
    if (has("\"matching_attributes\"")) return 95;
    // Long lists are cut before their end; their keys are sorted.
    return has("\"description\"") && has("\"list\": [") ? 60 : 0;
  }

  core::Expected<FeedCounts> read(string_view bytes, const FeedSettings& settings, FeedSink& sink) const override {
    JsonDocument document;
    if (const auto loaded = document.load(bytes); !loaded) return std::unexpected(loaded.error());
    dom::object list;
    if (document.root().get(list) != simdjson::SUCCESS) return core::fail("no MISP warning list");
    const auto entries = json_array(list, "list");
    if (!entries || json_text(list, "type").empty())
      return core::fail("no MISP warning list", "", "an object with \"type\" and \"list\"");
    const Entries what = entries_of(list);
    FeedRecorder recorder(settings, sink);
    FeedItem item;
    item.known_good = true;
    const std::string label = feed_label(json_text(list, "name"));
    item.label = label;
    std::vector<FeedValue> values;
    std::size_t at = 0;
    for (const dom::element& element : *entries) {
      if (recorder.full()) break;
      const std::string place = "/list/" + std::to_string(at++);
      const auto text = json_scalar(element);
      if (!text) {
        recorder.reject("entry that is no text", "", place);
        continue;
      }
      if (!what.ignored.empty()) {
        recorder.ignore(what.ignored);
        continue;
      }
      values.clear();
      string_view entry = core::trim(*text);
      // ".example.org" stands for the names below it, as the matching of a host name does anyway.
      if (json_text(list, "type") == "hostname") core::skip_prefix(entry, ".");
      const ValueVerdict verdict = read_value(entry, what.kind, recorder.rules(true), values);
      recorder.finish(verdict, values, item, entry, place);
    }
    return recorder.finished();
  }
};

}  // namespace

const FeedReader& misp_warninglist_feed() {
  static const WarningList reader;
  return reader;
}

}  // namespace orbwatch::intel
