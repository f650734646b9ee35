// Shodan: downloads (JSON lines, mostly .json.gz), one banner a line; and hosts as the API gives them, with their
// banners in `data`. Spec: https://datapedia.shodan.io (banner specification), https://developer.shodan.io/api (host
// information).
//
// Three sample records (shortened):
//   {"ip_str":"192.0.2.7","port":443,"transport":"tcp","timestamp":"2026-11-20T08:15:30.000000","ssl":{"jarm":"...","cert":...
//   {"ip_str":"192.0.2.7","port":22,"transport":"tcp","product":"Dropbear
//   sshd","data":"SSH-2.0-dropbear_2019.78\n...",...
//   {"ip_str":"192.0.2.7","ports":[22,443],"data":[{"port":22,...},{"port":443,...}]}
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/device_record.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("shodan: not JSON");
const Symbol kNoAddress = core::intern("shodan: no address");
const Symbol kNoTime = core::intern("shodan: no time");
const Symbol kNoBanner = core::intern("shodan host without banners");

struct Banner {
  std::string_view ip, port, transport, time, module, os, host;
  ServiceFacts facts;
  std::string subject, issuer;
};

// {"C":"US","O":"Example","CN":"router"} -> "C=US, O=Example, CN=router"
void append_name(std::string& out, const Value& value) {
  json::each_field(value, [&](std::string_view key, const Value& part) {
    const std::string_view text = json::text(part);
    if (text.empty() || out.size() > 512) return true;
    if (!out.empty()) out += ", ";
    out += key;
    out += '=';
    out += text;
    return true;
  });
}

class Shodan final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    return json::has_all(json::keys_of(r), json::kIpText | json::kPort);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    Banner top;
    banners_.clear();
    bool list = false;
    bool broken = false;
    const Walk walk = json::each_field(object, [&](std::string_view key, const Value& value) {
      if (key == "data" && json::is_array(value)) {
        list = true;
        broken |= json::each_element(value, [&](const Value& item) {
                    Banner banner;
                    broken |= json::each_field(item, [&](std::string_view k, const Value& v) {
                                member(k, v, banner);
                                return true;
                              }) == Walk::kBroken;
                    banners_.push_back(std::move(banner));
                    return !broken;
                  }) == Walk::kBroken;
      } else {
        member(key, value, top);
      }
      return !broken;
    });
    if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    e.source_ip = json::ip(top.ip);
    if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
    if (!list) banners_.push_back(top);
    if (banners_.empty()) return Fate::ignored(kNoBanner);
    e.client_host = short_symbol(top.host);
    e.client_os = short_symbol(top.os);
    device_ = e;
    last_update_ = top.time;
    return Fate::several();
  }

  void decode_parts(const TextRecord&, Parts& parts) override {
    for (Banner& banner : banners_) parts.end(fill(banner, next_observation(parts, device_)), {});
  }

 private:
  static void member(std::string_view key, const Value& value, Banner& b) {
    struct Row {
      std::string_view key;
      std::string_view Banner::* field;
    };
    static constexpr std::array kRows = {Row{"ip_str", &Banner::ip},           Row{"port", &Banner::port},
                                         Row{"transport", &Banner::transport}, Row{"timestamp", &Banner::time},
                                         Row{"last_update", &Banner::time},    Row{"os", &Banner::os}};
    for (const Row& row : kRows) {
      if (row.key == key) {
        b.*row.field = json::text(value);
        return;
      }
    }
    if (key == "product") b.facts.product = json::text(value);
    if (key == "version") b.facts.product_version = json::text(value);
    if (key == "data") b.facts.banner = json::text(value);
    if (key == "http") take_facts(b.facts, "", key, value);
    if (key == "ssl") ssl(value, b);
    if (key == "hostnames") {
      json::each_element(value, [&](const Value& item) {
        b.host = json::text(item);
        return false;
      });
    }
    if (key == "_shodan") {
      json::each_field(value, [&](std::string_view k, const Value& v) {
        if (k == "module") b.module = json::text(v);
        return true;
      });
    }
  }

  static void ssl(const Value& value, Banner& b) {
    json::each_field(value, [&](std::string_view key, const Value& v) {
      if (key == "jarm") b.facts.jarm = json::text(v);
      if (key == "ja3s") b.facts.ja3s = json::text(v);
      if (key == "ja4s") b.facts.ja4s = json::text(v);
      if (key == "cert") {
        json::each_field(v, [&](std::string_view k, const Value& name) {
          if (k == "subject") append_name(b.subject, name);
          if (k == "issuer") append_name(b.issuer, name);
          if (k == "fingerprint") hash(name, b.facts);
          return true;
        });
      }
      if (key == "cipher") {
        json::each_field(v, [&](std::string_view k, const Value& version) {
          if (k == "version") b.facts.tls_version = json::text(version);
          return true;
        });
      }
      return true;
    });
  }

  static void hash(const Value& value, ServiceFacts& facts) {
    json::each_field(value, [&](std::string_view key, const Value& v) {
      if (key == "sha256" || (key == "sha1" && facts.certificate.empty())) facts.certificate = json::text(v);
      return true;
    });
  }

  Fate fill(Banner& b, Event& e) {
    std::string_view text = b.time.empty() ? last_update_ : b.time;
    e.time = core::parse_iso8601(text, utc_).value_or(0);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.source_port = json::port(b.port);
    e.protocol = protocol_number(b.transport.empty() ? "tcp" : b.transport);
    e.application = lower_symbol(b.module);
    if (!b.os.empty()) e.client_os = short_symbol(b.os);
    b.facts.subject = b.subject;
    b.facts.issuer = b.issuer;
    put_facts(e, b.facts, buffer_);
    return Fate::kept();
  }

  core::TimeReader utc_;  // times have no zone and are UTC, whatever --tz says
  json::Parser parser_;
  // Of the record that decode() has read:
  Event device_;
  std::string_view last_update_;
  std::vector<Banner> banners_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_shodan(const core::TimeReader&) { return std::make_unique<Shodan>(); }

}  // namespace orbwatch::decode
