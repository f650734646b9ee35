#include "decode/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"

namespace orbwatch::decode {
namespace {

constexpr std::string_view kLogin =
    "Nov 22 2026 08:00:00 fw1 : %ASA-6-605005: Login permitted from 198.51.100.7/34210 to mgmt:192.0.2.1/ssh for user "
    "\"admin\"";

struct Decoded {
  event::EventBatch batch;

  std::uint64_t ignored(std::string_view why) const { return value(batch.counts.ignored_by, why); }
  std::uint64_t rejected(std::string_view why) const { return value(batch.counts.rejected_by, why); }

 private:
  static std::uint64_t value(const core::SymbolCounts& by, std::string_view why) {
    const auto found = by.find(core::intern(why));
    return found == by.end() ? 0 : found->second;
  }
};

Decoded decode(std::string_view input, std::size_t step, Framing framing = Framing::kLines,
               std::size_t longest = 1 << 20) {
  Options options;
  options.longest_record = longest;
  TextDecoder decoder(framing, "", false, options, core::TimeReader());
  Decoded run;
  for (std::size_t at = 0; at < input.size(); at += step) {
    std::string piece(input.substr(at, step));
    const std::size_t size = piece.size();
    piece.resize(size + core::kPadding);
    decoder.feed(std::string_view(piece).substr(0, size), run.batch);
  }
  decoder.finish(run.batch);
  const auto& c = run.batch.counts;
  EXPECT_EQ(c.records, c.events + c.ignored + c.rejected);
  return run;
}

// Whole, byte by byte and in between: the caller's check must hold for all.
template <typename Check>
void each_split(std::string_view input, Check check, Framing framing = Framing::kLines, std::size_t longest = 1 << 20) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{64}, input.size() + 1}) {
    SCOPED_TRACE("in pieces of " + std::to_string(step));
    const Decoded run = decode(input, step, framing, longest);
    check(run);
  }
}

// Flows of Azure: each is a record of its own, at its own place.
TEST(TextFrame, PlacesTheRecordsWithinARecord) {
  const std::string first = "1763626500,203.0.113.12,10.0.0.4,35370,22,T,I,A,E,12,1840,10,9120";
  const std::string second = "1763626501,203.0.113.13,10.0.0.4,35371,22,T,I,D,B,,,,";
  const std::string input =
      "[\n{\"operationName\":\"NetworkSecurityGroupFlowEvents\",\n\"flow.0\":\"" + first +
      "\",\"flow.1\":\"damaged\",\n\n\"flow.2\":\"" + second +
      "\"},\n{\"flowRecords\":{\"flows\":[]}},\n{\"flowRecords\":{\"flows\":[{\"flowTuples\":[\"" + first +
      "\",}]}}\n]\n";
  each_split(
      input,
      [&](const Decoded& run) {
        EXPECT_EQ(run.batch.counts.records, 5U) << "three flows, an empty object, and a damaged one, rejected whole";
        ASSERT_EQ(run.batch.size(), 2U);
        EXPECT_EQ(input.substr(run.batch[0].record.offset, run.batch[0].record.length), first);
        EXPECT_EQ(run.batch[0].record.line, 3U);
        EXPECT_EQ(input.substr(run.batch[1].record.offset, run.batch[1].record.length), second);
        EXPECT_EQ(run.batch[1].record.line, 5U);
        EXPECT_EQ(run.ignored("no records in it"), 1U);
        EXPECT_EQ(run.rejected("azure_flow: too few fields in a flow"), 1U);
        EXPECT_EQ(run.rejected("azure_flow: not JSON"), 1U);
        ASSERT_EQ(run.batch.rejects.size(), 2U);
        EXPECT_EQ(run.batch.rejects[0].seen, "damaged");
        EXPECT_EQ(run.batch.rejects[0].line, 3U);
      },
      Framing::kJsonValues);
}

TEST(TextFrame, PlacesRecords) {
  const std::string input = "\n" + std::string(kLogin) + "\r\n   \nno such format\n" + std::string(kLogin);
  each_split(input, [&](const Decoded& run) {
    ASSERT_EQ(run.batch.size(), 2U);
    EXPECT_EQ(run.batch[0].record.line, 2U);
    EXPECT_EQ(run.batch[0].record.offset, 1U);
    EXPECT_EQ(run.batch[0].record.length, kLogin.size());  // without the carriage return
    EXPECT_EQ(run.batch[1].record.line, 5U);               // the last line has no end of line
    EXPECT_EQ(run.batch[1].record.offset, input.size() - kLogin.size());
    EXPECT_EQ(run.ignored("blank line"), 2U);
    EXPECT_EQ(run.rejected("no known format"), 1U);
    ASSERT_EQ(run.batch.rejects.size(), 1U);
    EXPECT_EQ(run.batch.rejects[0].line, 4U);
    EXPECT_EQ(run.batch.rejects[0].seen, "no such format");
  });
}

TEST(TextFrame, SkipsAByteOrderMarkAtTheBeginningOnly) {
  const std::string input = "\xef\xbb\xbf" + std::string(kLogin) + "\n\xef\xbb\xbf" + std::string(kLogin) + "\n";
  each_split(input, [&](const Decoded& run) {
    ASSERT_EQ(run.batch.size(), 1U);
    EXPECT_EQ(run.batch[0].record.offset, 3U);
    EXPECT_EQ(run.batch.counts.rejected, 1U);
  });
}

TEST(TextFrame, RejectsALineThatIsTooLongAndGoesOn) {
  const std::string input = std::string(1000, 'x') + "\n" + std::string(kLogin) + "\n" + std::string(5000, 'y');
  each_split(
      input,
      [](const Decoded& run) {
        EXPECT_EQ(run.batch.size(), 1U);
        EXPECT_EQ(run.rejected("record too long"), 2U);
        EXPECT_EQ(run.batch.rejects[1].line, 3U);
      },
      Framing::kLines, 400);
}

TEST(TextFrame, IgnoresOthersByName) {
  const std::string input = "Nov 22 08:00:00 gw noprogram[1]: hello\n{\"unknown\":1}\n";
  TextDecoder decoder(Framing::kLines, "", false, {}, *core::TimeReader::make("", 1'800'000'000 * core::kSecond));
  Decoded run;
  std::string padded = input + std::string(core::kPadding, '\0');
  decoder.feed(std::string_view(padded).substr(0, input.size()), run.batch);
  decoder.finish(run.batch);
  EXPECT_EQ(run.ignored("syslog of another program"), 1U);
  EXPECT_EQ(run.ignored("JSON of no known format"), 1U);
}

TEST(TextFrame, CountsJsonValuesInArraysAndWrappers) {
  for (const std::string_view input :
       {"[{\"a\":1},{\"a\":\"]}\\\"{\"},\n{\"a\":{\"b\":[1,2]}}]", "{\"Records\":[{\"a\":1},{\"a\":2},{\"a\":3}]}",
        "{\"a\":1}\n{\n\"a\":2}{\"a\":3}"}) {
    SCOPED_TRACE(input);
    each_split(
        input,
        [](const Decoded& run) {
          EXPECT_EQ(run.batch.counts.records, 3U);
          EXPECT_EQ(run.ignored("JSON of no known format"), 3U);
        },
        Framing::kJsonValues);
  }
}

TEST(TextFrame, ContainersAreNoRecords) {
  for (const std::string_view input :
       {"{\"@odata.context\":\"x\",\"value\":[{\"a\":1},{\"a\":[{}]}],\"@odata.nextLink\":\"y\"}",
        "{ \"events\" : [\n {\"events\":[{\"b\":1}],\"a\":\"[\"}, {\"a\":2}\n]}",
        "{\"stat\":\"OK\",\"response\":{\"authlogs\":[{\"a\":1},{\"a\":2}],\"metadata\":{\"next\":[{\"c\":3}]}}}\n",
        "{\"took\":1,\"_shards\":{},\"hits\":{\"total\":{\"value\":2},\"hits\":[{\"_source\":{}},{\"a\":2}]}}",
        "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"a\":2}]}\n{\"Records\":[]}",
        "[{\"records\":[{\"a\":1}],\"t\":\"\\\\\"},{\"records\":[{\"a\":2}],\"t\":{\"u\":1}}]"}) {
    SCOPED_TRACE(input);
    EXPECT_EQ(framing_of(input), Framing::kJsonValues);
    each_split(input, [](const Decoded& run) { EXPECT_EQ(run.batch.counts.records, 2U); }, Framing::kJsonValues);
  }
}

// Arrays of objects that belong to a record.
TEST(TextFrame, RecordsMayHoldArrays) {
  for (const std::string_view input :
       {"[{\"id\":{\"a\":1},\"events\":[{\"b\":1},{\"b\":2}]}]", "{\"a\":{\"Records\":[{\"b\":1},{\"b\":2}]}}",
        "{\"records\":[1,2]}", "{\"user\":\"u\",\"events\":[]}", "{\"response\":{\"list\":[{},{}]}}"}) {
    SCOPED_TRACE(input);
    each_split(input, [](const Decoded& run) { EXPECT_EQ(run.batch.counts.records, 1U); }, Framing::kJsonValues);
  }
}

TEST(TextFrame, TextBetweenJsonValuesIsOneRejectedRecord) {
  each_split(
      "{\"a\":1} some text\nmore {\"a\":2}",
      [](const Decoded& run) {
        EXPECT_EQ(run.rejected("not JSON"), 2U);
        EXPECT_EQ(run.batch.counts.records, 4U);
        ASSERT_EQ(run.batch.rejects.size(), 2U);
        EXPECT_EQ(run.batch.rejects[1].line, 2U);
      },
      Framing::kJsonValues);
}

TEST(TextFrame, BoundsBracketsAroundRecords) {
  const std::string input = std::string(100'000, '[') + "{\"a\":1}" + std::string(100'000, ']');
  each_split(input, [](const Decoded& run) { EXPECT_EQ(run.batch.counts.records, 1U); }, Framing::kJsonValues);
}

TEST(TextFrame, RejectsTruncatedJson) {
  each_split(
      "[{\"a\":1},{\"a\":",
      [](const Decoded& run) {
        EXPECT_EQ(run.rejected("truncated JSON"), 1U);
        EXPECT_EQ(run.batch.counts.records, 2U);
      },
      Framing::kJsonValues);
}

TEST(TextFrame, RejectsAJsonValueThatIsTooLong) {
  const std::string input = "[{\"a\":\"" + std::string(1000, 'x') + "\"},{\"a\":2}]";
  each_split(
      input,
      [](const Decoded& run) {
        EXPECT_EQ(run.rejected("record too long"), 1U);
        EXPECT_EQ(run.ignored("JSON of no known format"), 1U);
      },
      Framing::kJsonValues, 300);
}

TEST(TextFrame, CutsXmlIntoEvents) {
  each_split(
      "<?xml version='1.0'?>\n<!-- <Event> -->\n<Events><Event a='1'>\n x</Event><Event>y</Event></Events>\ngarbage "
      "<b/>\n"
      "<Event>z</Event>\n<Event>cut",
      [](const Decoded& run) {
        EXPECT_EQ(run.rejected("no known format"), 3U);
        EXPECT_EQ(run.rejected("not XML"), 2U);
        EXPECT_EQ(run.rejected("truncated XML"), 1U);
        EXPECT_EQ(run.batch.counts.records, 6U);
        ASSERT_EQ(run.batch.rejects.size(), 6U);
        EXPECT_EQ(run.batch.rejects[0].line, 3U);
        EXPECT_EQ(run.batch.rejects[1].line, 4U);
        EXPECT_EQ(run.batch.rejects[5].line, 7U);
      },
      Framing::kXmlEvents);
}

TEST(TextFrame, RejectsXmlThatIsTooLong) {
  const std::string garbage(700, 'x');
  const std::string input = "<Event>" + garbage + "</Event>" + garbage + "<Event>b</Event>";
  each_split(
      input,
      [](const Decoded& run) {
        EXPECT_EQ(run.rejected("record too long"), 1U);
        EXPECT_EQ(run.rejected("not XML"), 3U);  // 300, 300 and 100 bytes
        EXPECT_EQ(run.rejected("no known format"), 1U);
      },
      Framing::kXmlEvents, 300);
}

TEST(TextFrame, TellsFramings) {
  EXPECT_EQ(framing_of(""), Framing::kLines);
  EXPECT_EQ(framing_of("Nov 22"), Framing::kLines);
  EXPECT_EQ(framing_of("{\"a\":1}\n{\"a\":2}\n"), Framing::kLines);
  EXPECT_EQ(framing_of("{\n  \"a\": 1\n}\n"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("\xef\xbb\xbf [\n{"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("{\"Records\":[{\"a\":1}]}"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("{\"a\":1}{\"a\":2}\n"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("{\"a\":1} trailing text\n"), Framing::kLines);
  EXPECT_EQ(framing_of("[2026-11-22] text"), Framing::kLines);
  EXPECT_EQ(framing_of("<Event a='1'><System/></Event>\n<Event>"), Framing::kLines);
  EXPECT_EQ(framing_of("<Event a='1'>\n<System/></Event>\n"), Framing::kXmlEvents);
  EXPECT_EQ(framing_of("<Event><System/></Event><Event><System/></Event>"), Framing::kXmlEvents);
  EXPECT_EQ(framing_of("<?xml version=\"1.0\"?>\n<Events>"), Framing::kXmlEvents);
  EXPECT_EQ(framing_of("<134>Nov 22"), Framing::kLines);
}

TEST(TextFrame, HoldsRawBytesOfSplitRecords) {
  const std::string input = std::string(kLogin) + "\n";
  const Decoded run = decode(input, 10);
  ASSERT_EQ(run.batch.size(), 1U);
  EXPECT_EQ(run.batch.raw(run.batch[0].record), kLogin);
}

TEST(TextFrame, StartsInTheMiddleOfAnInput) {
  TextDecoder decoder(Framing::kLines, "cisco_asa", false, {}, core::TimeReader());
  decoder.start_at(5000, 41);
  event::EventBatch batch;
  std::string padded = std::string(kLogin) + "\n" + std::string(core::kPadding, '\0');
  decoder.feed(std::string_view(padded).substr(0, kLogin.size() + 1), batch);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].record.offset, 5000U);
  EXPECT_EQ(batch[0].record.line, 42U);
}

}  // namespace
}  // namespace orbwatch::decode
