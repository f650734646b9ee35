// Records pushed over HTTP or HTTPS: lines to /ingest, the protocol of Splunk's HTTP event collector (HEC), which many
// senders speak, and logs of OpenTelemetry (OTLP/HTTP).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "source/collector.h"
#include "source/intake.h"
#include "source/sockets.h"
#include "source/tls.h"

namespace orbwatch::source {

struct HttpOptions {
  std::uint32_t source = 0;  // Arrival::source
  Endpoint listen;
  std::optional<TlsOptions> tls;
  std::size_t connections = 64;                   // at once, each with its thread; further ones wait in the kernel
  std::size_t most_body = std::size_t{16} << 20;  // bytes of a request's body, as sent and as decompressed
  std::size_t most_in_flight = std::size_t{256} << 20;  // bytes of all bodies held at once; beyond it senders get 503
  std::size_t longest_record = std::size_t{256} << 10;  // bytes, up to 512 KiB; longer lines are cut off
  std::chrono::seconds request{60};                     // from the first byte of a request to its last
  std::chrono::seconds idle{15};                        // between two requests of a connection
  std::vector<core::Prefix> admitted;                   // senders; none: everybody
};

// Is the token one that may send? Called by several threads at once.
using TokenAllowed = std::function<bool(std::string_view token)>;

// POST /ingest                      lines of any text format
// POST /services/collector/raw      the same
// POST /services/collector[/event]  JSON objects one behind the other; each is a record, envelope included
// GET  /services/collector/health   without token
// (the latter four also with /1.0 behind)
// POST /v1/logs                     OTLP, application/x-protobuf or application/json (otlp.h)
//
// The token stands in `Authorization: Splunk TOKEN` or `Bearer TOKEN`. A body may be compressed with gzip. Answers are
// JSON with HEC's codes, for /ingest, too. A request is taken as a whole or not at all; 200 means that the Intake has
// taken it. 503 with Retry-After: it is full; 500: it cannot write. OTLP has answers of its own: Status messages, 503
// in both cases, and partial_success for single records that are refused by name.
//
// `Idempotency-Key: ...` on /ingest (up to 256 bytes): stream = a hash of key and token, position = size of the body. A
// request whose key was taken already is answered with 200 and not taken again (of one that a kill let be taken in part
// the rest is taken); one with that key and another size with 422; one whose twin is just being taken with 409.
//
// The process ignores SIGPIPE from then on (the library does that).
std::unique_ptr<Collector> make_http_push(const HttpOptions& options, TokenAllowed allowed, Intake& intake,
                                          Log log = {});

}  // namespace orbwatch::source
