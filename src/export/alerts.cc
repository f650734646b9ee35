#include "export/alerts.h"

#include <algorithm>

#include "export/files.h"

namespace orbwatch::exporting {

namespace fs = std::filesystem;

struct Alerts::One {
  OutputSettings settings;
  fs::path state_file;
  AlertPolicy policy;
  std::unique_ptr<Delivery> delivery;
  std::uint64_t summaries = 0;
  std::uint64_t not_spooled = 0;
};

Alerts::Alerts() = default;
Alerts::~Alerts() = default;

core::Expected<std::unique_ptr<Alerts>> Alerts::open(const std::vector<OutputSettings>& outputs,
                                                     const fs::path& folder) {
  constexpr std::size_t kLongestState = std::size_t{64} << 20;
  std::unique_ptr<Alerts> alerts(new Alerts());
  for (const OutputSettings& settings : outputs) {
    auto output = make_output(settings);
    if (!output) return std::unexpected(output.error());
    if (std::ranges::any_of(alerts->outputs_, [&](const auto& other) { return other->settings.name == settings.name; }))
      return core::fail("outputs." + settings.name + ".name: two outputs have this name");
    auto spool = Spool::open(folder / settings.name, settings.spool);
    if (!spool) return std::unexpected(spool.error());
    const fs::path state_file = folder / settings.name / "alerts";
    AlertState state;
    if (std::error_code error; fs::exists(state_file, error)) {
      const auto text = read_bounded(state_file, kLongestState);
      auto parsed = text ? AlertState::parse(*text) : std::unexpected(text.error());
      if (parsed) {
        state = std::move(*parsed);
      } else {
        fs::rename(state_file, state_file.string() + ".damaged", error);
        alerts->notes_.push_back("output " + settings.name + ": " + parsed.error().text());
      }
    }
    alerts->outputs_.push_back(std::make_unique<One>(One{
        settings, state_file, AlertPolicy(settings.rules, std::move(state)),
        std::make_unique<Delivery>(std::move(*output), std::move(*spool), settings.retry, settings.most_attempts)}));
  }
  return alerts;
}

core::Expected<void> Alerts::tell(One& one, const score::Finding& finding, core::Nanoseconds now) {
  const auto message = make_message(finding, one.settings, now);
  core::Expected<void> given = message ? one.delivery->give(*message) : std::unexpected(message.error());
  if (!given) ++one.not_spooled;
  return given;
}

core::Expected<void> Alerts::offer(std::span<const score::Finding> findings, core::Nanoseconds now) {
  const std::scoped_lock lock(mutex_);
  core::Expected<void> result;
  for (const auto& one : outputs_) {
    bool changed = false;
    const auto note = [&](const core::Expected<void>& done) {
      if (!done && result) result = std::unexpected(done.error());
      return done.has_value();
    };
    // First what was held back: it came before.
    if (const auto summary = one->policy.due(now); summary && note(tell(*one, *summary, now))) {
      one->policy.summed_up();
      ++one->summaries;
      changed = true;
    }
    for (const score::Finding& finding : findings) {
      const Verdict verdict = one->policy.judge(finding, now);
      if (verdict == Verdict::kHeldBack) changed = true;
      if (verdict != Verdict::kTell || !note(tell(*one, finding, now))) continue;
      one->policy.told(finding, now);
      changed = true;
    }
    if (changed) note(write_atomically(one->state_file, one->policy.state().text()));
  }
  return result;
}

std::vector<Alerts::Status> Alerts::status() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Status> out;
  for (const auto& one : outputs_) {
    Status status;
    status.name = one->settings.name;
    status.delivery = one->delivery->status();
    for (std::size_t i = 0; i < std::size(status.verdicts); ++i)
      status.verdicts[i] = one->policy.count(static_cast<Verdict>(i));
    status.summaries = one->summaries;
    status.held_back = one->policy.held_back();
    status.not_spooled = one->not_spooled;
    status.forgotten = one->policy.forgotten();
    out.push_back(std::move(status));
  }
  return out;
}

void Alerts::reopen() {
  for (const auto& one : outputs_) one->delivery->reopen();
}

bool Alerts::wait_until_empty(std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  return std::ranges::all_of(outputs_, [&](const auto& one) {
    return one->delivery->wait_until_empty(
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
  });
}

}  // namespace orbwatch::exporting
