#include "intel/profiles/profile.h"

#include <fmt/format.h>

namespace orbwatch::intel::profiles {

std::string ReportedDate::text() const {
  if (year == 0) return {};
  if (month == 0) return fmt::format("{:04}", year);
  if (day == 0) return fmt::format("{:04}-{:02}", year, month);
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

bool earlier(const ReportedDate& a, const ReportedDate& b) {
  if (a.year == 0 || b.year == 0) return false;
  if (a.year != b.year) return a.year < b.year;
  if (a.month == 0 || b.month == 0) return false;
  if (a.month != b.month) return a.month < b.month;
  return a.day != 0 && b.day != 0 && a.day < b.day;
}

std::string_view name(Weight weight) {
  switch (weight) {
    case Weight::kWeak: return "weak";
    case Weight::kMedium: return "medium";
    case Weight::kStrong: return "strong";
  }
  return "?";
}

std::string_view name(Confidence confidence) {
  switch (confidence) {
    case Confidence::kUnstated: return "unstated";
    case Confidence::kLow: return "low";
    case Confidence::kModerate: return "moderate";
    case Confidence::kHigh: return "high";
  }
  return "?";
}

std::string_view name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kRouter: return "router";
    case DeviceKind::kVpnGateway: return "vpn_gateway";
    case DeviceKind::kFirewall: return "firewall";
    case DeviceKind::kAccessPoint: return "access_point";
    case DeviceKind::kNas: return "nas";
    case DeviceKind::kCamera: return "camera";
    case DeviceKind::kRecorder: return "recorder";
    case DeviceKind::kModem: return "modem";
    case DeviceKind::kRadio: return "radio";
    case DeviceKind::kServer: return "server";
  }
  return "?";
}

std::string_view plural(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kRouter: return "routers";
    case DeviceKind::kVpnGateway: return "VPN gateways";
    case DeviceKind::kFirewall: return "firewalls";
    case DeviceKind::kAccessPoint: return "access points";
    case DeviceKind::kNas: return "NAS";
    case DeviceKind::kCamera: return "cameras";
    case DeviceKind::kRecorder: return "video recorders";
    case DeviceKind::kModem: return "modems";
    case DeviceKind::kRadio: return "wireless bridges";
    case DeviceKind::kServer: return "servers";
  }
  return "?";
}

std::string_view name(LayerRole role) {
  switch (role) {
    case LayerRole::kOnRamp: return "on_ramp";
    case LayerRole::kTraversal: return "traversal";
    case LayerRole::kExit: return "exit";
    case LayerRole::kCommand: return "command";
    case LayerRole::kManagement: return "management";
    case LayerRole::kPayload: return "payload";
    case LayerRole::kScanner: return "scanner";
  }
  return "?";
}

std::string_view name(TextMatch match) {
  switch (match) {
    case TextMatch::kExact: return "exact";
    case TextMatch::kPrefix: return "prefix";
  }
  return "?";
}

std::string_view name(FingerprintKind kind) {
  switch (kind) {
    case FingerprintKind::kJa3: return "ja3";
    case FingerprintKind::kJa3s: return "ja3s";
    case FingerprintKind::kJa4: return "ja4";
    case FingerprintKind::kJa4s: return "ja4s";
    case FingerprintKind::kJarm: return "jarm";
    case FingerprintKind::kHassh: return "hassh";
    case FingerprintKind::kHasshServer: return "hassh_server";
  }
  return "?";
}

}  // namespace orbwatch::intel::profiles
