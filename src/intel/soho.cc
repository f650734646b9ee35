#include "intel/soho.h"

#include <algorithm>
#include <array>
#include <memory>

#include "core/text.h"
#include "intel/csv.h"
#include "intel/embedded.h"

namespace orbwatch::intel {
namespace {

bool parse_weight(std::string_view word, SohoWeight& out) {
  for (const SohoWeight weight : {SohoWeight::kWeak, SohoWeight::kMedium, SohoWeight::kStrong}) {
    if (word == name(weight)) {
      out = weight;
      return true;
    }
  }
  return false;
}

bool parse_field_name(std::string_view word, BannerField& out) {
  for (const BannerField field :
       {BannerField::kBanner, BannerField::kCertificateIssuer, BannerField::kCertificateSubject,
        BannerField::kClientFingerprint, BannerField::kServerFingerprint}) {
    if (word == name(field)) {
      out = field;
      return true;
    }
  }
  return false;
}

struct Tables {
  std::vector<SohoPort> ports;
  std::vector<SohoBanner> banners;
  // By port: 1-based index into ports, 0 = none. TCP, UDP.
  std::array<std::array<std::uint16_t, 65536>, 2> by_port{};
};

// soho_test checks that every row of the data is read.
std::unique_ptr<const Tables> read_tables() {
  auto out = std::make_unique<Tables>();
  std::string_view text = embedded_soho_ports();
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty() || line.front() == '#' || line.starts_with("port,")) continue;
    SohoPort row;
    const auto port = core::parse_number<std::uint16_t>(take_field(line));
    const std::string_view protocol = take_field(line);
    const bool weight = parse_weight(take_field(line), row.weight);
    if (!port || !weight || (protocol != "tcp" && protocol != "udp")) continue;
    row.port = *port;
    row.protocol = protocol == "tcp" ? 6 : 17;
    row.meaning = take_field(line);
    row.devices = take_field(line);
    row.network = take_field(line);
    row.source = take_field(line);
    out->ports.push_back(row);
  }
  for (std::size_t i = 0; i < out->ports.size(); ++i) {
    std::uint16_t& slot = out->by_port[out->ports[i].protocol == 6 ? 0 : 1][out->ports[i].port];
    // Two rows for one port: the stronger is the one that is looked up.
    if (slot == 0 || out->ports[i].weight > out->ports[slot - 1U].weight) slot = static_cast<std::uint16_t>(i + 1);
  }
  text = embedded_soho_banners();
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty() || line.front() == '#' || line.starts_with("pattern,")) continue;
    SohoBanner row;
    row.pattern = take_field(line);
    const bool field = parse_field_name(take_field(line), row.field);
    const bool weight = parse_weight(take_field(line), row.weight);
    if (!field || !weight || row.pattern.empty()) continue;
    row.meaning = take_field(line);
    row.devices = take_field(line);
    row.network = take_field(line);
    row.source = take_field(line);
    out->banners.push_back(row);
  }
  std::stable_sort(out->banners.begin(), out->banners.end(),
                   [](const SohoBanner& a, const SohoBanner& b) { return a.weight > b.weight; });
  return out;
}

const Tables& tables() {
  static const std::unique_ptr<const Tables> t = read_tables();
  return *t;
}

}  // namespace

std::string_view name(SohoWeight weight) {
  switch (weight) {
    case SohoWeight::kWeak: return "weak";
    case SohoWeight::kMedium: return "medium";
    case SohoWeight::kStrong: return "strong";
  }
  return "unknown";
}

std::string_view name(BannerField field) {
  switch (field) {
    case BannerField::kBanner: return "banner";
    case BannerField::kCertificateIssuer: return "certificate_issuer";
    case BannerField::kCertificateSubject: return "certificate_subject";
    case BannerField::kClientFingerprint: return "client_fingerprint";
    case BannerField::kServerFingerprint: return "server_fingerprint";
  }
  return "unknown";
}

std::span<const SohoPort> soho_ports() { return tables().ports; }
std::span<const SohoBanner> soho_banners() { return tables().banners; }

const SohoPort* soho_port(std::uint16_t port, std::uint8_t protocol) {
  if (protocol != 6 && protocol != 17) return nullptr;
  const std::uint16_t at = tables().by_port[protocol == 6 ? 0 : 1][port];
  return at == 0 ? nullptr : &tables().ports[at - 1U];
}

const SohoBanner* soho_banner(std::string_view text, BannerField field) {
  for (const SohoBanner& row : tables().banners) {  // strongest first
    if (row.field == field && core::contains_ignore_case(text, row.pattern)) return &row;
  }
  return nullptr;
}

}  // namespace orbwatch::intel
