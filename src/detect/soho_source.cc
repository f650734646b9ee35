// Indicator of the advisory: traffic from default ports or banners of SOHO and IoT devices. Two uses:
//  - a log-in from an address at which a trait of such a device was seen before (in flows, firewall logs, handshakes,
//  scans);
//  - an address that shows a trait known of a covert network's implant while it talks to us: a finding of its own.
// The traits are data: intel/soho.h. That an address showed one is remembered in baseline::SourceProfile, see
// soho_trait().
#include "detect/soho_source.h"

#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"
#include "intel/soho.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;
using intel::BannerField;
using intel::SohoBanner;
using intel::SohoPort;
using intel::SohoWeight;

constexpr Need kNeeds[] = {Need::kFlows, Need::kConnections, Need::kVpnLogins};
constexpr DetectorInfo kInfo = {
    "soho-source",
    "Traffic from known IoT/SOHO default ports or banners",
    "T1584.008,T1584.005",
    "staff whose home router exposes its own services; games and file sharing on the same ports",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession) | bit(Class::kFlow) | bit(Class::kConnection) |
        bit(Class::kHandshake) | bit(Class::kDevice),
};

double weight_llr(std::uint8_t weight) { return weight >= 3 ? 3.5 : weight == 2 ? 1.5 : 0.5; }

std::uint8_t weight_of(SohoWeight weight) { return static_cast<std::uint8_t>(static_cast<int>(weight) + 1); }

const SohoBanner* banner_of(const Event& e) {
  const struct {
    core::Symbol text;
    BannerField field;
  } fields[] = {{e.banner, BannerField::kBanner},
                {e.certificate_issuer, BannerField::kCertificateIssuer},
                {e.certificate_subject, BannerField::kCertificateSubject},
                {e.fingerprint, BannerField::kClientFingerprint},
                {e.server_fingerprint, BannerField::kServerFingerprint}};
  const SohoBanner* best = nullptr;
  for (const auto& field : fields) {
    if (!field.text.present()) continue;
    const SohoBanner* hit = intel::soho_banner(field.text.text(), field.field);
    if (hit != nullptr && (best == nullptr || hit->weight > best->weight)) best = hit;
  }
  return best;
}

class SohoSource final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  bool wants(const Event& e) const override {
    return e.event_class == Class::kAuthentication || e.event_class == Class::kSession || soho_trait(e).weight >= 3;
  }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (v.login || v.failed_login) {
      login(e, v, sink);
      return;
    }
    const SohoTrait trait = soho_trait(e);
    // Only what is known of implants is worth a finding of its own; a reply from a strong port counts, a knock on it
    // does not.
    if (trait.weight < 3) return;
    Evidence out{"soho-trait", kInfo.name, Group::kSource, FindingKind::kDevice, 6.0, {}};
    if (sink.wants_text()) out.says = trait_text(trait, e.event_class == Class::kDevice);
    sink.add(std::move(out));
  }

 private:
  static void login(const Event& e, const View& v, EvidenceSink& sink) {
    if (!v.remote || v.source_profile == nullptr || v.source_profile->soho_weight == 0) return;
    Evidence out{
        "soho-source", kInfo.name, Group::kSource, FindingKind::kLogin, weight_llr(v.source_profile->soho_weight), {}};
    if (sink.wants_text()) out.says = login_text(e, *v.source_profile);
    sink.add(std::move(out));
  }

  static std::string login_text(const Event& e, const baseline::SourceProfile& source) {
    // The profile keeps no protocol; no port of the table means one thing over TCP and another over UDP.
    const SohoPort* port = intel::soho_port(source.soho_port, 6);
    if (port == nullptr) port = intel::soho_port(source.soho_port, 17);
    std::string says;
    if (port != nullptr) {
      says =
          fmt::format("{} answered on port {} ({}; {})", e.source_ip.text(), port->port, port->meaning, port->devices);
    } else if (source.soho_banner != 0 && source.soho_banner <= intel::soho_banners().size()) {
      const SohoBanner& banner = intel::soho_banners()[source.soho_banner - 1];
      says =
          fmt::format("{} showed \"{}\" ({}; {})", e.source_ip.text(), banner.pattern, banner.meaning, banner.devices);
    } else {
      says = fmt::format("{} showed the banner of a small-office or IoT device", e.source_ip.text());
    }
    if (source.soho_day != 0) says += fmt::format(", in a scan of {}", core::date_text(source.soho_day * core::kDay));
    return says;
  }

  static std::string trait_text(const SohoTrait& trait, bool scanned) {
    const auto known = [](const auto& row) {
      return fmt::format("({}{}{})", row.meaning, row.network.empty() ? "" : "; known of ", row.network);
    };
    if (trait.port != nullptr) {
      return fmt::format("{} {} port {} {}", trait.address.text(), scanned ? "listens on" : "talks from",
                         trait.port->port, known(*trait.port));
    }
    if (trait.banner != nullptr) {
      return fmt::format("{} shows \"{}\" {}", trait.address.text(), trait.banner->pattern, known(*trait.banner));
    }
    return {};
  }
};

constexpr std::uint8_t kTcp = 6;
constexpr std::uint16_t kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;
constexpr std::uint64_t kHeaders = 60;  // of a TCP packet without content, options included

// A refusal is no answer: it says that nothing listens there.
bool answered(const Event& e) {
  if (e.protocol != kTcp) return e.destination_packets > 0;
  if (e.destination_packets < (e.sampling > 1 ? 1 : 2)) return false;  // SYN and ACK, and something behind it
  const bool content = (e.tcp_flags & kPsh) != 0 || e.destination_bytes > kHeaders * e.destination_packets;
  return content || (e.tcp_flags & kRst) == 0;
}

// A source that opens the connection is a client, whatever its port: scanners choose a fixed one.
bool may_be_a_reply(const Event& e) {
  if (e.event_class != Class::kFlow || e.action == event::Action::kDenied) return false;
  return e.protocol != kTcp || (e.tcp_flags & (kSyn | kAck)) != kSyn;
}

}  // namespace

SohoTrait soho_trait(const Event& e) {
  SohoTrait trait;
  const bool traffic = e.event_class == Class::kFlow || e.event_class == Class::kConnection;
  if (traffic) {
    // The port on the far side: of a flow that comes from it, or of one that was answered by it.
    const SohoPort* from =
        e.source_ip.is_global() && may_be_a_reply(e) ? intel::soho_port(e.source_port, e.protocol) : nullptr;
    const SohoPort* to =
        e.destination_ip.is_global() && answered(e) ? intel::soho_port(e.destination_port, e.protocol) : nullptr;
    // A small port as source is a service; above 32767 a client picks it by chance (RFC 6056), so only traffic to it
    // counts.
    if (from != nullptr && e.source_port < 32768 && e.destination_port >= 1024 && e.destination_port != e.source_port) {
      trait = {e.source_ip, from, nullptr, weight_of(from->weight)};
    } else if (to != nullptr && e.action != event::Action::kDenied) {
      trait = {e.destination_ip, to, nullptr, weight_of(to->weight)};
    }
    return trait;
  }
  if (e.event_class == Class::kDevice) {
    // Somebody knocked and the port was open: no chance is left that a client had taken it.
    if (!e.source_ip.is_global()) return trait;
    const SohoPort* port = intel::soho_port(e.source_port, e.protocol);
    const SohoBanner* banner = banner_of(e);
    if (banner != nullptr && (port == nullptr || banner->weight >= port->weight)) {
      trait = {e.source_ip, nullptr, banner, weight_of(banner->weight)};
    } else if (port != nullptr) {
      trait = {e.source_ip, port, nullptr, weight_of(port->weight)};
    }
    return trait;
  }
  if (e.event_class == Class::kHandshake || e.event_class == Class::kAuthentication) {
    if (const SohoBanner* banner = banner_of(e)) {
      const bool client = banner->field == BannerField::kClientFingerprint;
      const core::Ip address = client || !e.destination_ip.is_global() ? e.source_ip : e.destination_ip;
      if (address.is_global()) trait = {address, nullptr, banner, weight_of(banner->weight)};
    }
  }
  return trait;
}

std::unique_ptr<Detector> make_soho_source(const Context&) { return std::make_unique<SohoSource>(); }

}  // namespace orbwatch::detect
