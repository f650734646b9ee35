// Log records out of a request of OpenTelemetry's protocol (OTLP 1.x, ExportLogsServiceRequest), and the answers to it.
// https://github.com/open-telemetry/opentelemetry-proto: docs/specification.md, OTLP/HTTP; the field numbers are those
// of opentelemetry/proto/{collector/logs,logs,resource,common}/v1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::source {

enum class OtlpEncoding : std::uint8_t {
  kProtobuf,  // application/x-protobuf
  kJson,      // application/json: proto3's mapping; keys are those of lowerCamelCase, unknown ones are passed over
};

// Values within values. Deeper records are refused.
constexpr int kMostOtlpDepth = 32;
// Names of hosts and programs; of longer ones nothing is kept.
constexpr std::size_t kLongestOtlpName = 255;

// What became of the records of a request: records + empty + oversize + nested = those that were in it.
struct OtlpCounts {
  std::uint64_t records = 0;   // handed out
  std::uint64_t empty = 0;     // refused: neither body nor attributes
  std::uint64_t oversize = 0;  // refused: too long
  std::uint64_t nested = 0;    // refused: values nested too deep

  std::uint64_t refused() const { return empty + oversize + nested; }
  friend bool operator==(const OtlpCounts&, const OtlpCounts&) = default;
};

// One record, valid during the call; false: no more is wanted. May hold line feeds if it is a text.
using OtlpRecord = std::function<bool(std::string_view record)>;

// Hands out the records in their order. A body that is a text (or bytes) is the record as it is, one that is a map or
// a list is a JSON value; a record without body is the object of its attributes. If time, host (`hostname` of the
// record, else `host.name` of record or resource), program (`appname`, `proc_id`) or `service.name` are stated, the
// record stands in the envelope of Splunk's HTTP event collector, which the formats are read in: {"time":..,"host":..,
// "sourcetype":"otlp","event":..}.
//
// Records longer than `longest` bytes are refused by name. Errors: the request is malformed; records may have been
// handed out before it shows. Memory: that of one record, and for JSON up to 13 bytes for each of the body's.
core::Expected<OtlpCounts> read_otlp_logs(std::string_view body, OtlpEncoding encoding, std::size_t longest,
                                          const OtlpRecord& give);

// ExportLogsServiceResponse: with partial_success if records were refused.
std::string otlp_response(OtlpEncoding encoding, const OtlpCounts& counts, std::size_t longest);

// google.rpc.Status for an answer of that HTTP status.
std::string otlp_failure(OtlpEncoding encoding, int http_status, std::string_view message);

}  // namespace orbwatch::source
