#include "export/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace orbwatch::exporting {

Delivery::Delivery(std::unique_ptr<Output> output, std::unique_ptr<Spool> spool, BackOff back_off,
                   std::uint64_t most_attempts)
    : output_(std::move(output)),
      spool_(std::move(spool)),
      back_off_(back_off),
      most_attempts_(most_attempts),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Delivery::~Delivery() { stop(); }

void Delivery::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

core::Expected<void> Delivery::give(const Message& message) {
  auto put = spool_->put(message);
  {
    const std::scoped_lock lock(mutex_);
    ++given_;
  }
  changed_.notify_all();
  return put;
}

core::Expected<std::uint64_t> Delivery::retry_dead() {
  auto given = spool_->retry_dead();
  {
    const std::scoped_lock lock(mutex_);
    ++given_;
  }
  changed_.notify_all();
  return given;
}

void Delivery::pause(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, time, [] { return false; });
}

void Delivery::work(const std::stop_token& stop) {
  std::uint64_t failures_of_message = 0;
  std::uint64_t tried = 0;  // number of the message that was tried last
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    {
      const std::scoped_lock lock(mutex_);
      seen = given_;
    }
    const auto next = spool_->next();
    if (!next) {
      changed_.notify_all();  // for wait_until_empty()
      if (spool_->counts().waiting != 0) {
        pause(stop, back_off_.first);  // a damaged file could not be moved aside: the disk is full or read-only
        continue;
      }
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return given_ != seen; });
      continue;
    }
    if (next->number != tried) failures_of_message = 0;
    tried = next->number;
    const Delivered delivered = output_->deliver(next->message, stop);
    if (!delivered && !delivered.error().permanent && stop.stop_requested()) {
      spool_->release(next->number);
      return;
    }
    std::chrono::milliseconds wait{0};
    std::string error;
    std::function<core::Expected<void>()> note;
    if (delivered) {
      note = [&] { return spool_->done(next->number); };
    } else {
      ++failures_of_message;
      error = delivered.error().error.text();
      std::string reason = error;
      const bool given_up = most_attempts_ != 0 && failures_of_message >= most_attempts_;
      if (given_up && !delivered.error().permanent)
        reason = fmt::format("given up after {} attempts: {}", failures_of_message, error);
      if (given_up || delivered.error().permanent) {
        note = [&, reason] { return spool_->dead(next->number, reason); };
      } else {
        spool_->release(next->number);
        wait = std::max<std::chrono::milliseconds>(back_off_.wait(failures_of_message), delivered.error().retry_after);
      }
    }
    {
      const std::scoped_lock lock(mutex_);
      ++attempts_;
      failures_in_row_ = error.empty() ? 0 : failures_in_row_ + 1;
      if (!error.empty()) last_error_ = error;
    }
    if (note) {
      // What is taken or buried must be noted, else it would be sent again: while the disk does not take the note, the
      // worker waits for the disk.
      auto noted = note();
      for (std::uint64_t failures = 1; !noted && !stop.stop_requested(); ++failures) {
        {
          const std::scoped_lock lock(mutex_);
          last_error_ = noted.error().text();
          ++failures_in_row_;
        }
        pause(stop, back_off_.wait(failures));
        noted = note();
        if (noted) {
          const std::scoped_lock lock(mutex_);
          failures_in_row_ = 0;
        }
      }
    }
    changed_.notify_all();
    if (wait.count() > 0) pause(stop, wait);
  }
}

bool Delivery::wait_until_empty(std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return spool_->counts().waiting == 0; });
}

Delivery::Status Delivery::status() const {
  Status status;
  status.target = output_->target();
  status.counts = spool_->counts();
  const std::scoped_lock lock(mutex_);
  status.attempts = attempts_;
  status.failures_in_row = failures_in_row_;
  status.last_error = last_error_;
  return status;
}

}  // namespace orbwatch::exporting
