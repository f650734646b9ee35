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
#include <vector>

#include "core/time.h"
#include "decode/device_record.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

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
    const std::uint64_t keys = json::keys_of(r);
    if (json::has_all(keys, json::kServices | json::kIp) && is_host(r)) return true;
    return (keys & json::kWrappedHost) != 0 && wraps_host(r, 0);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    Host host;
    services_.clear();
    const Walk walk = json::each_field(object, [&](std::string_view key, const Value& value) {
      member(key, value, host, 0);
      return !host.broken;
    });
    if (walk == Walk::kBroken || host.broken) return Fate::rejected(kNotJson);
    e.source_ip = json::ip(host.ip);
    if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
    if (services_.empty()) return Fate::ignored(kNoServices);
    e.client_os = short_symbol(host.os);
    device_ = e;
    last_update_ = host.time;
    return Fate::several();
  }

  void decode_parts(const TextRecord&, Parts& parts) override {
    for (const Service& service : services_) parts.end(fill(service, next_observation(parts, device_)), {});
  }

 private:
  static constexpr int kDeepest = 3;  // wrappers around a host

  static bool is_host(const TextRecord& r) {
    return json::raw_member(r, "services").starts_with('[') && json::raw_member(r, "ip").starts_with('"');
  }

  static bool wraps_host(const TextRecord& r, int depth) {
    for (const std::string_view key : {"host"sv, "resource"sv, "host_v1"sv, "result"sv}) {
      TextRecord inner;
      inner.message = json::raw_member(r, key);  // from its first byte to the record's end
      inner.json = inner.message.starts_with('{');
      if (inner.json && (is_host(inner) || (depth + 1 < kDeepest && wraps_host(inner, depth + 1)))) return true;
    }
    return false;
  }

  void member(std::string_view key, const Value& value, Host& host, int depth) {
    if (key == "ip") {
      host.ip = json::text(value);
    } else if (key == "last_updated_at") {
      host.time = json::text(value);
    } else if (key == "operating_system") {
      json::each_field(value, [&](std::string_view k, const Value& v) {
        if (k == "product") host.os = json::text(v);
        return true;
      });
    } else if (key == "services") {
      host.broken |= json::each_element(value, [&](const Value& item) {
                       services_.emplace_back();
                       host.broken |= service(item, services_.back()) == Walk::kBroken;
                       return !host.broken;
                     }) == Walk::kBroken;
    } else if (is_wrapper(key) && depth < kDeepest) {
      host.broken |= json::each_field(value, [&](std::string_view k, const Value& v) {
                       member(k, v, host, depth + 1);
                       return !host.broken;
                     }) == Walk::kBroken;
    }
  }

  static Walk service(const Value& value, Service& s) {
    return json::each_field(value, [&](std::string_view key, const Value& v) {
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

  Fate fill(const Service& s, Event& e) {
    std::string_view text = s.time.empty() ? last_update_ : s.time;
    e.time = core::parse_iso8601(text, times_).value_or(0);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.source_port = json::port(s.port);
    // QUIC is TLS over UDP.
    e.protocol = s.transport == "QUIC" || s.transport == "quic" ? 17 : protocol_number(s.transport);
    e.application = lower_symbol(s.name);
    put_facts(e, s.facts, buffer_);
    return Fate::kept();
  }

  core::TimeReader times_;
  json::Parser parser_;
  // Of the record that decode() has read:
  Event device_;
  std::string_view last_update_;
  std::vector<Service> services_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_censys(const core::TimeReader& times) { return std::make_unique<Censys>(times); }

}  // namespace orbwatch::decode
