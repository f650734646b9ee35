// JSON of no standard: an array of objects (or of texts), or one object a line; the fields are found by their names, or
// are mapped by the settings ("data.indicator"). ThreatFox's export (an object of arrays by id) is such.
#include <algorithm>
#include <optional>

#include "core/text.h"
#include "intel/feed/json_document.h"
#include "intel/feed/readers.h"
#include "intel/feed/rows.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;
using std::string_view;

std::optional<dom::element> at_path(dom::element value, string_view path) {
  while (!path.empty()) {
    const string_view step = core::take_until(path, '.');
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS || object[step].get(value) != simdjson::SUCCESS) return std::nullopt;
  }
  return value;
}

struct Records {
  dom::array array;
  std::string path;  // JSON pointer of the array
};

bool holds_objects(const dom::array& array) {
  return std::any_of(array.begin(), array.end(), [](const dom::element& e) { return e.is_object(); });
}

// The arrays of records. ThreatFox has one for each id.
core::Expected<std::vector<Records>> records_of(dom::element root, const FeedSettings& settings) {
  std::vector<Records> out;
  dom::array array;
  if (!settings.records_path.empty()) {
    const auto found = at_path(root, settings.records_path);
    if (!found || found->get(array) != simdjson::SUCCESS)
      return core::fail("no array of records", settings.records_path, "the path of an array, as \"data.items\"");
    std::string pointer = "/" + settings.records_path;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    out.push_back({array, std::move(pointer)});
    return out;
  }
  if (root.get(array) == simdjson::SUCCESS) {
    out.push_back({array, ""});
    return out;
  }
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return core::fail("no array of records", "a single value");
  std::size_t others = 0;
  for (const auto& [key, value] : object) {
    if (value.get(array) == simdjson::SUCCESS && holds_objects(array)) {
      out.push_back({array, "/" + std::string(key)});
    } else {
      ++others;
    }
  }
  if (out.empty() || (out.size() > 1 && others > 0))
    return core::fail("no array of records", out.empty() ? "an object without one" : "an object with several",
                      "name it with records_path");
  return out;
}

struct Paths {
  std::array<std::string, kRowFields> path;
  KindName value_kind = kind_of_name("auto");
};

std::optional<Paths> usual_paths(const std::vector<Records>& records) {
  constexpr std::size_t kLooked = 1000;
  std::vector<std::string> names;
  std::size_t looked = 0;
  for (const Records& some : records) {
    for (const dom::element& element : some.array) {
      dom::object object;
      if (looked++ >= kLooked) break;
      if (element.get(object) != simdjson::SUCCESS) continue;
      for (const auto& [key, value] : object) {
        if (names.size() < 1000 && std::find(names.begin(), names.end(), key) == names.end()) names.emplace_back(key);
      }
    }
  }
  const auto layout = usual_layout(names);
  if (!layout) return std::nullopt;
  Paths paths;
  paths.value_kind = layout->value_kind;
  for (std::size_t i = 0; i < kRowFields; ++i) {
    if (layout->at[i] >= 0) paths.path[i] = names[static_cast<std::size_t>(layout->at[i])];
  }
  return paths;
}

class Json final : public FeedReader {
 public:
  string_view name() const override { return "json"; }
  string_view description() const override {
    return "JSON array or one object a line, fields by name or mapped; ThreatFox";
  }
  int recognise(string_view head, string_view) const override {
    const char sign = first_sign(head);
    return sign == '{' || sign == '[' ? 10 : 0;
  }

  core::Expected<FeedCounts> read(string_view bytes, const FeedSettings& settings, FeedSink& sink) const override {
    const auto kind = kind_of_settings(settings);
    if (!kind) return std::unexpected(kind.error());
    JsonDocument document;
    if (const auto loaded = document.load(bytes); !loaded) return std::unexpected(loaded.error());
    const auto records = records_of(document.root(), settings);
    if (!records) return std::unexpected(records.error());
    const auto paths = find_paths(*records, settings);
    if (!paths) return std::unexpected(paths.error());
    FeedRecorder recorder(settings, sink);
    document.count_others(recorder);
    const KindName& of_value = kind->meaning != KindName::Meaning::kAuto ? *kind : paths->value_kind;
    for (const Records& some : *records) {
      std::size_t index = 0;
      for (const dom::element& element : some.array) {
        if (recorder.full()) break;
        const std::string place = some.path + document.place(index++);
        if (recorder.record() <= settings.skip) {
          recorder.ignore("skipped record");
        } else {
          take(element, *paths, of_value, place, recorder);
        }
      }
    }
    return recorder.finished();
  }

 private:
  static core::Expected<Paths> find_paths(const std::vector<Records>& records, const FeedSettings& settings) {
    Paths paths;
    if (!settings.mapping.value.empty()) {
      const auto names = mapped_names(settings.mapping);
      std::copy(names.begin(), names.end(), paths.path.begin());
      return paths;
    }
    if (auto usual = usual_paths(records)) return *usual;
    const bool texts = std::all_of(records.begin(), records.end(), [](const Records& r) {
      return !holds_objects(r.array) &&
             std::any_of(r.array.begin(), r.array.end(), [](const dom::element& e) { return e.is_string(); });
    });
    if (texts) return paths;
    return core::fail("no field that holds an indicator", "", "name one with mapping.value");
  }

  static void take(const dom::element& element, const Paths& paths, const KindName& kind, const std::string& place,
                   FeedRecorder& recorder) {
    std::array<std::string, kRowFields> texts;
    Row row;
    if (element.is_string()) {
      row[RowField::kValue] = element.get_string().value_unsafe();
      return take_row(row, kind, place, recorder);
    }
    if (!element.is_object()) return recorder.reject("record that is no object", "", place);
    std::vector<std::string> tags;
    for (std::size_t i = 0; i < kRowFields; ++i) {
      if (paths.path[i].empty()) continue;
      const auto value = at_path(element, paths.path[i]);
      if (!value || value->is_null()) continue;
      dom::array array;
      if (i == static_cast<std::size_t>(RowField::kTags) && value->get(array) == simdjson::SUCCESS) {
        for (const dom::element& tag : array) {
          if (auto text = json_scalar(tag)) tags.push_back(std::move(*text));
        }
        continue;
      }
      auto text = json_scalar(*value);
      if (!text) return recorder.reject("field that is no text", paths.path[i], place);
      texts[i] = std::move(*text);
      row.field[i] = texts[i];
    }
    row.more_tags.assign(tags.begin(), tags.end());
    take_row(row, kind, place, recorder);
  }
};

}  // namespace

const FeedReader& json_feed() {
  static const Json reader;
  return reader;
}

}  // namespace orbwatch::intel
