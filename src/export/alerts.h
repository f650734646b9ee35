// Findings in, messages out: for each output its policy, its renderer and its delivery. What `run` and `hunt` call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "export/alert_policy.h"
#include "export/delivery.h"
#include "export/output_settings.h"

namespace orbwatch::exporting {

class Alerts {
 public:
  // Opens the spool of each output below `folder` (folder/<name>) and starts its delivery; what was left there by an
  // earlier run goes out at once. Names must differ. What an output was told is kept in folder/<name>/alerts; a damaged
  // one is moved aside (a note says so): alerts may then be told again.
  static core::Expected<std::unique_ptr<Alerts>> open(const std::vector<OutputSettings>& outputs,
                                                      const std::filesystem::path& folder);
  ~Alerts();

  // Offers each finding to each output; the same findings may be offered again and again. now: wall clock. Returns once
  // what is to be told is on the disk. An error (the first) means that some finding did not get into some spool: it is
  // not noted as told and goes out when it is offered again. Thread-safe.
  core::Expected<void> offer(std::span<const score::Finding> findings, core::Nanoseconds now);
  // Sums up what was held back, where a token has come in; to be called now and then, once a minute is enough.
  core::Expected<void> tick(core::Nanoseconds now) { return offer({}, now); }

  struct Status {
    std::string name;
    Delivery::Status delivery;
    std::uint64_t verdicts[6] = {};  // by Verdict, since the start
    std::uint64_t summaries = 0;     // messages that summed up what was held back
    std::uint64_t held_back = 0;     // not yet summed up
    std::uint64_t not_spooled = 0;   // did not fit into a message, or the disk was full
    std::uint64_t forgotten = 0;     // see AlertState::kMostTold
  };
  std::vector<Status> status() const;
  const std::vector<std::string>& notes() const { return notes_; }
  void reopen();
  // True once nothing waits anywhere.
  bool wait_until_empty(std::chrono::milliseconds most);

 private:
  struct One;
  Alerts();
  core::Expected<void> tell(One& one, const score::Finding& finding, core::Nanoseconds now);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<One>> outputs_;
  std::vector<std::string> notes_;
};

}  // namespace orbwatch::exporting
