#include "pipeline/hunt.h"

#include "enrich/enrich.h"
#include "pipeline/judge.h"
#include "pipeline/knowledge.h"
#include "pipeline/ordered.h"

namespace orbwatch::pipeline {
namespace {

// A failing sink is an output's fault.
core::Expected<void> of_output(core::Expected<void> outcome) {
  if (!outcome) outcome.error().kind = core::ErrorKind::kOutput;
  return outcome;
}

class Judged final : public OrderedEvents {
 public:
  Judged(Judge& judge, EventSink* sink, const std::vector<std::string>& names)
      : judge_(judge), sink_(sink), names_(names) {}
  core::Expected<void> take(std::span<const event::Event> events, const event::EventBatch& batch) override {
    for (const event::Event& e : events) judge_.take(e, batch);
    return {};
  }
  core::Expected<void> used_up(const event::EventBatch& batch) override {
    if (sink_ != nullptr && !batch.empty()) return of_output(sink_->events(batch, names_));
    return {};
  }

 private:
  Judge& judge_;
  EventSink* sink_;
  const std::vector<std::string>& names_;
};

}  // namespace

core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress,
                                EventSink* sink) {
  HuntResult result;
  auto inputs = OrderedInputs::open(options);
  if (!inputs) return std::unexpected(inputs.error());
  auto known = load_knowledge({options.networks_file, options.networks, options.indicator_files});
  if (!known) return std::unexpected(known.error());
  const enrich::Enricher& enricher = *known->enricher;
  result.notes = std::move(known->notes);

  Judge judge(enricher, known->indicators.get(), options.alerts_per_day, inputs->names());
  if (sink != nullptr) {
    if (auto ok = of_output(sink->begin(enricher)); !ok) return std::unexpected(ok.error());
  }
  Judged judged(judge, sink, inputs->names());
  if (auto ok = inputs->read(enricher, judged, progress, result); !ok) return std::unexpected(ok.error());
  judge.finish(result);
  inputs->note(result);
  if (sink != nullptr) {
    if (auto ok = of_output(sink->end(result, judge.baseline())); !ok) return std::unexpected(ok.error());
  }
  return result;
}

}  // namespace orbwatch::pipeline
