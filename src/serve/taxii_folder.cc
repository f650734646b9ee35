#include "serve/taxii_folder.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "core/symbol.h"
#include "core/text.h"
#include "export/digest.h"
#include "export/files.h"

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;
using std::string_view;

constexpr string_view kOurs = "3f0e64a5-0f3e-4f0c-8d0a-7b1a52f0a1c9";  // name space of collections
constexpr string_view kSidecar = "orbwatch dates of TAXII 1";
constexpr std::size_t kMostSidecar = std::size_t{256} << 20;
constexpr std::size_t kLongestName = 128;  // of a collection
constexpr std::size_t kLongestId = 128;

string_view text_of(const dom::object& object, string_view key) {
  string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : string_view();
}

bool is_id(string_view id, string_view type) {
  if (type.empty() || id.size() > kLongestId || !id.starts_with(type)) return false;
  string_view rest = id.substr(type.size());
  if (!core::skip_prefix(rest, "--") || rest.size() != 36) return false;
  return std::ranges::all_of(rest, [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

core::Nanoseconds moment(string_view text) {
  const auto time = core::parse_iso8601(text, core::TimeReader());
  return time && text.empty() ? *time : 0;
}

// Of a version: id and what tells one version from another.
std::string key_of(const TaxiiObject& object) {
  if (!object.version.empty()) return fmt::format("{} {}", object.id, object.version);
  return fmt::format("{} {:016x}", object.id, core::hash64(object.json));
}

// Two objects of one key are one.
void leave_one_of_each(std::vector<TaxiiObject>& objects) {
  std::set<std::string, std::less<>> seen;
  std::erase_if(objects, [&](const TaxiiObject& object) { return !seen.insert(key_of(object)).second; });
}

void mark_versions(std::vector<TaxiiObject>& objects) {
  absl::flat_hash_map<string_view, std::pair<std::size_t, std::size_t>> ends;  // first and last
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto [at, fresh] = ends.try_emplace(objects[i].id, i, i);
    if (fresh) continue;
    if (objects[i].version_time < objects[at->second.first].version_time) at->second.first = i;
    if (objects[i].version_time >= objects[at->second.second].version_time) at->second.second = i;
  }
  for (const auto& [id, end] : ends) {
    objects[end.first].first = true;
    objects[end.second].last = true;
  }
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

std::string taxii_date(core::Nanoseconds time) {
  const std::string whole = core::rfc3339(time - time % core::kSecond);
  return fmt::format("{}.{:06}Z", string_view(whole).substr(0, 19), time % core::kSecond / core::kMicrosecond);
}

core::Expected<std::vector<TaxiiObject>> read_taxii_bundle(string_view json, const TaxiiFolderLimits& limits) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(json);
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS)
    return core::fail("no valid JSON", simdjson::error_message(error));
  dom::object bundle;
  dom::array all;
  if (root.get(bundle) != simdjson::SUCCESS || text_of(bundle, "type") != "bundle")
    return core::fail("no STIX bundle", "", "an object with \"type\":\"bundle\" and \"objects\"");
  std::vector<TaxiiObject> out;
  if (bundle["objects"].get(all) != simdjson::SUCCESS) return out;  // an empty bundle has none
  for (const dom::element& one : all) {
    dom::object object;
    TaxiiObject o;
    if (one.get(object) == simdjson::SUCCESS) {
      o.type = text_of(object, "type");
      o.id = text_of(object, "id");
    }
    if (!is_id(o.id, o.type)) return core::fail("an object without a STIX id", core::printable(o.id, 80));
    o.spec_version = text_of(object, "spec_version");
    if (o.spec_version.empty()) o.spec_version = "2.0";
    for (const string_view member : {"modified", "created"}) {
      const string_view time = text_of(object, member);
      if (time.empty()) continue;
      o.version_time = moment(time);
      if (o.version_time == 0 || time.size() > 40) return core::fail("an object with a wrong time", o.id);
      o.version = time;
      break;
    }
    o.json = simdjson::minify(one);
    out.push_back(std::move(o));
    if (out.size() > limits.most_objects) return core::fail("too many objects", fmt::format("{}", all.size()));
  }
  return out;
}

TaxiiFolder::TaxiiFolder(std::string folder, source::Log log, const TaxiiFolderLimits& limits)
    : folder_(std::move(folder)),
      log_(std::move(log)),
      limits_(limits),
      collections_(std::make_shared<const Collections>()) {}

core::Expected<std::unique_ptr<TaxiiFolder>> TaxiiFolder::open(const std::string& folder, source::Log log,
                                                               const TaxiiFolderLimits& limits) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return core::fail("no such folder", folder);
  std::unique_ptr<TaxiiFolder> out(new TaxiiFolder(folder, std::move(log), limits));
  out->look();
  return out;
}

std::shared_ptr<const TaxiiFolder::Collections> TaxiiFolder::collections() const {
  const std::scoped_lock lock(mutex_);
  return collections_;
}

core::Expected<void> TaxiiFolder::date(const std::string& name, std::vector<TaxiiObject>& objects) const {
  const fs::path path = folder_ / fmt::format(".{}.added", name);
  absl::flat_hash_map<std::string, core::Nanoseconds> known;
  core::Nanoseconds last = 0;
  std::error_code error;
  std::string before;
  if (fs::exists(path, error)) {
    auto text = exporting::read_bounded(path, kMostSidecar);
    if (!text) return std::unexpected(text.error());
    before = std::move(*text);
    string_view rest = before;
    string_view head = core::take_until(rest, '\n');
    if (core::skip_prefix(head, kSidecar) && core::skip_prefix(head, " ")) last = moment(head);
    if (last == 0)
      return core::fail(
          "the dates on which objects were added cannot be read", path.string(),
          "without them clients would miss what is new; remove the file if they may read all of it again");
    while (!rest.empty()) {
      string_view line = core::take_until(rest, '\n');
      const core::Nanoseconds added = moment(core::take_until(line, ' '));
      if (added == 0 || added > last || line.empty())
        return core::fail("the dates on which objects were added cannot be read", path.string(),
                          "without them clients would miss what is new; remove the file if they may read all of it "
                          "again");
      known.emplace(line, added);
    }
  }
  core::Nanoseconds next = source::now();
  next = std::max(next - next % core::kMicrosecond, last + core::kMicrosecond);
  std::vector<std::string> keys;
  keys.reserve(objects.size());
  for (TaxiiObject& o : objects) {
    std::string key = key_of(o);
    if (const auto at = known.find(key); at != known.end()) {
      o.added = at->second;
    } else {
      o.added = next;
      next += core::kMicrosecond;
    }
    last = std::max(last, o.added);
    if (o.version.empty()) {
      o.version = taxii_date(o.added);
      o.version_time = o.added;
    }
    keys.push_back(std::move(key));
  }
  std::vector<std::size_t> order(objects.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return objects[i].added; });
  std::string text = fmt::format("{} {}\n", kSidecar, taxii_date(last == 0 ? next : last));
  std::vector<TaxiiObject> sorted;
  sorted.reserve(objects.size());
  for (const std::size_t i : order) {
    text += fmt::format("{} {}\n", taxii_date(objects[i].added), keys[i]);
    sorted.push_back(std::move(objects[i]));
  }
  objects = std::move(sorted);
  if (text == before) return {};
  return exporting::write_atomically(path, text);
}

core::Expected<std::shared_ptr<const TaxiiCollection>> TaxiiFolder::read(const std::string& name, const fs::path& path,
                                                                         std::size_t& bytes) const {
  auto text = exporting::read_bounded(path, limits_.most_file);
  if (!text) return std::unexpected(text.error());
  auto objects = read_taxii_bundle(*text, limits_);
  if (!objects) return std::unexpected(objects.error());
  bytes = text->size();
  leave_one_of_each(*objects);
  if (auto dated = date(name, *objects); !dated) return std::unexpected(dated.error());
  mark_versions(*objects);
  auto out = std::make_shared<TaxiiCollection>();
  out->title = name;
  out->id = exporting::uuid5(kOurs, name);
  out->objects = std::move(*objects);
  return out;
}

void TaxiiFolder::look() {
  std::set<std::string> there;
  std::error_code error;
  bool changed = false, crowded = false;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename().string();
    if (!file.ends_with(".json") || file.starts_with('.')) continue;
    paths.push_back(at->path());
  }
  if (error)
    return say(source::LogLevel::kWarning, fmt::format("cannot read {}: {}", folder_.string(), error.message()));
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    const std::string name = path.stem().string();
    struct stat now{};
    if (::stat(path.c_str(), &now) != 0 || !S_ISREG(now.st_mode)) continue;
    if (name.size() > kLongestName || name != core::printable(name, kLongestName) ||
        (!files_.contains(name) && files_.size() >= limits_.most_collections)) {
      crowded = true;
      continue;
    }
    there.insert(name);
    File& file = files_[name];
    if (same(file.seen, now)) continue;
    std::size_t others = 0, bytes = 0;
    for (const auto& [other, held] : files_) others += other == name ? 0 : held.bytes;
    auto collection = others + static_cast<std::size_t>(now.st_size) > limits_.most_bytes
                          ? core::fail("the files of the folder are too large together", folder_.string())
                          : read(name, path, bytes);
    file.seen = now;
    if (!collection) {
      say(source::LogLevel::kError,
          fmt::format("{} is {}: {}", path.filename().string(),
                      file.shown ? "damaged, the collection stays as it was" : "not shown", collection.error().text()));
      continue;
    }
    say(source::LogLevel::kNote,
        fmt::format("collection {} ({}): {} objects", name, (*collection)->id, (*collection)->objects.size()));
    file.shown = std::move(*collection);
    file.bytes = bytes;
    changed = true;
  }
  if (crowded && !crowded_)
    say(source::LogLevel::kError,
        fmt::format("{}: files beyond {}, or with names that are too long or no text, are not shown", folder_.string(),
                    limits_.most_collections));
  crowded_ = crowded;
  for (auto at = files_.begin(); at != files_.end();) {
    if (there.contains(at->first)) {
      ++at;
      continue;
    }
    say(source::LogLevel::kNote, fmt::format("collection {} is gone", at->first));
    changed = true;
    at = files_.erase(at);
  }
  if (!changed) return;
  auto all = std::make_shared<Collections>();
  for (const auto& [name, file] : files_) {
    if (file.shown) all->push_back(file.shown);
  }
  const std::scoped_lock lock(mutex_);
  collections_ = std::move(all);
}

}  // namespace orbwatch::serve
