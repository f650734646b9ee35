// What small-office and home (SOHO) and IoT devices show: ports and banners, as data (data/soho-ports.csv,
// data/soho-banners.csv).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace orbwatch::intel {

enum class SohoWeight : std::uint8_t {
  kWeak,    // common on such devices, also elsewhere (an HTTP server of a small device)
  kMedium,  // mostly such devices (CWMP, Winbox)
  kStrong   // known trait of a covert network's implant
};
std::string_view name(SohoWeight weight);  // "weak", "medium", "strong"

struct SohoPort {
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;  // IANA number: 6 TCP, 17 UDP
  SohoWeight weight = SohoWeight::kWeak;
  std::string_view meaning;  // "TR-069 connection request"
  std::string_view devices;  // "ADSL and fibre routers of many makes"
  std::string_view network;  // covert network that is known for it, may be empty
  std::string_view source;   // where it is documented
};

enum class BannerField : std::uint8_t {
  kBanner,
  kCertificateIssuer,
  kCertificateSubject,
  kClientFingerprint,
  kServerFingerprint
};
std::string_view name(BannerField field);

struct SohoBanner {
  std::string_view pattern;  // lower case; matches anywhere in the field, case ignored
  BannerField field = BannerField::kBanner;
  SohoWeight weight = SohoWeight::kWeak;
  std::string_view meaning;
  std::string_view devices;
  std::string_view network;
  std::string_view source;
};

// Process-wide, read once from the data built into the program; thread-safe.
std::span<const SohoPort> soho_ports();
std::span<const SohoBanner> soho_banners();

// Null if the port says nothing. O(1).
const SohoPort* soho_port(std::uint16_t port, std::uint8_t protocol);
// The strongest pattern that matches, null if none.
const SohoBanner* soho_banner(std::string_view text, BannerField field);

}  // namespace orbwatch::intel
