#include "intel/feed/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/text.h"

namespace orbwatch::intel {

using std::string_view;

namespace {

std::uint64_t total(const std::map<std::string, std::uint64_t>& reasons) {
  return std::accumulate(reasons.begin(), reasons.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

}  // namespace

std::uint64_t FeedCounts::ignored_total() const { return total(ignored); }
std::uint64_t FeedCounts::rejected_total() const { return total(rejected); }

void FeedRecorder::count(std::map<std::string, std::uint64_t>& reasons, string_view reason, std::uint64_t by) {
  std::string name = core::printable(reason, 80);
  if (reasons.size() >= kMostFeedReasons && !reasons.contains(name)) name = "other";
  reasons[name] += by;
}

void FeedRecorder::reject(string_view reason, string_view text, const std::string& place, std::uint64_t records) {
  if (records == 0) return;
  counts_.records += records;
  count(counts_.rejected, reason, records);
  if (counts_.first_rejected.size() < kMostFeedRejectionsShown)
    counts_.first_rejected.push_back(
        {core::printable(place, 200), core::printable(reason, 80), core::printable(text, 100)});
}

bool FeedRecorder::give(const FeedValue& value, FeedItem item, string_view& reason) {
  if (value.value.size() > kLongestValue) {
    reason = "value too long";
    return false;
  }
  if (item.id.size() > kLongestId) {
    reason = "id too long";
    return false;
  }
  item.valid_from = std::max(item.valid_from, value.valid_from);
  if (value.valid_until != 0 && (item.valid_until == 0 || value.valid_until < item.valid_until))
    item.valid_until = value.valid_until;
  if (item.valid_from != 0 && item.valid_until != 0 && item.valid_until < item.valid_from) {
    reason = "validity ends before it begins";
    return false;
  }
  item.kind = value.kind;
  item.role = value.role;
  item.prefix = value.prefix;
  item.autonomous_system = value.autonomous_system;
  item.value = value.value;
  item.host = value.host;
  if (value.port != 0) item.port = value.port;
  if (value.protocol != 0) item.protocol = value.protocol;
  if (item.label.empty()) item.label = string_view(settings_.label).substr(0, kLongestLabel);
  if (item.first_seen != 0 && item.last_seen != 0 && item.last_seen < item.first_seen)
    std::swap(item.first_seen, item.last_seen);
  item.known_good = item.known_good || settings_.known_good;
  item.record = record();
  ++counts_.items;
  sink_.take(item);
  return true;
}

void FeedRecorder::finish(const ValueVerdict& verdict, const std::vector<FeedValue>& values, FeedItem item,
                          string_view text, const std::string& place) {
  if (verdict.fate == ValueFate::kIgnored) return ignore(verdict.reason);
  if (verdict.fate == ValueFate::kRejected) return reject(verdict.reason, text, place);
  bool any = false;
  string_view reason = "no value";
  for (const FeedValue& value : values) any |= give(value, item, reason);
  if (!any) return reject(reason, text, place);
  used();
}

core::Expected<FeedCounts> FeedRecorder::finished() const {
  if (full())
    return core::fail("feed with too many records", fmt::format("more than {} items", kMostFeedItems),
                      "split it, or check what it is");
  return counts_;
}

bool FeedTags::add(string_view tag) {
  if (tag.empty()) return true;
  if (tag.size() > kLongestTag || texts_.size() >= kMostTags) return false;
  std::string text = core::printable(tag, kLongestTag);
  if (std::find(texts_.begin(), texts_.end(), text) == texts_.end()) texts_.push_back(std::move(text));
  return true;
}

std::span<const string_view> FeedTags::views() {
  views_.assign(texts_.begin(), texts_.end());
  return views_;
}

std::string feed_label(string_view text) {
  text = core::trim(text);
  // printable() adds "..." to what it cuts.
  return core::printable(text, kLongestLabel - 3);
}

std::string line_place(std::uint64_t line) { return "line " + std::to_string(line); }

std::optional<std::uint8_t> parse_confidence(string_view text) {
  text = core::trim(text);
  if (text.empty() || text == "-") return kConfidenceNotSaid;
  if (text.ends_with('%')) text.remove_suffix(1);
  if (const auto number = core::parse_number<std::uint32_t>(text))
    return *number <= 100 ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
  for (const auto& [word, value] : {std::pair{string_view("high"), 85}, std::pair{string_view("medium"), 50},
                                    std::pair{string_view("low"), 15}, std::pair{string_view("none"), 0}}) {
    if (core::equals_ignore_case(text, word)) return static_cast<std::uint8_t>(value);
  }
  return std::nullopt;
}

}  // namespace orbwatch::intel
