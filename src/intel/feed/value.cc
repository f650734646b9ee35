#include "intel/feed/value.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/text.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

using std::string_view;
using namespace std::string_view_literals;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

ValueVerdict ignored(string_view reason) { return {ValueFate::kIgnored, std::string(reason)}; }
ValueVerdict rejected(string_view reason) { return {ValueFate::kRejected, std::string(reason)}; }

// Prefixes shorter than /8 and /16 would match a good part of the Internet.
bool too_wide(const core::Prefix& prefix) { return prefix.bits < (prefix.base.is_v4() ? 8 : 16); }
// What is met on the Internet. Documentation ranges are let through: examples use them.
bool usable(const core::Ip& ip) { return ip.is_global() || ip.is_documentation(); }

// Empty if it may be used.
string_view objection(const core::Prefix& prefix, const ValueRules& rules) {
  if (rules.known_good) return {};
  if (too_wide(prefix)) return "prefix too wide"sv;
  if (!usable(prefix.base)) return "address that is not met on the Internet"sv;
  return {};
}

FeedValue value_of(const core::Prefix& prefix, std::uint16_t port = 0) {
  FeedValue value;
  value.kind = FeedKind::kPrefix;
  value.prefix = prefix;
  value.port = port;
  const bool host = prefix.bits == (prefix.base.is_v4() ? 32 : 128);
  value.value = host ? prefix.base.text() : prefix.text();
  return value;
}

FeedValue value_of(FeedKind kind, std::string text) {
  FeedValue value;
  value.kind = kind;
  value.value = std::move(text);
  return value;
}

ValueVerdict give(const core::Prefix& prefix, std::uint16_t port, const ValueRules& rules,
                  std::vector<FeedValue>& out) {
  if (const string_view reason = objection(prefix, rules); !reason.empty()) return rejected(reason);
  out.push_back(value_of(prefix, port));
  return {};
}

// A port from 1 to 65535; 0 if the text is none.
std::uint16_t port_of(string_view text) { return core::parse_number<std::uint16_t>(text).value_or(0); }

// "192.0.2.1-192.0.2.9". Nullopt: no range at all.
std::optional<ValueVerdict> read_range(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  const auto dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto first = core::Ip::parse(core::trim(text.substr(0, dash)));
  const auto last = core::Ip::parse(core::trim(text.substr(dash + 1)));
  if (!first || !last) return std::nullopt;
  const auto prefixes = cover_range(*first, *last, rules.most_prefixes);
  if (prefixes.empty()) return rejected("range that is no range");
  if (!rules.known_good && (!usable(*first) || !usable(*last)))
    return rejected("address that is not met on the Internet");
  for (const core::Prefix& prefix : prefixes) {
    if (const string_view reason = objection(prefix, rules); !reason.empty()) return rejected(reason);
  }
  for (const core::Prefix& prefix : prefixes) out.push_back(value_of(prefix));
  return ValueVerdict{};
}

struct HostPort {
  string_view host;
  std::uint16_t port = 0;
  bool wrong_port = false;
};

// "host", "host:443", "[2001:db8::1]:443". More than one colon without brackets is an IPv6 address.
HostPort split_port(string_view text) {
  HostPort out{text};
  string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return out;
    out.host = text.substr(1, close - 1);
    if (close + 1 == text.size()) return out;
    if (text[close + 1] != ':') return {text};
    port = text.substr(close + 2);
  } else {
    const auto colon = text.find(':');
    if (colon == text.npos || text.find(':', colon + 1) != text.npos) return out;
    out.host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  out.port = port_of(port);
  out.wrong_port = out.port == 0;
  return out;
}

// `text` begins behind "scheme://" or has no scheme; `whole` is the canonical text.
ValueVerdict read_url(string_view text, string_view scheme, string_view whole, const ValueRules& rules,
                      std::vector<FeedValue>& out) {
  string_view authority = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const HostPort parts = split_port(authority);
  if (parts.wrong_port) return rejected("port that is none");
  FeedValue value = value_of(FeedKind::kUrl, std::string(whole));
  value.port = parts.port;
  if (value.port == 0) value.port = scheme == "https" ? 443 : scheme == "http" ? 80 : scheme == "ftp" ? 21 : 0;
  if (const auto ip = core::Ip::parse(parts.host)) {
    value.prefix = core::Prefix::of(*ip, ip->is_v4() ? 32 : 128);
    if (const string_view reason = objection(value.prefix, rules); !reason.empty()) return rejected(reason);
  } else {
    value.host = canonical_domain(parts.host);
    if (value.host.empty()) return rejected("URL without a host");
  }
  if (std::any_of(whole.begin(), whole.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return rejected("control character in a URL");
  out.push_back(std::move(value));
  return {};
}

// "scheme://": letters, digits, "+", "-", ".". Empty if there is none.
string_view scheme_of(string_view text) {
  const auto at = text.find("://");
  if (at == text.npos || at == 0 || at > 20 || !is_letter(text.front())) return {};
  const string_view scheme = text.substr(0, at);
  const bool good = std::all_of(scheme.begin(), scheme.end(),
                                [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
  return good ? scheme : string_view{};
}

std::optional<ValueVerdict> read_full_url(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  const string_view scheme = scheme_of(text);
  if (scheme.empty()) return std::nullopt;
  const std::string lower = core::lower(scheme);
  const string_view rest = text.substr(scheme.size() + 3);
  return read_url(rest, lower, lower + "://" + std::string(rest), rules, out);
}

// "name.example", "name.example:8080", "name.example/path".
ValueVerdict read_name(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  if (text.find('*') != text.npos) return ignored("name with a wildcard");
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return rejected("name that is not ASCII");
  if (text.find_first_of("/?") != text.npos) {
    if (!canonical_domain(split_port(text.substr(0, text.find_first_of("/?"))).host).empty())
      return read_url(text, "", text, rules, out);
    return rejected("not an indicator");
  }
  const HostPort parts = split_port(text);
  if (parts.wrong_port) return rejected("not an indicator");
  FeedValue value = value_of(FeedKind::kDomain, canonical_domain(parts.host));
  if (value.value.empty()) return rejected("not an indicator");
  value.port = parts.port;
  out.push_back(std::move(value));
  return {};
}

// The address kinds: prefix, range, address with port. Nullopt: none of them.
std::optional<ValueVerdict> read_address(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  if (auto range = read_range(text, rules, out)) return range;
  if (const auto prefix = core::Prefix::parse(text)) return give(*prefix, 0, rules, out);
  const HostPort parts = split_port(text);
  if (parts.host.size() != text.size()) {
    if (const auto prefix = core::Prefix::parse(parts.host)) {
      // "192.0.2.1:8080/x" is a URL without scheme.
      if (parts.wrong_port && text.find('/') != text.npos) return std::nullopt;
      if (parts.wrong_port) return rejected("port that is none");
      return give(*prefix, parts.port, rules, out);
    }
  }
  return std::nullopt;
}

ValueVerdict read_hex(string_view text, FeedKind kind, std::initializer_list<std::size_t> sizes, string_view wrong,
                      std::vector<FeedValue>& out) {
  std::string hex;
  hex.reserve(text.size());
  for (const char c : text) {
    if (c != ':' && c != ' ') hex += core::lower_char(c);
  }
  if (!is_hex(hex) || std::find(sizes.begin(), sizes.end(), hex.size()) == sizes.end()) return rejected(wrong);
  out.push_back(value_of(kind, std::move(hex)));
  return {};
}

// One hash, or several of one file with semicolons between them.
bool file_hashes(string_view text) {
  while (!text.empty()) {
    const string_view one = core::trim(core::take_until(text, ';'));
    if (one.size() != 32 && one.size() != 40 && one.size() != 64 && one.size() != 96 && one.size() != 128) return false;
    if (!is_hex(one)) return false;
  }
  return true;
}

bool ja4_look(string_view text) {
  // "t13d1516h2_8daaf6152771_b186095e22b6", "t130200_1301_a56c5b993250".
  return text.size() >= 10 && text.size() <= 100 && std::count(text.begin(), text.end(), '_') == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

ValueVerdict read_text(string_view text, FeedKind kind, std::vector<FeedValue>& out) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return rejected("control character in a value");
  out.push_back(value_of(kind, std::string(text)));
  return {};
}

// "name|192.0.2.1": two statements. If one of them cannot be used the other stands alone.
ValueVerdict read_both(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  const auto bar = text.find('|');
  if (bar == text.npos) return rejected("not a domain and an address");
  const auto first =
      read_value(core::trim(text.substr(0, bar)), KindName{KindName::Meaning::kKind, FeedKind::kDomain}, rules, out);
  const auto second =
      read_value(core::trim(text.substr(bar + 1)), KindName{KindName::Meaning::kKind, FeedKind::kPrefix}, rules, out);
  if (!out.empty()) return {};
  return first.fate == ValueFate::kRejected ? first : second;
}

struct NamedKind {
  string_view name;
  KindName kind;
};

using Meaning = KindName::Meaning;

constexpr KindName kind(FeedKind kind, FeedRole role = FeedRole::kAny) { return {Meaning::kKind, kind, role, {}}; }
constexpr KindName other(string_view reason) { return {Meaning::kIgnored, FeedKind::kPrefix, FeedRole::kAny, reason}; }
constexpr KindName with_port(FeedRole role = FeedRole::kAny) {
  return {Meaning::kAddressAndPort, FeedKind::kPrefix, role, {}};
}

// STIX object types, MISP attribute types (of MISP's describeTypes), ThreatFox's and what else columns say.
constexpr std::array kNames = {
    NamedKind{"auto", {Meaning::kAuto}},
    NamedKind{"any", {Meaning::kAuto}},
    NamedKind{"indicator", {Meaning::kAuto}},
    NamedKind{"ioc", {Meaning::kAuto}},
    NamedKind{"network", {Meaning::kAuto}},
    NamedKind{"prefix", kind(FeedKind::kPrefix)},
    NamedKind{"ip", kind(FeedKind::kPrefix)},
    NamedKind{"ips", kind(FeedKind::kPrefix)},
    NamedKind{"ipv4", kind(FeedKind::kPrefix)},
    NamedKind{"ipv6", kind(FeedKind::kPrefix)},
    NamedKind{"ipv4-addr", kind(FeedKind::kPrefix)},
    NamedKind{"ipv6-addr", kind(FeedKind::kPrefix)},
    NamedKind{"ip-address", kind(FeedKind::kPrefix)},
    NamedKind{"ip-addr", kind(FeedKind::kPrefix)},
    NamedKind{"ipaddress", kind(FeedKind::kPrefix)},
    NamedKind{"address", kind(FeedKind::kPrefix)},
    NamedKind{"cidr", kind(FeedKind::kPrefix)},
    NamedKind{"netblock", kind(FeedKind::kPrefix)},
    NamedKind{"ip-src", kind(FeedKind::kPrefix, FeedRole::kSource)},
    NamedKind{"ip-dst", kind(FeedKind::kPrefix, FeedRole::kDestination)},
    NamedKind{"ip:port", with_port()},
    NamedKind{"ip-port", with_port()},
    NamedKind{"ip-src|port", with_port(FeedRole::kSource)},
    NamedKind{"ip-dst|port", with_port(FeedRole::kDestination)},
    NamedKind{"hostname|port", kind(FeedKind::kDomain)},
    NamedKind{"as", kind(FeedKind::kAutonomousSystem)},
    NamedKind{"asn", kind(FeedKind::kAutonomousSystem)},
    NamedKind{"autonomous-system", kind(FeedKind::kAutonomousSystem)},
    NamedKind{"domain", kind(FeedKind::kDomain)},
    NamedKind{"domain-name", kind(FeedKind::kDomain)},
    NamedKind{"domainname", kind(FeedKind::kDomain)},
    NamedKind{"hostname", kind(FeedKind::kDomain)},
    NamedKind{"host", kind(FeedKind::kDomain)},
    NamedKind{"fqdn", kind(FeedKind::kDomain)},
    NamedKind{"domain|ip", {Meaning::kDomainAndAddress}},
    NamedKind{"url", kind(FeedKind::kUrl)},
    NamedKind{"certificate", kind(FeedKind::kCertificateFingerprint)},
    NamedKind{"certificate-fingerprint", kind(FeedKind::kCertificateFingerprint)},
    NamedKind{"x509-fingerprint-sha1", kind(FeedKind::kCertificateFingerprint)},
    NamedKind{"x509-fingerprint-sha256", kind(FeedKind::kCertificateFingerprint)},
    NamedKind{"sslcert-sha1", kind(FeedKind::kCertificateFingerprint)},
    NamedKind{"certificate-subject", kind(FeedKind::kCertificateSubject)},
    NamedKind{"certificate-issuer", kind(FeedKind::kCertificateIssuer)},
    NamedKind{"ja3", kind(FeedKind::kJa3)},
    NamedKind{"ja3-md5", kind(FeedKind::kJa3)},
    NamedKind{"ja3-fingerprint-md5", kind(FeedKind::kJa3)},
    NamedKind{"ja3s", kind(FeedKind::kJa3s)},
    NamedKind{"ja3s-fingerprint-md5", kind(FeedKind::kJa3s)},
    NamedKind{"ja4", kind(FeedKind::kJa4)},
    NamedKind{"ja4s", kind(FeedKind::kJa4s)},
    NamedKind{"jarm", kind(FeedKind::kJarm)},
    NamedKind{"jarm-fingerprint", kind(FeedKind::kJarm)},
    NamedKind{"hassh", kind(FeedKind::kHassh)},
    NamedKind{"hassh-md5", kind(FeedKind::kHassh)},
    NamedKind{"hassh-server", kind(FeedKind::kHasshServer)},
    NamedKind{"hasshserver-md5", kind(FeedKind::kHasshServer)},
    NamedKind{"ssh-fingerprint", kind(FeedKind::kSshKey)},
    NamedKind{"ssh-key", kind(FeedKind::kSshKey)},
    NamedKind{"banner", kind(FeedKind::kBanner)},
    NamedKind{"user-agent", kind(FeedKind::kUserAgent)},
    NamedKind{"http-user-agent", kind(FeedKind::kUserAgent)},
    NamedKind{"x509-fingerprint-md5", other("certificate MD5")},
    NamedKind{"certificate-serial", other("certificate serial number")},
    NamedKind{"hash", other("file hash")},
    NamedKind{"file", other("file hash")},
    NamedKind{"file-hash", other("file hash")},
    NamedKind{"md5", other("file hash")},
    NamedKind{"md5-hash", other("file hash")},
    NamedKind{"sha1", other("file hash")},
    NamedKind{"sha1-hash", other("file hash")},
    NamedKind{"sha224", other("file hash")},
    NamedKind{"sha256", other("file hash")},
    NamedKind{"sha256-hash", other("file hash")},
    NamedKind{"sha384", other("file hash")},
    NamedKind{"sha512", other("file hash")},
    NamedKind{"sha3-384", other("file hash")},
    NamedKind{"sha3-384-hash", other("file hash")},
    NamedKind{"ssdeep", other("file hash")},
    NamedKind{"imphash", other("file hash")},
    NamedKind{"tlsh", other("file hash")},
    NamedKind{"vhash", other("file hash")},
    NamedKind{"authentihash", other("file hash")},
    NamedKind{"pehash", other("file hash")},
    NamedKind{"filename|md5", other("file hash")},
    NamedKind{"filename|sha1", other("file hash")},
    NamedKind{"filename|sha256", other("file hash")},
    NamedKind{"malware-sample", other("file")},
    NamedKind{"attachment", other("file")},
    NamedKind{"filename", other("file name")},
    NamedKind{"filepath", other("file name")},
    NamedKind{"email", other("mail address")},
    NamedKind{"email-addr", other("mail address")},
    NamedKind{"email-src", other("mail address")},
    NamedKind{"email-dst", other("mail address")},
    NamedKind{"email-subject", other("mail subject")},
    NamedKind{"regkey", other("registry key")},
    NamedKind{"regkey|value", other("registry key")},
    NamedKind{"windows-registry-key", other("registry key")},
    NamedKind{"mutex", other("mutex")},
    NamedKind{"yara", other("rule of another tool")},
    NamedKind{"snort", other("rule of another tool")},
    NamedKind{"sigma", other("rule of another tool")},
    NamedKind{"uri", other("URL path without a host")},
    NamedKind{"port", other("port without an address")},
};

}  // namespace

KindName kind_of_name(string_view text) {
  text = core::trim(text);
  if (text.size() > 40) return {};
  std::string wanted = core::lower(text);
  std::replace_if(wanted.begin(), wanted.end(), [](char c) { return c == '_' || c == ' '; }, '-');
  const auto* at = std::find_if(kNames.begin(), kNames.end(), [&](const NamedKind& n) { return n.name == wanted; });
  return at == kNames.end() ? KindName{} : at->kind;
}

bool is_hex(string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::uint32_t autonomous_system_of(string_view text, bool bare) {
  text = core::trim(text);
  const bool marked = text.size() > 2 && core::equals_ignore_case(text.substr(0, 2), "as");
  if (marked) {
    text.remove_prefix(2);
    if (!text.empty() && core::lower_char(text.front()) == 'n') text.remove_prefix(1);
    text = core::trim(text);
  }
  if (!marked && !bare) return 0;
  return core::parse_number<std::uint32_t>(text).value_or(0);
}

std::string canonical_domain(string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return {};
  std::size_t labels = 0;
  string_view last;
  for (string_view rest = text;;) {
    const auto dot = rest.find('.');
    last = rest.substr(0, dot);
    ++labels;
    const bool good = !last.empty() && last.size() <= 63 && last.front() != '-' && last.back() != '-' &&
                      std::all_of(last.begin(), last.end(),
                                  [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
    if (!good) return {};
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (labels < 2 || last.size() < 2 || !is_letter(last.front())) return {};
  return core::lower(text);
}

ValueVerdict read_value(string_view text, const ValueRules& rules, std::vector<FeedValue>& out) {
  if (text.empty()) return rejected("no value");
  if (text.size() > kLongestValue) return rejected("value too long");
  if (auto address = read_address(text, rules, out)) return *address;
  if (auto url = read_full_url(text, rules, out)) return *url;
  if (text.front() == '/') return ignored("URL path without a host");
  if (file_hashes(text)) return ignored("file hash");
  if (const std::uint32_t number = autonomous_system_of(text, false); number != 0) {
    out.push_back(value_of(FeedKind::kAutonomousSystem, "AS" + std::to_string(number)));
    out.back().autonomous_system = number;
    return {};
  }
  // "192.0.2.1/index.html", "192.0.2.1:8080/1.sh": a URL without scheme. A number behind the slash of an address alone
  // would be a length of a prefix.
  if (const auto slash = text.find('/'); slash != text.npos && slash + 1 < text.size()) {
    const HostPort parts = split_port(text.substr(0, slash));
    if (core::Ip::parse(parts.host) && (parts.port != 0 || !is_digit(text[slash + 1])))
      return read_url(text, "", text, rules, out);
  }
  if (const auto at = text.find('@'); at != text.npos && at > 0 && !canonical_domain(text.substr(at + 1)).empty() &&
                                      text.find_first_of(" /:") == text.npos)
    return ignored("mail address");
  return read_name(text, rules, out);
}

ValueVerdict read_value(string_view text, const KindName& kind, const ValueRules& rules, std::vector<FeedValue>& out) {
  if (text.empty()) return rejected("no value");
  if (kind.meaning == Meaning::kIgnored) return ignored(kind.ignored);
  if (text.size() > kLongestValue) return rejected("value too long");
  const std::size_t before = out.size();
  const auto with_role = [&](ValueVerdict verdict) {
    for (std::size_t i = before; i < out.size(); ++i) out[i].role = kind.role;
    return verdict;
  };
  switch (kind.meaning) {
    case Meaning::kAuto: return read_value(text, rules, out);
    case Meaning::kDomainAndAddress: return read_both(text, rules, out);
    case Meaning::kAddressAndPort: {
      // "192.0.2.1|443" of MISP, "192.0.2.1:443" of others.
      const auto bar = text.find('|');
      if (bar == text.npos) {
        auto address = read_address(text, rules, out);
        return address ? with_role(std::move(*address)) : rejected("not an address and a port");
      }
      const auto ip = core::Ip::parse(core::trim(text.substr(0, bar)));
      const std::uint16_t port = port_of(core::trim(text.substr(bar + 1)));
      if (!ip || port == 0) return rejected("not an address and a port");
      return with_role(give(core::Prefix::of(*ip, ip->is_v4() ? 32 : 128), port, rules, out));
    }
    case Meaning::kKind: break;
    case Meaning::kIgnored:
    case Meaning::kUnknown: return rejected("unknown kind");
  }
  switch (kind.kind) {
    case FeedKind::kPrefix: {
      auto address = read_address(text, rules, out);
      return address ? with_role(std::move(*address)) : rejected("not an address");
    }
    case FeedKind::kAutonomousSystem: {
      const std::uint32_t number = autonomous_system_of(text, true);
      if (number == 0) return rejected("not a number of an autonomous system");
      out.push_back(value_of(kind.kind, "AS" + std::to_string(number)));
      out.back().autonomous_system = number;
      return {};
    }
    case FeedKind::kDomain: {
      // "host|8080" of MISP. Some lists have addresses among their hosts.
      if (const auto bar = text.find('|'); bar != text.npos) {
        const std::uint16_t port = port_of(text.substr(bar + 1));
        FeedValue value = value_of(kind.kind, canonical_domain(text.substr(0, bar)));
        if (port == 0 || value.value.empty()) return rejected("not a host and a port");
        value.port = port;
        out.push_back(std::move(value));
        return {};
      }
      if (auto address = read_address(text, rules, out)) return *address;
      ValueVerdict verdict = read_name(text, rules, out);
      if (verdict.fate == ValueFate::kRejected && verdict.reason == "not an indicator") verdict.reason = "not a domain";
      return verdict;
    }
    case FeedKind::kUrl: {
      if (auto url = read_full_url(text, rules, out)) return *url;
      return read_url(text, "", text, rules, out);
    }
    case FeedKind::kCertificateFingerprint:
      return read_hex(text, kind.kind, {40, 64}, "not a fingerprint of a certificate", out);
    case FeedKind::kJa3:
    case FeedKind::kJa3s:
    case FeedKind::kHassh:
    case FeedKind::kHasshServer: return read_hex(text, kind.kind, {32}, "not an MD5 fingerprint", out);
    case FeedKind::kJarm: return read_hex(text, kind.kind, {62}, "not a JARM fingerprint", out);
    case FeedKind::kJa4:
    case FeedKind::kJa4s:
      if (!ja4_look(text)) return rejected("not a JA4 fingerprint");
      out.push_back(value_of(kind.kind, core::lower(text)));
      return {};
    case FeedKind::kSshKey: {
      if (!text.starts_with("SHA256:")) return ignored("SSH key that is not given by SHA-256");
      while (text.ends_with('=')) text.remove_suffix(1);
      if (text.size() != 7 + 43) return rejected("not a fingerprint of an SSH key");
      return read_text(text, kind.kind, out);
    }
    case FeedKind::kCertificateSubject:
    case FeedKind::kCertificateIssuer:
    case FeedKind::kBanner:
    case FeedKind::kUserAgent: return read_text(text, kind.kind, out);
  }
  return rejected("unknown kind");
}

}  // namespace orbwatch::intel
