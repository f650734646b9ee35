// A place to which findings go: a file, a syslog receiver, a webhook, a mailbox. make_output() (output_settings.h)
// makes one; Delivery (delivery.h) feeds it from its spool.
#pragma once

#include <chrono>
#include <expected>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::exporting {

// A finding as it goes out. `body` is what a renderer made of it (formats.h).
struct Message {
  std::string id;          // of the finding; the same on each attempt, so that a receiver can drop what came twice
  std::string subject;     // one line for a person
  std::string media_type;  // of the body
  core::Nanoseconds time = 0;
  std::string body;  // at most kLongestBody
};
constexpr std::size_t kLongestBody = std::size_t{4} << 20;

// No text of it holds a secret.
struct DeliveryError {
  core::Error error;
  bool permanent = false;               // trying again would fail again: this message is not wanted
  std::chrono::seconds retry_after{0};  // the receiver asked to be left alone so long; 0 = it did not
};
using Delivered = std::expected<void, DeliveryError>;

inline std::unexpected<DeliveryError> try_again(std::string message, std::string seen = {}, std::string hint = {},
                                                std::chrono::seconds after = {}) {
  return std::unexpected(
      DeliveryError{{std::move(message), std::move(seen), std::move(hint), core::ErrorKind::kOutput}, false, after});
}
inline std::unexpected<DeliveryError> refused(std::string message, std::string seen = {}, std::string hint = {}) {
  return std::unexpected(
      DeliveryError{{std::move(message), std::move(seen), std::move(hint), core::ErrorKind::kOutput}, true, {}});
}

// Not thread-safe but for reopen(): one thread delivers, one message at a time.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  // Blocks until the message is taken, refused, or the time-out of the settings is over; a stop ends it early (as an
  // error that is not permanent). What "taken" means is said in docs/outputs.md for each type. One attempt: who calls
  // repeats it.
  virtual Delivered deliver(const Message& message, std::stop_token stop) = 0;
  // Files are opened anew before the next message (log rotation). Any thread.
  virtual void reopen() {}
  // Where it goes, for messages: "https://siem.example", "syslog tls siem.example:6514". Without secrets.
  virtual std::string target() const = 0;
};

}  // namespace orbwatch::exporting
