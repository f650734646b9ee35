// Every format is read inside every wrapper: the goldens of the text formats, wrapped, give the events that they give
// as plain lines.
#include "decode/wrapper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"
#include "decode/text.h"

namespace orbwatch::decode {
namespace {

namespace fs = std::filesystem;

Options options_2027() {
  Options options;
  core::TimeReader utc;
  std::string_view reference = "2027-01-01T00:00:00Z";
  options.reference = *core::parse_iso8601(reference, utc);
  return options;
}

struct Decoded {
  std::string format;
  std::string events;
  event::Counts counts;
};

Decoded decode(const std::string& input, std::size_t step = SIZE_MAX) {
  Decoded out;
  std::string padded = input + std::string(core::kPadding, '\0');
  const std::string_view text = std::string_view(padded).substr(0, input.size());
  const Options options = options_2027();
  const Recognised what = recognise(text.substr(0, 65536), options);
  out.format = what.format;
  auto decoder = make_decoder(what, options);
  if (!decoder) return out;
  EventBatch batch;
  for (std::size_t at = 0; at < input.size(); at += std::min(step, input.size())) {
    std::string piece = input.substr(at, step);
    const std::size_t size = piece.size();
    piece.resize(size + core::kPadding);
    (*decoder)->feed(std::string_view(piece).substr(0, size), batch);
  }
  (*decoder)->finish(batch);
  for (const Event& e : batch) out.events += event::to_json(e) + "\n";
  out.counts = batch.counts;
  return out;
}

std::string json_quoted(std::string_view text) {
  std::string out;
  core::append_json_string(out, text);
  return out;
}

std::string csv_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

struct Wrapper {
  std::string_view name;
  std::string before;
  std::function<std::string(std::string_view)> line;
  std::string after;
};

std::vector<Wrapper> wrappers() {
  const auto json = [](const std::string& head, const std::string& tail) {
    return [=](std::string_view text) { return head + json_quoted(text) + tail + "\n"; };
  };
  return {
      {"Elastic Agent", "", json("{\"ecs\":{\"version\":\"8\"},\"event\":{\"original\":", "}}"), ""},
      {"Elastic, dotted", "", json("{\"event.original\":", ",\"message\":\"other\"}"), ""},
      {"Filebeat", "", json("{\"input\":{\"type\":\"udp\"},\"message\":", "}"), ""},
      {"Elasticsearch", "", json("{\"_index\":\"x\",\"_source\":{\"message\":", "}}"), ""},
      {"Splunk", "", json("{\"preview\":false,\"result\":{\"_raw\":", "}}"), ""},
      {"Splunk collector", "", json("{\"sourcetype\":\"x\",\"event\":", "}"), ""},
      {"Graylog", "", json("{\"version\":\"1.1\",\"short_message\":\"x\",\"full_message\":", "}"), ""},
      {"Docker", "", json("{\"stream\":\"stdout\",\"log\":", "}"), ""},
      {"journald", "", json("{\"_TRANSPORT\":\"syslog\",\"MESSAGE\":", "}"), ""},
      {"Wazuh", "", json("{\"rule\":{\"level\":3},\"full_log\":", "}"), ""},
      {"Azure", "{\"records\":[", [](std::string_view text) { return "{\"RawData\":" + json_quoted(text) + "},\n"; },
       "{}]}"},
      {"CloudWatch", "{\"logEvents\":[",
       [](std::string_view text) { return "{\"id\":\"1\",\"message\":" + json_quoted(text) + "},"; }, "{}]}"},
      {"CloudWatch in Elastic", "",
       [](std::string_view text) {
         return "{\"message\":" + json_quoted("{\"message\":" + json_quoted(text) + "}") + "}\n";
       },
       ""},
      {"CSV", "_raw,source\n", [](std::string_view text) { return csv_quoted(text) + ",x\r\n"; }, ""},
  };
}

std::vector<std::pair<std::string, std::vector<std::string>>> goldens() {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const RecordFormat& format : record_formats()) {
    if (format.common_schema) continue;  // its documents are wrappers themselves
    for (const auto& entry : fs::directory_iterator(fs::path(ORBWATCH_ROOT) / "tests/golden" / format.name)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".ndjson") || name.ends_with(".options") || name.ends_with(".md")) continue;
      if (fs::exists(fs::path(entry.path()).replace_extension(".options"))) continue;
      std::vector<std::string> lines;
      std::ifstream in(entry.path(), std::ios::binary);
      bool lines_alone = true;
      for (std::string line; std::getline(in, line);) {
        if (line.ends_with('\r')) line.pop_back();
        // Bytes that are no UTF-8 cannot stand in JSON.
        for (std::size_t i = 0; i < line.size();) {
          const std::size_t n = core::utf8_length(std::string_view(line).substr(i));
          lines_alone &= n != 0;
          i += std::max<std::size_t>(n, 1);
        }
        if (!core::trim(line).empty()) lines.push_back(line);
      }
      // A wrapper holds one record, not JSON over several lines or a container of records.
      std::string all;
      for (const std::string& line : lines) all += line + "\n";
      if (lines_alone && framing_of(all) == Framing::kLines)
        out.emplace_back(std::string(format.name) + "/" + name, lines);
    }
  }
  return out;
}

TEST(Wrappers, HoldEveryFormat) {
  std::size_t files = 0;
  for (const auto& [name, lines] : goldens()) {
    std::string plain;
    for (const std::string& line : lines) plain += line + "\n";
    const Decoded expected = decode(plain);
    if (expected.counts.events == 0) continue;
    ++files;
    for (const Wrapper& wrapper : wrappers()) {
      SCOPED_TRACE(name + " in " + std::string(wrapper.name));
      std::string input = wrapper.before;
      for (const std::string& line : lines) input += wrapper.line(line);
      input += wrapper.after;
      const Decoded wrapped = decode(input);
      EXPECT_EQ(wrapped.format, expected.format);
      EXPECT_EQ(wrapped.events, expected.events);
    }
  }
  EXPECT_GT(files, 10U);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

// A wrapper whose content is a container of wrappers: each record inside is read and counted by itself.
TEST(Wrappers, HoldContainersOfEveryFormat) {
  struct Container {
    std::string_view name;
    std::string_view before;
    std::string_view key;  // of the record within the container
    std::string_view after;
  };
  const std::vector<Container> containers = {
      {"CloudWatch subscription", R"({"messageType":"DATA_MESSAGE","logStream":"x","logEvents":[)", "message", "]}"},
      {"Azure event hub", R"({"records":[)", "RawData", "]}"},
      {"array", "[", "_raw", "]"},
  };
  std::size_t files = 0;
  for (const auto& [name, lines] : goldens()) {
    std::string plain;
    std::vector<std::string> documents;
    for (const std::string& line : lines) plain += line + "\n";
    const Decoded expected = decode(plain);
    if (expected.counts.events == 0) continue;
    ++files;
    for (const Container& container : containers) {
      SCOPED_TRACE(name + " in " + std::string(container.name));
      documents.clear();
      for (const std::string& line : lines) {
        documents.push_back("{\"" + std::string(container.key) + "\":" + json_quoted(line) + "}");
      }
      const std::string whole = std::string(container.before) + joined(documents) + std::string(container.after);
      const Decoded wrapped = decode("{\"ecs\":{\"version\":\"8\"},\"message\":" + json_quoted(whole) + "}\n");
      EXPECT_EQ(wrapped.format, expected.format);
      EXPECT_EQ(wrapped.events, expected.events);
      EXPECT_EQ(wrapped.counts.records, expected.counts.records);
    }
  }
  EXPECT_GT(files, 10U);
}

TEST(Wrappers, GiveEachRecordOfAContainerItsPlace) {
  const std::string first =
      R"({"message":"<38>Nov 22 08:15:30 gw sshd[1]: Accepted password for a from 192.0.2.1 port 5 ssh2"})";
  const std::string second =
      R"({"message":"<38>Nov 22 08:15:31 gw sshd[1]: Accepted password for b from 192.0.2.1 port 6 ssh2"})";
  const std::string plain = "<38>Nov 22 08:15:29 gw sshd[1]: Accepted password for c from 192.0.2.1 port 4 ssh2\n";
  const std::string line = R"({"records":[)" + first + "," + second + "]}\n";
  const std::string input = plain + line + "{\"message\":" + json_quoted(line) + "}\n";
  const auto times = core::TimeReader::make("", options_2027().reference);
  ASSERT_TRUE(times);
  TextDecoder decoder(Framing::kLines, "", false, options_2027(), *times);
  EventBatch batch;
  const std::string padded = input + std::string(core::kPadding, '\0');
  decoder.feed(std::string_view(padded).substr(0, input.size()), batch);
  decoder.finish(batch);
  std::vector<std::string> seen;
  for (const Event& e : batch) seen.push_back(input.substr(e.record.offset, e.record.length));
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[1], first);
  EXPECT_EQ(seen[2], second);
  // What was unescaped stands for the whole.
  EXPECT_TRUE(seen[3].starts_with("{\"message\":"));
  EXPECT_EQ(seen[4], seen[3]);
}

TEST(Wrappers, WithAnEmptyContainerAreCounted) {
  const std::string plain = "<38>Nov 22 08:15:29 gw sshd[1]: Accepted password for c from 192.0.2.1 port 4 ssh2\n";
  const Decoded run = decode(plain + R"({"message":"{\"records\":[]}"})" + "\n");
  EXPECT_EQ(run.counts.events, 1U);
  EXPECT_EQ(run.counts.ignored, 1U);
  EXPECT_TRUE(run.counts.ignored_by.contains(core::intern("no records in it")));
}

TEST(Wrappers, GiveTimeAndHostToWhatHasNone) {
  const std::string message =
      "%ASA-6-605005: Login permitted from 198.51.100.7/34210 to mgmt:192.0.2.1/ssh for user \\\"admin\\\"";
  for (
      const std::string& wrapper :
      {R"({"@timestamp":"2026-11-22T08:15:30Z","host":{"name":"fw1"},"message":")" + message + "\"}",
       R"({"@timestamp":"2026-11-22T08:15:30Z","host":{"name":"c1"},"log":{"source":{"address":"fw1:514"}},"message":")" +
           message + "\"}",
       R"({"result":{"_time":"1795335330","host":"fw1","_raw":")" + message + "\"}}",
       R"({"version":"1.1","host":"fw1","timestamp":1795335330.0,"short_message":")" + message + "\"}",
       R"({"__REALTIME_TIMESTAMP":"1795335330000000","_HOSTNAME":"fw1","MESSAGE":")" + message + "\"}",
       R"({"TimeGenerated":"2026-11-22T08:15:30Z","Computer":"fw1","RawData":")" + message + "\"}"}) {
    const Decoded run = decode(wrapper + "\n");
    EXPECT_TRUE(run.events.starts_with(R"({"time":"2026-11-22T08:15:30Z","dataset":"cisco_asa",)")) << run.events;
    EXPECT_NE(run.events.find(R"("observer.name":"fw1")"), std::string::npos) << run.events;
  }
}

TEST(Wrappers, TellTheYearOfARecordWithoutOne) {
  const std::string line =
      R"({"@timestamp":"2021-12-31T23:59:58Z","message":"Dec 31 23:59:57 gw sshd[1]: Accepted password for a from 192.0.2.1 port 5 ssh2"})";
  EXPECT_NE(decode(line + "\n").events.find("2021-12-31T23:59:57Z"), std::string::npos);
}

// Wrappers within wrappers end somewhere, whatever the input; what is left is counted.
TEST(Wrappers, AreFollowedToABoundedDepth) {
  std::string record = "nothing";
  for (int i = 0; i < 12; ++i) record = "{\"message\":" + json_quoted(record) + "}";
  const Decoded run =
      decode(std::string(R"(<38>Nov 22 08:15:30 gw sshd[1]: Accepted password for a from 192.0.2.1 port 5 ssh2)") +
             "\n" + record + "\n");
  EXPECT_EQ(run.counts.records, 2U);
  EXPECT_EQ(run.counts.events, 1U);
  EXPECT_EQ(run.counts.ignored, 1U);
}

TEST(CountedFrames, AreToldFromLines) {
  const std::string message = "<38>Nov 22 08:15:30 gw sshd[1]: Accepted password for a from 192.0.2.1 port 5 ssh2";
  const std::string count = std::to_string(message.size()) + " ";
  EXPECT_EQ(framing_of(count + message + "\n" + count + message + "\n"), Framing::kLines);
  EXPECT_EQ(framing_of(count + message + count + message), Framing::kCounted);
  EXPECT_EQ(framing_of(message + "\n" + count + message + count + message), Framing::kCounted);
  EXPECT_EQ(framing_of("2026 <x> y\n"), Framing::kLines);
  for (const std::size_t step : {std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
    std::string input = count;
    input.append(message).append(count).append(message).append(message);
    input.append("\n999999999 ").append(message).append("\n");
    const Decoded run = decode(input, step);
    EXPECT_EQ(run.counts.events, 3U) << step;
    EXPECT_EQ(run.counts.rejected, 1U) << step;
  }
}

TEST(CsvWrapper, IsToldByItsHeader) {
  EXPECT_TRUE(is_csv_wrapper("\"_raw\",\"_time\"\n"));
  EXPECT_TRUE(is_csv_wrapper("\xef\xbb\xbftimestamp;source;message\r\n"));
  EXPECT_TRUE(is_csv_wrapper("_raw\n"));
  EXPECT_FALSE(is_csv_wrapper("message\n"));
  EXPECT_FALSE(is_csv_wrapper("time,user,address\n"));
  EXPECT_FALSE(is_csv_wrapper("Nov 22 08:15:30 gw message\n"));
}

}  // namespace
}  // namespace orbwatch::decode
