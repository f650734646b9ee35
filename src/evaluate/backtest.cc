#include "evaluate/backtest.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <memory>
#include <thread>

#include "evaluate/evaluate.h"
#include "pipeline/judge.h"
#include "pipeline/knowledge.h"
#include "pipeline/ordered.h"
#include "pipeline/tasks.h"
#include "score/budget.h"
#include "store/stored_events.h"

namespace orbwatch::evaluate {
namespace {

namespace fs = std::filesystem;
using core::Expected;
using core::fail;
using core::kDay;
using pipeline::OrderedEvents;

// How often a run asks its judge what is new, by event time: the unit of the time to detect.
constexpr Nanoseconds kAskEvery = 5 * core::kMinute;
constexpr std::size_t kAtOnce = 8192;  // events that all judges are given together

// Where the history comes from; each read gives the same events.
class Source {
 public:
  virtual ~Source() = default;
  virtual const std::vector<std::string>& names() const = 0;
  virtual Expected<void> read(const enrich::Enricher& enricher, OrderedEvents& to,
                              const std::function<void(const pipeline::Progress&)>& progress,
                              pipeline::HuntResult& result) = 0;
  virtual void note(pipeline::HuntResult& result) const = 0;
};

class Logs final : public Source {
 public:
  explicit Logs(pipeline::OrderedInputs inputs) : inputs_(std::move(inputs)) {}
  const std::vector<std::string>& names() const override { return inputs_.names(); }
  Expected<void> read(const enrich::Enricher& enricher, OrderedEvents& to,
                      const std::function<void(const pipeline::Progress&)>& progress,
                      pipeline::HuntResult& result) override {
    return inputs_.read(enricher, to, progress, result);
  }
  void note(pipeline::HuntResult& result) const override { inputs_.note(result); }

 private:
  pipeline::OrderedInputs inputs_;
};

class Stored final : public Source {
 public:
  static Expected<std::unique_ptr<Stored>> open(const std::string& path) {
    std::unique_ptr<Stored> out(new Stored);
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      out->files_ = {path};
      return out;
    }
    const fs::path folder =
        fs::is_directory(fs::path(path) / "events", error) ? fs::path(path) / "events" : fs::path(path);
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("events-") && name.ends_with(".duckdb")) out->files_.push_back(entry.path().string());
    }
    if (out->files_.empty())
      return fail("no stored events", folder.string(),
                  "name a file of `orbwatch hunt --db`, or the state folder of a service that stores its events");
    std::ranges::sort(out->files_);  // the names are dates
    // A running service holds the day that it writes.
    if (out->files_.size() > 1) {
      std::vector<std::string> names;
      if (auto newest = store::StoredEvents::open(out->files_.back(), names); !newest) {
        out->left_out_ = fmt::format("the newest day was left out, it cannot be read now: {}", newest.error().text());
        out->files_.pop_back();
      }
    }
    return out;
  }
  const std::vector<std::string>& names() const override { return names_; }
  Expected<void> read(const enrich::Enricher& enricher, OrderedEvents& to,
                      const std::function<void(const pipeline::Progress&)>& progress, pipeline::HuntResult&) override {
    enrich::Enricher::Scratch scratch;
    event::EventBatch batch;
    pipeline::Progress done;
    done.bytes_total = 1000 * files_.size();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      auto stored = store::StoredEvents::open(files_[i], names_);
      if (!stored) return std::unexpected(stored.error());
      std::uint64_t here = 0;
      while (true) {
        if (auto ok = (*stored)->next(batch); !ok) return ok;
        if (batch.empty()) break;
        enricher.enrich(batch, scratch);
        if (auto ok = to.take({batch.begin(), batch.end()}, batch); !ok) return ok;
        here += batch.size();
        done.records += batch.size();
        done.bytes_done = 1000 * i + 1000 * here / std::max<std::uint64_t>(1, (*stored)->count());
        if (progress) progress(done);
      }
    }
    return {};
  }
  void note(pipeline::HuntResult& result) const override {
    if (!left_out_.empty()) result.notes.push_back(left_out_);
  }

 private:
  std::vector<std::string> files_;
  std::vector<std::string> names_;
  std::string left_out_;
};

// The first reading: the history as it is.
class Plain final : public OrderedEvents {
 public:
  Plain(pipeline::Judge& judge, History& history) : judge_(judge), history_(history) {}
  Expected<void> take(std::span<const Event> events, const event::EventBatch&) override {
    for (const Event& e : events) {
      judge_.take(e, no_records_);
      history_.take(e);
    }
    events_ += events.size();
    return {};
  }
  std::uint64_t events() const { return events_; }

 private:
  pipeline::Judge& judge_;
  History& history_;
  event::EventBatch no_records_;
  std::uint64_t events_ = 0;
};

// One history with something put into it.
class Run {
 public:
  Run(const enrich::Enricher& enricher, const pipeline::Knowledge& known, double alerts_per_day,
      const std::vector<std::string>& names, Injection injection, const std::vector<double>& lines, double main_line)
      : judge_(enricher, known.indicators.get(), alerts_per_day, names),
        injection_(std::move(injection)),
        lines_(lines),
        main_line_(main_line) {
    judge_.tell_of_all();
    judge_.judge_accounts_alone(true);  // many are put in at once, which would speak for each other
    for (const Intrusion& i : injection_.intrusions) {
      TruthItem item;
      item.kind = "covert-login";
      item.time = i.logins.front();
      item.end = i.end;
      item.users = {std::string(i.user.text())};
      for (const core::Ip& node : i.nodes) item.sources.push_back(node.text());
      add(std::move(item));
    }
    if (injection_.spray) {
      TruthItem item;
      item.kind = "spray";
      item.time = injection_.spray->first;
      item.end = injection_.spray->last;
      for (const core::Ip& node : injection_.spray->nodes) item.sources.push_back(node.text());
      add(std::move(item));
    }
  }

  void take(std::span<const Event> events) {
    for (const Event& e : events) {
      if (pipeline::plausible(e.time)) inject(e.time);
      judge_.take(e, no_records_);
      if (e.time >= ask_at_ && pipeline::plausible(e.time) && e.event_class != event::Class::kDevice) {
        ask_at_ = e.time + kAskEvery;
        ask(e.time);
      } else if (judge_.crowded()) {
        ask(e.time);
      }
    }
  }

  void finish(Nanoseconds last) {
    inject(INT64_MAX);
    ask(last);
    pipeline::HuntResult result;
    judge_.finish(result);
    for (const score::Finding& f : result.findings) see(f, last);
  }

  const Injection& injection() const { return injection_; }
  Outcome outcome(std::size_t item) const {
    const Item& it = items_[item];
    Outcome out;
    out.caught.resize(lines_.size());
    out.after.assign(lines_.size(), -1);
    const Seen* best = nullptr;
    for (const auto& [id, seen] : it.findings) {
      if (best == nullptr || seen.log_odds > best->log_odds) best = &seen;
    }
    if (best == nullptr) return out;
    out.best = best->log_odds;
    out.evidence = best->evidence;
    out.further = best->further;
    for (std::size_t b = 0; b < lines_.size(); ++b) {
      out.caught[b] = best->log_odds >= lines_[b];
      if (out.caught[b]) out.after[b] = it.after[b];
    }
    return out;
  }
  // Ids of the alerts about others.
  const absl::flat_hash_set<std::string>& others() const { return others_; }
  bool names_victim(const score::Finding& f) const {
    return victims_.contains(f.user) ||
           std::ranges::any_of(f.users, [&](const auto& u) { return victims_.contains(u); });
  }

 private:
  struct Seen {
    double log_odds = 0;
    std::string evidence, further;
  };
  struct Item {
    TruthItem truth;
    std::map<std::string, Seen> findings;  // by id
    std::vector<Nanoseconds> after;        // by budget
  };

  void add(TruthItem item) {
    for (const std::string& source : item.sources) by_source_[source] = items_.size();
    for (const std::string& user : item.users) victims_.insert(user);
    items_.push_back({std::move(item), {}, std::vector<Nanoseconds>(lines_.size(), -1)});
  }
  void inject(Nanoseconds until) {
    for (; next_ < injection_.events.size() && injection_.events[next_].time <= until; ++next_)
      judge_.take(injection_.events[next_], no_records_);
  }
  void ask(Nanoseconds now) {
    judge_.changed([&](const score::Finding& f) { see(f, now); });
  }
  void see(const score::Finding& f, Nanoseconds now) {
    absl::flat_hash_set<std::size_t> touched;
    const auto look = [&](const core::Ip& ip) {
      if (!ip.present()) return;
      if (const auto found = by_source_.find(ip.text()); found != by_source_.end()) touched.insert(found->second);
    };
    look(f.source.ip);
    for (const score::SourceFacts& s : f.sources) look(s.ip);
    for (const std::size_t i : touched) {
      Item& item = items_[i];
      if (!finds(f, item.truth)) continue;
      Seen& seen = item.findings[f.id];
      seen.log_odds = f.log_odds;
      seen.evidence = !f.evidence.empty() ? std::string(f.evidence[0].kind) : "";
      seen.further = f.evidence.size() > 1 && f.evidence[1].llr > 0 ? std::string(f.evidence[1].kind) : "";
      for (std::size_t b = 0; b < lines_.size(); ++b) {
        if (item.after[b] < 0 && f.log_odds >= lines_[b])
          item.after[b] = std::max<Nanoseconds>(0, now - item.truth.time);
      }
    }
    if (!touched.empty() || names_victim(f)) return;
    if (f.log_odds >= main_line_) {
      others_.insert(f.id);
    } else {
      others_.erase(f.id);
    }
  }

  pipeline::Judge judge_;
  Injection injection_;
  const std::vector<double>& lines_;
  double main_line_;
  event::EventBatch no_records_;
  std::size_t next_ = 0;
  Nanoseconds ask_at_ = 0;
  std::vector<Item> items_;
  absl::flat_hash_map<std::string, std::size_t> by_source_;
  absl::flat_hash_set<std::string> victims_;
  absl::flat_hash_set<std::string> others_;
};

// The second reading: every run sees every event, side by side.
class FanOut final : public OrderedEvents {
 public:
  FanOut(std::vector<std::unique_ptr<Run>>& runs, int threads) : runs_(runs), tasks_(threads - 1) {
    waiting_.reserve(kAtOnce);
  }
  Expected<void> take(std::span<const Event> events, const event::EventBatch&) override {
    while (!events.empty()) {
      const std::size_t n = std::min(events.size(), kAtOnce - waiting_.size());
      waiting_.insert(waiting_.end(), events.begin(), events.begin() + static_cast<std::ptrdiff_t>(n));
      events = events.subspan(n);
      if (waiting_.size() == kAtOnce) flush();
    }
    return {};
  }
  void finish(Nanoseconds last) {
    flush();
    each([&](Run& run) { run.finish(last); });
  }

 private:
  void flush() {
    each([&](Run& run) { run.take(waiting_); });
    waiting_.clear();
  }
  template <typename Work>
  void each(Work&& work) {
    std::atomic<std::size_t> left = runs_.size();
    for (const auto& run : runs_) {
      tasks_.add([&, r = run.get()] {
        work(*r);
        if (left.fetch_sub(1) == 1) tasks_.notify();
      });
    }
    tasks_.wait([&] { return left.load() == 0; });
  }

  std::vector<std::unique_ptr<Run>>& runs_;
  pipeline::Tasks tasks_;
  std::vector<Event> waiting_;
};

std::string gateway_name(Symbol gateway) {
  return gateway.present() ? std::string(gateway.text()) : std::string("(without a name)");
}

}  // namespace

struct Backtest::Impl {
  BacktestOptions options;
  std::unique_ptr<Source> source;
  pipeline::Knowledge known;
};

Backtest::Backtest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backtest::~Backtest() = default;
Backtest::Backtest(Backtest&&) noexcept = default;
Backtest& Backtest::operator=(Backtest&&) noexcept = default;

Expected<Backtest> Backtest::open(const BacktestOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (!options.on.empty()) {
    if (!options.hunt.inputs.empty()) return fail("both log files and --on were given", options.on, "give one of them");
    auto stored = Stored::open(options.on);
    if (!stored) return std::unexpected(stored.error());
    impl->source = std::move(*stored);
  } else {
    auto inputs = pipeline::OrderedInputs::open(options.hunt);
    if (!inputs) return std::unexpected(inputs.error());
    if (inputs->once())
      return fail("the history is read twice, standard input and pipes can be read only once", "",
                  "give files or a folder");
    impl->source = std::make_unique<Logs>(std::move(*inputs));
  }
  auto known =
      pipeline::load_knowledge({options.hunt.networks_file, options.hunt.networks, options.hunt.indicator_files});
  if (!known) return std::unexpected(known.error());
  impl->known = std::move(*known);
  if (!impl->known.enricher->networks().has_data())
    return fail("no network facts: without them no place near a user is known", "",
                "make them with `orbwatch intel build` or tools/fetch-intel.sh");
  return Backtest(std::move(impl));
}

Expected<BacktestResult> Backtest::run(const std::function<void(const BacktestProgress&)>& progress) {
  const BacktestOptions& options = impl_->options;
  Source* const source = impl_->source.get();
  const pipeline::Knowledge* const known = &impl_->known;
  const enrich::Enricher& enricher = *known->enricher;
  BacktestResult out;
  out.options = options;
  const auto tell = [&](int pass) -> std::function<void(const pipeline::Progress&)> {
    if (!progress) return {};
    return [&progress, pass](const pipeline::Progress& read) { progress({pass, read}); };
  };

  // The first reading.
  pipeline::HuntResult plain;
  History history(enricher);
  {
    pipeline::Judge judge(enricher, known->indicators.get(), options.hunt.alerts_per_day, source->names());
    judge.use_learned_half_lives(options.hunt.learn_half_lives);
    judge.judge_accounts_alone(true);  // as the intrusions are below, or its line would not be theirs
    Plain reading(judge, history);
    if (auto ok = source->read(enricher, reading, tell(1), plain); !ok) return std::unexpected(ok.error());
    judge.finish(plain);
    history.finish();
    out.events = reading.events();
  }
  source->note(plain);
  out.inputs = std::move(plain.inputs);
  out.notes = known->notes;
  out.notes.insert(out.notes.end(), plain.notes.begin(), plain.notes.end());
  if (history.first() == 0) {
    const auto bad = std::ranges::find_if(out.inputs, [](const auto& i) { return !i.error.empty(); });
    return fail("there is no history: no dated event was read", bad != out.inputs.end() ? bad->error : "",
                "give the logs that the gateways write");
  }
  out.first = history.first();
  out.last = history.last();
  const Nanoseconds length = out.last - out.first;
  out.from = options.days > 0 ? out.last - options.days * kDay : out.last - length / 3;
  if (out.from <= out.first + kDay)
    return fail("the history is too short for the time to be tested",
                fmt::format("{:.1f} days", static_cast<double>(length) / static_cast<double>(kDay)),
                "give more logs, or fewer --days: what comes before the tested time is what is learned from");

  const std::vector<const UserHistory*> all = history.users();
  out.users = all.size();
  out.sampled = history.sampled();
  const std::vector<const UserHistory*> targets = victims(history, out.from, out.untestable);
  out.victims = targets.size();
  for (const auto& [name, g] : history.gateways()) {
    if (g.logins > 0) out.gateways[gateway_name(name)] = {g.logins, g.with_client};
  }
  if (all.empty())
    return fail("no log-in from outside in the history", fmt::format("{} events", out.events),
                "give logs of the gateways that people log in to");
  if (targets.empty()) {
    std::string why;
    for (const auto& [reason, count] : out.untestable)
      why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", count, reason);
    return fail("no user has enough history to be tested", why, "give logs of more weeks");
  }

  // The lines of the budgets, and what ordinary days bring.
  std::vector<double> lines;
  const double main_line = score::alert_line(plain.findings, plain.overview, options.hunt.alerts_per_day);
  for (const double budget : options.budgets) {
    OrdinaryAlerts alerts;
    alerts.line = score::alert_line(plain.findings, plain.overview, budget);
    for (const score::Finding& f : plain.findings) {
      if (f.log_odds < alerts.line) continue;
      ++alerts.all;
      alerts.tested += f.time >= out.from ? 1 : 0;
    }
    lines.push_back(alerts.line);
    out.ordinary.push_back(alerts);
  }

  // What is put in.
  const auto& table = enricher.networks();
  const ExitNodes::Lookup lookup = [&](std::span<const std::uint32_t> addresses, std::span<std::uint32_t> found) {
    table.lookup_v4(addresses, found);
    if (enricher.organisation().empty()) return;
    // What the organisation has declared is no stranger's line.
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (enricher.organisation().find(core::Ip::v4(addresses[i])) >= 0) found[i] = 0;
    }
  };
  const ExitNodes nodes = ExitNodes::make(enricher, table.facts_count(), lookup, history, targets, options.seed);
  const FactsOf facts_of = [&](const core::Ip& ip) { return enricher.lookup(ip); };
  InjectionOptions inject;
  inject.seed = options.seed;
  inject.from = out.from;
  inject.until = out.last;
  inject.share = options.share;
  inject.node_median_days = options.node_median_days;
  inject.hours = options.hours;
  std::vector<std::unique_ptr<Run>> runs;
  const auto add = [&](Injection injection) {
    for (const auto& [key, count] : injection.skipped) out.skipped[key] += count;
    if (!injection.no_spray.empty()) ++out.no_spray[injection.no_spray];
    if (injection.intrusions.empty() && !injection.spray) return;
    runs.push_back(std::make_unique<Run>(enricher, *known, options.hunt.alerts_per_day, source->names(),
                                         std::move(injection), lines, main_line));
  };
  for (int r = 0; r < options.runs; ++r)
    add(make_intrusions(history, nodes, enricher, facts_of, targets, inject, static_cast<std::uint64_t>(r)));
  for (int c = 0; c < kCadences; ++c) {
    for (int r = 0; r < options.sprays; ++r)
      add(make_spray(history, nodes, enricher, facts_of, targets, inject, static_cast<Cadence>(c),
                     static_cast<std::uint64_t>(r)));
  }

  // The second reading.
  const int threads = options.hunt.threads > 0 ? options.hunt.threads
                                               : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  FanOut fan(runs, threads);
  pipeline::HuntResult unused;
  if (auto ok = source->read(enricher, fan, tell(2), unused); !ok) return std::unexpected(ok.error());
  fan.finish(out.last);

  int number = 0;
  for (const auto& run : runs) {
    std::size_t item = 0;
    for (const Intrusion& i : run->injection().intrusions) out.intrusions.push_back({i, number, run->outcome(item++)});
    if (run->injection().spray) out.sprays.push_back({*run->injection().spray, run->outcome(item)});
    absl::flat_hash_set<std::string> before;
    for (const score::Finding& f : plain.findings) {
      if (f.log_odds >= main_line && !run->names_victim(f)) before.insert(f.id);
    }
    out.others += before.size();
    for (const std::string& id : before) out.others_changed += run->others().contains(id) ? 0 : 1;
    for (const std::string& id : run->others()) out.others_changed += before.contains(id) ? 0 : 1;
    ++number;
  }
  return out;
}

}  // namespace orbwatch::evaluate
