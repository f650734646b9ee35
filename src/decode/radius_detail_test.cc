#include "decode/radius_detail.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text.h"

namespace orbwatch::decode {
namespace {

// Events, rejects and where they stand, when the input comes in pieces of `step` bytes.
std::string decoded(const std::string& input, std::size_t step, std::size_t longest) {
  Options options;
  options.longest_record = longest;
  RadiusDetail decoder(options, core::TimeReader());
  EventBatch batch;
  for (std::size_t at = 0; at < input.size(); at += step) {
    std::string piece = input.substr(at, step);
    const std::size_t size = piece.size();
    piece.resize(size + core::kPadding);
    decoder.feed(std::string_view(piece).substr(0, size), batch);
  }
  decoder.finish(batch);
  std::string out;
  for (const Event& e : batch) {
    out += std::string(e.user.text()) + " " + std::to_string(e.record.offset) + "+" + std::to_string(e.record.length) +
           " line " + std::to_string(e.record.line) + "\n";
  }
  for (const auto& r : batch.rejects) {
    out += std::string(r.reason.text()) + " " + std::to_string(r.offset) + " line " + std::to_string(r.line) + " " +
           r.seen + "\n";
  }
  return out + std::to_string(batch.counts.records);
}

std::string block(const std::string& user, const std::string& more = "") {
  return "Sun Nov 22 08:00:00 2026\n\tUser-Name = \"" + user + "\"\n\tAcct-Status-Type = Start\n" + more;
}

TEST(RadiusDetail, PlacesBlocks) {
  const std::string input = "\n \n" + block("alice") + "\n\t\n" + block("bob") + block("carol");
  EXPECT_EQ(decoded(input, input.size(), 1000), "alice 3+71 line 3\nbob 78+69 line 8\ncarol 148+71 line 11\n3");
}

TEST(RadiusDetail, RejectsWhatIsTooLongAtAnySplit) {
  const std::string spaces(300, ' ');
  const std::string input = block("alice") + "\n" + block("bob", "\tA-B = " + std::string(400, 'x') + "\n") + "\n" +
                            block("carol", spaces + "\n") + "\n" + block("dave", std::string(100, '\t') + "\n") +
                            spaces + spaces + "\n\n" + block("erin") + std::string(100, ' ');
  const std::string whole = decoded(input, input.size(), 250);
  EXPECT_NE(whole.find("alice 0+71"), whole.npos) << whole;
  EXPECT_NE(whole.find("erin 1700+70"), whole.npos) << whole;
  EXPECT_NE(whole.find("record too long 73 line 5"), whole.npos) << whole;
  EXPECT_EQ(whole.find("bob 73"), whole.npos) << whole;
  for (std::size_t step = 1; step < 80; ++step) EXPECT_EQ(decoded(input, step, 250), whole) << step;
}

TEST(RadiusDetail, IsRecognised) {
  EXPECT_EQ(recognise_radius_detail(block("alice")), 100);
  EXPECT_EQ(recognise_radius_detail("\tUser-Name = \"x\"\n\tAcct-Status-Type = Stop\n"), 100);
  for (const std::string_view text :
       {"", "\n\n", "Sun Nov 22 08:00:00 2026 : Auth: (7) Login OK", "Sun Nov 22 08:00:00 2026\nUser-Name = x",
        "    key = value\n", "\tsome-key = value\n", "Sun Nov 22 08:00:00 2026"}) {
    EXPECT_EQ(recognise_radius_detail(text), 0) << text;
  }
}

}  // namespace
}  // namespace orbwatch::decode
