// Each format's text for findings of every kind is held in tests/renderings/<format>.txt (ORBWATCH_UPDATE_GOLDEN=1
// rewrites them); hostile findings are read back by the rules of each format.
#include "export/formats.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/text.h"
#include "export/digest.h"
#include "export/finding_words.h"
#include "support/sample_findings.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;

RenderOptions fixed() {
  RenderOptions options;
  options.host = "hunter.example";
  options.organisation = "Example Ltd";
  options.now = 1'764'000'000 * core::kSecond;
  return options;
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = core::utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

// The renderings name the version of the program; the goldens and the page do not change with it.
std::string without_version(std::string text) {
  constexpr std::string_view kVersion = ORBWATCH_VERSION;
  for (std::size_t at = 0; (at = text.find(kVersion, at)) != text.npos;) text.replace(at, kVersion.size(), "VERSION");
  return text;
}

// The finding of docs/outputs.md (and of docs/output.md).
Finding documented() {
  Finding f;
  f.id = "0123456789abcdef";
  f.time = 1'763'985'600 * core::kSecond;
  f.end = f.time + 90 * core::kMinute;
  f.score = 0.9731;
  f.severity = score::Severity::kHigh;
  f.alert = true;
  f.user = "alice";
  f.outcome = "success";
  f.source.ip = *core::Ip::parse("203.0.113.7");
  f.source.asn = 64496;
  f.source.org = "Example Cable";
  f.source.country = "DE";
  f.source.city = "Berlin";
  f.source.network_type = "consumer broadband";
  f.gateway = "vpn1";
  f.hypothesis = "A log-in from a hijacked home router near the user";
  f.attack = {"T1090.003"};
  f.evidence.push_back({"new-network", "new-network", detect::Group::kPlace, detect::FindingKind::kLogin, 4.2,
                        "First log-in from AS64496"});
  f.records.push_back({"vpn.log", 0, 42, ""});
  f.advice = "Ask alice whether she logged in.";
  return f;
}

TEST(Page, ShowsEachFormatAsItIs) {
  const std::string page = test::read_file(std::filesystem::path(ORBWATCH_ROOT) / "docs/outputs.md");
  for (const Format& format : kFormats) {
    EXPECT_NE(page.find("| `" + std::string(format.name) + "` |"), std::string::npos) << format.name;
    RenderOptions options;
    options.host = "hunter";
    std::string text = without_version(format.render(documented(), options));
    if (format.name == "stix") continue;  // some kilobytes: tests/renderings/stix.txt
    EXPECT_NE(page.find(text), std::string::npos) << "docs/outputs.md does not show\n" << text;
  }
}

// The example by which a receiver's author checks the code.
TEST(Page, SignsAsItSays) {
  const std::string page = test::read_file(std::filesystem::path(ORBWATCH_ROOT) / "docs/outputs.md");
  EXPECT_NE(page.find("`v1=" + hmac_sha256_hex("It's a Secret", R"(1763985600.{"id":"0123456789abcdef"})") + "`"),
            page.npos);
}

class Rendering : public ::testing::TestWithParam<Format> {};

TEST_P(Rendering, IsAsTheGoldenSays) {
  const Format& format = GetParam();
  std::string text;
  for (const auto& [name, finding] : findings_of_every_kind()) {
    text += "== " + name + "\n" + without_version(format.render(finding, fixed()));
    if (format.one_line) text += '\n';
  }
  const auto path = std::filesystem::path(ORBWATCH_ROOT) / "tests/renderings" / (std::string(format.name) + ".txt");
  const char* update = std::getenv("ORBWATCH_UPDATE_GOLDEN");
  if (update != nullptr && *update == '1') {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  ASSERT_TRUE(std::filesystem::exists(path)) << path << ": ORBWATCH_UPDATE_GOLDEN=1 writes it";
  EXPECT_EQ(text, test::read_file(path));
}

TEST_P(Rendering, IsValidTextWhateverTheLogHeld) {
  const Format& format = GetParam();
  for (const std::string& hostile : hostile_texts()) {
    const Finding finding = filled_with(hostile);
    const std::string text = format.render(finding, fixed());
    EXPECT_TRUE(valid_utf8(text)) << format.name;
    EXPECT_EQ(text, format.render(finding, fixed())) << "the same finding gives the same text";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      const bool allowed = (c == '\n' && !format.one_line) || (c == '\t' && format.name == "leef");
      ASSERT_TRUE((byte >= 0x20 && byte != 0x7f) || allowed)
          << format.name << " lets the byte " << int{byte} << " through: " << text.substr(0, 300);
    }
    if (format.name != "ndjson") {
      EXPECT_LT(text.size(), 200'000U) << format.name;
    }
  }
}

TEST_P(Rendering, IsBoundedForFindingsAboutMany) {
  Finding finding = filled_with("x");
  for (std::uint32_t i = 0; i < 3'000; ++i) {
    finding.sources.emplace_back();
    finding.sources.back().ip = core::Ip::v4(0xC6330000 + i);
    finding.users.push_back(std::to_string(i) + std::string(10'000, 'u'));
    finding.evidence.push_back(finding.evidence[0]);
    finding.records.push_back(finding.records[0]);
    finding.attack.emplace_back("T1078");
  }
  if (GetParam().name == "ndjson") return;
  EXPECT_LT(GetParam().render(finding, fixed()).size(), 800'000U) << GetParam().name;
}

std::string name_of(const ::testing::TestParamInfo<Format>& format) { return std::string(format.param.name); }
INSTANTIATE_TEST_SUITE_P(All, Rendering, ::testing::ValuesIn(kFormats), name_of);

TEST(Formats, AreFoundByName) {
  ASSERT_NE(find_format("cef"), nullptr);
  EXPECT_EQ(find_format("cef")->name, "cef");
  EXPECT_EQ(find_format("CEF"), nullptr);
  EXPECT_NE(format_names().find("ecs, ocsf"), std::string::npos);
}

// RFC 5424, 6: reads a message back; fails the test where it is malformed.
struct SyslogMessage {
  unsigned priority = 0;
  std::vector<std::string> header;
  std::string id;
  std::map<std::string, std::string> params;
  std::string message;
};
SyslogMessage read_syslog(std::string_view text) {
  SyslogMessage out;
  EXPECT_TRUE(text.starts_with('<'));
  text.remove_prefix(1);
  out.priority = core::parse_number<unsigned>(core::take_until(text, '>')).value_or(999);
  for (int i = 0; i < 6; ++i) out.header.emplace_back(core::take_until(text, ' '));
  if (text.starts_with("- ")) {
    out.message = text.substr(2);
    return out;
  }
  EXPECT_TRUE(text.starts_with('['));
  text.remove_prefix(1);
  out.id = text.substr(0, text.find_first_of(" ]"));
  text.remove_prefix(out.id.size());
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
    const std::string key(core::take_until(text, '='));
    EXPECT_TRUE(text.starts_with('"'));
    text.remove_prefix(1);
    std::string value;
    while (!text.empty() && text.front() != '"') {
      if (text.front() == '\\') text.remove_prefix(1);
      value += text.front();
      text.remove_prefix(1);
    }
    EXPECT_TRUE(text.starts_with('"')) << key;
    text.remove_prefix(1);
    out.params[key] = value;
  }
  EXPECT_TRUE(text.starts_with("] ")) << text.substr(0, 40);
  out.message = text.substr(2);
  return out;
}

TEST(Syslog, ValuesSurviveTheirEscapes) {
  for (const std::string& hostile : hostile_texts()) {
    const SyslogMessage m = read_syslog(render_syslog(filled_with(hostile), fixed()));
    EXPECT_EQ(m.id, "finding@32473");
    EXPECT_EQ(m.header.size(), 6U);
    ASSERT_TRUE(m.params.contains("user"));
    EXPECT_EQ(m.params.at("user"), one_line(hostile, 1023));
  }
}

TEST(Syslog, MapsSeveritiesAndBoundsTheMessage) {
  Finding f = testing::sample_finding(0, false);
  RenderOptions options = fixed();
  options.facility = 10;
  f.severity = score::Severity::kCritical;
  EXPECT_EQ(read_syslog(render_syslog(f, options)).priority, 82U);
  f.severity = score::Severity::kInformational;
  EXPECT_EQ(read_syslog(render_syslog(f, options)).priority, 86U);
  EXPECT_EQ(read_syslog(render_syslog(f, options)).header[5], name(f.kind));
  for (const std::string& hostile : hostile_texts()) {
    for (const std::size_t most : {480, 1024, 2048}) {
      options.longest_message = most;
      const std::string text = render_syslog(filled_with(hostile), options);
      EXPECT_LE(text.size(), most);
      const SyslogMessage m = read_syslog(text);
      EXPECT_FALSE(m.message.empty());
      EXPECT_TRUE(m.params.contains("id"));
    }
  }
  f.user = "王小明";
  EXPECT_TRUE(read_syslog(render_syslog(f, fixed())).message.starts_with("\xef\xbb\xbfLog-in"));
  options.host = "two words\n";
  EXPECT_EQ(read_syslog(render_syslog(f, options)).header[2], "two?words?");
}

TEST(Syslog, CarriesOtherFormatsAndCountsOctets) {
  const Finding f = testing::sample_finding(0, false);
  const SyslogMessage m = read_syslog(in_syslog(f, render_cef(f, fixed()), fixed()));
  EXPECT_EQ(m.message, render_cef(f, fixed()));
  EXPECT_EQ(octet_counted("<1>1 x\xc3\xa4"), "8 <1>1 x\xc3\xa4");
}

// Header fields and extension of CEF, unescaped.
struct CefRecord {
  std::vector<std::string> header;
  std::map<std::string, std::string> extension;
};
CefRecord read_cef(std::string_view text) {
  CefRecord out;
  out.header.emplace_back();
  while (out.header.size() < 8) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\\') {
      EXPECT_TRUE(text.front() == '\\' || text.front() == '|');
      out.header.back() += text.front();
      text.remove_prefix(1);
    } else if (c == '|') {
      out.header.emplace_back();
    } else {
      out.header.back() += c;
    }
  }
  // A key is the word before an unescaped "=".
  std::string key, value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      const char c = text[++i];
      EXPECT_NE(std::string_view("\\=nr").find(c), std::string_view::npos);
      value += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    } else if (text[i] == '=') {
      const auto space = value.rfind(' ');
      if (!key.empty()) out.extension[key] = value.substr(0, space);
      key = space == value.npos ? value : value.substr(space + 1);
      value.clear();
    } else {
      value += text[i];
    }
  }
  out.extension[key] = value;
  return out;
}

TEST(Cef, ValuesSurviveTheirEscapes) {
  for (const std::string& hostile : hostile_texts()) {
    const CefRecord r = read_cef(render_cef(filled_with(hostile), fixed()));
    EXPECT_EQ(r.header[0], "CEF:0");
    EXPECT_EQ(r.header[1], "orbwatch");
    EXPECT_EQ(r.header[6], "10");
    std::string expected = bounded_utf8(hostile, 1023);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (expected[i] == '\xc2' && expected[i + 1] < '\xa0') expected.replace(i, 2, " ");
      if (const auto c = static_cast<unsigned char>(expected[i]); c != '\n' && c != '\r' && (c < 0x20 || c == 0x7f))
        expected[i] = ' ';
    }
    EXPECT_EQ(r.extension.at("suser"), expected);
    EXPECT_EQ(r.extension.at("duser"), expected);
    EXPECT_EQ(r.extension.at("src"), testing::sample_finding(1, false).source.ip.text()) << "not a forged one";
    EXPECT_LE(r.extension.at("dvchost").size(), 100U);
  }
}

TEST(Cef, NamesTheFieldsThatProductsLookFor) {
  Finding f = testing::sample_finding(0, false);
  const CefRecord r = read_cef(render_cef(f, fixed()));
  for (const char* key : {"externalId", "rt", "src", "suser", "duser", "dvchost", "cnt", "cs1", "cs1Label", "msg"})
    EXPECT_TRUE(r.extension.contains(key)) << key;
  EXPECT_EQ(r.extension.at("rt"), std::to_string(f.time / core::kMillisecond));
  f.source.ip = *core::Ip::parse("2001:db8::7");
  const CefRecord six = read_cef(render_cef(f, fixed()));
  EXPECT_FALSE(six.extension.contains("src"));
  EXPECT_EQ(six.extension.at("c6a2"), "2001:db8::7");
}

TEST(Leef, ValuesCannotHoldTheDelimiter) {
  for (const char delimiter : {'\t', '^'}) {
    RenderOptions options = fixed();
    options.leef_delimiter = delimiter;
    for (const std::string& hostile : hostile_texts()) {
      std::string_view text;
      const std::string all = render_leef(filled_with(hostile + delimiter + "src=6.6.6.6"), options);
      text = all;
      for (int i = 0; i < 5; ++i) core::take_until(text, '|');
      EXPECT_EQ(core::take_until(text, '|'), delimiter == '^' ? "x5E" : "x09");
      std::map<std::string, std::string> pairs;
      while (!text.empty()) {
        std::string_view pair = core::take_until(text, delimiter);
        const std::string key(core::take_until(pair, '='));
        EXPECT_TRUE(pairs.emplace(key, pair).second) << "forged: " << key;
      }
      EXPECT_EQ(pairs.at("src"), testing::sample_finding(1, false).source.ip.text());
      EXPECT_TRUE(pairs.contains("usrName"));
    }
  }
}

TEST(Words, CutAtCharacters) {
  EXPECT_EQ(bounded_utf8("abcdef", 6), "abcdef");
  EXPECT_EQ(bounded_utf8("abcdefg", 6), "abc...");
  EXPECT_EQ(bounded_utf8("\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1", 8), "\xe6\x9d\xb1...");
  EXPECT_EQ(bounded_utf8("a\xff", 9), "a\xef\xbf\xbd");
  EXPECT_EQ(one_line("a\nb\x7f\xc2\x85", 9), "a b  ");
}

TEST(Words, NeverClaimCertainty) {
  Finding f;
  f.score = 0.9999999;
  EXPECT_EQ(score_text(f), "0.999999");
  EXPECT_EQ(score_percent(f), 99U);
  f.score = 1;
  EXPECT_EQ(score_text(f), "1");
  f.score = -1e300 * 1e300;
  EXPECT_EQ(score_text(f), "0");
  EXPECT_EQ(score_percent(f), 0U);
}

TEST(Words, KnowTechniques) {
  EXPECT_TRUE(is_technique("T1090.003"));
  EXPECT_FALSE(is_technique("T1090/003"));
  EXPECT_EQ(technique_url("T1090.003"), "https://attack.mitre.org/techniques/T1090/003/");
  EXPECT_EQ(technique_name("T1584.008"), "Network Devices");
}

TEST(Digest, IsAsThePublishedExamplesSay) {
  // RFC 4231, test case 2; RFC 9562, appendix A.4.
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

}  // namespace
}  // namespace orbwatch::exporting
