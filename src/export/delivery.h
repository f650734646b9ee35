// Feeds one output from its spool, by a thread of its own: in order, each message until it is taken or refused for
// good, waiting longer after each failure.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/time.h"
#include "export/back_off.h"
#include "export/output.h"
#include "export/spool.h"

namespace orbwatch::exporting {

class Delivery {
 public:
  // most_attempts: then a message is a dead letter; 0 = it is tried for ever.
  Delivery(std::unique_ptr<Output> output, std::unique_ptr<Spool> spool, BackOff back_off = {},
           std::uint64_t most_attempts = 0);
  ~Delivery();  // stop()
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Any thread. Returns once the message is on the disk; see Spool::put().
  core::Expected<void> give(const Message& message);
  // Dead letters are tried again; how many.
  core::Expected<std::uint64_t> retry_dead();
  std::vector<DeadLetter> dead_letters() const { return spool_->dead_letters(); }
  void reopen() { output_->reopen(); }
  // Ends the attempt that is going on and the thread. What waits stays in the spool.
  void stop();
  // True once nothing waits; false if the time is over before.
  bool wait_until_empty(std::chrono::milliseconds most);

  struct Status {
    std::string target;
    SpoolCounts counts;
    std::uint64_t attempts = 0;         // since the start
    std::uint64_t failures_in_row = 0;  // 0 = the last attempt was good
    std::string last_error;             // of the last attempt that failed; without secrets
  };
  Status status() const;

 private:
  void work(const std::stop_token& stop);
  void pause(const std::stop_token& stop, std::chrono::milliseconds time);

  const std::unique_ptr<Output> output_;
  const std::unique_ptr<Spool> spool_;
  const BackOff back_off_;
  const std::uint64_t most_attempts_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t given_ = 0;  // calls of give(), so that none is slept through
  std::uint64_t attempts_ = 0;
  std::uint64_t failures_in_row_ = 0;
  std::string last_error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace orbwatch::exporting
