// Hostile XML: what a scan file can do to its reader. The goldens hold what a good one gives.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/text.h"
#include "decode/formats.h"

namespace orbwatch::decode {
namespace {

constexpr std::string_view kHead = "<?xml version=\"1.0\"?>\n<nmaprun scanner=\"nmap\" start=\"1796025600\">\n";
constexpr std::string_view kGood =
    "<host><address addr=\"192.0.2.7\" addrtype=\"ipv4\"/><ports><port protocol=\"tcp\" portid=\"22\"><state "
    "state=\"open\"/></port></ports></host>\n";

std::string host(std::string_view inside) {
  return "<host><address addr=\"192.0.2.9\" addrtype=\"ipv4\"/><ports><port protocol=\"tcp\" portid=\"80\"><state "
         "state=\"open\"/>" +
         std::string(inside) + "</port></ports></host>\n";
}

EventBatch read(const std::string& text, std::size_t piece = SIZE_MAX) {
  const auto decoder = make_nmap_xml({});
  EventBatch batch;
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    std::string part = text.substr(at, piece);
    part.reserve(part.size() + core::kPadding);
    decoder->feed(part, batch);
  }
  decoder->finish(batch);
  EXPECT_EQ(batch.counts.records, batch.counts.events + batch.counts.ignored + batch.counts.rejected);
  return batch;
}

TEST(NmapXml, EntitiesOfADocumentAreNotExpanded) {
  std::string bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE nmaprun [\n<!ENTITY a \"aaaaaaaaaaaaaaaa\">\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">\n";
  }
  bomb += "<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\n<nmaprun start=\"1796025600\">\n";
  const EventBatch batch = read(bomb + host("<service name=\"http\" product=\"&z;&file;\"/>") + std::string(kGood));
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].banner.text(), "&z;&file;");
}

TEST(NmapXml, DepthCostsNothing) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<table>";
  const EventBatch batch = read(std::string(kHead) + host(deep) + std::string(kGood));
  EXPECT_EQ(batch.size(), 2U);
}

TEST(NmapXml, AHugeAttributeIsARecordTooLongAndTheNextHostIsRead) {
  const std::string huge = "<service name=\"" + std::string(8 << 20, 'a') + "\"/>";
  const EventBatch batch = read(std::string(kHead) + host(huge) + std::string(kGood), 64 << 10);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].source_ip.text(), "192.0.2.7");
  EXPECT_EQ(batch.counts.rejected, 1U);
}

TEST(NmapXml, WhatNeverEndsIsRejectedOnce) {
  for (const char* tail : {"<host><address addr=\"192.0.2.8", "<host ", "<host><ports><port protocol='tcp"}) {
    const EventBatch batch = read(std::string(kHead) + std::string(kGood) + tail + std::string(2 << 20, 'x'), 64 << 10);
    EXPECT_EQ(batch.size(), 1U) << tail;
    EXPECT_EQ(batch.counts.rejected, 1U) << tail;
  }
  EXPECT_EQ(read(std::string(kHead) + "<!-- " + std::string(4 << 20, '<'), 64 << 10).counts.records, 0U);
}

TEST(NmapXml, BannersAreOneShortLine) {
  const EventBatch batch =
      read(std::string(kHead) + host("<script id=\"banner\" output=\"a&#10;&#0;&#x1b;[31m&#xd800;&#x110000;" +
                                     std::string(1000, 'b') + "\"/>"));
  ASSERT_EQ(batch.size(), 1U);
  const std::string_view banner = batch[0].banner.text();
  EXPECT_LE(banner.size(), 200U);
  EXPECT_EQ(banner.find_first_of("\n\x1b"), banner.npos) << banner;
}

}  // namespace
}  // namespace orbwatch::decode
