// ZGrab2: JSON lines, one target with the answers to one or more modules each.
// Spec: processing.go (Grab), module.go (ScanResponse), tls.go (TLSLog) and modules/*/scanner.go of zgrab2.
//
// Three sample records (shortened):
//   {"ip":"192.0.2.7","data":{"ssh":{"status":"success","protocol":"ssh","port":22,"result":{"server_id":{"raw":"SSH-2.0-...
//   {"ip":"192.0.2.7","data":{"http":{"status":"success","protocol":"http","result":{"response":{"headers":{"server":["...
//   {"ip":"192.0.2.7","data":{"telnet":{"status":"connection-timeout","protocol":"telnet","error":"dial tcp ..."}}}
//
// Each module that was answered is an event. Ignored by name: modules without an answer.
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "decode/device_record.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("zgrab2: not JSON");
const Symbol kNoAddress = core::intern("zgrab2: no address");
const Symbol kNoTime = core::intern("zgrab2: no time");
const Symbol kNoAnswer = core::intern("zgrab2 module without answer");

// Until 2024 zgrab2 did not write the port: what its modules use if not told otherwise.
std::uint16_t default_port(std::string_view protocol) {
  struct Row {
    std::string_view protocol;
    std::uint16_t port;
  };
  static constexpr std::array kPorts = {Row{"http", 80},   Row{"tls", 443},  Row{"ssh", 22},   Row{"ftp", 21},
                                        Row{"telnet", 23}, Row{"smtp", 25},  Row{"imap", 143}, Row{"pop3", 110},
                                        Row{"jarm", 443},  Row{"banner", 80}};
  for (const Row& row : kPorts) {
    if (row.protocol == protocol) return row.port;
  }
  return 0;
}

struct Answer {
  std::string_view status, protocol, port, time;
  bool result = false;
  ServiceFacts facts;
  std::string_view fingerprint;
};

class Zgrab2 final : public RecordDecoder {
 public:
  explicit Zgrab2(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    skip_token(text, "{");
    bool target = false;
    // ip, port and domain stand in this order, each may be absent; the port is a number.
    while (true) {
      std::string_view member = text;
      if (skip_token(member, "\"ip\"") || skip_token(member, "\"domain\"")) {
        if (!skip_token(member, ":") || !skip_string(member)) return false;
        target = true;
      } else if (skip_token(member, "\"port\"")) {
        if (!skip_token(member, ":")) return false;
        while (!member.empty() && (is_digit(member.front()) || member.front() == ' ')) member.remove_prefix(1);
      } else {
        break;
      }
      if (!skip_token(member, ",")) return false;
      text = member;
    }
    return target && skip_token(text, "\"data\"") && skip_token(text, ":") && skip_token(text, "{") &&
           skip_string(text) && skip_token(text, ":") && skip_token(text, "{") && skip_token(text, "\"status\"");
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    std::string_view ip;
    std::string_view domain;
    std::string_view port;
    answers_.clear();
    bool broken = false;
    const Walk walk = json::each_field(object, [&](std::string_view key, const Value& value) {
      if (key == "ip") ip = json::text(value);
      if (key == "domain") domain = json::text(value);
      if (key == "port") port = json::text(value);
      if (key == "data") {
        broken |= json::each_field(value, [&](std::string_view, const Value& module) {
                    answers_.emplace_back();
                    broken |= read(module, answers_.back()) == Walk::kBroken;
                    return !broken;
                  }) == Walk::kBroken;
      }
      return !broken;
    });
    if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    e.source_ip = json::ip(ip);
    if (!e.source_ip.present() && domain.empty()) return Fate::rejected(kNoAddress);
    e.destination_name = short_symbol(domain);
    if (answers_.empty()) return Fate::ignored(kNoAnswer);
    device_ = e;
    port_ = port;
    return Fate::several();
  }

  void decode_parts(const TextRecord&, Parts& parts) override {
    for (Answer& answer : answers_) parts.end(fill(answer, next_observation(parts, device_)), {});
  }

 private:
  static Walk read(const Value& module, Answer& answer) {
    return json::each_field(module, [&](std::string_view key, const Value& value) {
      if (key == "status") answer.status = json::text(value);
      if (key == "protocol") answer.protocol = json::text(value);
      if (key == "port") answer.port = json::text(value);
      if (key == "timestamp") answer.time = json::text(value);
      if (key == "result") {
        answer.result = json::is_object(value);
        json::each_field(value, [&](std::string_view k, const Value& v) {
          if (k == "fingerprint") {
            answer.fingerprint = json::text(v);
          } else {
            take_facts(answer.facts, "result", k, v);
          }
          return true;
        });
      }
      return true;
    });
  }

  // A module that got as far as a result found the port open, whatever went wrong afterwards.
  static bool answered(const Answer& a) { return a.status == "success" || a.result; }

  Fate fill(Answer& a, Event& e) {
    if (!answered(a)) return Fate::ignored(kNoAnswer);
    std::string_view text = a.time;
    e.time = core::parse_iso8601(text, times_).value_or(0);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.source_port = json::port(!a.port.empty() && a.port != "0" ? a.port : port_);
    if (e.source_port == 0) e.source_port = default_port(a.protocol);
    e.protocol = a.protocol == "ntp" || a.protocol == "bacnet" ? 17 : 6;
    e.application = lower_symbol(a.protocol);
    if (a.protocol == "jarm") a.facts.jarm = a.fingerprint;
    put_facts(e, a.facts, buffer_);
    return Fate::kept();
  }

  core::TimeReader times_;
  json::Parser parser_;
  // Of the record that decode() has read:
  Event device_;
  std::string_view port_;
  std::vector<Answer> answers_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_zgrab2(const core::TimeReader& times) { return std::make_unique<Zgrab2>(times); }

}  // namespace orbwatch::decode
