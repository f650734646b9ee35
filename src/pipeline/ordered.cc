#include "pipeline/ordered.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <thread>

#include "decode/mapping.h"
#include "enrich/enrich.h"
#include "pipeline/judge.h"
#include "pipeline/stream.h"
#include "pipeline/tasks.h"

namespace orbwatch::pipeline {
namespace {

using core::Nanoseconds;

// Two streams may disagree by this much before the older one goes first: changing the stream for every event would cost
// more than the order is worth. Part of the result's definition: it depends on the data alone.
constexpr Nanoseconds kSlack = 2 * core::kSecond;

// A cursor over one stream's events.
struct Cursor {
  Stream* stream = nullptr;
  std::size_t order = 0;  // ties go to the stream that was named first
  event::EventBatch* batch = nullptr;
  std::size_t at = 0;
  Nanoseconds time = 0;  // of the next event; one without a plausible time counts as the one before it

  bool before(const Cursor& other) const { return time != other.time ? time < other.time : order < other.order; }
};

// Moves the cursor to its next event; false at the end of the stream. `done` is told of every batch that was used up.
template <typename Done>
core::Expected<bool> advance(Cursor& c, Done&& done) {
  while (c.batch == nullptr || c.at >= c.batch->size()) {
    if (c.batch != nullptr) {
      if (auto ok = done(*c.batch); !ok) return std::unexpected(ok.error());
      c.stream->pop();
    }
    c.batch = c.stream->front();
    c.at = 0;
    if (c.batch == nullptr) return false;
  }
  const Nanoseconds t = (*c.batch)[c.at].time;
  if (plausible(t)) c.time = t;
  return true;
}

}  // namespace

core::Expected<OrderedInputs> OrderedInputs::open(const HuntOptions& options) {
  auto zone = core::TimeReader::make(options.zone, 0);
  if (!zone) return std::unexpected(zone.error());
  for (const decode::MappingText& text : options.mappings) {
    if (auto mapping = decode::make_mapping(text.yaml, *zone, text.file); !mapping)
      return std::unexpected(mapping.error());
  }
  auto expanded = source::expand(options.inputs);
  if (!expanded) return std::unexpected(expanded.error());
  OrderedInputs out;
  out.options_ = options;
  out.expanded_ = std::move(*expanded);
  out.names_.resize(out.expanded_.inputs.size());
  for (const source::Input& input : out.expanded_.inputs) out.names_[input.id] = input.path;
  return out;
}

bool OrderedInputs::once() const {
  return std::ranges::any_of(expanded_.inputs, [](const source::Input& input) { return !input.regular; });
}

core::Expected<void> OrderedInputs::read(const enrich::Enricher& enricher, OrderedEvents& to,
                                         const std::function<void(const Progress&)>& progress,
                                         HuntResult& result) const {
  const HuntOptions& options = options_;
  source::Progress read;
  read.bytes_total = source::total_bytes(expanded_.inputs);

  const int threads =
      options.threads > 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Tasks tasks(threads - 1);
  decode::Options decode_options;
  decode_options.zone = options.zone;
  decode_options.year = options.year;
  decode_options.reference = options.reference;
  decode_options.format = options.format;
  decode_options.mappings = options.mappings;
  decode_options.longest_record = options.longest_record;
  StreamContext context{tasks,
                        enricher,
                        decode_options,
                        std::make_shared<source::ChunkPool>(),
                        &read,
                        options.chunk_bytes,
                        threads > 1 ? static_cast<std::size_t>(2 + threads) : 1};

  // Inputs of one group follow each other; groups run side by side, each opened when the others have come to its first
  // event.
  std::vector<std::vector<source::Input>> groups;
  for (const source::Input& input : expanded_.inputs) {
    if (!groups.empty() && groups.back().back().group == input.group) {
      groups.back().push_back(input);
    } else {
      groups.emplace_back().push_back(input);
    }
  }
  std::vector<std::unique_ptr<Stream>> streams;
  streams.reserve(groups.size());
  for (auto& group : groups) streams.push_back(std::make_unique<Stream>(context, std::move(group)));
  std::vector<Cursor> waiting(streams.size());
  {
    std::atomic<std::size_t> left = streams.size();
    for (std::size_t i = 0; i < streams.size(); ++i) {
      waiting[i].stream = streams[i].get();
      waiting[i].order = i;
      tasks.add([&, i] {
        if (streams.size() > 1) waiting[i].time = streams[i]->probe();
        if (left.fetch_sub(1) == 1) tasks.notify();
      });
    }
    tasks.wait([&] { return left.load() == 0; });
  }
  // Latest first, so that the next to open stands at the back.
  std::sort(waiting.begin(), waiting.end(), [](const Cursor& a, const Cursor& b) { return b.before(a); });

  std::uint64_t records = 0;
  auto last_told = std::chrono::steady_clock::now();
  const auto used_up = [&](const event::EventBatch& batch) -> core::Expected<void> {
    records += batch.counts.records;
    if (progress) {
      // For the eyes only: nothing of a finding depends on it.
      const auto now = std::chrono::steady_clock::now();
      if (now - last_told > std::chrono::milliseconds(100)) {
        last_told = now;
        progress({read.bytes_read, read.bytes_total, records});
      }
    }
    return to.used_up(batch);
  };

  // Scans first, in the order in which they were named: what stands behind an address is worth knowing at every log-in,
  // and is mostly looked up after the log-in has raised a question.
  std::vector<Cursor> scans;
  std::copy_if(waiting.begin(), waiting.end(), std::back_inserter(scans),
               [](const Cursor& c) { return c.stream->scan(); });
  std::erase_if(waiting, [](const Cursor& c) { return c.stream->scan(); });
  std::sort(scans.begin(), scans.end(), [](const Cursor& a, const Cursor& b) { return a.order < b.order; });
  for (Cursor& cursor : scans) {
    while (true) {
      auto more = advance(cursor, used_up);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      const event::EventBatch& batch = *cursor.batch;
      if (auto ok = to.take({batch.begin() + cursor.at, batch.end()}, batch); !ok) return ok;
      cursor.at = batch.size();
    }
  }

  std::vector<Cursor> active;  // a heap, earliest at the front
  const auto later = [](const Cursor& a, const Cursor& b) { return b.before(a); };
  while (!active.empty() || !waiting.empty()) {
    // Open what begins before the earliest open event.
    while (!waiting.empty() && (active.empty() || waiting.back().time <= active.front().time + kSlack)) {
      Cursor cursor = waiting.back();
      waiting.pop_back();
      cursor.time = cursor.time == INT64_MAX || cursor.time == INT64_MIN ? 0 : cursor.time;
      auto more = advance(cursor, used_up);
      if (!more) return std::unexpected(more.error());
      if (!*more) continue;
      active.push_back(cursor);
      std::push_heap(active.begin(), active.end(), later);
    }
    if (active.empty()) continue;
    std::pop_heap(active.begin(), active.end(), later);
    Cursor cursor = active.back();
    active.pop_back();
    Nanoseconds until = INT64_MAX;
    if (!active.empty()) until = active.front().time + kSlack;
    if (!waiting.empty())
      until = std::min(until, waiting.back().time == INT64_MAX ? INT64_MAX : waiting.back().time + kSlack);
    bool more = true;
    do {
      event::EventBatch& batch = *cursor.batch;
      const std::size_t size = batch.size();
      std::size_t at = cursor.at;
      Nanoseconds time = cursor.time;
      for (; at < size; ++at) {
        event::Event& e = batch[at];
        if (plausible(e.time)) {
          time = e.time;
        } else if (e.time == 0) {
          e.time = time;  // a record without a time happened after the record before it
        }
        if (time > until && at != cursor.at) break;
      }
      if (auto ok = to.take({batch.begin() + cursor.at, batch.begin() + at}, batch); !ok) return ok;
      cursor.at = at;
      cursor.time = time;
      if (at < size) break;
      auto next = advance(cursor, used_up);
      if (!next) return std::unexpected(next.error());
      more = *next;
    } while (more && cursor.time <= until);
    if (more) {
      active.push_back(cursor);
      std::push_heap(active.begin(), active.end(), later);
    }
  }

  for (const auto& stream : streams) {
    for (InputReport& report : stream->reports()) {
      result.total.add(report.counts);
      result.inputs.push_back(std::move(report));
    }
  }
  for (const source::Unreadable& u : expanded_.unreadable) {
    InputReport report;
    report.path = u.path;
    report.error = u.error.text();
    report.recognised = false;
    result.inputs.push_back(std::move(report));
  }
  if (progress) progress({read.bytes_read, read.bytes_total, records});
  return {};
}

void OrderedInputs::note(HuntResult& result) const {
  if (!expanded_.skipped.empty()) {
    result.notes.push_back(fmt::format("{} directory entries were skipped, the first: {} ({})",
                                       expanded_.skipped.size(), expanded_.skipped.front().path,
                                       expanded_.skipped.front().reason));
  }
}

}  // namespace orbwatch::pipeline
