// How much each device (gateway, firewall, exporter) usually sends, so that one that has fallen silent is noticed: a
// log that stops is the first thing that an intruder at the edge, a full disk or a changed address brings about.
//
// Of each device a mean number of events is kept for each hour of the week (UTC), which follows the last four weeks.
// Silence is measured in events that should have come since the last one, not in minutes: an office's gateway may be
// silent for a night. A device counts as silent when more are missing than kEnough and than twice the most that were
// ever missing in an ordinary pause of its own (which decays with a half-life of four weeks), so that one that sends in
// bursts, once a day, say, does not. By the time-rescaling theorem the number of events expected within a pause has the
// same distribution at every hour if the hours' means are right, which is what makes pauses of nights and of days
// comparable (Brown et al., Neural Computation 14, 2002).
//
// Hours in which the service itself did not run teach nothing. All times are those of arrival, which the journal holds:
// reading it again gives the same.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/archive.h"
#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::pipeline {

struct DeviceStatus {
  std::string name;  // as the records call it, or its address
  std::uint64_t events = 0;
  core::Nanoseconds last_arrival = 0;
  double usual_per_minute = 0;  // at this hour of the week
  double missing = 0;           // events that should have come since the last one
  bool silent = false;
};

// Not thread-safe. Memory: 1 kB a device, at most kMostDevices; events of further ones are counted as untracked.
class DeviceRates {
 public:
  static constexpr std::size_t kMostDevices = 10'000;
  static constexpr std::size_t kHours = 168;
  static constexpr double kEnough = 30;          // events
  static constexpr std::uint32_t kLearned = 24;  // hours of a device's that must be known before it can be silent
  // Longer without any arrival or tick, and the service was not there.
  static constexpr core::Nanoseconds kAway = 5 * core::kMinute;

  // `n` events of a device came at `now`. The observer's name counts if it has one, else its address.
  void take(core::Symbol observer, const core::Ip& address, std::uint64_t n, core::Nanoseconds now);
  // Time passes. Times that go backward are passed over.
  void advance(core::Nanoseconds now);

  // Silent ones first, then by name; at most `most`.
  std::vector<DeviceStatus> status(std::size_t most) const;
  std::size_t size() const { return devices_.size(); }
  std::size_t silent() const;
  std::uint64_t untracked() const { return untracked_; }

  // Errors stick to the reader.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  struct Key {
    core::Symbol name;
    core::Ip address;  // :: if there is a name

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.name, k.address);
    }
  };
  struct Device {
    std::uint64_t events = 0;
    core::Nanoseconds last_arrival = 0;
    float longest = 0;          // events missing in the longest ordinary pause
    float overall = 0;          // mean of all hours
    std::uint32_t learned = 0;  // hours
    std::uint32_t in_hour = 0;
    bool partial = true;                   // it came up within this hour
    std::array<std::uint8_t, kHours> n{};  // times that an hour was learned, at most four
    std::array<float, kHours> mean{};      // events
  };
  static double usual(const Device& device, std::uint64_t hour);
  double missing(const Device& device) const;  // events expected since its last one
  static bool is_silent(const Device& device, double missing);
  void close_hour();
  bool make_room();
  template <typename Archive>
  void persist(Archive& archive);

  absl::flat_hash_map<Key, Device> devices_;
  core::Nanoseconds now_ = 0;
  core::Nanoseconds back_ = 0;   // when the service was last away until
  bool away_ = true;             // within the current hour; the first one is never whole
  std::uint64_t room_made_ = 0;  // the hour in which that was last tried
  std::uint64_t untracked_ = 0;
};

}  // namespace orbwatch::pipeline
