// The keys of the configuration that concern the service (docs/configuration.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/ip.h"
#include "core/time.h"
#include "export/output_settings.h"

namespace orbwatch::pipeline {

enum class CollectorType : std::uint8_t { kSyslogUdp, kSyslogTcp, kFlowUdp, kFlowTcp, kTail, kHttp, kRelp };
std::string_view name(CollectorType type);

struct TlsSettings {
  std::string certificate;  // files; "" = no TLS
  std::string key;
  std::string client_ca;  // "" = clients need no certificate

  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct CollectorSettings {
  CollectorType type = CollectorType::kSyslogUdp;
  std::string name;    // unique; by default type and address
  std::string listen;  // "127.0.0.1:5514", "[::]:514"
  std::string format;
  std::string timezone;
  int workers = 1;
  std::uint64_t receive_buffer = 32 << 20;  // bytes asked of the kernel
  int connections = 1000;
  std::chrono::seconds idle_timeout{900};
  TlsSettings tls;
  std::vector<std::string> paths;  // files, folders and patterns to follow
  bool from_beginning = false;     // of a file that was never seen
  std::vector<std::string> token_hashes;
  bool open_to_anyone = false;      // HTTP without tokens
  std::vector<core::Prefix> admit;  // senders; none: everybody

  friend bool operator==(const CollectorSettings&, const CollectorSettings&) = default;
};

// Names of users at rest (pipeline/pseudonyms.h).
struct PseudonymSettings {
  std::string key_file;     // "" = names are kept as they come
  bool raw_records = true;  // keep raw records with findings, with the name replaced in them

  friend bool operator==(const PseudonymSettings&, const PseudonymSettings&) = default;
};

struct ServiceConfig {
  std::string state;  // folder; "" = not given
  std::vector<CollectorSettings> collect;
  std::uint64_t journal_bytes = 4ULL << 30;
  std::chrono::milliseconds journal_sync{1000};
  std::chrono::milliseconds checkpoint{60'000};
  core::Nanoseconds lateness = core::kHour;
  bool store_events = true;
  int keep_days = 30;
  std::uint64_t keep_bytes = 0;
  std::string metrics_listen;  // "" = none
  PseudonymSettings pseudonyms;
  std::vector<exporting::OutputSettings> outputs;
};

}  // namespace orbwatch::pipeline
