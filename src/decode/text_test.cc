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
  static std::uint64_t value(const absl::flat_hash_map<Symbol, std::uint64_t>& by, std::string_view why) {
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

TEST(TextFrame, TellsFramings) {
  EXPECT_EQ(framing_of(""), Framing::kLines);
  EXPECT_EQ(framing_of("Nov 22"), Framing::kLines);
  EXPECT_EQ(framing_of("{\"a\":1}\n{\"a\":2}\n"), Framing::kLines);
  EXPECT_EQ(framing_of("{\n  \"a\": 1\n}\n"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("\xef\xbb\xbf [\n{"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("{\"Records\":[{\"a\":1}]}"), Framing::kJsonValues);
  EXPECT_EQ(framing_of("[2026-11-22] text"), Framing::kLines);
}

TEST(TextFrame, HoldsRawBytesOfSplitRecords) {
  const std::string input = std::string(kLogin) + "\n";
  const Decoded run = decode(input, 10);
  ASSERT_EQ(run.batch.size(), 1U);
  EXPECT_EQ(run.batch.raw(run.batch[0].record), kLogin);
}

// Says of "N" that it holds N events; of "-" that it is ignored after it had begun to give some.
class SeveralEvents final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override { return !r.raw.empty(); }
  Fate decode(const TextRecord& r, Event& e) override {
    e.source_port = 1;
    const int count = r.raw == "-" ? 2 : core::parse_number<int>(r.raw).value_or(0);
    for (int i = 2; i <= count; ++i) {
      r.further->push_back(e);
      r.further->back().source_port = static_cast<std::uint16_t>(i);
    }
    return r.raw == "-" ? Fate::ignored("none") : Fate::kept();
  }
};

TEST(TextFrame, KeepsTheFurtherEventsOfARecord) {
  const Symbol name = core::intern("several");
  TextDecoder decoder(Framing::kLines, "", true, {}, core::TimeReader());
  decoder.offer_first(name, std::make_unique<SeveralEvents>());
  event::EventBatch batch;
  std::string input = "3\n-\n1\n200\n";
  input.reserve(input.size() + core::kPadding);
  decoder.feed(input, batch);
  decoder.finish(batch);
  EXPECT_EQ(batch.counts.records, 4U);
  EXPECT_EQ(batch.counts.events, 3U);
  EXPECT_EQ(batch.counts.ignored, 1U);
  EXPECT_EQ(batch.counts.further, 201U);
  EXPECT_EQ(batch.counts.events_by.at(name), 3U);
  ASSERT_EQ(batch.size(), 204U);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Event& e = batch[i];
    EXPECT_EQ(e.dataset, name);
    EXPECT_EQ(e.record.line, i < 3 ? 1U : i == 3 ? 3U : 4U);
    EXPECT_EQ(e.source_port, i < 3 ? i + 1 : i == 3 ? 1 : i - 3);
  }
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
