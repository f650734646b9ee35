// Censys: hosts as JSON lines, of the Search API (version 2) and of the Platform (version 3), bare or as the API wraps
// them. Spec: https://docs.censys.com (host data set), https://search.censys.io/api (GET /v2/hosts/{ip}).
//
// Three sample records (shortened):
//   {"ip":"192.0.2.7","services":[{"port":443,"service_name":"HTTP","transport_protocol":"TCP","observed_at":"2026-...","jarm":...
//   {"host":{"ip":"192.0.2.7","services":[{"port":22,"protocol":"SSH","transport_protocol":"tcp","scan_time":"2026-...",...
//   {"code":200,"status":"OK","result":{"ip":"192.0.2.7","services":[...]}}
//
// Each service is an event. Ignored by name: hosts without services.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/time.h"
#include "decode/device_record.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("censys: not JSON");
const Symbol kNoAddress = core::intern("censys: no address");
const Symbol kNoTime = core::intern("censys: no time");
const Symbol kNoServices = core::intern("censys host without services");

struct Service {
  std::string_view port, name, transport, time;
  ServiceFacts facts;
};

struct Host {
  std::string_view ip, time, os;
  bool broken = false;
};

// What the API puts around a host.
bool is_wrapper(std::string_view key) {
  return key == "result" || key == "resource" || key == "host" || key == "host_v1";
}

class Censys final : public RecordDecoder {
 public:
  explicit Censys(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) return false;
    if (json::raw_member(r.message, "services").starts_with('['))
      return json::raw_member(r.message, "ip").starts_with('"');
    for (const std::string_view key : {"host", "resource", "host_v1", "result"}) {
      // The member reaches from its first byte to the record's end.
      std::string_view inner = json::raw_member(r.message, key);
      for (const std::string_view deeper : {"host", "host_v1", "resource"}) {
        if (!inner.starts_with('{')) break;
        if (const auto found = json::raw_member(inner, deeper); found.starts_with('{')) inner = found;
      }
      if (inner.starts_with('{') && json::raw_member(inner, "services").starts_with('[') &&
          json::raw_member(inner, "ip").starts_with('"'))
        return true;
    }
    return false;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r.message, object)) return Fate::rejected(kNotJson);
    Host host;
    services_.clear();
    const Walk walk = json::each_field(object, [&](std::string_view key, Value& value) {
      member(key, value, host, 0);
      return !host.broken;
    });
    if (walk == Walk::kBroken || host.broken) return Fate::rejected(kNotJson);
    e.source_ip = json::ip(host.ip);
    if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
    if (services_.empty()) return Fate::ignored(kNoServices);
    e.client_os = short_symbol(host.os);
    Observations out(r, e);
    for (const Service& s : services_) {
      std::string_view text = s.time.empty() ? host.time : s.time;
      const core::Nanoseconds time = core::parse_iso8601(text, times_).value_or(0);
      if (time == 0) continue;
      Event& next = out.next();
      next.time = time;
      next.source_port = json::port(s.port);
      // QUIC is TLS over UDP.
      next.protocol = s.transport == "QUIC" || s.transport == "quic" ? 17 : protocol_number(s.transport);
      next.application = lower_symbol(s.name);
      put_facts(next, s.facts, buffer_);
    }
    return out.any() ? Fate::kept() : Fate::rejected(kNoTime);
  }

 private:
  void member(std::string_view key, Value& value, Host& host, int depth) {
    if (key == "ip") {
      host.ip = json::text(value);
    } else if (key == "last_updated_at") {
      host.time = json::text(value);
    } else if (key == "operating_system") {
      json::each_field(value, [&](std::string_view k, Value& v) {
        if (k == "product") host.os = json::text(v);
        return true;
      });
    } else if (key == "services") {
      host.broken |= each_item(value, [&](Value& item) {
                       services_.emplace_back();
                       host.broken |= service(item, services_.back()) == Walk::kBroken;
                       return !host.broken;
                     }) == Walk::kBroken;
    } else if (is_wrapper(key) && depth < 3) {
      host.broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                       member(k, v, host, depth + 1);
                       return !host.broken;
                     }) == Walk::kBroken;
    }
  }

  static Walk service(Value& value, Service& s) {
    return json::each_field(value, [&](std::string_view key, Value& v) {
      if (key == "port") {
        s.port = json::text(v);
      } else if (key == "service_name" || key == "protocol") {
        s.name = json::text(v);
      } else if (key == "transport_protocol") {
        s.transport = json::text(v);
      } else if (key == "observed_at" || key == "scan_time") {
        s.time = json::text(v);
      } else {
        take_facts(s.facts, "", key, v);
      }
      return true;
    });
  }

  core::TimeReader times_;
  json::Parser parser_;
  std::vector<Service> services_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_censys(const core::TimeReader& times) { return std::make_unique<Censys>(times); }

}  // namespace orbwatch::decode
