// Access logs of AWS Elastic Load Balancing: Application (ALB), Network (NLB, TLS listeners) and Classic Load
// Balancers, and the connection logs of Application Load Balancers. Spec:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html,
// .../application/load-balancer-connection-logs.html, .../network/load-balancer-access-logs.html,
// .../classic/access-log-collection.html
//
// Four sample records (shortened):
//   https 2026-11-22T08:00:00.186641Z app/web/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0
//   57 "GET https://www.example.com:443/ HTTP/1.1" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:...
//   "Root=1-..." tls 2.0 2026-11-22T08:00:00 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.7:51341 10.0.0.1:443
//   5 2 98 246 - ... 2026-11-22T08:00:00.945958Z classic 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200
//   200 0 29 "GET ..." ... 2026-11-22T08:00:00.514108Z 203.0.113.7 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036
//   "CN=..." ...
//
// New versions append fields. The target behind the load balancer is not what the client reached and is left out.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/cells.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kTooFew = core::intern("aws_elb: too few fields");
const Symbol kNoTime = core::intern("aws_elb: no time");
const Symbol kNoAddress = core::intern("aws_elb: no client address");
const Symbol kApplicationCode = core::intern("alb");
const Symbol kConnectionCode = core::intern("alb_connection");
const Symbol kNetworkCode = core::intern("nlb");
const Symbol kClassicCode = core::intern("classic");
const Symbol kTls = core::intern("tls");

enum class Kind : std::uint8_t { kNone, kApplication, kConnection, kNetwork, kClassic };

// "2026-11-22T08:00:00" at the cursor, with or without fraction and Z.
bool skip_time(Scanner& s) {
  if (!is_digit(s.peek()) || s.peek(4) != '-' || s.peek(7) != '-' || s.peek(10) != 'T' || s.peek(13) != ':')
    return false;
  s.word();
  return s.skip(' ');
}

Kind kind_of(std::string_view line) {
  Scanner s(line.substr(0, 256));
  if (s.skip("tls ")) {
    s.word();
    return s.skip(' ') && skip_time(s) && s.skip("net/") ? Kind::kNetwork : Kind::kNone;
  }
  for (const std::string_view type : {"http ", "https ", "h2 ", "grpcs ", "ws ", "wss "}) {
    if (s.skip(type)) return skip_time(s) && s.skip("app/") ? Kind::kApplication : Kind::kNone;
  }
  if (!skip_time(s)) return Kind::kNone;
  core::Ip ip;
  if (s.ip(ip)) {
    if (!s.skip(' ') || s.port() == 0 || !s.skip(' ') || s.port() == 0) return Kind::kNone;
    return s.skip(" TLS") || s.skip(" - ") ? Kind::kConnection : Kind::kNone;
  }
  s.word();
  s.skip(' ');
  // The target is "-" where no backend took the request.
  if (!endpoint(s.word()).ip.present() || !s.skip(' ')) return Kind::kNone;
  if (const std::string_view target = s.word(); target != "-" && endpoint(target).port == 0) return Kind::kNone;
  return s.skip(' ') && (is_digit(s.peek()) || s.peek() == '-') ? Kind::kClassic : Kind::kNone;
}

// The line within a text record: what looks like an envelope may be the line's own time and name.
std::string_view line_of(const TextRecord& r, Kind& kind) {
  kind = kind_of(r.message);
  if (kind != Kind::kNone || r.raw.size() == r.message.size()) return r.message;
  kind = kind_of(r.raw);
  return r.raw;
}

class Row {
 public:
  explicit Row(std::string_view line) {
    each_cell(line, ' ', [this](std::size_t i, std::string_view cell, bool quoted) {
      if (quoted && cell.size() >= 2) cell = cell.substr(1, cell.size() - (cell.ends_with('"') ? 2 : 1));
      if (cell != "-") values_[i] = cell;
      count_ = i + 1;
      return count_ < kMost;
    });
  }
  std::size_t size() const { return count_; }
  // "" where there is none.
  std::string_view operator[](std::size_t i) const { return values_[i]; }

 private:
  static constexpr std::size_t kMost = 32;
  std::array<std::string_view, kMost> values_;
  std::size_t count_ = 0;
};

// "app/web/50dc6c495c0c9188": the name between.
Symbol name_of(std::string_view elb) {
  if (const auto slash = elb.find('/'); slash != elb.npos) {
    elb.remove_prefix(slash + 1);
    elb = elb.substr(0, elb.find('/'));
  }
  return core::intern(elb);
}

// "GET https://www.example.com:443/path HTTP/1.1"; of a TCP listener "- - - ".
void put_request(std::string_view request, Event& e) {
  const auto scheme = request.find("://");
  if (scheme == request.npos) return;
  if (!e.application.present()) {
    std::string_view name = request.substr(0, scheme);
    e.application = lower_symbol(name.substr(name.rfind(' ') + 1));
  }
  std::string_view host = request.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/ ?"));
  const auto colon = host.rfind(':');
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    e.destination_port = json::port(host.substr(colon + 1));
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!e.destination_name.present()) e.destination_name = lower_symbol(host);
}

bool put_client(std::string_view text, Event& e) {
  const Endpoint client = endpoint(text);
  e.source_ip = client.ip;
  e.source_port = client.port;
  return client.ip.present();
}

void put_connection(std::string_view received, std::string_view sent, Event& e) {
  e.event_class = Class::kConnection;
  e.activity = Activity::kEnd;
  e.action = Action::kAllowed;
  e.protocol = 6;
  e.source_bytes = json::number(received).value_or(0);
  e.destination_bytes = json::number(sent).value_or(0);
}

// An access log of an application load balancer.
Fate application(const Row& r, Event& e) {
  if (r.size() < 16) return Fate::rejected(kTooFew);
  e.time = json::utc_time(r[1]);
  if (e.time == 0) return Fate::rejected(kNoTime);
  if (!put_client(r[3], e)) return Fate::rejected(kNoAddress);
  put_connection(r[10], r[11], e);
  e.code = kApplicationCode;
  e.observer = name_of(r[2]);
  e.application = core::intern(r[0]);
  e.destination_name = lower_symbol(r[18]);
  put_request(r[12], e);
  json::set_user_agent(e, r[13]);
  e.protocol_version = core::intern(r[15]);
  if (const core::Nanoseconds began = json::utc_time(r[21]); began != 0 && began < e.time) e.duration = e.time - began;
  // The web application firewall is asked first; if it forbids, nothing else is executed.
  if (r[22] == "waf" && r[8] == "403") e.action = Action::kDenied;
  e.reason = closed_reason(r[24].empty() ? r[28] : r[24]);
  if (!r[29].empty()) e.session_id = core::hash64(r[29]);
  return Fate::kept();
}

Fate classic(const Row& r, Event& e) {
  if (r.size() < 12) return Fate::rejected(kTooFew);
  e.time = json::utc_time(r[0]);
  if (e.time == 0) return Fate::rejected(kNoTime);
  if (!put_client(r[2], e)) return Fate::rejected(kNoAddress);
  put_connection(r[9], r[10], e);
  e.code = kClassicCode;
  e.observer = core::intern(r[1]);
  put_request(r[11], e);
  json::set_user_agent(e, r[12]);
  e.protocol_version = core::intern(r[14]);
  return Fate::kept();
}

// A connection to a TLS listener of a network load balancer, logged when it ends.
Fate network(const Row& r, Event& e) {
  if (r.size() < 16) return Fate::rejected(kTooFew);
  e.time = json::utc_time(r[2]);
  if (e.time == 0) return Fate::rejected(kNoTime);
  if (!put_client(r[5], e)) return Fate::rejected(kNoAddress);
  put_connection(r[9], r[10], e);
  e.code = kNetworkCode;
  e.observer = name_of(r[3]);
  e.application = kTls;
  e.protocol_version = core::intern(r[15]);
  e.destination_name = lower_symbol(r[17]);
  if (const auto ms = json::number(r[7]))
    e.duration = seconds(*ms / 1000) + static_cast<int>(*ms % 1000) * core::kMillisecond;
  return Fate::kept();
}

// "CN=alice,O=example": the common name.
std::string_view common_name(std::string_view subject) {
  const auto at = subject.find("CN=");
  if (at == subject.npos || (at != 0 && subject[at - 1] != ',' && subject[at - 1] != ' ')) return {};
  return subject.substr(at + 3, subject.find(',', at) - at - 3);
}

// A connection that a client opened to an application load balancer: its TLS handshake, and who he is by his
// certificate.
Fate connection(const Row& r, Event& e) {
  if (r.size() < 10) return Fate::rejected(kTooFew);
  e.time = json::utc_time(r[0]);
  if (e.time == 0) return Fate::rejected(kNoTime);
  e.source_ip = given_ip(r[1]);
  if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
  const std::string_view status = r[10];
  const Outcome outcome = status == "Success"            ? Outcome::kSuccess
                          : status.starts_with("Failed") ? Outcome::kFailure
                          : r[4].empty() || r[5].empty() ? Outcome::kUnknown
                                                         : Outcome::kSuccess;
  if (r[7].empty()) {
    e.event_class = Class::kHandshake;
    e.activity = Activity::kObserved;
    e.outcome = outcome;
  } else {
    put_login(e, outcome, Service::kWeb);
    e.auth_method = AuthMethod::kCertificate;
    set_user(e, common_name(r[7]));
  }
  if (const auto why = status.find(':'); why != status.npos) e.reason = closed_reason(status.substr(why + 1));
  e.code = kConnectionCode;
  e.source_port = json::port(r[2]);
  e.destination_port = json::port(r[3]);
  e.protocol = 6;
  e.application = kTls;
  e.protocol_version = core::intern(r[4]);
  if (!r[11].empty()) e.session_id = core::hash64(r[11]);
  return Fate::kept();
}

class AwsElb final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Kind kind = Kind::kNone;
    line_of(r, kind);
    return kind != Kind::kNone;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Kind kind = Kind::kNone;
    const Row row(line_of(r, kind));
    e.observer = {};  // what an envelope calls a host may be the load balancer's name or the client
    switch (kind) {
      case Kind::kApplication: return application(row, e);
      case Kind::kConnection: return connection(row, e);
      case Kind::kNetwork: return network(row, e);
      default: return classic(row, e);
    }
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_aws_elb(const core::TimeReader&) { return std::make_unique<AwsElb>(); }

}  // namespace orbwatch::decode
