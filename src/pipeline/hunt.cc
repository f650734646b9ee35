#include "pipeline/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <thread>

#include "decode/mapping.h"
#include "enrich/enrich.h"
#include "pipeline/judge.h"
#include "pipeline/knowledge.h"
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

// A failing sink is an output's fault.
core::Expected<void> of_output(core::Expected<void> outcome) {
  if (!outcome) outcome.error().kind = core::ErrorKind::kOutput;
  return outcome;
}

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

core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress,
                                EventSink* sink, Watcher* watcher) {
  HuntResult result;
  auto zone = core::TimeReader::make(options.zone, 0);
  if (!zone) return std::unexpected(zone.error());
  for (const decode::MappingText& text : options.mappings) {
    if (auto mapping = decode::make_mapping(text.yaml, *zone, text.file); !mapping)
      return std::unexpected(mapping.error());
  }
  auto expanded = source::expand(options.inputs);
  if (!expanded) return std::unexpected(expanded.error());

  auto known = load_knowledge({options.networks_file, options.networks, options.indicator_files});
  if (!known) return std::unexpected(known.error());
  const enrich::Enricher& enricher = *known->enricher;
  result.notes = std::move(known->notes);

  std::vector<std::string> names(expanded->inputs.size());
  for (const source::Input& input : expanded->inputs) names[input.id] = input.path;
  source::Progress read;
  read.bytes_total = source::total_bytes(expanded->inputs);

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
  for (source::Input& input : expanded->inputs) {
    if (!groups.empty() && groups.back().back().group == input.group) {
      groups.back().push_back(std::move(input));
    } else {
      groups.emplace_back().push_back(std::move(input));
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

  Judge judge(enricher, known->indicators.get(), options.alerts_per_day, names);
  if (sink != nullptr) {
    if (auto ok = of_output(sink->begin(enricher)); !ok) return std::unexpected(ok.error());
  }
  if (watcher != nullptr) {
    watcher->begin(enricher);
    judge.tell_of_all();
    judge.show_logins_to([watcher](const event::Event& login) { watcher->login(login); });
  }
  Nanoseconds newest = 0;
  const auto hand_out = [&] { judge.look([&](const score::Finding& finding) { watcher->told(finding, newest); }); };
  // As live.cc: what was said in an interval of kHandOut is handed out by the first event behind it.
  const auto take = [&](const event::Event& e, const event::EventBatch& batch) {
    if (watcher != nullptr && plausible(e.time) && e.event_class != event::Class::kDevice) {
      if (e.time > newest) {
        const bool due = e.time / kHandOut != newest / kHandOut;
        newest = e.time;
        if (due) hand_out();
      }
      if (baseline::is_failed_login(e)) watcher->failed_login(e);
    }
    judge.take(e, batch);
    if (watcher != nullptr && judge.crowded()) hand_out();
  };
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
    if (sink != nullptr && !batch.empty()) return of_output(sink->events(batch, names));
    return {};
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
      for (; cursor.at < cursor.batch->size(); ++cursor.at) judge.take((*cursor.batch)[cursor.at], *cursor.batch);
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
        take(e, batch);
      }
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
  if (watcher != nullptr) {
    judge.advance(newest + enrich::kSettle + kHandOut);  // silence behind the last record, as a service's ticks tell it
    newest += enrich::kSettle + kHandOut;
    hand_out();
  }
  judge.finish(result);

  for (const auto& stream : streams) {
    for (InputReport& report : stream->reports()) {
      result.total.add(report.counts);
      result.inputs.push_back(std::move(report));
    }
  }
  for (const source::Unreadable& u : expanded->unreadable) {
    InputReport report;
    report.path = u.path;
    report.error = u.error.text();
    report.recognised = false;
    result.inputs.push_back(std::move(report));
  }
  if (!expanded->skipped.empty()) {
    result.notes.push_back(fmt::format("{} directory entries were skipped, the first: {} ({})",
                                       expanded->skipped.size(), expanded->skipped.front().path,
                                       expanded->skipped.front().reason));
  }
  if (progress) progress({read.bytes_read, read.bytes_total, records});
  if (sink != nullptr) {
    if (auto ok = of_output(sink->end(result, judge.baseline())); !ok) return std::unexpected(ok.error());
  }
  return result;
}

}  // namespace orbwatch::pipeline
