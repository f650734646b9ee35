#include "pipeline/live.h"

#include <fmt/format.h>

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "core/archive.h"
#include "core/text.h"
#include "decode/all.h"
#include "decode/flow_datagram.h"
#include "decode/text.h"
#include "pipeline/device_rates.h"
#include "pipeline/event_days.h"
#include "pipeline/judge.h"
#include "pipeline/kept_networks.h"
#include "pipeline/pseudonyms.h"
#include "pipeline/verdict_file.h"
#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using core::Nanoseconds;
using source::Arrival;
using source::ArrivalKind;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".state";
constexpr std::size_t kReadBytes = std::size_t{1} << 20;
// A text decoder is made for one day of arrivals: times without a year are read by the day on which they came.
constexpr Nanoseconds kDecoderDay = core::kDay;
// Findings are handed out once in so much time of the events, and when nothing comes.
constexpr std::chrono::seconds kDevicesEvery{5};
constexpr std::uint32_t kLayout = 2;
constexpr std::uint32_t kSealedLayout = 1;
constexpr std::string_view kRemoved = "collectors no longer configured";

std::string checkpoint_path(const std::string& folder, std::uint64_t position) {
  return fmt::format("{}/{}{:020}{}", folder, kPrefix, position, kSuffix);
}

// Positions of the checkpoints in the folder, newest first.
std::vector<std::uint64_t> checkpoints_in(const std::string& folder) {
  std::vector<std::uint64_t> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const auto digits = std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    if (const auto position = core::parse_number<std::uint64_t>(digits)) out.push_back(*position);
  }
  std::sort(out.begin(), out.end(), std::greater<>());
  return out;
}

template <typename Archive>
void persist_counts(Archive& a, event::Counts& counts) {
  a(counts.records, counts.events, counts.ignored, counts.rejected);
  for (auto* reasons : {&counts.ignored_by, &counts.rejected_by, &counts.events_by})
    a.entries(*reasons, [&](core::Symbol& reason, std::uint64_t& n) { a(reason, n); });
}

}  // namespace

struct Live::Impl {
  // A configured source with what its records have taught so far.
  struct Source {
    LiveSource settings;
    LiveCounts counts;
    std::unique_ptr<decode::Decoder> text;
    std::int64_t text_day = INT64_MIN;
    std::unique_ptr<decode::FlowDatagramDecoder> flows = std::make_unique<decode::FlowDatagramDecoder>();
  };

  LiveOptions options;
  Knowledge knowledge;
  source::Journal& journal;
  FindingsSink sink;

  std::vector<std::string> names;  // of the sources: for findings
  std::deque<Source> sources;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> index_of;  // by source_id()
  std::unique_ptr<Pseudonyms> pseudonyms;                      // null: names are kept as they come
  std::optional<core::Error> unsealed;                         // why the last persist_flows() wrote nothing
  std::unique_ptr<Judge> judge;
  std::unique_ptr<EventDays> days;
  std::unique_ptr<store::Store> findings;
  std::vector<std::string> notes;

  std::uint64_t hits_written = 0;  // Judge::suppressed() when the hits were written last
  std::uint64_t verdicts_left_out = 0;
  std::uint64_t position = 0;
  Nanoseconds newest = 0;          // time of the newest event that was judged
  Nanoseconds newest_arrival = 0;  // when it came
  DeviceRates devices;
  std::uint64_t previous_checkpoint = 0;
  std::chrono::steady_clock::time_point last_checkpoint = std::chrono::steady_clock::now();
  // The networks as they were written last; nothing if this process has not written any.
  struct Written {
    std::uint64_t clusterings = 0;
    std::uint64_t sightings = 0;
    Nanoseconds newest = 0;
    std::chrono::steady_clock::time_point again;  // not before
  };
  std::optional<Written> networks_written;

  // Working memory.
  std::vector<source::Journal::Entry> entries;
  event::EventBatch batch;
  std::shared_ptr<event::Chunk> chunk = std::make_shared<event::Chunk>();
  enrich::Enricher::Scratch scratch;
  std::vector<score::Finding> changed;

  mutable std::mutex mutex;
  LiveStatus shown;
  std::chrono::steady_clock::time_point devices_shown{};

  Impl(const LiveOptions& o, Knowledge k, source::Journal& j, FindingsSink s)
      : options(o), knowledge(std::move(k)), journal(j), sink(std::move(s)) {}

  core::Expected<void> load();
  core::Expected<void> read_checkpoint(const std::string& path);
  template <typename Archive>
  void persist(Archive& a);
  template <typename Archive>
  void persist_flows(Archive& a, decode::FlowDatagramDecoder& flows);
  core::Expected<void> work(const source::Journal::Entry& entry);
  core::Expected<void> take_verdict(std::string_view line);
  core::Expected<decode::Decoder*> text_decoder(Source& source, Nanoseconds received);
  core::Expected<void> settle(Source& source, const source::Journal::Entry& entry);
  core::Expected<void> hand_out();
  core::Expected<void> write_checkpoint(bool last);
  core::Expected<void> write_networks(bool last);
  void show(std::string trouble);
};

std::uint32_t source_id(std::string_view name) { return static_cast<std::uint32_t>(core::hash64(name)); }

std::uint64_t Live::checkpoint_position(const std::string& folder) {
  const auto all = checkpoints_in(folder);
  return all.empty() ? 0 : all.front();
}

Live::Live(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Live::~Live() = default;

core::Expected<std::unique_ptr<Live>> Live::open(const LiveOptions& options, Knowledge knowledge,
                                                 source::Journal& journal, FindingsSink sink) {
  std::unique_ptr<Live> live(new Live(std::make_unique<Impl>(options, std::move(knowledge), journal, std::move(sink))));
  if (auto ok = live->impl_->load(); !ok) return std::unexpected(ok.error());
  return live;
}

core::Expected<void> Live::Impl::load() {
  notes = knowledge.notes;
  std::vector<LiveSource> all_sources = options.sources;
  all_sources.push_back({.name = std::string(kRemoved), .format = "", .zone = ""});
  for (const LiveSource& s : all_sources) {
    if (!index_of.emplace(source_id(s.name), static_cast<std::uint32_t>(names.size())).second)
      return core::fail("two collectors cannot be told apart", s.name, "give one of them another name");
    names.push_back(s.name);
    Source& source = sources.emplace_back();
    source.settings = s;
    // An error of its settings is told now, not when the first record comes.
    if (auto made = text_decoder(source, core::kDay); !made) return std::unexpected(made.error());
  }
  // Before anything else is made in the folder.
  if (auto opened = Pseudonyms::open(options.pseudonyms, options.folder)) {
    pseudonyms = std::move(*opened);
  } else {
    return std::unexpected(opened.error());
  }
  if (options.store_events) {
    auto opened = EventDays::open(options.folder + "/events", options.keep_days, options.keep_bytes);
    if (!opened) return std::unexpected(opened.error());
    days = std::move(*opened);
  }
  if (store::available()) {
    auto opened = store::Store::open_live(options.folder + "/findings.duckdb");
    if (!opened) return std::unexpected(opened.error());
    findings = std::move(*opened);
    if (!findings->notice().empty()) notes.push_back(findings->notice());
  }
  const auto fresh = [this] {
    judge = std::make_unique<Judge>(*knowledge.enricher, knowledge.indicators.get(), options.alerts_per_day, names);
    judge->use_learned_half_lives(options.learn_half_lives);
    judge->tell_of_all();
    if (pseudonyms != nullptr)
      judge->keep_raw_as(
          [this](const event::Event& e, std::string_view record) { return pseudonyms->keep(e, record); });
  };
  fresh();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(options.folder, ignored)) {
    // A kill left it while it was written.
    if (entry.path().extension() == ".partial") fs::remove(entry.path(), ignored);
  }
  const auto all = checkpoints_in(options.folder);
  for (const std::uint64_t at : all) {
    const std::string path = checkpoint_path(options.folder, at);
    const auto read = read_checkpoint(path);
    if (read) {
      position = previous_checkpoint = at;
      break;
    }
    // The one before it is kept for this: what came since is read again.
    if (at == all.back()) return read;
    notes.push_back(fmt::format("{}; going on from the checkpoint before it", read.error().text()));
    fresh();
    newest = newest_arrival = 0;
    devices = {};
    for (Source& source : sources) {
      source.counts = {};
      source.flows = std::make_unique<decode::FlowDatagramDecoder>();
    }
  }
  // As the state has them: a second reading counts again from there.
  if (!judge->verdicts().empty()) {
    if (auto ok = write_hits(options.folder, judge->verdicts()); !ok) return ok;
  }
  if (journal.begin() > position)
    return core::fail("the journal begins behind the last checkpoint",
                      fmt::format("{} > {} in {}", journal.begin(), position, options.folder),
                      "restore both from one backup, or move the whole state folder away to begin anew");
  show({});
  return {};
}

// Everything that the rest of the journal's meaning depends on.
template <typename Archive>
void Live::Impl::persist(Archive& a) {
  const std::uint32_t layout = a.section("service", kLayout, 1);
  a(newest, newest_arrival);
  if constexpr (Archive::kReads) {
    if (layout >= 2) devices.load(a);  // the first one had none
  } else {
    devices.save(a);
  }
  // By name: sources come and go with the configuration.
  std::vector<std::string> saved;
  if constexpr (!Archive::kReads) saved = names;
  a(saved);
  for (const std::string& name : saved) {
    Source gone;
    auto found = std::find_if(sources.begin(), sources.end(), [&](const Source& s) { return s.settings.name == name; });
    Source& source = found == sources.end() ? gone : *found;
    a(source.counts.bytes, source.counts.late, source.counts.ahead, source.counts.last_arrival);
    persist_counts(a, source.counts.counts);
    persist_flows(a, *source.flows);
  }
}

template <typename Archive>
void Live::Impl::persist_flows(Archive& a, decode::FlowDatagramDecoder& flows) {
  if (pseudonyms == nullptr) {
    // Its functions may fail for a reason of their own; the archive keeps it.
    if constexpr (Archive::kReads) {
      if (const auto done = flows.load(a); !done) return;
    } else {
      flows.save(a);
    }
    return;
  }
  // What waits for its template is as it came, with names of users in it.
  a.section("sealed flows", kSealedLayout);
  if constexpr (Archive::kReads) {
    std::string sealed;
    a(sealed);
    if (!a.ok()) return;
    const auto inside = pseudonyms->key().open(sealed);
    if (!inside) {
      a.refuse(inside.error().text());
      return;
    }
    core::ArchiveReader reader(*inside);
    auto done = flows.load(reader);
    if (done) done = reader.finish();
    if (!done) a.refuse(done.error().text());
  } else {
    core::ArchiveWriter writer;
    flows.save(writer);
    auto done = writer.finish();
    auto sealed = done ? pseudonyms->key().seal(writer.take()) : std::unexpected(done.error());
    if (!sealed) {
      unsealed = sealed.error();
      return;
    }
    a(*sealed);
  }
}

core::Expected<void> Live::Impl::read_checkpoint(const std::string& path) {
  auto reader = core::ArchiveReader::from_file(path);
  if (!reader) return std::unexpected(reader.error());
  persist(*reader);
  if (auto ok = reader->check(); !ok) return ok;
  if (auto ok = judge->load(*reader); !ok) return ok;
  return reader->finish();
}

// The clock decides how often, never what: nothing that is saved depends on it.
core::Expected<void> Live::Impl::write_networks(bool last) {
  const auto began = std::chrono::steady_clock::now();
  const track::NetworkTracker::Counts& counts = judge->networks().tracker().counts();
  if (networks_written) {
    const Written& was = *networks_written;
    const bool drawn = counts.clusterings != was.clusterings;
    if (!drawn && counts.sightings == was.sightings) return {};
    if (!last && (began < was.again || (!drawn && newest - was.newest < kNetworksEvery))) return {};
  }
  const std::vector<score::Network> networks = judge->networks_in_full();
  if (auto ok = pipeline::write_networks(options.folder, networks); !ok) return ok;
  if (findings != nullptr) {
    if (auto ok = findings->replace_networks(networks); !ok) return ok;
  }
  const auto took = std::chrono::steady_clock::now() - began;
  networks_written = {counts.clusterings, counts.sightings, newest, began + took + kNetworksPause * took};
  const std::lock_guard lock(mutex);
  shown.networks = networks.size();
  shown.last_networks_took = std::chrono::duration_cast<std::chrono::milliseconds>(took);
  return {};
}

core::Expected<void> Live::Impl::write_checkpoint(bool last) {
  const auto began = std::chrono::steady_clock::now();
  const std::string path = checkpoint_path(options.folder, position);
  // Within the store's transaction that ends here.
  if (auto ok = write_networks(last); !ok) return ok;
  // The stores first: they may be ahead of the state, since a second reading passes over what they have. What they lack
  // behind a checkpoint would never be read again.
  if (days != nullptr) {
    if (auto ok = days->checkpoint(position); !ok) return ok;
  }
  if (findings != nullptr) {
    if (auto ok = findings->checkpoint(position); !ok) return ok;
  }
  auto writer = core::ArchiveWriter::to_file(path);
  if (!writer) return std::unexpected(writer.error());
  unsealed.reset();
  persist(*writer);
  if (unsealed) return std::unexpected(*unsealed);
  judge->save(*writer);
  if (auto ok = writer->finish(); !ok) return ok;
  // The one before stays, and the journal from there on: should this one be damaged on the disk.
  for (const std::uint64_t at : checkpoints_in(options.folder)) {
    if (at == position || at == previous_checkpoint) continue;
    std::error_code ignored;
    fs::remove(checkpoint_path(options.folder, at), ignored);
  }
  journal.release(std::min(previous_checkpoint, position));
  previous_checkpoint = position;
  const std::lock_guard lock(mutex);
  ++shown.checkpoints;
  shown.checkpoint_position = position;
  shown.last_checkpoint_took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return {};
}

core::Expected<void> Live::checkpoint() {
  impl_->last_checkpoint = std::chrono::steady_clock::now();
  return impl_->write_checkpoint(false);
}

core::Expected<decode::Decoder*> Live::Impl::text_decoder(Source& source, Nanoseconds received) {
  const std::int64_t day = received / kDecoderDay;
  if (source.text == nullptr || source.text_day != day) {
    decode::Options decoding;
    decoding.zone = source.settings.zone;
    decoding.reference = received;
    decoding.format = source.settings.format;
    decoding.mappings = options.mappings;
    decoding.longest_record = options.longest_record;
    decode::Recognised lines;
    lines.format = source.settings.format.empty() ? "text" : source.settings.format;
    lines.stateless = true;
    auto made = decode::make_decoder(lines, decoding);
    if (!made) return std::unexpected(made.error());
    source.text = std::move(*made);
    source.text_day = day;
  }
  return source.text.get();
}

core::Expected<void> Live::Impl::work(const source::Journal::Entry& entry) {
  const Arrival& arrival = entry.arrival;
  devices.advance(arrival.received);
  if (arrival.kind == ArrivalKind::kTick) {
    // As much time passes for the events as passed for the arrivals.
    if (newest != 0 && arrival.received > newest_arrival) judge->advance(newest + (arrival.received - newest_arrival));
    return hand_out();
  }
  if (arrival.kind == ArrivalKind::kVerdict) return take_verdict(arrival.bytes);
  const auto found = index_of.find(arrival.source);
  const std::uint32_t index = found != index_of.end() ? found->second : static_cast<std::uint32_t>(sources.size() - 1);
  Source& source = sources[index];
  source.counts.bytes += arrival.bytes.size();
  source.counts.last_arrival = std::max(source.counts.last_arrival, arrival.received);
  batch.clear();
  batch.source = index;
  if (arrival.kind == ArrivalKind::kLines) {
    auto decoder = text_decoder(source, arrival.received);
    if (!decoder) return std::unexpected(decoder.error());
    // A record's place: within its file if it came from one, else in the journal.
    const bool file = arrival.stream != 0 && arrival.position >= arrival.bytes.size();
    chunk->bytes.assign(arrival.bytes);
    chunk->bytes.reserve(chunk->bytes.size() + core::kPadding);
    chunk->offset = file ? arrival.position - arrival.bytes.size() : entry.begin;
    chunk->source = index;
    batch.chunk = chunk;
    auto& frame = static_cast<decode::TextDecoder&>(**decoder);
    frame.start_at(chunk->offset, 0);
    frame.feed(chunk->bytes, batch);
    frame.finish(batch);
  } else {
    std::string_view rest = arrival.bytes;
    while (rest.size() >= 2) {
      const std::size_t length =
          static_cast<unsigned char>(rest[0]) | static_cast<std::size_t>(static_cast<unsigned char>(rest[1])) << 8;
      rest.remove_prefix(2);
      decode::Datagram datagram;
      datagram.payload = rest.substr(0, length);
      datagram.exporter = arrival.peer;
      datagram.exporter_port = arrival.peer_port;
      datagram.received = arrival.received;
      datagram.record.source = index;
      datagram.record.offset = entry.begin + static_cast<std::uint64_t>(datagram.payload.data() - arrival.bytes.data());
      datagram.record.length = static_cast<std::uint32_t>(datagram.payload.size());
      rest.remove_prefix(datagram.payload.size());
      source.flows->decode(datagram, batch);
    }
  }
  // Nothing behind this line knows a user's name.
  if (pseudonyms != nullptr) {
    if (auto ok = pseudonyms->hide(batch); !ok) return ok;
  }
  knowledge.enricher->enrich(batch, scratch);
  return settle(source, entry);
}

core::Expected<void> Live::Impl::settle(Source& source, const source::Journal::Entry& entry) {
  const Arrival& arrival = entry.arrival;
  const event::Event* first_of_device = nullptr;
  std::uint64_t of_device = 0;
  for (event::Event& e : batch) {
    // Lines within one arrival have no number that would mean anything to a reader.
    e.record.line = 0;
    e.record.source = batch.source;
    // The sender is the device, unless the record names one.
    if (!e.observer_ip.present() && !e.observer.present()) e.observer_ip = arrival.peer;
    // Runs of one device, so that its entry is not looked up for each event.
    if (first_of_device == nullptr || e.observer != first_of_device->observer ||
        (e.observer_ip != first_of_device->observer_ip && !e.observer.present())) {
      if (first_of_device != nullptr)
        devices.take(first_of_device->observer, first_of_device->observer_ip, of_device, arrival.received);
      first_of_device = &e;
      of_device = 0;
    }
    ++of_device;
    if (e.time == 0) e.time = newest != 0 ? newest : arrival.received;
    if (!plausible(e.time)) {
      judge->take(e, batch);  // counts it as undated
      continue;
    }
    if (e.event_class != event::Class::kDevice) {
      if (arrival.received != 0 && e.time > arrival.received + kMostAhead) {
        ++source.counts.ahead;
        continue;
      }
      if (e.time < newest - options.lateness) {
        ++source.counts.late;
        continue;
      }
      if (e.time > newest) {
        // At moments that the records determine, so that a second reading of the journal gives the same.
        if (e.time / kHandOut != newest / kHandOut) {
          if (auto ok = hand_out(); !ok) return ok;
        }
        newest = e.time;
        newest_arrival = arrival.received;
      }
    }
    judge->take(e, batch);
    if (judge->crowded()) {
      if (auto ok = hand_out(); !ok) return ok;
    }
  }
  if (first_of_device != nullptr)
    devices.take(first_of_device->observer, first_of_device->observer_ip, of_device, arrival.received);
  source.counts.counts.add(batch.counts);
  if (days != nullptr && !batch.empty())
    return days->append(batch, names, *knowledge.enricher, arrival.received, entry.end);
  return {};
}

// What is not understood was written by another version, or somebody else's hand: the service that read the file has
// told of it.
core::Expected<void> Live::Impl::take_verdict(std::string_view line) {
  const auto verdict = parse_verdict(line);
  const auto taken = verdict ? judge->take_verdict(*verdict) : score::Verdicts::Taken::kFull;
  if (taken == score::Verdicts::Taken::kFull || taken == score::Verdicts::Taken::kUnknown) ++verdicts_left_out;
  return hand_out();
}

core::Expected<void> Live::Impl::hand_out() {
  changed.clear();
  judge->changed([this](const score::Finding& finding) { changed.push_back(finding); });
  if (changed.empty()) return {};
  if (sink) sink(changed);
  if (auto ok = append_to_index(options.folder, changed); !ok) return ok;
  if (judge->suppressed() != hits_written) {
    if (auto ok = write_hits(options.folder, judge->verdicts()); !ok) return ok;
    hits_written = judge->suppressed();
  }
  {
    const std::lock_guard lock(mutex);
    shown.findings += changed.size();
  }
  // What a kill takes back is handed out again.
  return findings == nullptr ? core::Expected<void>() : findings->replace_findings(changed);
}

void Live::Impl::show(std::string trouble) {
  const std::lock_guard lock(mutex);
  shown.sources.resize(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    shown.sources[i] = sources[i].counts;
    const decode::FlowLosses lost = sources[i].flows->lost();
    shown.sources[i].lost_flows = lost.flows;
    shown.sources[i].lost_datagrams = lost.datagrams;
  }
  // Every device is asked what it usually sends: not at each look.
  if (const auto now = std::chrono::steady_clock::now(); now - devices_shown > kDevicesEvery) {
    devices_shown = now;
    shown.devices = devices.status(LiveStatus::kMostDevices);
    shown.all_devices = devices.size();
    shown.silent_devices = devices.silent();
    shown.untracked_device_events = devices.untracked();
  }
  shown.position = position;
  shown.journal_begin = journal.begin();
  shown.journal_end = journal.end();
  shown.newest_event = newest;
  shown.verdicts = judge->verdicts().size();
  shown.verdicts_left_out = verdicts_left_out;
  shown.suppressed = judge->suppressed();
  shown.trouble = std::move(trouble);
}

core::Expected<void> Live::run(const std::atomic<bool>& stop, std::chrono::milliseconds drain) {
  Impl& my = *impl_;
  my.last_checkpoint = std::chrono::steady_clock::now();
  auto last_shown = my.last_checkpoint;
  constexpr auto kMoment = std::chrono::milliseconds(200);
  std::optional<std::chrono::steady_clock::time_point> stopped;
  while (true) {
    std::uint64_t next = my.position;
    if (auto ok = my.journal.read(next, kReadBytes, my.entries); !ok) return ok;
    for (const source::Journal::Entry& entry : my.entries) {
      if (auto ok = my.work(entry); !ok) return ok;
    }
    my.position = next;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_shown > kMoment || my.entries.empty()) {
      last_shown = now;
      my.show({});
    }
    if (now - my.last_checkpoint > my.options.checkpoint_every && my.position != my.previous_checkpoint) {
      if (auto ok = checkpoint(); !ok) my.show(ok.error().text());
    }
    if (stop.load()) {
      if (!stopped) stopped = now;
      if (my.entries.empty() || now - *stopped > drain) break;
    }
    if (!my.entries.empty()) continue;
    my.journal.wait(my.position, kMoment);
  }
  auto done = my.write_checkpoint(true);
  my.devices_shown = {};
  my.show(done ? std::string() : done.error().text());
  return done;
}

LiveStatus Live::status() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->shown;
}

std::vector<std::string> Live::notes() const { return impl_->notes; }

}  // namespace orbwatch::pipeline
