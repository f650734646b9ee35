// Logs of OpenTelemetry over HTTP: requests of both encodings sent by curl, and those of the real SDK for Python where
// it is installed (opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http of PyPI).
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

constexpr const char* kRejected =
    "<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local "
    "database : user = alice : user IP = 203.0.113.9";

bool works(const std::vector<std::string>& command) {
  try {
    return run(command).exit_code == 0;
  } catch (const std::exception&) {
    return false;  // it is not installed
  }
}

class OtlpTest : public ::testing::Test {
 protected:
  OtlpTest() : service_(dir_.path(), config()) {}
  std::string config() const {
    return "state: " + (dir_ / "state").string() +
           "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\ncollect:\n"
           "  - type: http\n    name: http\n    listen: 127.0.0.1:0\n    open_to_anyone: true\n";
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(service_.port("http")) + "/v1/logs"; }
  // Status and body of the answer.
  std::string post(const std::string& body, const std::string& type, std::vector<std::string> more = {}) const {
    const auto file = dir_.write("body", body);
    std::vector<std::string> argv = {"curl",
                                     "-s",
                                     "-w",
                                     " %{http_code} %{content_type}",
                                     "-H",
                                     "Content-Type: " + type,
                                     "-H",
                                     "Authorization: Bearer x",
                                     "--data-binary",
                                     "@" + file.string()};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.push_back(url());
    return run(argv).out;
  }
  std::string stop() {
    service_.signal(SIGTERM);
    EXPECT_EQ(service_.wait(), 0) << service_.err();
    return service_.out();
  }

  TempDir dir_;
  ServiceProcess service_;
};

// A field of a message, by OTLP's numbers.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  std::size_t n = bytes.size();
  for (; n > 127; n >>= 7) out += static_cast<char>((n & 127) | 128);
  return out + static_cast<char>(n) + bytes;
}

TEST_F(OtlpTest, RecordsOfBothEncodingsBecomeEvents) {
  if (!works({"curl", "--version"})) GTEST_SKIP() << "curl is not installed";
  ASSERT_TRUE(service_.wait_ready()) << service_.err();
  // A line of a gateway as it is; one without header whose time, host and program stand beside it; a structure.
  const std::string records =
      std::string(R"({"body":{"stringValue":")") + kRejected + R"("}},)" +
      R"({"timeUnixNano":"1791172659000000000","body":{"stringValue":"Failed password for root from 203.0.113.9 port 40001 ssh2"},)"
      R"("attributes":[{"key":"appname","value":{"stringValue":"sshd"}}]},)"
      R"({"body":{"kvlistValue":{"values":[{"key":"eventVersion","value":{"stringValue":"1.08"}},)"
      R"({"key":"eventTime","value":{"stringValue":"2026-10-05T08:15:30Z"}},)"
      R"({"key":"eventSource","value":{"stringValue":"signin.amazonaws.com"}},)"
      R"({"key":"eventName","value":{"stringValue":"ConsoleLogin"}},)"
      R"({"key":"sourceIPAddress","value":{"stringValue":"203.0.113.9"}},)"
      R"({"key":"userIdentity","value":{"kvlistValue":{"values":[{"key":"type","value":{"stringValue":"IAMUser"}},)"
      R"({"key":"userName","value":{"stringValue":"alice"}}]}}},)"
      R"({"key":"responseElements","value":{"kvlistValue":{"values":[{"key":"ConsoleLogin","value":{"stringValue":"Success"}}]}}}]}}},)"
      R"({"body":{"stringValue":""}})";
  const std::string json =
      R"({"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"gw7"}}]},)"
      R"("scopeLogs":[{"logRecords":[)" +
      records + "]}]}]}";
  EXPECT_EQ(post(json, "application/json"),
            R"({"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"1 without body and attributes"}})"
            " 200 application/json");
  const std::string binary = field(1, field(2, field(2, field(5, field(1, kRejected)))));
  EXPECT_EQ(post(binary, "application/x-protobuf"), " 200 application/x-protobuf");
  ASSERT_TRUE(service_.wait_for("records", 4, "http")) << service_.get("/status");
  const std::string status = service_.get("/status");
  EXPECT_EQ(service_.number("events", "http"), 4) << status;
  EXPECT_NE(status.find(R"("events_by":{"aws_cloudtrail":1,"cisco_asa":2,"openssh":1})"), std::string::npos) << status;
  EXPECT_NE(status.find("\"refused_records\":1"), std::string::npos) << status;

  EXPECT_EQ(post("{", "application/json"),
            R"({"code":3,"message":"The body is no ExportLogsServiceRequest: this is not JSON"} 400 application/json)");
  EXPECT_EQ(post(binary.substr(0, 40), "application/x-protobuf").substr(0, 3), "\x08\x03\x12");
  stop();
  // The device's name came beside the records, and stands in the events of those that have none of their own.
  std::string stored;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "state/events")) {
    if (entry.path().extension() == ".duckdb")
      stored += run({orbwatch_binary(), "sql", entry.path().string(), "--csv", "SELECT * FROM events"}).out;
  }
  const auto with_name = std::ranges::count_if(std::views::split(stored, '\n'), [](auto&& line) {
    return std::string_view(line.begin(), line.end()).find("gw7") != std::string_view::npos;
  });
  EXPECT_EQ(with_name, stored.empty() ? 0 : 2) << stored;
}

TEST_F(OtlpTest, RecordsOfTheRealSdk) {
  if (!works({"python3", "-c", "import opentelemetry.sdk._logs, opentelemetry.exporter.otlp.proto.http._log_exporter"}))
    GTEST_SKIP() << "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http are not installed for python3";
  ASSERT_TRUE(service_.wait_ready()) << service_.err();
  // Its handler for Python's own logging, in batches, with gzip.
  const auto sent = run({"python3",
                         dir_.write("send.py", R"(
import logging, sys
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
provider = LoggerProvider(resource=Resource.create({'host.name': 'gw8', 'service.name': 'vpn'}))
exporter = OTLPLogExporter(endpoint=sys.argv[1], headers={'Authorization': 'Bearer x'}, compression=Compression.Gzip)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
log = logging.getLogger('vpn')
log.propagate = False
log.setLevel(logging.INFO)
log.addHandler(LoggingHandler(logger_provider=provider))
for i in range(500):
    log.info(sys.argv[2])
provider.shutdown()
)")
                             .string(),
                         url(), kRejected});
  ASSERT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_TRUE(service_.wait_for("events", 500, "http")) << service_.get("/status") << sent.err;
  EXPECT_EQ(service_.number("records", "http"), 500);
  stop();
}

}  // namespace
}  // namespace orbwatch::test
