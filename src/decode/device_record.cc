#include "decode/device_record.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace orbwatch::decode {
namespace {

constexpr std::size_t kLongestBanner = 200;
constexpr std::size_t kLongestName = 256;
constexpr int kDeepest = 12;

void keep_first(std::string_view& fact, std::string_view text) {
  if (fact.empty()) fact = core::trim(text);
}

// A string, the first string of an array, or of {"headers": [...]} (Censys).
std::string_view first_text(const json::Value& value) {
  std::string_view found;
  if (json::is_array(value)) {
    json::each_element(value, [&](const json::Value& element) {
      found = json::text(element);
      return false;
    });
    return found;
  }
  if (json::is_object(value)) {
    json::each_field(value, [&](std::string_view key, const json::Value& member) {
      if (key != "headers" || !json::is_array(member)) return true;
      json::each_element(member, [&](const json::Value& element) {
        found = json::text(element);
        return false;
      });
      return false;
    });
    return found;
  }
  return json::text(value);
}

bool is_header(std::string_view key, std::string_view name) {
  return key.size() == name.size() && std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) {
           if (a == '_') a = '-';
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

// Certificates that are not the server's own.
bool is_chain(std::string_view key) {
  return key == "chain" || key == "presented_chain" || key == "intermediates" || key == "chain_fps_sha_256";
}

// A scalar (or list of texts) under a name that means one thing.
void take_leaf(ServiceFacts& f, std::string_view parent, std::string_view key, const json::Value& value) {
  if (parent == "headers") {
    if (is_header(key, "server")) keep_first(f.server, first_text(value));
    if (is_header(key, "www-authenticate")) keep_first(f.authenticate, first_text(value));
    return;
  }
  struct Row {
    std::string_view key;
    std::string_view parent;  // "" = any
    std::string_view ServiceFacts::* fact;
  };
  static constexpr std::array kRows = {
      Row{"banner", "", &ServiceFacts::banner},
      Row{"subject_dn", "", &ServiceFacts::subject},
      Row{"issuer_dn", "", &ServiceFacts::issuer},
      Row{"fingerprint_sha256", "parsed", &ServiceFacts::certificate},
      Row{"fingerprint_sha256", "cert", &ServiceFacts::certificate},
      Row{"fingerprint_sha256", "tls", &ServiceFacts::certificate},
      Row{"leaf_fp_sha_256", "", &ServiceFacts::certificate},
      Row{"jarm", "", &ServiceFacts::jarm},
      Row{"fingerprint", "jarm", &ServiceFacts::jarm},
      Row{"ja3s", "", &ServiceFacts::ja3s},
      Row{"ja4s", "", &ServiceFacts::ja4s},
      Row{"raw", "server_id", &ServiceFacts::ssh},
      Row{"raw", "endpoint_id", &ServiceFacts::ssh},
      Row{"html_title", "", &ServiceFacts::title},
      Row{"title", "http", &ServiceFacts::title},
      Row{"server", "http", &ServiceFacts::server},
      Row{"version_selected", "", &ServiceFacts::tls_version},
      Row{"name", "version", &ServiceFacts::tls_version},
      Row{"product", "", &ServiceFacts::product},
  };
  for (const Row& row : kRows) {
    if (row.key == key && (row.parent.empty() || row.parent == parent)) keep_first(f.*row.fact, json::text(value));
  }
}

void take(ServiceFacts& facts, std::string_view parent, std::string_view key, const json::Value& value, int depth) {
  if (is_chain(key)) return;
  const bool header = parent == "headers";
  if (depth < kDeepest && !header && json::is_object(value)) {
    json::each_field(value, [&](std::string_view k, const json::Value& v) {
      take(facts, key, k, v, depth + 1);
      return true;
    });
  } else if (depth < kDeepest && !header && json::is_array(value)) {
    json::each_element(value, [&](const json::Value& element) {
      if (json::is_object(element)) take(facts, parent, key, element, depth + 1);
      return true;
    });
  } else {
    take_leaf(facts, parent, key, value);
  }
}

// The value of a header in an HTTP response.
std::string_view header_of(std::string_view response, std::string_view name) {
  std::string_view rest = response;
  core::take_until(rest, '\n');
  while (!rest.empty()) {
    std::string_view line = core::trim(core::take_until(rest, '\n'));
    if (line.empty()) break;
    const std::string_view key = core::take_until(line, ':');
    if (core::equals_ignore_case(core::trim(key), name)) return core::trim(line);
  }
  return {};
}

void append_line(std::string& out, std::string_view text) {
  bool blank = !out.empty();
  for (std::size_t i = 0; i < text.size() && out.size() < kLongestBanner;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = core::utf8_length(text.substr(i));
    if (length == 0) {
      ++i;
      continue;
    }
    if (byte <= ' ' || byte == 0x7f) {
      blank = blank || !out.empty();
    } else {
      if (out.size() + length + 1 > kLongestBanner) return;
      if (blank && !out.empty()) out += ' ';
      blank = false;
      out.append(text.substr(i, length));
    }
    i += length;
  }
}

// A certificate's hash in lower-case hex without colons; empty if it is no SHA-256 and no SHA-1.
Symbol hash_symbol(std::string_view text) {
  std::array<char, 64> hex;
  std::size_t size = 0;
  for (char c : core::trim(text)) {
    if (c == ':') continue;
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
    if (size == hex.size() || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
    hex[size++] = c;
  }
  if (size != 64 && size != 40) return {};
  return core::intern({hex.data(), size});
}

bool holds(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return core::equals_ignore_case({&a, 1}, {&b, 1}); }) != text.end();
}

}  // namespace

void put_observed(Event& e) {
  e.event_class = event::Class::kDevice;
  e.activity = event::Activity::kObserved;
}

Event& next_observation(Parts& parts, const Event& device) {
  Event& e = parts.next();
  e = device;
  put_observed(e);
  return e;
}

void take_facts(ServiceFacts& facts, std::string_view parent, std::string_view key, const json::Value& value) {
  take(facts, parent, key, value, 0);
}

void put_facts(Event& e, const ServiceFacts& facts, std::string& buffer) {
  buffer.clear();
  if (!facts.ssh.empty()) {
    append_line(buffer, facts.ssh);
  } else if (!facts.server.empty() || !facts.authenticate.empty()) {
    append_line(buffer, facts.server);
    append_line(buffer, facts.authenticate);
  } else if (!facts.banner.empty()) {
    buffer = banner_line(facts.banner);
  }
  if (buffer.empty()) {
    append_line(buffer, facts.product);
    append_line(buffer, facts.product_version);
  } else if (!facts.product.empty() && !holds(buffer, facts.product) &&
             buffer.size() + facts.product.size() + facts.product_version.size() + 4 <= kLongestBanner) {
    buffer += " (";
    std::string product;
    append_line(product, facts.product);
    append_line(product, facts.product_version);
    buffer += product + ")";
  }
  if (buffer.empty()) append_line(buffer, facts.title);
  e.banner = core::intern(buffer);
  e.certificate_subject = short_symbol(facts.subject);
  e.certificate_issuer = short_symbol(facts.issuer);
  e.certificate_fingerprint = hash_symbol(facts.certificate);
  e.server_fingerprint = short_symbol(!facts.jarm.empty() ? facts.jarm : !facts.ja4s.empty() ? facts.ja4s : facts.ja3s);
  e.protocol_version = short_symbol(facts.tls_version);
}

std::string banner_line(std::string_view sent) {
  std::string line;
  if (sent.starts_with("HTTP/")) {
    const std::string_view server = header_of(sent, "server");
    const std::string_view authenticate = header_of(sent, "www-authenticate");
    append_line(line, server);
    append_line(line, authenticate);
    if (line.empty()) append_line(line, sent.substr(0, sent.find('\n')));
    return line;
  }
  // Behind its version string an SSH server, or the scanner, goes on with keys.
  if (sent.starts_with("SSH-")) sent = sent.substr(0, sent.find_first_of("\r\n"));
  append_line(line, sent);
  return line;
}

void unescape_bytes(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
      if (const auto byte = core::parse_number<unsigned char>(text.substr(i + 2, 2), 16)) {
        out += static_cast<char>(*byte);
        i += 3;
        continue;
      }
    }
    out += text[i];
  }
}

Symbol banner_symbol(std::string_view sent) { return core::intern(banner_line(sent)); }

Symbol short_symbol(std::string_view text) {
  text = core::trim(text);
  std::size_t end = std::min(text.size(), kLongestName);
  // Not within a character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return core::intern(text.substr(0, end));
}

bool skip_token(std::string_view& text, std::string_view token) {
  std::string_view rest = text;
  while (!rest.empty() && core::is_space(rest.front())) rest.remove_prefix(1);
  if (!core::skip_prefix(rest, token)) return false;
  text = rest;
  return true;
}

bool skip_string(std::string_view& text) {
  std::string_view rest = text;
  if (!skip_token(rest, "\"")) return false;
  const auto end = rest.find_first_of("\"\\");
  if (end == rest.npos || rest[end] != '"') return false;
  text = rest.substr(end + 1);
  return true;
}

}  // namespace orbwatch::decode
