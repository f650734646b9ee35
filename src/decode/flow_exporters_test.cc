#include "decode/flow_exporters.h"

#include <gtest/gtest.h>

#include "decode/flow_datagram.h"

using namespace orbwatch;
using decode::Datagram;
using decode::FlowDatagramDecoder;
using decode::FlowLimits;

namespace {

std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string set(std::uint16_t id, const std::string& body) { return be(id, 2) + be(body.size() + 4, 2) + body; }

std::string v9(std::uint32_t source, const std::string& sets) {
  return be(9, 2) + be(1, 2) + be(1000, 4) + be(1700000000, 4) + be(1, 4) + be(source, 4) + sets;
}

std::string make_template(std::uint16_t id, int fields = 2) {
  std::string body = be(id, 2) + be(static_cast<std::uint64_t>(fields), 2) + be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2);
  for (int i = 2; i < fields; ++i) body += be(5, 2) + be(1, 2);
  return set(0, body);
}

std::string record() { return be(0xc0000201, 4) + be(0xc6336401, 4); }

struct Fed {
  explicit Fed(const FlowLimits& limits = {}) : decoder(limits) {}
  void feed(const std::string& payload, std::uint32_t exporter = 0xc0000201) {
    Datagram datagram;
    datagram.payload = payload;
    datagram.exporter = core::Ip::v4(exporter);
    datagram.record.line = ++line;
    decoder.decode(datagram, batch);
  }
  std::uint64_t rejected(std::string_view reason) {
    const auto found = batch.counts.rejected_by.find(core::intern(reason));
    return found == batch.counts.rejected_by.end() ? 0 : found->second;
  }
  FlowDatagramDecoder decoder;
  event::EventBatch batch;
  std::uint32_t line = 0;
};

TEST(FlowExporters, TemplatesBelongToExporterAndDomain) {
  Fed fed;
  fed.feed(v9(1, make_template(300)));
  fed.feed(v9(1, set(300, record())));
  fed.feed(v9(2, set(300, record())));
  fed.feed(v9(1, set(300, record())), 0xc0000202);
  EXPECT_EQ(fed.batch.size(), 1U);
  fed.decoder.finish(fed.batch);
  EXPECT_EQ(fed.rejected("flow: no template"), 2U);
}

TEST(FlowExporters, RefusesMoreDomainsThanAllowedAndKeepsTheOldOnes) {
  FlowLimits limits;
  limits.domains = 3;
  Fed fed(limits);
  for (std::uint32_t i = 0; i < 10; ++i) fed.feed(v9(i, make_template(300)));
  EXPECT_EQ(fed.rejected("flow: too many exporters"), 7U);
  fed.feed(v9(0, set(300, record())));
  fed.feed(v9(9, set(300, record())));
  EXPECT_EQ(fed.batch.size(), 1U);
  EXPECT_EQ(fed.rejected("flow: too many exporters"), 8U);
}

TEST(FlowExporters, RefusesMoreTemplatesThanAllowed) {
  FlowLimits limits;
  limits.templates_per_domain = 4;
  Fed fed(limits);
  for (std::uint16_t id = 300; id < 310; ++id) fed.feed(v9(1, make_template(id)));
  EXPECT_EQ(fed.rejected("flow: too many templates"), 6U);
  fed.feed(v9(1, make_template(300, 5)));  // a change of a known one is welcome
  EXPECT_EQ(fed.rejected("flow: too many templates"), 6U);
  fed.feed(v9(1, set(300, record() + "abc")));
  EXPECT_EQ(fed.batch.size(), 1U);
}

TEST(FlowExporters, BoundsTheMemoryOfTemplates) {
  FlowLimits limits;
  limits.template_bytes = 100'000;
  Fed fed(limits);
  for (std::uint16_t id = 300; id < 400; ++id) fed.feed(v9(1, make_template(id, 1000)));
  EXPECT_GT(fed.rejected("flow: too many templates"), 80U);
  const auto before = fed.rejected("flow: too many templates");
  for (int i = 0; i < 50; ++i) fed.feed(v9(1, make_template(300, 900 + i)));  // replacing frees what it replaces
  EXPECT_EQ(fed.rejected("flow: too many templates"), before);
  fed.feed(v9(2, make_template(300, 2000)));
  EXPECT_EQ(fed.rejected("flow: unusable template"), 1U);
}

TEST(FlowExporters, DataWaitForTheirTemplateWithinBounds) {
  FlowLimits limits;
  limits.pending_sets_per_domain = 3;
  Fed fed(limits);
  for (int i = 0; i < 5; ++i) fed.feed(v9(1, set(300, record())));
  EXPECT_EQ(fed.batch.size(), 0U);
  EXPECT_EQ(fed.rejected("flow: no template"), 2U);
  fed.feed(v9(1, make_template(300)));
  ASSERT_EQ(fed.batch.size(), 3U);
  EXPECT_EQ(fed.batch[0].record.line, 1U);
  EXPECT_EQ(fed.batch[2].record.line, 3U);
  fed.decoder.finish(fed.batch);
  EXPECT_EQ(fed.batch.counts.records, 6U);
}

TEST(FlowExporters, DataOfAnotherLayoutAreNotDecodedByALaterTemplate) {
  Fed fed;
  fed.feed(v9(1, set(300, record() + "12345")));
  fed.feed(v9(1, make_template(300)));
  EXPECT_EQ(fed.batch.size(), 0U);
  EXPECT_EQ(fed.rejected("flow: no template"), 1U);
}

TEST(FlowExporters, BoundsWhatOptionsDataLeaveBehind) {
  FlowLimits limits;
  limits.option_entries = 2;
  Fed fed(limits);
  fed.feed(v9(
      1, set(1, be(310, 2) + be(4, 2) + be(8, 2) + be(1, 2) + be(4, 2) + be(48, 2) + be(4, 2) + be(50, 2) + be(4, 2))));
  for (std::uint64_t id = 1; id <= 5; ++id) fed.feed(v9(1, set(310, be(0, 4) + be(id, 4) + be(100 * id, 4))));
  const std::string fields = be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2) + be(48, 2) + be(4, 2);
  fed.feed(v9(1, set(0, be(300, 2) + be(3, 2) + fields)));
  for (std::uint64_t id = 1; id <= 3; ++id) fed.feed(v9(1, set(300, record() + be(id, 4))));
  ASSERT_EQ(fed.batch.size(), 3U);
  EXPECT_EQ(fed.batch[0].sampling, 100U);
  EXPECT_EQ(fed.batch[1].sampling, 200U);
  EXPECT_EQ(fed.batch[2].sampling, 0U);
}

TEST(FlowExporters, UptimeIsReadAcrossItsWrap) {
  Fed fed;
  const std::string fields = be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2) + be(22, 2) + be(4, 2) + be(21, 2) + be(4, 2);
  fed.feed(v9(1, set(0, be(300, 2) + be(4, 2) + fields)));
  fed.feed(v9(1, set(300, record() + be(0xffffffff - 999, 4) + be(500, 4))));  // uptime in the header: 1000 ms
  ASSERT_EQ(fed.batch.size(), 1U);
  EXPECT_EQ(fed.batch[0].time, (1700000000LL - 2) * core::kSecond);
  EXPECT_EQ(fed.batch[0].duration, 1500 * core::kMillisecond);
}

// Datagrams of a v9 and an IPFIX exporter: templates, samplers, names, data with and before their template, a
// withdrawal.
std::vector<std::string> conversation() {
  const auto ipfix = [](const std::string& sets) {
    return be(10, 2) + be(16 + sets.size(), 2) + be(1700000000, 4) + be(0, 4) + be(7, 4) + sets;
  };
  const std::string sampler_template =
      set(1, be(400, 2) + be(4, 2) + be(8, 2) + be(1, 2) + be(4, 2) + be(48, 2) + be(1, 2) + be(50, 2) + be(4, 2));
  const std::string names_template =
      set(3, be(500, 2) + be(2, 2) + be(1, 2) + be(95, 2) + be(4, 2) + be(96, 2) + be(8, 2));
  const std::string with_sampler =
      set(0, be(301, 2) + be(3, 2) + be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2) + be(48, 2) + be(1, 2));
  const std::string with_name =
      set(2, be(302, 2) + be(3, 2) + be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2) + be(95, 2) + be(4, 2));
  return {v9(1, set(300, record())),
          v9(1, make_template(300) + sampler_template),
          v9(1, set(400, be(1, 4) + be(5, 1) + be(1000, 4))),
          v9(1, with_sampler),
          v9(1, set(301, record() + be(5, 1))),
          v9(2, set(300, record() + record())),
          ipfix(names_template),
          ipfix(set(500, be(13, 4) + std::string("webmail\0", 8))),
          ipfix(set(302, record() + be(13, 4))),
          ipfix(with_name),
          ipfix(set(302, record() + be(13, 4))),
          v9(2, make_template(300)),
          ipfix(set(2, be(302, 2) + be(0, 2))),
          ipfix(set(302, record() + be(13, 4))),
          v9(1, set(301, record() + be(5, 1)) + set(300, record()))};
}

std::string told(const Fed& fed) {
  std::string out;
  for (const event::Event& e : fed.batch) {
    out += event::to_json(e) + " " + std::to_string(e.record.line) + " " + std::to_string(e.sampling) + " " +
           std::string(e.application.text()) + "\n";
  }
  const event::Counts& c = fed.batch.counts;
  return out + std::to_string(c.records) + " " + std::to_string(c.ignored) + " " + std::to_string(c.rejected) + "\n";
}

std::string saved(const FlowDatagramDecoder& decoder) {
  core::ArchiveWriter writer;
  decoder.save(writer);
  EXPECT_TRUE(writer.finish());
  return writer.take();
}

core::Expected<void> restore(FlowDatagramDecoder& decoder, std::string_view bytes) {
  core::ArchiveReader reader(bytes);
  if (auto loaded = decoder.load(reader); !loaded) return loaded;
  return reader.finish();
}

TEST(FlowExporters, ARestoredDecoderGoesOn) {
  const std::vector<std::string> datagrams = conversation();
  Fed through;
  for (const std::string& d : datagrams) through.feed(d);
  through.decoder.finish(through.batch);
  ASSERT_GE(through.batch.size(), 6U);
  const std::string reference = told(through);
  EXPECT_NE(reference.find("1000"), std::string::npos) << "the sampler is used";
  EXPECT_NE(reference.find("webmail"), std::string::npos);
  for (std::size_t cut = 0; cut <= datagrams.size(); ++cut) {
    SCOPED_TRACE(cut);
    Fed before;
    for (std::size_t i = 0; i < cut; ++i) before.feed(datagrams[i]);
    Fed after;
    const auto loaded = restore(after.decoder, saved(before.decoder));
    ASSERT_TRUE(loaded) << loaded.error().text();
    after.batch = before.batch;
    after.line = before.line;
    for (std::size_t i = cut; i < datagrams.size(); ++i) after.feed(datagrams[i]);
    after.decoder.finish(after.batch);
    EXPECT_EQ(told(after), reference);
    EXPECT_EQ(after.decoder.lost().of_each.size(), through.decoder.lost().of_each.size());
    EXPECT_EQ(after.decoder.lost().flows, through.decoder.lost().flows);
  }
}

TEST(FlowExporters, ARestoredDecoderKeepsItsLimits) {
  FlowLimits limits;
  limits.domains = 2;
  limits.templates_per_domain = 2;
  Fed before(limits);
  before.feed(v9(1, make_template(300) + make_template(301)));
  before.feed(v9(2, set(300, record())));
  const std::string bytes = saved(before.decoder);
  Fed after(limits);
  ASSERT_TRUE(restore(after.decoder, bytes));
  after.feed(v9(1, make_template(302)));
  EXPECT_EQ(after.rejected("flow: too many templates"), 1U);
  after.feed(v9(3, make_template(300)));
  EXPECT_EQ(after.rejected("flow: too many exporters"), 1U);
  for (FlowLimits less :
       {FlowLimits{.domains = 1}, FlowLimits{.templates_per_domain = 1}, FlowLimits{.template_bytes = 100},
        FlowLimits{.pending_sets_per_domain = 0}, FlowLimits{.pending_bytes = 1}}) {
    FlowDatagramDecoder small(less);
    EXPECT_FALSE(restore(small, bytes));
  }
}

TEST(FlowExporters, ADamagedStateIsRefusedAndAForgedOneDoesNoHarm) {
  const std::vector<std::string> datagrams = conversation();
  Fed before;
  for (std::size_t i = 0; i < 9; ++i) before.feed(datagrams[i]);
  const std::string bytes = saved(before.decoder);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    FlowDatagramDecoder decoder;
    ASSERT_FALSE(restore(decoder, std::string_view(bytes).substr(0, n))) << n;
  }
  std::string inside = bytes.substr(20, bytes.size() - 28);
  for (std::size_t bit = 0; bit < inside.size() * 8; ++bit) {
    std::string forged = inside;
    forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ 1 << bit % 8);
    Fed after;
    if (!restore(after.decoder, core::sealed(forged))) continue;
    for (const std::string& d : datagrams) after.feed(d);
    after.decoder.finish(after.batch);
    after.decoder.lost();
  }
}

}  // namespace
