#include "pipeline/service.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "export/alerts.h"
#include "pipeline/collectors.h"
#include "pipeline/mappings.h"
#include "pipeline/pseudonyms.h"
#include "pipeline/verdict_file.h"
#include "source/journal.h"
#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using core::Nanoseconds;
using source::LogLevel;

// So long nothing has to come before that itself is written down: the pipeline then lets time pass.
constexpr auto kQuiet = std::chrono::seconds(10);
// So long after its end the pipeline is tried again.
constexpr auto kRetry = std::chrono::seconds(10);
// So long start() waits for the state to be loaded.
constexpr auto kPatience = std::chrono::seconds(2);

constexpr std::size_t kMostTold = 1'000;  // remarks on the file of verdicts

std::string verdict_path(const Config& config) {
  return config.verdicts.empty() ? fmt::format("{}/{}", config.service.state, kVerdictFile) : config.verdicts;
}

LiveOptions live_options(const Config& config, const source::Log& log) {
  LiveOptions out;
  out.folder = config.service.state;
  for (const CollectorSettings& c : config.service.collect)
    out.sources.push_back({c.name, c.format, c.timezone.empty() ? config.timezone : c.timezone});
  Mappings mappings = load_mappings(config.mappings);
  for (const core::Error& error : mappings.errors) {
    if (log) log(LogLevel::kWarning, "not used: " + error.text());
  }
  out.mappings = std::move(mappings.good);
  out.alerts_per_day = config.alerts_per_day;
  out.learn_half_lives = config.learn_half_lives;
  out.lateness = config.service.lateness;
  out.checkpoint_every = config.service.checkpoint;
  out.store_events = config.service.store_events && store::available();
  out.keep_days = config.service.keep_days;
  out.keep_bytes = config.service.keep_bytes;
  out.pseudonyms = config.service.pseudonyms;
  return out;
}

}  // namespace

struct Service::Impl {
  ServiceOptions options;
  std::unique_ptr<source::Journal> journal;
  std::map<std::string, std::pair<CollectorSettings, std::unique_ptr<source::Collector>>> collectors;

  std::unique_ptr<exporting::Alerts> alerts;
  std::unique_ptr<Live> live;
  std::thread worker;
  std::atomic<bool> stop_worker = false;

  std::set<std::string> notes_told;
  // The file of verdicts as it was when all of it stood in the journal.
  struct SeenFile {
    std::string path;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    Nanoseconds changed = 0;
    friend bool operator==(const SeenFile&, const SeenFile&) = default;
  };
  SeenFile verdicts_seen;
  std::set<std::string> verdicts_told;  // what was wrong with it

  mutable std::mutex mutex;  // guards what status() reads while others change it
  LiveStatus last_seen;      // of a pipeline that has ended
  std::vector<std::string> order;
  std::condition_variable loaded;
  bool working = false;
  bool loading = false;
  std::string failure;
  std::string told_trouble;
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
  bool stopped = false;
  std::uint64_t last_end = 0;
  std::chrono::steady_clock::time_point last_arrival = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_summary = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_try = std::chrono::steady_clock::now();

  void log(LogLevel level, const std::string& text) const {
    if (options.log) options.log(level, text);
  }

  void tell_once(const std::string& text) {
    if (verdicts_told.size() < kMostTold && verdicts_told.insert(text).second) log(LogLevel::kWarning, text);
  }

  // New entries go through the journal, so that a second reading takes them at the same moment as the first. The
  // journal knows how far the file was taken, as of a followed log.
  void take_verdicts() {
    const std::string path = verdict_path(options.config);
    struct stat meta{};
    if (::stat(path.c_str(), &meta) != 0) return;
    const SeenFile now{path, meta.st_ino, meta.st_size, meta.st_mtim.tv_sec * core::kSecond + meta.st_mtim.tv_nsec};
    if (now == verdicts_seen) return;
    const std::uint64_t stream = core::hash64("verdicts|" + path);
    std::uint64_t from = journal->position(stream);
    if (from > static_cast<std::uint64_t>(meta.st_size)) from = 0;  // another file: what is known is passed over
    const auto read = read_verdicts(path, from, false);
    if (!read) {
      tell_once(read.error().text());
      return;
    }
    for (const DamagedLine& line : read->damaged)
      tell_once(fmt::format("{}:{}: left out, {}", path, line.number, line.why));
    for (const VerdictFile::Line& line : read->lines) {
      source::Arrival arrival;
      arrival.source = source_id(kVerdictFile);
      arrival.kind = source::ArrivalKind::kVerdict;
      arrival.received = source::now();
      arrival.stream = stream;
      arrival.position = line.end;
      arrival.bytes = line.text;
      if (journal->take({&arrival, 1}) != source::Intake::Taken::kYes) return;  // the next tick tries again
      log(LogLevel::kNote,
          fmt::format("verdict {} by {}: {} {}", line.verdict.id, line.verdict.author, score::name(line.verdict.says),
                      line.verdict.finding.empty() ? line.verdict.withdraws : line.verdict.finding));
    }
    verdicts_seen = now;
  }

  core::Expected<void> open_alerts(const Config& config) {
    std::unique_ptr<exporting::Alerts> old;
    {
      const std::lock_guard lock(mutex);
      old = std::move(alerts);
    }
    old.reset();  // its spools are free then
    auto opened = exporting::Alerts::open(config.service.outputs, config.service.state + "/outputs");
    if (!opened) return std::unexpected(opened.error());
    for (const std::string& note : (*opened)->notes()) log(LogLevel::kWarning, note);
    const std::lock_guard lock(mutex);
    alerts = std::move(*opened);
    return {};
  }
  // On the pipeline's thread; alerts change only while it stands still.
  void hand_out(std::span<const score::Finding> findings) {
    if (options.findings) options.findings(findings);
    if (alerts == nullptr) return;
    if (const auto ok = alerts->offer(findings, source::now()); !ok) log(LogLevel::kError, ok.error().text());
  }

  // In place of the one before, whose files the new one needs.
  core::Expected<void> open_live(const Config& config) {
    {
      const std::lock_guard lock(mutex);
      if (live != nullptr) last_seen = live->status();
      live.reset();
    }
    auto known = load_knowledge(sources_of(options.networks_file, config));
    if (!known) return std::unexpected(known.error());
    auto opened = Live::open(live_options(config, options.log), std::move(*known), *journal,
                             [this](std::span<const score::Finding> findings) { hand_out(findings); });
    if (!opened) return std::unexpected(opened.error());
    const std::lock_guard lock(mutex);
    live = std::move(*opened);
    return {};
  }

  // Works from here on. `open`: loads the state first, which takes some seconds for a million users.
  void start_worker(bool open) {
    stop_worker = false;
    {
      const std::lock_guard lock(mutex);
      working = true;
      loading = open;
      failure.clear();
    }
    worker = std::thread([this, open] {
      core::Expected<void> done;
      if (open) done = open_live(options.config);
      {
        const std::lock_guard lock(mutex);
        loading = false;
        if (!done) {
          working = false;
          failure = done.error().text();
        }
      }
      loaded.notify_all();
      if (!done) return;
      for (const std::string& note : live->notes()) {
        if (notes_told.insert(note).second) log(LogLevel::kNote, note);
      }
      done = live->run(stop_worker);
      const std::lock_guard lock(mutex);
      working = false;
      if (!done) failure = done.error().text();
    });
  }
  core::Expected<void> stop_the_worker() {
    if (!worker.joinable()) return {};  // start() failed
    stop_worker = true;
    journal->wake();
    worker.join();
    const std::lock_guard lock(mutex);
    if (!failure.empty()) return std::unexpected(core::Error{failure, "", "", core::ErrorKind::kOutput});
    return {};
  }

  core::Expected<std::unique_ptr<source::Collector>> start_collector(const CollectorSettings& settings) {
    auto made = make_collector(settings, source_id(settings.name), *journal, options.log);
    if (!made) return std::unexpected(made.error());
    if (auto ok = (*made)->start(); !ok)
      return core::fail(fmt::format("cannot start the collector '{}'", settings.name), ok.error().text());
    return made;
  }
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() {
  if (const auto done = stop(); !done) impl_->log(LogLevel::kError, done.error().text());
}

core::Expected<std::unique_ptr<Service>> Service::start(const ServiceOptions& options) {
  const ServiceConfig& settings = options.config.service;
  if (settings.state.empty())
    return core::fail("no folder for the service's state", {}, "set 'state' in the configuration, or give --state");
  if (settings.collect.empty())
    return core::fail("nothing to collect", {}, "list collectors under 'collect' in the configuration");
  std::error_code error;
  fs::create_directories(settings.state, error);
  if (error)
    return core::fail("cannot make the state folder", fmt::format("{}: {}", settings.state, error.message()),
                      "name another one, or make it writable for the user that orbwatch runs as");
  std::unique_ptr<Service> service(new Service(std::make_unique<Impl>()));
  Impl& my = *service->impl_;
  my.options = options;

  source::JournalOptions journal;
  journal.folder = settings.state + "/journal";
  journal.most_bytes = settings.journal_bytes;
  journal.sync_every = settings.journal_sync;
  journal.at_least = Live::checkpoint_position(settings.state);
  auto opened = source::Journal::open(journal);
  if (!opened) return std::unexpected(opened.error());
  my.journal = std::move(*opened);
  my.last_end = my.journal->end();
  if (my.journal->cut_bytes() != 0)
    my.log(LogLevel::kNote, fmt::format("the last {} bytes of the journal were not whole and are cut off: nobody was "
                                        "told that they are accepted",
                                        my.journal->cut_bytes()));
  // Before the outputs' spools are there, which hold names as the pipeline does.
  if (auto good = Pseudonyms::open(settings.pseudonyms, settings.state); !good) return std::unexpected(good.error());
  if (auto ok = my.open_alerts(options.config); !ok) return std::unexpected(ok.error());
  for (const CollectorSettings& collector : settings.collect) {
    auto made = my.start_collector(collector);
    if (!made) return std::unexpected(made.error());
    my.order.push_back(collector.name);
    my.collectors[collector.name] = {collector, std::move(*made)};
  }
  my.start_worker(true);
  // A state that cannot be used is mostly known at once. A large one is loaded while the collectors take already.
  std::unique_lock lock(my.mutex);
  my.loaded.wait_for(lock, kPatience, [&my] { return !my.loading; });
  if (!my.failure.empty()) {
    core::Error why{my.failure, "", ""};
    lock.unlock();
    return std::unexpected(std::move(why));
  }
  return service;
}

core::Expected<void> Service::reload(const Config& config) {
  Impl& my = *impl_;
  const auto refuse = [&my](core::Error error) -> core::Expected<void> {
    const std::lock_guard lock(my.mutex);
    ++my.failed_reloads;
    return std::unexpected(std::move(error));
  };
  if (config.service.state != my.options.config.service.state)
    return refuse({"the state folder cannot be changed while the service runs", config.service.state,
                   "restart the service for that"});
  if (config.service.collect.empty()) return refuse({"nothing to collect", "", "the configuration in use stays"});

  const PseudonymSettings& pseudonyms = config.service.pseudonyms;
  if (pseudonyms.key_file.empty() != my.options.config.service.pseudonyms.key_file.empty())
    return refuse({"'pseudonyms' cannot be switched on or off while the service runs", "",
                   "a state stays with its key, or with none: stop, move the state folder away, and start"});

  // What could be wrong is tried before anything is touched.
  if (auto good = Pseudonyms::open(pseudonyms, config.service.state); !good) return refuse(good.error());
  std::map<std::string, std::pair<CollectorSettings, std::unique_ptr<source::Collector>>> added;
  std::vector<std::string> changed;
  for (const CollectorSettings& collector : config.service.collect) {
    const auto found = my.collectors.find(collector.name);
    if (found != my.collectors.end() && found->second.first == collector) continue;
    if (found != my.collectors.end()) {
      changed.push_back(collector.name);  // its port is only free when the old one has ended
      continue;
    }
    auto made = my.start_collector(collector);
    if (!made) {
      for (auto& [name, entry] : added) entry.second->stop();
      return refuse(made.error());
    }
    added[collector.name] = {collector, std::move(*made)};
  }
  const auto undo = [&](core::Error error) {
    for (auto& [name, entry] : added) entry.second->stop();
    return refuse(std::move(error));
  };
  if (auto known = load_knowledge(sources_of(my.options.networks_file, config)); !known) return undo(known.error());

  // The pipeline stops at a checkpoint and goes on from it as the new configuration says.
  const auto as_before = [&] {
    if (const auto ok = my.open_alerts(my.options.config); !ok) my.log(LogLevel::kError, ok.error().text());
    if (my.open_live(my.options.config)) my.start_worker(false);
  };
  if (auto ok = my.stop_the_worker(); !ok) {
    as_before();
    return undo(ok.error());
  }
  auto taken = my.open_alerts(config);
  if (taken) taken = my.open_live(config);
  if (!taken) {
    as_before();
    return undo(taken.error());
  }
  std::vector<std::string> gone;
  for (const auto& [name, entry] : my.collectors) {
    const bool stays = std::ranges::any_of(config.service.collect, [&](const auto& c) { return c.name == name; });
    if (!stays) gone.push_back(name);
  }
  for (const std::string& name : gone) my.collectors[name].second->stop();
  core::Expected<void> outcome;
  for (const CollectorSettings& collector : config.service.collect) {
    if (std::ranges::find(changed, collector.name) == changed.end()) continue;
    auto& entry = my.collectors[collector.name];
    entry.second->stop();
    auto made = my.start_collector(collector);
    if (!made) {
      // The rest of the new configuration holds; this one is told and goes on as it was, if it can.
      outcome = std::unexpected(made.error());
      made = my.start_collector(entry.first);
      if (!made) continue;
    } else {
      entry.first = collector;
    }
    const std::lock_guard lock(my.mutex);
    entry.second = std::move(*made);
  }
  {
    const std::lock_guard lock(my.mutex);
    for (const std::string& name : gone) my.collectors.erase(name);
    my.collectors.merge(added);
    my.order.clear();
    for (const CollectorSettings& collector : config.service.collect) my.order.push_back(collector.name);
    my.options.config = config;
    ++(outcome ? my.reloads : my.failed_reloads);
  }
  my.start_worker(false);
  return outcome;
}

core::Expected<void> Service::stop() {
  Impl& my = *impl_;
  if (my.stopped) return {};
  my.stopped = true;
  for (auto& [name, entry] : my.collectors) entry.second->stop();
  return my.stop_the_worker();
}

void Service::renew_certificates() {
  for (auto& [name, entry] : impl_->collectors) entry.second->renew_certificate(true);
}

void Service::tick() {
  Impl& my = *impl_;
  for (auto& [name, entry] : my.collectors) entry.second->renew_certificate(false);
  const auto now = std::chrono::steady_clock::now();
  my.take_verdicts();
  if (const std::uint64_t end = my.journal->end(); end != my.last_end) {
    my.last_end = end;
    my.last_arrival = now;
  } else if (now - my.last_arrival > kQuiet) {
    source::Arrival quiet;
    quiet.kind = source::ArrivalKind::kTick;
    quiet.received = source::now();
    (void)my.journal->take({&quiet, 1});
    my.last_end = my.journal->end();
    my.last_arrival = now;
  }
  if (now - my.last_summary > std::chrono::seconds(60)) {
    my.last_summary = now;
    if (my.alerts != nullptr) {
      if (const auto ok = my.alerts->tick(source::now()); !ok) my.log(LogLevel::kError, ok.error().text());
    }
  }
  const ServiceStatus seen = status();
  if (!seen.working) {
    // What ended the pipeline may pass: a full disk, a file that another process holds. The journal has everything.
    if (now - my.last_try > kRetry) {
      my.last_try = now;
      if (my.worker.joinable()) my.worker.join();
      my.start_worker(true);
    }
  } else {
    my.last_try = now;
  }
  std::string trouble = !seen.failure.empty()           ? seen.failure
                        : !seen.journal_trouble.empty() ? seen.journal_trouble
                                                        : seen.live.trouble;
  if (trouble != my.told_trouble) {
    my.log(trouble.empty() ? LogLevel::kNote : LogLevel::kError,
           trouble.empty() ? "the trouble is over: " + my.told_trouble : trouble);
    my.told_trouble = std::move(trouble);
  }
}

ServiceStatus Service::status() const {
  const Impl& my = *impl_;
  ServiceStatus out;
  const std::lock_guard lock(my.mutex);
  out.live = my.live != nullptr ? my.live->status() : my.last_seen;
  out.working = my.working;
  out.loading = my.loading;
  out.failure = my.failure;
  out.journal_trouble = my.journal->trouble();
  out.journal_refused = my.journal->refused();
  out.journal_damaged_bytes = my.journal->damaged_bytes();
  out.reloads = my.reloads;
  if (my.alerts != nullptr) out.outputs = my.alerts->status();
  out.failed_reloads = my.failed_reloads;
  for (std::size_t i = 0; i < my.order.size(); ++i) {
    const auto found = my.collectors.find(my.order[i]);
    if (found == my.collectors.end()) continue;
    const auto& [settings, collector] = found->second;
    CollectorStatus status;
    status.name = settings.name;
    status.type = settings.type;
    status.port = collector->port();
    status.certificate = collector->certificate();
    status.counters = collector->counters();
    status.losses = collector->shed_by_sender();
    if (i < out.live.sources.size()) status.records = out.live.sources[i];
    out.collectors.push_back(std::move(status));
  }
  return out;
}

}  // namespace orbwatch::pipeline
