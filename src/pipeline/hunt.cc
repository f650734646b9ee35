#include "pipeline/hunt.h"

#include <fmt/format.h>

#include "enrich/enrich.h"
#include "pipeline/judge.h"
#include "pipeline/knowledge.h"
#include "pipeline/ordered.h"
#include "pipeline/verdict_file.h"

namespace orbwatch::pipeline {
namespace {

// A failing sink is an output's fault.
core::Expected<void> of_output(core::Expected<void> outcome) {
  if (!outcome) outcome.error().kind = core::ErrorKind::kOutput;
  return outcome;
}

class Judged final : public OrderedEvents {
 public:
  Judged(Judge& judge, EventSink* sink, Watcher* watcher, const std::vector<std::string>& names)
      : judge_(judge), sink_(sink), watcher_(watcher), names_(names) {}
  core::Expected<void> take(std::span<const event::Event> events, const event::EventBatch& batch) override {
    for (const event::Event& e : events) {
      if (watcher_ != nullptr) watch(e);
      judge_.take(e, batch);
      if (watcher_ != nullptr && judge_.crowded()) hand_out();
    }
    return {};
  }
  core::Expected<void> used_up(const event::EventBatch& batch) override {
    if (sink_ != nullptr && !batch.empty()) return of_output(sink_->events(batch, names_));
    return {};
  }
  // Silence behind the last record, as a service's ticks tell it.
  void end() {
    if (watcher_ == nullptr) return;
    newest_ += enrich::kSettle + kHandOut;
    judge_.advance(newest_);
    hand_out();
  }

 private:
  // As live.cc: what was said in an interval of kHandOut is handed out by the first event behind it.
  void watch(const event::Event& e) {
    if (!plausible(e.time) || e.event_class == event::Class::kDevice) return;
    if (e.time > newest_) {
      const bool due = e.time / kHandOut != newest_ / kHandOut;
      newest_ = e.time;
      if (due) hand_out();
    }
    if (baseline::is_failed_login(e)) watcher_->failed_login(e);
  }
  void hand_out() {
    judge_.look([this](const score::Finding& finding) { watcher_->told(finding, newest_); });
  }

  Judge& judge_;
  EventSink* sink_;
  Watcher* watcher_;
  core::Nanoseconds newest_ = 0;
  const std::vector<std::string>& names_;
};

// All of a file, before the first event: an analyst knows more of old logs than they said then.
core::Expected<void> take_verdicts(const std::string& path, Judge& judge, std::vector<std::string>& notes) {
  auto read = read_verdicts(path);
  if (!read) return std::unexpected(read.error());
  for (const DamagedLine& line : read->damaged)
    notes.push_back(fmt::format("{}:{}: left out, {}", path, line.number, line.why));
  if (read->all_damaged > read->damaged.size())
    notes.push_back(fmt::format("{}: {} more lines left out", path, read->all_damaged - read->damaged.size()));
  std::uint64_t unknown = 0;
  std::uint64_t beyond = 0;
  for (const VerdictFile::Line& line : read->lines) {
    const auto taken = judge.take_verdict(line.verdict);
    unknown += taken == score::Verdicts::Taken::kUnknown ? 1 : 0;
    beyond += taken == score::Verdicts::Taken::kFull ? 1 : 0;
  }
  if (unknown > 0) notes.push_back(fmt::format("{}: {} entries withdraw one that is not there", path, unknown));
  if (beyond > 0)
    notes.push_back(
        fmt::format("{}: {} entries beyond the limit of {} were left out", path, beyond, score::kMostVerdicts));
  return {};
}

}  // namespace

core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress,
                                EventSink* sink, Watcher* watcher) {
  HuntResult result;
  auto inputs = OrderedInputs::open(options);
  if (!inputs) return std::unexpected(inputs.error());
  auto known = load_knowledge(
      {options.networks_file, options.networks, options.indicator_files, options.feeds_folder, options.feeds});
  if (!known) return std::unexpected(known.error());
  const enrich::Enricher& enricher = *known->enricher;
  result.notes = std::move(known->notes);

  Judge judge(enricher, known->indicators.get(), options.alerts_per_day, inputs->names());
  judge.use_learned_half_lives(options.learn_half_lives);
  if (!options.verdicts_file.empty()) {
    if (auto taken = take_verdicts(options.verdicts_file, judge, result.notes); !taken)
      return std::unexpected(taken.error());
  }
  if (sink != nullptr) {
    if (auto ok = of_output(sink->begin(enricher)); !ok) return std::unexpected(ok.error());
  }
  if (watcher != nullptr) {
    watcher->begin(enricher);
    judge.tell_of_all();
    judge.show_logins_to([watcher](const event::Event& login) { watcher->login(login); });
  }
  Judged judged(judge, sink, watcher, inputs->names());
  if (auto ok = inputs->read(enricher, judged, progress, result); !ok) return std::unexpected(ok.error());
  judged.end();
  judge.finish(result);
  inputs->note(result);
  if (sink != nullptr) {
    if (auto ok = of_output(sink->end(result, judge.baseline())); !ok) return std::unexpected(ok.error());
  }
  return result;
}

}  // namespace orbwatch::pipeline
