#include "source/otlp.h"

#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>
#include <vector>

namespace orbwatch::source {
namespace {

using protozero::pbf_writer;
using Lines = std::vector<std::string>;

constexpr std::size_t kLongest = 1000;

struct Told {
  Lines lines;
  OtlpCounts counts;
  std::string trouble;  // "" if the request was good
};

Told read(const std::string& body, OtlpEncoding encoding, std::size_t longest = kLongest) {
  Told told;
  // A copy without room behind it: AddressSanitizer sees a read beyond its end.
  const std::vector<char> exact(body.begin(), body.end());
  const auto counts = read_otlp_logs({exact.data(), exact.size()}, encoding, longest, [&](std::string_view record) {
    told.lines.emplace_back(record);
    return true;
  });
  if (counts) {
    told.counts = *counts;
  } else {
    told.trouble = counts.error().text();
  }
  return told;
}
Told json(const std::string& body) { return read(body, OtlpEncoding::kJson); }
Told binary(const std::string& body) { return read(body, OtlpEncoding::kProtobuf); }

// Messages, by the field numbers of OTLP.
std::string text_value(const std::string& text) {
  std::string out;
  pbf_writer(out).add_string(1, text);
  return out;
}
std::string pair(const std::string& key, const std::string& value) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, key);
  writer.add_message(2, value);
  return out;
}
std::string field(std::uint32_t number, const std::string& message) {
  std::string out;
  pbf_writer(out).add_message(number, message);
  return out;
}
std::string request(const std::string& records, const std::string& resource = {}) {
  return field(1, (resource.empty() ? "" : field(1, resource)) + field(2, records));
}
std::string record(const std::string& body) { return field(2, field(5, body)); }

// A list within a list ... around a text: `levels` values.
std::string nested(int levels) {
  std::string value = text_value("x");
  for (int i = 1; i < levels; ++i) value = field(5, field(1, value));
  return value;
}
std::string nested_json(int levels) {
  std::string value;
  for (int i = 1; i < levels; ++i) value += R"({"arrayValue":{"values":[)";
  value += R"({"stringValue":"x"})";
  for (int i = 1; i < levels; ++i) value += "]}}";
  return value;
}
std::string request_json(const std::string& records, const std::string& more = {}) {
  return R"({"resourceLogs":[{)" + more + R"("scopeLogs":[{"logRecords":[)" + records + "]}]}]}";
}

constexpr const char* kLine = "<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: it's \"quoted\" \xe4";

TEST(Otlp, ATextIsTheRecordAsItIs) {
  // Latin-1, too: it is the formats' business.
  const Told b =
      binary(request(record(text_value(kLine)) + record(text_value("two\r\n")) + record(text_value("a\nb"))));
  EXPECT_EQ(b.lines, (Lines{kLine, "two", "a\nb"}));
  EXPECT_EQ(b.counts, (OtlpCounts{.records = 3}));
  const Told j = json(request_json(R"({"body":{"stringValue":"one \"1\""}},{"body":{"stringValue":"two"}})"));
  EXPECT_EQ(j.lines, (Lines{"one \"1\"", "two"}));
  EXPECT_EQ(j.counts, (OtlpCounts{.records = 2}));
  // Bytes are a text in some encoding.
  EXPECT_EQ(binary(request(record(field(7, "raw\xff")))).lines, Lines{"raw\xff"});
  EXPECT_EQ(json(request_json(R"({"body":{"bytesValue":"cmF3"}},{"body":{"bytesValue":"cmF3Lv8"}})")).lines,
            (Lines{"raw", "raw.\xff"}));
}

TEST(Otlp, WhatIsStatedAroundATextStandsInTheEnvelope) {
  const std::string expected =
      R"({"time":1795305600.000000007,"host":"gw1","appname":"sshd","procid":"4711","service.name":"vpn \"1\"",)"
      R"("sourcetype":"otlp","event":"Failed \"password\""})";
  std::string one;
  pbf_writer writer(one);
  // Of a field that comes twice the last one counts.
  writer.add_message(5, text_value("not this one"));
  writer.add_message(5, text_value("Failed \"password\""));
  writer.add_fixed64(1, 1'795'305'600'000'000'007);
  writer.add_message(6, pair("hostname", text_value("gw1")));
  writer.add_message(6, pair("appname", text_value("sshd")));
  writer.add_message(6, pair("proc_id", text_value("4711")));
  writer.add_message(6, pair("other", text_value("is not kept")));
  const std::string resource =
      field(1, pair("host.name", text_value("collector"))) + field(1, pair("service.name", text_value("vpn \"1\"")));
  EXPECT_EQ(binary(request(field(2, one), resource)).lines, Lines{expected});
  // The resource may stand behind the records.
  EXPECT_EQ(binary(field(1, field(2, field(2, one)) + field(1, resource))).lines, Lines{expected});

  const std::string resource_json =
      R"("resource":{"attributes":[{"key":"host.name","value":{"stringValue":"collector"}},)"
      R"({"key":"service.name","value":{"stringValue":"vpn \"1\""}}]},)";
  const std::string rest =
      R"("body":{"stringValue":"Failed \"password\""},"severityNumber":9,"unknownField":{"a":[1]},"attributes":[)"
      R"({"key":"hostname","value":{"stringValue":"gw1"}},{"key":"appname","value":{"stringValue":"sshd"}},)"
      R"({"key":"proc_id","value":{"stringValue":"4711"}},{"key":"other","value":{"intValue":"1"}}]})";
  EXPECT_EQ(json(request_json(R"({"timeUnixNano":"1795305600000000007",)" + rest, resource_json)).lines,
            Lines{expected});
  EXPECT_EQ(json(request_json(R"({"timeUnixNano":1795305600000000007,)" + rest, resource_json)).lines, Lines{expected});

  // The next resource is another one, and the name of a host is no place for much.
  const std::string long_name(300, 'h');
  EXPECT_EQ(binary(request(record(text_value("a")), field(1, pair("host.name", text_value("h")))) +
                   request(record(text_value("b")), field(1, pair("host.name", text_value(long_name)))))
                .lines,
            (Lines{R"({"host":"h","sourcetype":"otlp","event":"a"})", "b"}));
}

TEST(Otlp, AStructureIsAnObjectOnOneLine) {
  const std::string expected =
      R"({"user":"al\nice","n":-5,"on":true,"x":0.25,"list":["a",1,null],"in":{"b":{}},"raw":"/wA=","none":null})";
  std::string number;
  pbf_writer(number).add_int64(3, -5);
  std::string flag;
  pbf_writer(flag).add_bool(2, true);
  std::string real;
  pbf_writer(real).add_double(4, 0.25);
  std::string one;
  pbf_writer(one).add_int64(3, 1);
  const std::string list = field(5, field(1, text_value("a")) + field(1, one) + field(1, ""));
  const std::string inner = field(6, field(1, pair("b", field(6, ""))));
  const std::string body = field(
      6, field(1, pair("user", text_value("al\nice"))) + field(1, pair("n", number)) + field(1, pair("on", flag)) +
             field(1, pair("x", real)) + field(1, pair("list", list)) + field(1, pair("in", inner)) +
             field(1, pair("raw", field(7, std::string("\xff\0", 2)))) + field(1, field(99, "") + pair("none", "")));
  EXPECT_EQ(binary(request(record(body))).lines, Lines{expected});
  const std::string body_json =
      R"({"kvlistValue":{"values":[{"key":"user","value":{"stringValue":"al\nice"}},{"key":"n","value":{"intValue":"-5"}},)"
      R"({"key":"on","value":{"boolValue":true}},{"key":"x","value":{"doubleValue":0.25}},)"
      R"({"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":1},{}]}}},)"
      R"({"key":"in","value":{"kvlistValue":{"values":[{"key":"b","value":{"kvlistValue":{}}}]}}},)"
      R"({"key":"raw","value":{"bytesValue":"_wA"}},{"key":"none"}]}})";
  EXPECT_EQ(json(request_json(R"({"body":)" + body_json + "}")).lines, Lines{expected});
  EXPECT_EQ(json(request_json(R"({"timeUnixNano":"1000000000","body":)" + body_json + "}")).lines,
            Lines{R"({"time":1.000000000,"sourcetype":"otlp","event":)" + expected + "}"});
  // Without a body the attributes are the record.
  EXPECT_EQ(binary(request(field(2, field(6, pair("a", number)) + field(6, pair("b", flag))))).lines,
            Lines{R"({"a":-5,"b":true})"});
  EXPECT_EQ(json(request_json(R"({"body":null,"attributes":[{"key":"a","value":{"intValue":"-5"}}]})")).lines,
            Lines{R"({"a":-5})"});
  EXPECT_EQ(json(request_json(R"({"body":{"doubleValue":"NaN"}},{"body":{"intValue":7}})")).lines,
            (Lines{"\"NaN\"", "7"}));
}

TEST(Otlp, RecordsAreRefusedByName) {
  const std::string good = text_value("good");
  std::string records = record(text_value(std::string(kLongest, 'x')));
  records += record(text_value(std::string(kLongest + 1, 'x')));
  records += record(field(6, field(1, pair("k", text_value(std::string(kLongest, 'x'))))));
  records += record(nested(kMostOtlpDepth)) + record(nested(kMostOtlpDepth + 1)) + record(nested(2000));
  records += record(text_value("")) + record(text_value("\r\n")) + record("") + field(2, "") + record(good);
  const OtlpCounts expected{.records = 3, .empty = 4, .oversize = 2, .nested = 2};
  const Told b = binary(request(records));
  EXPECT_EQ(b.counts, expected);
  ASSERT_EQ(b.lines.size(), 3u);
  EXPECT_EQ(b.lines[2], "good");

  const std::string x(kLongest, 'x');
  const Told j = json(request_json(
      R"({"body":{"stringValue":")" + x + R"("}},{"body":{"stringValue":"x)" + x +
      R"("}},{"body":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":")" + x + R"("}}]}}},{"body":)" +
      nested_json(kMostOtlpDepth) + R"(},{"body":)" + nested_json(kMostOtlpDepth + 1) + R"(},{"body":)" +
      nested_json(200) +
      R"(},{"body":{"stringValue":""}},{"body":{"stringValue":"\n"}},{"body":{}},{},{"body":{"stringValue":"good"}})"));
  EXPECT_EQ(j.counts, expected) << j.trouble;
  EXPECT_EQ(j.lines, b.lines);

  // With what stands around it, too.
  const std::string host = field(1, pair("host.name", text_value("h")));
  EXPECT_EQ(binary(request(record(text_value(std::string(kLongest, 'x'))), host)).counts, (OtlpCounts{.oversize = 1}));
}

TEST(Otlp, NothingIsAGoodRequest) {
  EXPECT_EQ(binary("").trouble, "");
  EXPECT_EQ(json("{}").trouble, "");
  EXPECT_EQ(json(R"({"resourceLogs":[{"scopeLogs":[]},{"scopeLogs":null},{}]})").counts, OtlpCounts{});
}

TEST(Otlp, WhatDoesNotFollowTheProtocolIsMalformed) {
  for (const char* body : {"", "[]", "null", "{", "3", "{\"resourceLogs\":{}}", "{\"resourceLogs\":[3]}", "{}x"})
    EXPECT_NE(json(body).trouble, "") << body;
  for (const char* one :
       {"3", "[]", R"({"body":"x"})", R"({"body":{"stringValue":3}})", R"({"body":{"bytesValue":"?"}})",
        R"({"body":{"bytesValue":"a"}})", R"({"body":{"bytesValue":"ab=c"}})", R"({"timeUnixNano":"x"})",
        R"({"timeUnixNano":-1})", R"({"timeUnixNano":1.5})", R"({"attributes":{}})", R"({"attributes":[3]})",
        R"({"body":{"kvlistValue":{"values":[{"key":3}]}}})", R"({"body":{"intValue":"1.5"}})",
        R"({"body":{"boolValue":"true"}})", R"({"body":{"arrayValue":[]}})",
        R"({"body":{"arrayValue":{"values":{}}}})"})
    EXPECT_NE(json(request_json(one)).trouble, "") << one;
  const std::string good = request(record(text_value("good")));
  EXPECT_EQ(binary(good).lines, Lines{"good"});
  for (std::size_t n = 1; n < good.size(); ++n) EXPECT_NE(binary(good.substr(0, n)).trouble, "") << n;
  EXPECT_NE(binary("\x0a").trouble, "");
  EXPECT_NE(binary("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").trouble, "");
  EXPECT_NE(binary("this is no protobuf").trouble, "");
  EXPECT_NE(binary(std::string(1, '\0')).trouble, "");
}

TEST(Otlp, FieldsOfAnotherTypeAndUnknownOnesArePassedOver) {
  std::string one;
  pbf_writer writer(one);
  writer.add_string(1, "no time");
  writer.add_uint32(5, 7);
  writer.add_double(6, 1);
  writer.add_message(5, text_value("text"));
  writer.add_fixed32(8, 1);
  writer.add_bytes(9, "0123456789abcdef");
  writer.add_fixed64(11, 5);
  writer.add_string(500, "new in some later version");
  std::string other_kind;
  pbf_writer(other_kind).add_double(1, 1);
  std::string body;
  pbf_writer(body).add_uint64(1, 5);
  EXPECT_EQ(binary(body + request(field(2, one) + record(other_kind)) + field(9, "x")).lines, (Lines{"text", "null"}));
}

TEST(Otlp, StopsWhenNoMoreIsWanted) {
  const std::string three = request(record(text_value("a")) + record(text_value("b")) + record(text_value("c")));
  int given = 0;
  const auto counts =
      read_otlp_logs(three + three, OtlpEncoding::kProtobuf, kLongest, [&](std::string_view) { return ++given < 2; });
  ASSERT_TRUE(counts);
  EXPECT_EQ(given, 2);
  EXPECT_EQ(counts->records, 2u);
}

TEST(Otlp, AnswersInTheEncodingOfTheRequest) {
  const OtlpCounts counts{.records = 5, .empty = 1, .oversize = 2, .nested = 3};
  EXPECT_EQ(otlp_response(OtlpEncoding::kJson, {.records = 3}, kLongest), "{}");
  EXPECT_EQ(otlp_response(OtlpEncoding::kProtobuf, {.records = 3}, kLongest), "");
  const std::string why = "2 longer than 1000 bytes, 3 nested deeper than 32 values, 1 without body and attributes";
  EXPECT_EQ(otlp_response(OtlpEncoding::kJson, counts, kLongest),
            R"({"partialSuccess":{"rejectedLogRecords":"6","errorMessage":")" + why + R"("}})");
  const std::string bytes = otlp_response(OtlpEncoding::kProtobuf, counts, kLongest);
  protozero::pbf_reader response(bytes);
  ASSERT_TRUE(response.next(1));
  protozero::pbf_reader partial = response.get_message();
  ASSERT_TRUE(partial.next(1));
  EXPECT_EQ(partial.get_int64(), 6);
  ASSERT_TRUE(partial.next(2));
  EXPECT_EQ(partial.get_string(), why);

  EXPECT_EQ(otlp_failure(OtlpEncoding::kJson, 503, "full"), R"({"code":14,"message":"full"})");
  const std::string status = otlp_failure(OtlpEncoding::kProtobuf, 400, "wrong");
  EXPECT_EQ(status, std::string("\x08\x03\x12\x05wrong"));
}

}  // namespace
}  // namespace orbwatch::source
