// Fuzz targets of the reader of OpenTelemetry's requests (source/otlp.h): ORBWATCH_FUZZ_OTLP is 1 for protobuf, 2 for
// JSON. Beside crashes and hangs, each run checks its promises:
//  - what is handed out and what is counted agree, and no record is empty or too long;
//  - a record in an envelope is valid JSON with the record in it;
//  - the same request gives the same records, and stopping early gives the first of them.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "source/otlp.h"

namespace {

using namespace orbwatch::source;

constexpr OtlpEncoding kEncoding = ORBWATCH_FUZZ_OTLP == 1 ? OtlpEncoding::kProtobuf : OtlpEncoding::kJson;
// Short, so that records that are too long are reached.
constexpr std::size_t kLongest = 300;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "%s\n", promise);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> records;
  const auto counts = read_otlp_logs(body, kEncoding, kLongest, [&](std::string_view record) {
    if (record.empty()) broken("a record without content");
    if (record.size() > kLongest) broken("a record is too long");
    records.emplace_back(record);
    return true;
  });
  if (counts && counts->records != records.size()) broken("records given and counted differ");
  simdjson::dom::parser parser;
  for (const std::string& record : records) {
    // A text may begin like an envelope by chance, but then it ends like one only if it was made by one.
    if (record.find("\"sourcetype\":\"otlp\",\"event\":") == record.npos || !record.starts_with('{')) continue;
    simdjson::dom::element envelope;
    if (parser.parse(record).get(envelope) == simdjson::SUCCESS && envelope["event"].error() != simdjson::SUCCESS)
      broken("an envelope without a record");
  }
  std::size_t at = 0;
  const auto again = read_otlp_logs(body, kEncoding, kLongest, [&](std::string_view record) {
    if (at >= records.size() || records[at] != record) broken("the same request gives other records");
    ++at;
    return true;
  });
  if (again.has_value() != counts.has_value() || (counts && *again != *counts))
    broken("the same request gives other counts");
  at = 0;
  const auto stopped = read_otlp_logs(body, kEncoding, kLongest, [&](std::string_view record) {
    if (at > 0 || records[at] != record) broken("more is given than was wanted");
    ++at;
    return false;
  });
  if (stopped && stopped->records != at) broken("records given and counted differ after stopping");
  if (counts) {
    (void)otlp_response(kEncoding, *counts, kLongest);
  } else {
    (void)otlp_failure(kEncoding, 400, counts.error().seen);
  }
  return 0;
}
