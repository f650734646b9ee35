// A queue of messages on the disk, so that what is given is delivered at least once, in order, through crashes and
// power cuts. One folder:
//   queue/<20 digits>.alert    waiting, the number is the order
//   dead/<20 digits>.alert     refused for good, with the reason
//   damaged/<20 digits>.alert  could not be read back; moved aside
//   state                      the counts
//   lock                       held while the spool is open
//
// Each change is one rename: a message is waiting once its file has its name; it is done once `state` says so. What
// `state` has counted as done and still lies in queue/ is removed on opening. Hence at any moment, across any number of
// kills:  given = delivered + dead + dropped + damaged + waiting.
//
// Limits: beyond most_messages or most_bytes the oldest that is not being delivered goes and is counted as dropped; of
// dead/ and damaged/ the newest kMostKept files and most_bytes are kept (the counts go on).
//
// Thread-safe. One process at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "export/output.h"

namespace orbwatch::exporting {

struct SpoolLimits {
  std::uint64_t most_messages = 10'000;  // at least 1
  std::uint64_t most_bytes = std::uint64_t{64} << 20;
};

struct SpoolCounts {
  std::uint64_t given = 0;  // every put() that was accepted, since the folder was made
  std::uint64_t delivered = 0;
  std::uint64_t dead = 0;     // refused for good
  std::uint64_t dropped = 0;  // by the limit
  std::uint64_t damaged = 0;  // could not be read back, or vanished from queue/
  std::uint64_t waiting = 0;
  bool balanced() const { return given == delivered + dead + dropped + damaged + waiting; }
};

struct DeadLetter {
  std::uint64_t number = 0;
  Message message;
  std::string reason;
};

class Spool {
 public:
  static constexpr std::size_t kMostKept = 1'000;

  // Makes the folder if it is missing and takes the lock. An error if another process has it, if the folder cannot be
  // written, or if `state` is damaged (it is never guessed).
  static core::Expected<std::unique_ptr<Spool>> open(const std::filesystem::path& folder, const SpoolLimits& limits);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Returns once the message is on the disk. An error (a full disk, a body of more than kLongestBody or of more than
  // the limit) means that it is not in the spool and not counted as given.
  core::Expected<void> put(const Message& message);

  struct Next {
    std::uint64_t number = 0;
    Message message;
  };
  // The oldest message that waits; it is held until done(), dead() or release(). nullopt: there is none. Damaged files
  // on the way are moved aside.
  std::optional<Next> next();
  // An error: the disk could not be written; the message stays and will be delivered again.
  core::Expected<void> done(std::uint64_t number);
  core::Expected<void> dead(std::uint64_t number, std::string_view reason);
  void release(std::uint64_t number);  // it waits on

  SpoolCounts counts() const;
  // The dead letters that are kept, the oldest first.
  std::vector<DeadLetter> dead_letters() const;
  // Gives them again, as new messages; they leave dead/, and stay counted as dead. How many.
  core::Expected<std::uint64_t> retry_dead();

 private:
  struct Entry {
    std::uint64_t number;
    std::uint64_t bytes;
  };
  Spool(std::filesystem::path folder, const SpoolLimits& limits);
  core::Expected<void> load();
  core::Expected<void> put_locked(const Message& message);
  core::Expected<void> commit(const SpoolCounts& counts, std::uint64_t removing);
  core::Expected<void> finish(std::uint64_t number, std::uint64_t SpoolCounts::* counted);
  void make_room();
  void prune(std::string_view folder) const;
  std::filesystem::path file(std::string_view folder, std::uint64_t number) const;

  const std::filesystem::path folder_;
  const SpoolLimits limits_;
  mutable std::mutex mutex_;
  std::deque<Entry> queue_;  // by number
  std::uint64_t bytes_ = 0;
  std::uint64_t held_ = 0;  // number of the message that next() gave, 0 = none
  std::uint64_t last_ = 0;  // number of the newest message ever
  SpoolCounts counts_;      // waiting and given are worked out
  int lock_ = -1;
};

}  // namespace orbwatch::exporting
