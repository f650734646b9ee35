// The service: collectors into the journal, the pipeline behind it, outputs; made from a configuration and changed by
// another one while it runs.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "export/alerts.h"
#include "pipeline/config.h"
#include "pipeline/live.h"
#include "source/collector.h"

namespace orbwatch::pipeline {

struct ServiceOptions {
  Config config;
  std::string networks_file;  // compiled network facts; "" = none
  source::Log log;            // rare events, from any thread
  FindingsSink findings;      // beside the outputs of the configuration; may be empty
};

struct CollectorStatus {
  std::string name;
  CollectorType type = CollectorType::kSyslogUdp;
  std::uint16_t port = 0;
  source::CertificateStatus certificate;
  source::Counters counters;
  std::vector<source::SenderLoss> losses;
  LiveCounts records;  // what the pipeline made of what came
};

struct ServiceStatus {
  std::vector<CollectorStatus> collectors;
  LiveStatus live;
  bool working = false;         // the pipeline runs, or
  bool loading = false;         // loads its state; what arrives waits in the journal
  std::string failure;          // what ended it
  std::string journal_trouble;  // why the journal refuses at present
  std::uint64_t journal_refused = 0;
  std::uint64_t journal_damaged_bytes = 0;
  std::vector<exporting::Alerts::Status> outputs;
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
};

class Service {
 public:
  // When it returns, every collector listens and what it takes survives a kill; a large state may still be loaded,
  // while what arrives waits in the journal. Errors: a configuration without state folder or collectors, an address in
  // use, a state folder that cannot be used ...
  static core::Expected<std::unique_ptr<Service>> start(const ServiceOptions& options);
  ~Service();  // stops

  // Another configuration takes the place of the old one. Collectors that are the same in both go on without a pause;
  // the pipeline pauses for a checkpoint while the journal takes what comes. An error leaves everything as it was.
  // The state folder, the journal's limits and the key of pseudonyms cannot be changed.
  core::Expected<void> reload(const Config& config);

  // Looks at once whether certificates, keys and authorities of clients have changed, which tick() does once a minute.
  // Connections that are open keep theirs. For SIGHUP, whatever becomes of the configuration; thread as for reload().
  void renew_certificates();

  // Ends the collectors, works on what the journal holds for some seconds, writes a checkpoint. Errors are those of the
  // checkpoint: the journal still has everything then.
  core::Expected<void> stop();

  // To be called about every second: writes into the journal that nothing came for a while, takes renewed certificates,
  // and tells of trouble.
  void tick();

  ServiceStatus status() const;  // thread-safe

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::pipeline
