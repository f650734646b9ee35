// masscan: JSON (-oJ), JSON lines (-oD) and list (-oL). Its XML is read by nmap_xml.
// Spec: src/out-json.c, out-ndjson.c and out-text.c of masscan 1.3.
//
// Three sample records:
//   {   "ip": "192.0.2.7",   "timestamp": "1795162530", "ports": [ {"port": 80, "proto": "tcp", "status": "open", ...}
//   ] }
//   {"ip":"192.0.2.7","timestamp":"1795162530","port":22,"proto":"tcp","rec_type":"banner","data":{"service_name":"ssh",...
//   open tcp 443 192.0.2.7 1795162530
//
// Ignored by name: ports that are not open, the first and last line.
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

const Symbol kNotJson = core::intern("masscan: not JSON");
const Symbol kNoAddress = core::intern("masscan: no address");
const Symbol kNoTime = core::intern("masscan: no time");
const Symbol kNotOpen = core::intern("masscan port that is not open");
const Symbol kFrame = core::intern("masscan first or last line");
const Symbol kOpenCode = core::intern("open");
const Symbol kBannerCode = core::intern("banner");

struct Port {
  std::string_view number, protocol, status, service, banner;
};

// "open tcp 80 192.0.2.7 1795162530", "banner tcp 80 192.0.2.7 1795162530 http HTTP/1.1 200 OK\x0d\x0a..."
struct Line {
  Port port;
  core::Ip ip;
  std::string_view time;
};

bool read_line(std::string_view text, Line& line) {
  line.port.status = core::take_until(text, ' ');
  if (line.port.status != "open" && line.port.status != "closed" && line.port.status != "banner" &&
      line.port.status != "unknown" && line.port.status != "up")
    return false;
  line.port.protocol = core::take_until(text, ' ');
  line.port.number = core::take_until(text, ' ');
  const auto ip = core::Ip::parse(core::take_until(text, ' '));
  line.time = core::take_until(text, ' ');
  if (!ip || !json::number(line.port.number) || line.time.size() < 9 || !json::number(line.time)) return false;
  line.ip = *ip;
  if (line.port.status == "banner") {
    line.port.service = core::take_until(text, ' ');
    line.port.banner = text;
  }
  return true;
}

class Masscan final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    if (!r.json) {
      if (r.raw == "#masscan" || r.raw == "# end") return true;
      Line line;
      return !r.raw.empty() && r.raw.front() != '<' && read_line(r.raw, line);
    }
    std::string_view text = r.message;
    // Older versions end their list with {finished: 1}, which is no JSON.
    if (skip_token(text, "{") && skip_token(text, "finished")) return true;
    return skip_token(text, "\"ip\"") && skip_token(text, ":") && skip_string(text) && skip_token(text, ",") &&
           skip_token(text, "\"timestamp\"") && skip_token(text, ":") && skip_string(text) && skip_token(text, ",") &&
           (skip_token(text, "\"ports\"") || skip_token(text, "\"port\""));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (!r.json) {
      if (r.raw.front() == '#') return Fate::ignored(kFrame);
      Line line;
      if (!read_line(r.raw, line)) return Fate::rejected(kNoAddress);
      e.source_ip = line.ip;
      std::string_view time = line.time;
      e.time = core::parse_epoch(time).value_or(0);
      unescape_bytes(line.port.banner, banner_);  // the list writes \xHH
      line.port.banner = banner_;
      put_observed(e);
      return fill(line.port, e);
    }
    return object(r, e);
  }

  void decode_parts(const TextRecord&, Parts& parts) override {
    for (const Port& port : ports_) parts.end(fill(port, next_observation(parts, device_)), {});
  }

 private:
  Fate object(const TextRecord& r, Event& e) {
    std::string_view text = r.message;
    if (skip_token(text, "{") && skip_token(text, "finished")) return Fate::ignored(kFrame);
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    ports_.clear();
    std::string_view ip;
    std::string_view time;
    Port single;
    bool broken = false;
    const Walk walk = json::each_field(object, [&](std::string_view key, const Value& value) {
      if (key == "ip") {
        ip = json::text(value);
      } else if (key == "timestamp") {
        time = json::text(value);
      } else if (key == "ports") {
        broken |= json::each_element(value, [&](const Value& element) {
                    Port port;
                    broken |= json::each_field(element, [&](std::string_view k, const Value& v) {
                                member(k, v, port);
                                return true;
                              }) == Walk::kBroken;
                    ports_.push_back(port);
                    return !broken;
                  }) == Walk::kBroken;
      } else {
        member(key, value, single);
      }
      return !broken;
    });
    if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    if (!single.number.empty()) ports_.push_back(single);
    e.source_ip = json::ip(ip);
    e.time = core::parse_epoch(time).value_or(0);
    if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (ports_.empty()) return Fate::ignored(kNotOpen);
    device_ = e;
    return Fate::several();
  }

  static void member(std::string_view key, const Value& value, Port& port) {
    if (key == "port") port.number = json::text(value);
    if (key == "proto") port.protocol = json::text(value);
    if (key == "status") port.status = json::text(value);
    if (key == "service_name" || key == "name") port.service = json::text(value);
    if (key == "banner") port.banner = json::text(value);
    // {"port":22,"proto":"tcp","service":{"name":"ssh","banner":"SSH-2.0-..."}} and -oD's "data".
    if (key == "service" || key == "data") {
      json::each_field(value, [&](std::string_view k, const Value& v) {
        if (k != "data" && k != "service") member(k, v, port);
        return true;
      });
    }
  }

  static Fate fill(const Port& port, Event& e) {
    const bool banner = !port.service.empty() || !port.banner.empty();
    if (!banner && port.status != "open") return Fate::ignored(kNotOpen);
    e.source_port = json::port(port.number);
    e.protocol = protocol_number(port.protocol);
    e.code = banner ? kBannerCode : kOpenCode;
    if (port.service != "unknown") e.application = lower_symbol(port.service);
    // The certificate itself, in base64: nothing to be read by people.
    if (!port.service.starts_with("X509")) e.banner = banner_symbol(port.banner);
    return Fate::kept();
  }

  json::Parser parser_;
  // Of the record that decode() has read:
  Event device_;
  std::vector<Port> ports_;
  std::string banner_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_masscan(const core::TimeReader&) { return std::make_unique<Masscan>(); }

}  // namespace orbwatch::decode
