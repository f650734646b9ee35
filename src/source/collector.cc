#include "source/collector.h"

#include <algorithm>
#include <utility>

namespace orbwatch::source {
namespace {

constexpr auto kFields = std::to_array<CounterField>({
    {"records", &Counters::records, false, "records that the journal took"},
    {"bytes", &Counters::bytes, false, "their bytes as handed over"},
    {"empty", &Counters::empty, false, "datagrams and records without content; not handed over"},
    {"shed", &Counters::shed, false, "records received and lost because the journal was full or failed"},
    {"kernel_drops", &Counters::kernel_drops, false, "datagrams that the kernel dropped before they could be read"},
    {"refused", &Counters::refused, false,
     "connections beyond the limit, requests too large or too many, datagrams and connections of senders that are not "
     "admitted"},
    {"unauthorized", &Counters::unauthorized, false, "requests without a token that is admitted"},
    {"invalid", &Counters::invalid, false, "requests and messages that could not be read; not handed over"},
    {"refused_records", &Counters::refused_records, false,
     "records of OpenTelemetry that were refused by name, which the answer tells the sender; not handed over"},
    {"oversize", &Counters::oversize, false, "records that were cut off at the longest length"},
    {"unfinished", &Counters::unfinished, false, "records taken without having seen their end"},
    {"misframed", &Counters::misframed, false, "octet counts that were wrong"},
    {"repeated", &Counters::repeated, false, "requests whose idempotency key was known; not handed over again"},
    {"unacknowledged", &Counters::unacknowledged, false,
     "RELP: records received and not taken before their connection ended; the sender was told of none and sends them "
     "again"},
    {"intake_full", &Counters::intake_full, false, "how often the journal said that it is full"},
    {"intake_failed", &Counters::intake_failed, false, "how often the journal could not write"},
    {"errors", &Counters::errors, false, "errors of the operating system while reading"},
    {"connections", &Counters::connections, false, "connections accepted"},
    {"open_connections", &Counters::open_connections, true, "connections open now"},
    {"failed_handshakes", &Counters::failed_handshakes, false, "TLS handshakes that failed"},
    {"idle_closed", &Counters::idle_closed, false, "connections closed because nothing came for too long"},
    {"requests", &Counters::requests, false, "HTTP requests answered"},
    {"files", &Counters::files, true, "files followed now"},
    {"rotations", &Counters::rotations, false, "files that were renamed or deleted while followed"},
    {"truncations", &Counters::truncations, false, "files that were truncated or rewritten while followed"},
    {"skipped_files", &Counters::skipped_files, true, "files that match and are not followed: compressed, too many"},
    {"receive_buffer", &Counters::receive_buffer, true, "bytes of the kernel's receive buffer, each socket"},
    {"receive_buffer_asked", &Counters::receive_buffer_asked, true, "bytes asked for"},
});

}  // namespace

std::span<const CounterField> counter_fields() { return kFields; }

Counters SharedCounters::read() const {
  Counters copy;
  for (const CounterField& row : kFields) {
    copy.*row.field = std::atomic_ref(counters_.*row.field).load(std::memory_order_relaxed);
  }
  return copy;
}

void RareLog::say(LogLevel level, std::string_view kind, const std::string& text) {
  if (!log_) return;
  std::uint64_t left_out = 0;
  {
    const auto time = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex_);
    const auto [at, fresh] = said_.try_emplace(kind, Said{time, 0});
    if (!fresh) {
      if (time - at->second.when < interval_) {
        ++at->second.left_out;
        return;
      }
      left_out = std::exchange(at->second.left_out, 0);
      at->second.when = time;
    }
  }
  std::string line = name_ + ": " + text;
  if (left_out != 0) line += " (" + std::to_string(left_out) + " more of this kind since it was last said)";
  log_(level, line);
}

void RareLog::always(LogLevel level, const std::string& text) {
  if (log_) log_(level, name_ + ": " + text);
}

void LossTable::add(const core::Ip& sender, std::uint64_t records) {
  const std::scoped_lock lock(mutex_);
  if (const auto at = senders_.find(sender); at != senders_.end()) {
    at->second += records;
  } else if (sender.present() && senders_.size() < kMost) {
    senders_.emplace(sender, records);
  } else {
    others_ += records;
  }
}

std::vector<SenderLoss> LossTable::read() const {
  std::vector<SenderLoss> all;
  const std::scoped_lock lock(mutex_);
  all.reserve(senders_.size() + 1);
  for (const auto& [sender, records] : senders_) all.push_back({sender, records});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.records > b.records; });
  if (others_ != 0) all.push_back({core::Ip{}, others_});
  return all;
}

core::Nanoseconds now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace orbwatch::source
