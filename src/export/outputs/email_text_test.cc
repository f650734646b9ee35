#include "export/outputs/email_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "support/sample_findings.h"

namespace orbwatch::exporting {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i + 1, 2) == "\r\n") {
      i += 2;
    } else {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

TEST(QuotedPrintable, IsOfShortLinesAndComesBack) {
  std::vector<std::string> texts = hostile_texts();
  texts.emplace_back("trailing space \n.\n..x\n\nend");
  for (const std::string& text : texts) {
    const std::string encoded = quoted_printable(text);
    std::istringstream lines(encoded);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 77U);
      EXPECT_FALSE(line.starts_with('.'));
      EXPECT_FALSE(line.ends_with(" \r"));
    }
    std::string expected;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
      expected += text[i] == '\n' ? "\r\n" : std::string(1, text[i]);
    }
    EXPECT_EQ(decoded(encoded), expected);
  }
}

TEST(EncodedHeader, HoldsWhateverComes) {
  EXPECT_EQ(encoded_header("[orbwatch] plain"), "[orbwatch] plain");
  EXPECT_EQ(encoded_header("Köln"), "=?UTF-8?B?S8O2bG4=?=");
  EXPECT_EQ(encoded_header("=?UTF-8?B?eA==?="), "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
  for (const std::string& text : hostile_texts()) {
    std::istringstream lines(encoded_header(text));
    std::size_t n = 0;
    for (std::string line; std::getline(lines, line); ++n) {
      if (line.ends_with('\r')) line.pop_back();
      EXPECT_LE(line.size(), 76U);
      EXPECT_TRUE(n == 0 || line.starts_with(" =?UTF-8?B?")) << line;
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c < 0x7f);
    }
  }
}

TEST(EmailDate, IsAsRfc5322Says) {
  EXPECT_EQ(email_date(1'763'985'600 * core::kSecond), "Mon, 24 Nov 2025 12:00:00 +0000");
  EXPECT_EQ(email_date(951'782'400 * core::kSecond), "Tue, 29 Feb 2000 00:00:00 +0000");
}

TEST(EmailAddress, IsPlain) {
  for (const char* right : {"a@b", "first.last+tag@mail.corp.example"}) EXPECT_TRUE(is_email_address(right)) << right;
  for (const char* wrong :
       {"", "a", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b\r\n", "a@b,c@d", "\"x\"@b", "ä@b", "a:b@c"})
    EXPECT_FALSE(is_email_address(wrong)) << wrong;
}

TEST(EmailText, IsTheSameButForItsDate) {
  const Message m{"id", "subject", "text/plain", 5, "body\n"};
  const std::string a = email_text(m, "a@x", {"b@x"}, core::kDay), b = email_text(m, "a@x", {"b@x"}, 2 * core::kDay);
  EXPECT_NE(a, b);
  const auto behind_date = [](const std::string& text) { return text.substr(text.find("\r\n")); };
  EXPECT_EQ(behind_date(a), behind_date(b)) << "the Message-ID tells a reader's program that it came twice";
  EXPECT_NE(a.find("@x>\r\n"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::exporting
