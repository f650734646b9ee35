#include "intel/fetch/misp_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text.h"
#include "intel/fetch/bounded_json.h"
#include "intel/fetch/url.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostOfACursor = 1'000'000;
constexpr std::size_t kLongestWords = 200;
constexpr std::size_t kTroublesKept = 20;

// 8-4-4-4-12 hexadecimal digits (RFC 9562), in lower case; nullopt for anything else. It becomes a part of a path.
std::optional<std::string> uuid_of(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string uuid = core::lower(text);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = uuid[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  return uuid;
}

// MISP writes seconds as text; other generators as a number.
std::optional<std::int64_t> timestamp_of(const dom::element& entry) {
  std::int64_t seconds = 0;
  std::string_view text;
  if (entry["timestamp"].get(text) == simdjson::SUCCESS) {
    const auto number = core::parse_number<std::int64_t>(text);
    if (!number) return std::nullopt;
    seconds = *number;
  } else if (entry["timestamp"].get(seconds) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return seconds >= 0 ? std::optional(seconds) : std::nullopt;
}

// The address of a file of the feed; what stands behind "?" is kept.
std::string address_of(const std::string& url, std::string_view name) {
  const auto parsed = Url::parse(url);
  const bool web = parsed && parsed->scheme != Url::Scheme::kFile;
  const auto question = web ? url.find_first_of("?#") : url.npos;
  std::string folder = url.substr(0, question);
  if (folder.ends_with("/manifest.json")) folder.resize(folder.size() - std::string_view("manifest.json").size());
  if (!folder.ends_with('/')) folder += '/';
  folder += name;
  if (question != url.npos) folder += url.substr(question);
  return folder;
}

struct Manifest {
  std::vector<MispListing> events;  // newest first
  std::uint64_t invalid = 0;
};

core::Expected<Manifest> manifest_of(const std::string& bytes, const std::string& shown, const MispLimits& limits,
                                     MispReading& reading) {
  dom::parser parser;
  const auto root = parse_bounded_json(parser, bytes, shown);
  if (!root) return std::unexpected(root.error());
  dom::object entries;
  if (root->get(entries) != simdjson::SUCCESS)
    return core::fail(shown + " is no manifest of a MISP feed", "", "is it the address of the feed's folder?");
  std::map<std::string, MispListing> by_uuid;  // a name that comes twice counts once, with its newest timestamp
  Manifest manifest;
  for (const auto& [key, entry] : entries) {
    if (++reading.listed > limits.most_listed)
      return core::fail(shown + " names too many events", fmt::format("more than {}", limits.most_listed));
    auto uuid = uuid_of(key);
    const auto timestamp = timestamp_of(entry);
    if (!uuid || !timestamp) {
      ++reading.invalid;
      if (reading.troubles.size() < kTroublesKept)
        reading.troubles.push_back("no " + std::string(uuid ? "timestamp" : "uuid") + ": " + core::printable(key, 60));
      continue;
    }
    MispListing listing{*uuid, *timestamp, std::string(json_text(entry, "info").substr(0, kLongestWords)), ""};
    dom::element organisation;
    if (entry["Orgc"].get(organisation) == simdjson::SUCCESS)
      listing.organisation = json_text(organisation, "name").substr(0, kLongestWords);
    const auto [at, added] = by_uuid.try_emplace(std::move(*uuid), listing);
    if (!added && at->second.timestamp < listing.timestamp) at->second = std::move(listing);
  }
  for (auto& [uuid, listing] : by_uuid) manifest.events.push_back(std::move(listing));
  std::ranges::stable_sort(manifest.events, std::ranges::greater{}, &MispListing::timestamp);
  return manifest;
}

}  // namespace

std::string MispCursor::text() const {
  std::string out;
  for (const auto& [uuid, timestamp] : events) out += fmt::format("{} {}\n", uuid, timestamp);
  return out;
}

core::Expected<MispCursor> MispCursor::parse(std::string_view text) {
  MispCursor cursor;
  while (!text.empty()) {
    std::string_view line = core::take_until(text, '\n');
    const auto uuid = uuid_of(core::take_until(line, ' '));
    const auto timestamp = core::parse_number<std::int64_t>(line);
    if (!uuid || !timestamp || *timestamp < 0 || cursor.events.size() == kMostOfACursor)
      return core::fail("the list of the feed's events that are had is damaged", "",
                        "forget it, and all are read anew");
    cursor.events[*uuid] = *timestamp;
  }
  return cursor;
}

core::Expected<MispReading> read_misp_feed(Fetcher& fetcher, const MispFeedSettings& settings, const MispCursor& cursor,
                                           const MispSink& sink, const std::stop_token& stop) {
  const MispLimits& limits = settings.limits;
  const core::Nanoseconds end =
      fetcher.now() + static_cast<core::Nanoseconds>(limits.most_time.count()) * core::kSecond;
  Request request;
  request.url = address_of(settings.url, "manifest.json");
  request.accept = "application/json";
  request.most_bytes = limits.most_manifest_bytes;
  const std::string shown = shown_url(request.url);
  const auto answer = fetcher.get(request, stop);
  if (!answer) return std::unexpected(answer.error());
  MispReading reading;
  const auto manifest = manifest_of(answer->body, shown, limits, reading);
  if (!manifest) return std::unexpected(manifest.error());

  std::size_t asked = 0, troubles_in_row = 0;
  bool full = false;
  request.most_bytes = limits.most_event_bytes;
  request.also_answers = {404, 410};
  request.too_large_is_answer = true;
  for (const MispListing& event : manifest->events) {
    const auto had = cursor.events.find(event.uuid);
    if (had != cursor.events.end()) reading.cursor.events[event.uuid] = had->second;  // until the newer one is taken
    if (had != cursor.events.end() && event.timestamp <= had->second) {
      ++reading.known;
      continue;
    }
    full = full || asked >= limits.most_events || reading.bytes >= limits.most_bytes || fetcher.now() > end;
    if (full) {
      ++reading.left;
      continue;
    }
    ++asked;
    request.url = address_of(settings.url, event.uuid + ".json");
    request.most_bytes = std::min(limits.most_event_bytes, limits.most_bytes - reading.bytes);
    const auto body = fetcher.get(request, stop);
    if (!body) return std::unexpected(body.error());
    if (body->too_large && request.most_bytes < limits.most_event_bytes) {  // it may have its place next time
      full = true;
      ++reading.left;
      continue;
    }
    if (body->too_large || body->status == 404 || body->status == 410) {
      ++(body->too_large ? reading.too_large : reading.missing);
      if (reading.troubles.size() < kTroublesKept)
        reading.troubles.push_back((body->too_large ? "too large: " : "missing: ") + event.uuid);
      if (++troubles_in_row >= limits.most_troubles_in_row)
        return core::fail(shown + " names events that are not there", fmt::format("{} in a row", troubles_in_row),
                          "is the feed being written just now?");
      continue;
    }
    troubles_in_row = 0;
    if (auto taken = sink(event, body->body); !taken) return std::unexpected(taken.error());
    ++reading.taken;
    reading.bytes += body->body.size();
    reading.cursor.events[event.uuid] = event.timestamp;
  }
  for (const auto& [uuid, timestamp] : cursor.events) {
    if (reading.cursor.events.contains(uuid)) continue;
    ++reading.withdrawn;
    reading.gone.push_back(uuid);
  }
  return reading;
}

}  // namespace orbwatch::intel
