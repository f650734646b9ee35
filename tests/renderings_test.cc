// What leaves orbwatch can be read: the texts of CEF, LEEF, ECS and OCSF go through our own decoders, those of JSON
// through a parser. Hostile findings must come out as one record that still says what it said.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <set>

#include "core/text.h"
#include "decode/all.h"
#include "export/finding_words.h"
#include "export/formats.h"
#include "support/sample_findings.h"

namespace orbwatch::exporting {
namespace {

RenderOptions fixed() {
  RenderOptions options;
  options.host = "hunter.example";
  options.now = 1'764'000'000 * core::kSecond;
  return options;
}

struct Read {
  std::string format;
  event::EventBatch batch;
};
Read read(const std::string& line) {
  Read out;
  decode::Options options;
  options.reference = 1'800'000'000 * core::kSecond;
  const auto what = decode::recognise(line, options);
  out.format = what.format;
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) {
    ADD_FAILURE() << decoder.error().text();
    return out;
  }
  std::string padded = line + std::string(core::kPadding, '\0');
  (*decoder)->feed(std::string_view(padded).substr(0, line.size()), out.batch);
  (*decoder)->finish(out.batch);
  return out;
}

// The alert as if another product had made it: alerts of orbwatch itself are ignored by name.
std::string of_another(std::string text) {
  for (const auto& [mine, other] : {std::pair<std::string_view, std::string_view>{"|orbwatch|orbwatch|", "|acme|gate|"},
                                    {"\"dataset\":\"orbwatch.finding\"", "\"dataset\":\"acme.finding\""}}) {
    if (const auto at = text.find(mine); at != text.npos) text.replace(at, mine.size(), other);
  }
  return text;
}

// in_documents: JSON with a sentence for a person. Our reader takes such a sentence for the vendor's record if a CEF
// header stands near its front, as it may behind a user's name; other readers do not look into it.
std::vector<score::Finding> logins(bool in_documents = false) {
  std::vector<score::Finding> out = {testing::sample_finding(0, false), testing::sample_finding(2, false)};
  for (const std::string& text : hostile_texts()) {
    if (!in_documents || text.find("CEF:") == text.npos) out.push_back(filled_with(text));
  }
  for (score::Finding& f : out) {
    f.kind = detect::FindingKind::kLogin;
    f.outcome = "success";
  }
  return out;
}

void expect_same(const score::Finding& f, const Read& read, std::string_view format) {
  EXPECT_EQ(read.format, format);
  ASSERT_EQ(read.batch.counts.records, 1U) << format;
  ASSERT_EQ(read.batch.size(), 1U) << format << ": " << f.user.substr(0, 100);
  const event::Event& e = *read.batch.begin();
  EXPECT_EQ(e.source_ip, f.source.ip) << format;
  EXPECT_EQ(e.time / core::kMillisecond, f.time / core::kMillisecond) << format;
}

TEST(RoundTrip, CefIsReadAsOneLogIn) {
  for (const score::Finding& f : logins()) expect_same(f, read(of_another(render_cef(f, fixed())) + "\n"), "cef");
}

TEST(RoundTrip, LeefIsReadAsOneLogIn) {
  for (const score::Finding& f : logins()) expect_same(f, read(of_another(render_leef(f, fixed())) + "\n"), "leef");
}

TEST(RoundTrip, EcsIsReadAsOneLogIn) {
  for (const score::Finding& f : logins(true)) expect_same(f, read(of_another(render_ecs(f, fixed())) + "\n"), "ecs");
}

TEST(RoundTrip, UserAndGatewayComeBack) {
  const score::Finding f = testing::sample_finding(0, false);
  for (const auto render : {render_cef, render_leef, render_ecs}) {
    const Read r = read(of_another(render(f, fixed())) + "\n");
    ASSERT_EQ(r.batch.size(), 1U) << r.format;
    EXPECT_EQ(r.batch.begin()->user.text(), f.user) << r.format;
    EXPECT_EQ(r.batch.begin()->observer.text(), f.gateway) << r.format;
  }
}

// What comes back from a SIEM must not be taken for one more log-in.
TEST(RoundTrip, OwnAlertsAreIgnoredByName) {
  for (const score::Finding& f : logins(true)) {
    for (const auto render : {render_cef, render_leef, render_ecs}) {
      const Read r = read(render(f, fixed()) + "\n");
      EXPECT_EQ(r.batch.size(), 0U) << r.format;
      ASSERT_EQ(r.batch.counts.ignored_by.size(), 1U) << r.format;
      EXPECT_EQ(r.batch.counts.ignored_by.begin()->first.text(), "alert of orbwatch") << r.format;
    }
  }
}

// Orbwatch reads log-ins of OCSF, not findings: it knows what it is and passes it over by name.
TEST(RoundTrip, OcsfIsKnownAsADetectionFinding) {
  for (const score::Finding& f : logins(true)) {
    const Read r = read(render_ocsf(f, fixed()) + "\n");
    EXPECT_EQ(r.format, "ocsf");
    EXPECT_EQ(r.batch.counts.records, 1U);
    ASSERT_EQ(r.batch.counts.ignored_by.size(), 1U);
    EXPECT_EQ(r.batch.counts.ignored_by.begin()->first.text(), "class Detection Finding");
  }
}

TEST(RoundTrip, SyslogCarriesTheOtherFormats) {
  const score::Finding f = testing::sample_finding(0, false);
  for (const auto& [render, format] :
       {std::pair{&render_cef, "cef"}, std::pair{&render_leef, "leef"}, std::pair{&render_ecs, "ecs"}})
    expect_same(f, read(in_syslog(f, of_another(render(f, fixed())), fixed()) + "\n"), format);
}

TEST(Json, ParsesAndHoldsTheValues) {
  simdjson::dom::parser parser;
  std::vector<std::string> texts = hostile_texts();
  texts.emplace_back("ordinary");
  for (const std::string& text : texts) {
    const score::Finding f = filled_with(text);
    const std::string expected = bounded_utf8(text, 1023);
    const auto at = [&](const std::string& json, const char* pointer) {
      simdjson::dom::element element;
      std::string_view value;
      const auto error = parser.parse(json).get(element);
      EXPECT_EQ(error, simdjson::SUCCESS) << json.substr(0, 200);
      if (error == simdjson::SUCCESS) {
        EXPECT_EQ(element.at_pointer(pointer).get(value), simdjson::SUCCESS) << pointer;
      }
      return std::string(value);
    };
    EXPECT_EQ(at(render_ecs(f, fixed()), "/user/name"), expected);
    EXPECT_EQ(at(render_ecs(f, fixed()), "/source/ip"), f.source.ip.text());
    EXPECT_EQ(at(render_ecs(f, fixed()), "/event/kind"), "alert");
    EXPECT_EQ(at(render_ecs(f, fixed()), "/threat/technique/subtechnique/id/0"), "T1090.003");
    EXPECT_EQ(at(render_ocsf(f, fixed()), "/evidences/0/actor/user/name"), expected);
    EXPECT_EQ(at(render_ocsf(f, fixed()), "/observables/1/value"), expected);
    EXPECT_EQ(at(render_stix(f, fixed()), "/type"), "bundle");
    at(render_ndjson(f, fixed()), "/id");
  }
}

// Every reference within a bundle leads to an object in it (the marking is predefined by STIX).
TEST(Json, StixReferencesLeadSomewhere) {
  simdjson::dom::parser parser;
  for (const auto& [name, finding] : findings_of_every_kind()) {
    const std::string json = render_stix(finding, fixed());
    std::set<std::string> ids, types;
    for (const simdjson::dom::object object : simdjson::dom::array(parser.parse(json)["objects"])) {
      EXPECT_TRUE(ids.emplace(std::string_view(object["id"])).second) << "twice";
      types.emplace(std::string_view(object["type"]));
    }
    std::size_t references = 0;
    for (std::size_t at = 0; (at = json.find("--", at)) != json.npos; ++at) {
      const auto begin = json.rfind('"', at) + 1;
      const std::string id = json.substr(begin, json.find('"', at) - begin);
      if (id.starts_with("bundle") || id.starts_with("marking")) continue;
      EXPECT_TRUE(ids.contains(id)) << name << ": " << id;
      ++references;
    }
    EXPECT_GT(references, ids.size());
    const bool hostile = name == "login" || name == "spray" || name == "hostile";
    if (hostile || name == "device") {
      EXPECT_EQ(types.contains("indicator"), hostile) << name << ": our own device is no indicator";
      EXPECT_EQ(types.contains("sighting"), hostile) << name;
    }
  }
}

}  // namespace
}  // namespace orbwatch::exporting
