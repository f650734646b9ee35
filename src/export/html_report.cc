#include "export/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/text.h"
#include "export/html/assets.h"

namespace orbwatch::exporting {
namespace {

using core::append_json_string;

// SHA-256, FIPS 180-4. Only for the hash of the page's own script and style: a library would be a dependency for forty
// lines.
std::array<std::uint8_t, 32> sha256(std::string_view text) {
  static constexpr std::uint32_t kRound[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  std::uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int shift = 56; shift >= 0; shift -= 8)
    padded += static_cast<char>((std::uint64_t{text.size()} * 8) >> shift & 0xff);
  for (std::size_t at = 0; at < padded.size(); at += 64) {
    std::uint32_t w[64];
    for (std::size_t i = 0; i < 16; ++i) {
      w[i] = 0;
      for (std::size_t b = 0; b < 4; ++b) w[i] = w[i] << 8 | static_cast<std::uint8_t>(padded[at + i * 4 + b]);
    }
    for (std::size_t i = 16; i < 64; ++i) {
      const std::uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    std::uint32_t v[8];
    std::copy(h, h + 8, v);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint32_t one = v[7] + (std::rotr(v[4], 6) ^ std::rotr(v[4], 11) ^ std::rotr(v[4], 25)) +
                                ((v[4] & v[5]) ^ (~v[4] & v[6])) + kRound[i] + w[i];
      const std::uint32_t two = (std::rotr(v[0], 2) ^ std::rotr(v[0], 13) ^ std::rotr(v[0], 22)) +
                                ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      std::copy_backward(v, v + 7, v + 8);
      v[4] += one;
      v[0] = one + two;
    }
    for (std::size_t i = 0; i < 8; ++i) h[i] += v[i];
  }
  std::array<std::uint8_t, 32> out;
  for (std::size_t i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

// A JSON value being written, with its commas.
class Json {
 public:
  std::string take() { return std::move(out_); }
  Json& begin(char bracket) {
    comma();
    out_ += bracket;
    fresh_ = true;
    return *this;
  }
  Json& end(char bracket) {
    out_ += bracket;
    fresh_ = false;
    return *this;
  }
  Json& key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
    fresh_ = true;
    return *this;
  }
  Json& text(std::string_view value) {
    comma();
    append_json_string(out_, value);
    return *this;
  }
  Json& number(std::uint64_t value) { return raw(std::to_string(value)); }
  Json& degrees(double value) { return raw(fmt::format("{:.4f}", value)); }
  Json& boolean(bool value) { return raw(value ? "true" : "false"); }
  Json& raw(std::string_view json) {
    comma();
    out_ += json;
    return *this;
  }

 private:
  void comma() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }
  std::string out_;
  bool fresh_ = true;
};

constexpr std::size_t kMostNetworks = 50;  // the most confident; the page says how many are left out

bool on_earth(double latitude, double longitude) {
  return (latitude != 0 || longitude != 0) && std::abs(latitude) <= 90 && std::abs(longitude) <= 180;
}

void write_findings(Json& j, const score::HuntResult& result, const HtmlOptions& options) {
  j.key("finding_count").number(result.findings.size());
  j.key("findings").begin('[');
  for (std::size_t i = 0; i < std::min(result.findings.size(), options.most_findings); ++i) {
    const score::Finding& f = result.findings[i];
    j.begin('{');
    if (f.records.size() > options.most_records) {
      score::Finding shorter = f;
      shorter.records.resize(options.most_records);
      j.key("f").raw(score::to_json(shorter, true)).key("more_records").number(f.records.size() - options.most_records);
    } else {
      j.key("f").raw(score::to_json(f, true));
    }
    if (on_earth(f.source.latitude, f.source.longitude))
      j.key("lat").degrees(f.source.latitude).key("lon").degrees(f.source.longitude);
    j.end('}');
  }
  j.end(']');
}

void write_networks(Json& j, const score::HuntResult& result) {
  j.key("networks").begin('[');
  for (std::size_t i = 0; i < std::min(result.networks.size(), kMostNetworks); ++i)
    j.raw(score::to_json(result.networks[i]));
  j.end(']').key("network_count").number(result.networks.size());
  j.key("half_lives").begin('[');
  for (const score::NodeHalfLife& half_life : result.half_lives) {
    if (half_life.lives > 0) j.raw(score::to_json(half_life));
  }
  j.end(']');
}

void write_overview(Json& j, const score::Overview& o) {
  j.key("users").number(o.users).key("sources").number(o.sources).key("gateways").number(o.gateways);
  j.key("days").begin('[');
  for (const auto& [date, day] : o.days)
    j.begin('[').text(date).number(day.events).number(day.logins).number(day.failures).end(']');
  j.end(']');
  j.key("logins_by_hour").begin('[');
  for (const auto n : o.logins_by_hour) j.number(n);
  j.end(']').key("failures_by_hour").begin('[');
  for (const auto n : o.failures_by_hour) j.number(n);
  j.end(']').key("places").begin('[');
  for (const auto& p : o.places) {
    if (!on_earth(p.latitude, p.longitude)) continue;
    j.begin('[')
        .degrees(p.latitude)
        .degrees(p.longitude)
        .text(p.city)
        .text(p.country)
        .number(p.logins)
        .number(p.failures)
        .end(']');
  }
  j.end(']').key("paths").begin('[');
  for (const auto& p : o.paths)
    j.begin('[').text(p.network_type).text(p.gateway).text(p.user).number(p.logins).end(']');
  j.end(']');
}

void write_accounting(Json& j, const score::HuntResult& result) {
  const event::Counts& t = result.total;
  j.key("total").begin('{').key("records").number(t.records).key("events").number(t.events);
  j.key("ignored").number(t.ignored).key("rejected").number(t.rejected).end('}');
  j.key("inputs").begin('[');
  for (const auto& in : result.inputs) {
    j.begin('{').key("path").text(in.path).key("format").text(in.format).key("error").text(in.error);
    j.key("recognised").boolean(in.recognised).key("bytes").number(in.bytes).key("records").number(in.counts.records);
    j.key("events")
        .number(in.counts.events)
        .key("ignored")
        .number(in.counts.ignored)
        .key("rejected")
        .number(in.counts.rejected);
    if (!in.rejects.empty()) {
      j.key("first_reject")
          .text(fmt::format("first rejected: line {}, {}", in.rejects[0].line, in.rejects[0].reason.text()));
    }
    j.end('}');
  }
  j.end(']').key("reasons").begin('[');
  const auto write = [&j](std::string_view fate, const core::SymbolCounts& counts) {
    std::vector<std::pair<std::uint64_t, std::string_view>> sorted;
    for (const auto& [reason, count] : counts) sorted.emplace_back(count, reason.text());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& [count, reason] : sorted) j.begin('[').text(fate).text(reason).number(count).end(']');
  };
  write("event", t.events_by);
  write("ignored", t.ignored_by);
  write("rejected", t.rejected_by);
  j.end(']').key("hypotheses").begin('[');
  for (const auto& h : result.hypotheses) {
    j.begin('{').key("detector").text(h.detector).key("hypothesis").text(h.hypothesis).key("tested").boolean(h.tested);
    j.key("why_not").text(h.why_not).key("events").number(h.events).end('}');
  }
  j.end(']').key("notes").begin('[');
  for (const auto& note : result.notes) j.text(note);
  j.end(']');
}

}  // namespace

std::string script_safe(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 16);
  for (std::size_t i = 0; i < json.size(); ++i) {
    switch (json[i]) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      case '\xe2':
        if (json.substr(i, 3) == "\xe2\x80\xa8" || json.substr(i, 3) == "\xe2\x80\xa9") {
          out += json[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
          i += 2;
          break;
        }
        [[fallthrough]];
      default: out += json[i];
    }
  }
  return out;
}

std::string csp_hash(std::string_view text) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto hash = sha256(text);
  std::string out = "sha256-";
  for (std::size_t i = 0; i < hash.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, hash.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t b = 0; b < 3; ++b) bits = bits << 8 | (b < n ? hash[i + b] : 0u);
    for (std::size_t d = 0; d < 4; ++d) out += d <= n ? kDigits[bits >> (18 - 6 * d) & 63] : '=';
  }
  return out;
}

std::string html_report(const score::HuntResult& result, const HtmlOptions& options) {
  Json j;
  j.begin('{').key("version").text(ORBWATCH_VERSION);
  j.key("first").text(core::rfc3339(result.first)).key("last").text(core::rfc3339(result.last));
  write_findings(j, result, options);
  write_networks(j, result);
  write_overview(j, result.overview);
  write_accounting(j, result);
  j.end('}');
  const std::string data = script_safe(j.take());

  const std::string style = "\n" + std::string(assets::report_css);
  const std::string script = "\n" + std::string(assets::world_js) + std::string(assets::report_js);
  std::string out;
  out.reserve(assets::report_html.size() + style.size() + script.size() + data.size() + 256);
  // Places are replaced once, from the front: what is put in is never searched.
  std::string_view rest = assets::report_html;
  while (!rest.empty()) {
    const auto at = rest.find("{{");
    out += rest.substr(0, at);
    if (at == rest.npos) break;
    rest.remove_prefix(at + 2);
    const std::string_view name = rest.substr(0, rest.find("}}"));
    rest.remove_prefix(std::min(name.size() + 2, rest.size()));
    if (name == "style") out += style;
    if (name == "script") out += script;
    if (name == "data") out += data;
    if (name == "style-hash") out += csp_hash(style);
    if (name == "script-hash") out += csp_hash(script);
  }
  return out;
}

}  // namespace orbwatch::exporting
