#include "export/output_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/ip.h"
#include "core/text.h"
#include "export/finding_words.h"
#include "export/formats.h"
#include "export/outputs/email_text.h"
#include "export/outputs/make.h"

namespace orbwatch::exporting {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kFacilities[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                            "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                            "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                            "local2", "local3", "local4", "local5", "local6",   "local7"};

constexpr std::size_t kLongestDatagram = 2'048;  // RFC 5424, 6.1: what receivers should take
constexpr std::size_t kLongestStreamMessage = 65'536;

std::string default_format(std::string_view type) {
  if (type == "syslog") return "syslog";
  return type == "email" ? "text" : "ndjson";
}

const Format& format_of(const OutputSettings& s) {
  const Format* format = find_format(s.format.empty() ? default_format(s.type) : s.format);
  return format != nullptr ? *format : kFormats[0];
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// Letters, digits, "-", "." (a name), or an address.
bool is_host(std::string_view host) {
  if (core::Ip::parse(host)) return host.find_first_of("[]%") == host.npos;
  return host.size() <= 253 && !host.empty() && host.front() != '-' && std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

// What stands between the scheme and the path, without port.
std::string_view host_of_url(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find(':'));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  const auto ip = core::Ip::parse(host);
  return ip && (*ip == *core::Ip::parse("::1") || (ip->is_v4() && ip->v4_value() >> 24 == 127));
}

}  // namespace

core::Expected<void> check(const OutputSettings& s) {
  const auto wrong = [&s](std::string_view key, std::string message, std::string_view seen = {},
                          std::string hint = {}) {
    const std::string name = s.name.empty() ? "?" : core::printable(s.name, 64);
    return core::fail(fmt::format("outputs.{}.{}: {}", name, key, message), core::printable(seen, 100),
                      std::move(hint));
  };
  const bool named = !s.name.empty() && s.name.size() <= 64 && std::ranges::all_of(s.name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!named) return wrong("name", "must be 1 to 64 of a-z, 0-9, - and _", s.name);
  const bool file = s.type == "file", syslog = s.type == "syslog", webhook = s.type == "webhook",
             email = s.type == "email";
  if (!file && !syslog && !webhook && !email)
    return wrong("type", "no such type", s.type, "known: file, syslog, webhook, email");
  if (!s.format.empty() && find_format(s.format) == nullptr)
    return wrong("format", "no such format", s.format, "known: " + format_names());
  if (syslog && !format_of(s).one_line) return wrong("format", "syslog needs a format of one line", s.format);
  // What another type has is a mistake, not a thing to pass over.
  const struct {
    std::string_view key;
    bool given;
    bool wanted;
  } keys[] = {
      {"path", !s.path.empty(), file},
      {"host", !s.host.empty(), syslog || email},
      {"port", s.port != 0, syslog || email},
      {"url", !s.url.empty(), webhook},
      {"secret_file", !s.secret_file.empty(), webhook},
      {"authorization_file", !s.authorization_file.empty(), webhook},
      {"proxy", !s.proxy.empty(), webhook},
      {"from", !s.from.empty(), email},
      {"to", !s.to.empty(), email},
      {"user", !s.user.empty(), email},
      {"password_file", !s.password_file.empty(), email},
      {"ca_file", !s.ca_file.empty(), !file},
      {"certificate_file", !s.certificate_file.empty(), !file},
      {"key_file", !s.key_file.empty(), !file},
  };
  for (const auto& key : keys) {
    if (key.given && !key.wanted) return wrong(key.key, fmt::format("an output of type {} has no such key", s.type));
  }
  if (file && (s.path.empty() || s.path.find('\0') != s.path.npos)) return wrong("path", "is missing");
  if (syslog || email) {
    if (!is_host(s.host)) return wrong("host", s.host.empty() ? "is missing" : "is no name and no address", s.host);
    if (s.port > 65'535) return wrong("port", "must be 1 to 65535", std::to_string(s.port));
  }
  if (syslog) {
    if (s.transport != "udp" && s.transport != "tcp" && s.transport != "tls")
      return wrong("transport", "no such transport", s.transport, "known: udp, tcp, tls");
    if (std::ranges::find(kFacilities, s.facility) == std::end(kFacilities))
      return wrong("facility", "no such facility", s.facility, "known: local0 to local7, auth, authpriv, daemon, ...");
  }
  if (webhook) {
    // What is wrong in it is not shown: an address of a webhook may be a secret.
    const bool tls = s.url.starts_with("https://");
    if (!tls && !s.url.starts_with("http://")) return wrong("url", "must begin with https:// or http://");
    const std::string_view authority = std::string_view(s.url).substr(0, s.url.find_first_of("/?#", tls ? 8 : 7));
    if (!is_plain(s.url) || s.url.size() > 2'000 || !is_host(host_of_url(s.url))) return wrong("url", "is no address");
    if (authority.find('@') != authority.npos)
      return wrong("url", "must hold no user and no password", "", "authorization_file");
    if (!tls && !s.authorization_file.empty() && !is_loopback(host_of_url(s.url)))
      return wrong("authorization_file", "is sent by https only, or to this computer");
    if (!s.proxy.empty() &&
        (!is_plain(s.proxy) || !s.proxy.starts_with("http://") || s.proxy.find('@') != s.proxy.npos))
      return wrong("proxy", "must be http://host:port");
  }
  if (email) {
    if (!is_email_address(s.from)) return wrong("from", s.from.empty() ? "is missing" : "is no address", s.from);
    if (s.to.empty() || s.to.size() > 100) return wrong("to", "needs 1 to 100 addresses");
    for (const std::string& to : s.to) {
      if (!is_email_address(to)) return wrong("to", "is no address", to);
    }
    if (s.security != "starttls" && s.security != "tls" && s.security != "none")
      return wrong("security", "must be starttls, tls or none", s.security);
    if (s.user.empty() != s.password_file.empty()) return wrong("user", "user and password_file go together");
    if (!s.user.empty() && s.security == "none" && !is_loopback(s.host))
      return wrong("security", "a password is sent by TLS only, or to this computer");
    if (std::ranges::any_of(s.user, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
      return wrong("user", "holds control characters");
  }
  if (s.certificate_file.empty() != s.key_file.empty())
    return wrong("certificate_file", "certificate_file and key_file go together");
  if (s.timeout_seconds < 1 || s.timeout_seconds > 300) return wrong("timeout", "must be 1 to 300 seconds");
  if (s.retry.first.count() < 1 || s.retry.longest < s.retry.first || s.retry.longest > std::chrono::hours(24))
    return wrong("retry", "must begin with at least 1 ms and end between that and a day");
  if (s.spool.most_messages < 1 || s.spool.most_messages > 1'000'000)
    return wrong("spool.most_alerts", "must be 1 to 1000000", std::to_string(s.spool.most_messages));
  if (s.spool.most_bytes < (1U << 16)) return wrong("spool.most_bytes", "must be at least 65536");
  if (!(s.rules.grown_by > 1 && s.rules.grown_by <= 1e6)) return wrong("grown_by", "must be more than 1");
  if (!(s.rules.per_hour > 0 && s.rules.per_hour <= 1e6)) return wrong("rate.per_hour", "must be more than 0");
  if (!(s.rules.burst >= 1 && s.rules.burst <= 1e6)) return wrong("rate.burst", "must be at least 1");
  return {};
}

OutputSettings with_defaults(OutputSettings settings) {
  if (settings.format.empty()) settings.format = default_format(settings.type);
  if (settings.port == 0 && settings.type == "syslog") settings.port = settings.transport == "tls" ? 6514 : 514;
  if (settings.port == 0 && settings.type == "email") settings.port = settings.security == "tls" ? 465 : 587;
  return settings;
}

core::Expected<std::unique_ptr<Output>> make_output(const OutputSettings& given) {
  if (auto checked = check(given); !checked) return std::unexpected(checked.error());
  const OutputSettings settings = with_defaults(given);
  if (settings.type == "file") return make_file_output(settings);
  if (settings.type == "syslog") return make_syslog_output(settings);
  if (settings.type == "webhook") return make_webhook_output(settings);
  return make_email_output(settings);
}

core::Expected<Message> make_message(const score::Finding& finding, const OutputSettings& settings,
                                     core::Nanoseconds now) {
  const bool syslog = settings.type == "syslog";
  const Format& format = format_of(settings);
  RenderOptions options;
  options.now = now;
  options.organisation = settings.organisation;
  options.host = settings.report_host;
  if (options.host.empty()) {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) == 0) options.host = name;
  }
  std::size_t most = kLongestBody;
  if (syslog) {
    options.facility =
        static_cast<unsigned>(std::ranges::find(kFacilities, settings.facility) - std::begin(kFacilities));
    most = settings.transport == "udp" ? kLongestDatagram : kLongestStreamMessage;
    options.longest_message = std::min(most, options.longest_message);
  }
  Message message;
  message.id = bounded_utf8(finding.id, 128);
  message.subject = fmt::format("{}: {}", name(finding.severity), summary(finding, 150));
  message.media_type = format.media_type;
  message.time = moment_of(finding, now);
  // What is too long is rendered again with shorter values, so that it stays whole.
  for (const std::size_t longest : {std::size_t{1'023}, std::size_t{255}, std::size_t{63}, std::size_t{16}}) {
    options.longest_value = longest;
    message.body = format.render(finding, options);
    if (syslog && format.name != "syslog") message.body = in_syslog(finding, message.body, options);
    if (message.body.size() <= most) return message;
  }
  return std::unexpected(core::Error{"the finding does not fit into a message of " + settings.name,
                                     fmt::format("{} bytes, at most {}", message.body.size(), most),
                                     syslog ? "transport: tcp or tls, or another format" : "",
                                     core::ErrorKind::kOutput});
}

score::Finding test_finding(core::Nanoseconds now) {
  score::Finding f;
  f.id = fmt::format("test-{:016x}", static_cast<std::uint64_t>(now));
  f.time = f.end = now;
  f.severity = score::Severity::kInformational;
  f.user = "orbwatch-test";
  f.source.ip = *core::Ip::parse("192.0.2.1");
  f.source.asn = 64496;
  f.source.org = "Documentation";
  f.gateway = "orbwatch-test";
  f.hypothesis = "TEST: this message only shows that the output works. Nothing was found";
  f.evidence.push_back({kTestEvidence, kTestEvidence, detect::Group::kSource, detect::FindingKind::kLogin, 0,
                        "Sent by a person who tests the output"});
  f.advice = "Nothing is to be done.";
  return f;
}

}  // namespace orbwatch::exporting
