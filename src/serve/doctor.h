// What `orbwatch doctor` looks at: facts of this computer and of the running service are gathered by one function and
// judged by another, which reads no clock and no file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "pipeline/config.h"
#include "pipeline/service.h"

namespace orbwatch::serve {

enum class Health : std::uint8_t { kGood, kWarning, kBad };
std::string_view name(Health health);  // "good", "warning", "bad"

struct Check {
  std::string about;  // "journal", "collector vpn" ...
  Health health = Health::kGood;
  std::string says;    // one line, what was seen
  std::string advice;  // one line, what to do; "" if there is nothing to do
};

struct Facts {
  struct File {
    std::string path;
    std::string use;      // "indicators", "key of vpn" ...
    std::string trouble;  // why it cannot be used, "" if it can
  };
  struct Certificate {
    std::string path;
    std::string of;                   // the collector
    std::string trouble;              // unreadable, or key and certificate do not belong together
    core::Nanoseconds not_after = 0;  // of the first one in the file
  };
  enum class Port : std::uint8_t { kFree, kHeld, kForbidden, kNoAddress };
  struct Listener {
    std::string of;  // the collector, or "metrics"
    std::string listen;
    Port port = Port::kFree;
  };

  std::string config_file;
  std::optional<core::Error> config_error;  // then nothing else was gathered
  pipeline::Config config;

  core::Nanoseconds now = 0;
  std::optional<bool> clock_synchronised;  // absent: the system does not say

  bool state_exists = false;
  std::string state_trouble;  // why it cannot be written, "" if it can
  std::uint64_t state_free = 0;
  std::uint64_t journal_bytes = 0;  // on the disk now
  bool state_in_use = false;        // a service runs with it

  std::optional<std::uint64_t> most_receive_buffer;  // net.core.rmem_max
  std::vector<Listener> listeners;
  std::vector<Certificate> certificates;
  std::vector<File> files;
  std::string knowledge_trouble;  // indicators and declared networks
  std::vector<std::string> mapping_troubles;
  std::string networks_file;  // "" = none
  std::string networks_trouble;
  core::Nanoseconds networks_built = 0;
  bool store_available = false;

  std::string service_address;  // "" = nobody to ask: no metrics in the configuration
  std::string service_trouble;  // why it did not answer
  std::optional<pipeline::ServiceStatus> service;
};

// `ask`: where the service's metrics listen, "" = as the configuration says. Waits at most some seconds for the answer.
// Opens the configuration's ports for a moment if no service holds the state folder, and writes nothing.
Facts gather(const std::string& config_file, core::Expected<pipeline::Config> config, const std::string& networks_file,
             const std::string& ask);

// In a fixed order; at least one check.
std::vector<Check> examine(const Facts& facts);

Health worst(const std::vector<Check>& checks);

// One JSON object with a list of the checks, on one line.
std::string to_json(const std::vector<Check>& checks);
// One line for each: health, what it is about, what was seen and what to do.
std::string to_text(const std::vector<Check>& checks);

// A duration in words: "40 s", "12 min", "3 h", "2 days".
std::string in_words(core::Nanoseconds duration);

}  // namespace orbwatch::serve
