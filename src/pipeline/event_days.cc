#include "pipeline/event_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/text.h"
#include "enrich/enrich.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events-";
constexpr std::string_view kSuffix = ".duckdb";

}  // namespace

store::FactsLookup facts_lookup(const enrich::Enricher& enricher) {
  return [&enricher](std::uint32_t index) {
    const core::NetworkFacts& f = enricher.facts(index);
    store::FactsRow row;
    row.asn = f.asn;
    row.org = enricher.as_name(index);
    // The letters must outlive the call: a country is one of 676 symbols.
    row.country = core::intern(core::unpack_country(f.country).view()).text();
    row.city = enricher.city(index);
    if (f.type != core::NetworkType::kUnknown) row.network_type = core::label(f.type);
    row.latitude = f.latitude;
    row.longitude = f.longitude;
    return row;
  };
}

core::Expected<std::unique_ptr<EventDays>> EventDays::open(std::string folder, int keep_days,
                                                           std::uint64_t keep_bytes) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return core::fail("cannot make the folder of stored events", fmt::format("{}: {}", folder, error.message()));
  return std::unique_ptr<EventDays>(new EventDays(std::move(folder), keep_days, keep_bytes));
}

core::Expected<void> EventDays::append(const event::EventBatch& batch, const std::vector<std::string>& source_names,
                                       const enrich::Enricher& enricher, core::Nanoseconds received,
                                       std::uint64_t position) {
  // Arrivals stand in the journal as they came; one that a worker held back over midnight goes to the new day.
  const std::int64_t day = std::max(received / core::kDay, day_);
  if (day != day_) {
    if (auto ok = change_day(day, last_position_); !ok) return ok;
  }
  last_position_ = position;
  if (position <= store_->position()) return {};
  if (!facts_) facts_ = facts_lookup(enricher);
  return store_->append_events(batch, source_names, facts_);
}

core::Expected<void> EventDays::change_day(std::int64_t day, std::uint64_t position) {
  if (store_ != nullptr) {
    if (auto ok = store_->checkpoint(std::max(position, store_->position())); !ok) return ok;
    store_.reset();
  }
  path_ = fmt::format("{}/{}{}{}", folder_, kPrefix, core::rfc3339(day * core::kDay).substr(0, 10), kSuffix);
  auto opened = store::Store::open_live(path_);
  if (!opened) return std::unexpected(opened.error());
  store_ = std::move(*opened);
  day_ = day;
  return {};
}

core::Expected<void> EventDays::checkpoint(std::uint64_t position) {
  if (store_ != nullptr && position > store_->position()) {
    if (auto ok = store_->checkpoint(position); !ok) return ok;
  }
  forget();
  return {};
}

void EventDays::forget() {
  struct Day {
    std::string path;
    std::uint64_t bytes = 0;
  };
  std::vector<Day> days;
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const auto size = entry.file_size(ignored);
    days.push_back({entry.path().string(), ignored ? 0 : static_cast<std::uint64_t>(size)});
    bytes += days.back().bytes;
  }
  // The names are dates.
  std::sort(days.begin(), days.end(), [](const Day& a, const Day& b) { return a.path < b.path; });
  for (std::size_t i = 0; i + 1 < days.size(); ++i) {
    const bool many = keep_days_ > 0 && days.size() - i > static_cast<std::size_t>(keep_days_);
    const bool large = keep_bytes_ > 0 && bytes > keep_bytes_;
    if ((!many && !large) || days[i].path == path_) return;
    fs::remove(days[i].path, ignored);
    fs::remove(days[i].path + ".wal", ignored);
    bytes -= days[i].bytes;
    ++removed_days_;
  }
}

}  // namespace orbwatch::pipeline
