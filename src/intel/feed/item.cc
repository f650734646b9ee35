#include "intel/feed/item.h"

namespace orbwatch::intel {

std::string_view name(FeedKind kind) {
  switch (kind) {
    case FeedKind::kPrefix: return "prefix";
    case FeedKind::kAutonomousSystem: return "autonomous-system";
    case FeedKind::kDomain: return "domain";
    case FeedKind::kUrl: return "url";
    case FeedKind::kCertificateFingerprint: return "certificate-fingerprint";
    case FeedKind::kCertificateSubject: return "certificate-subject";
    case FeedKind::kCertificateIssuer: return "certificate-issuer";
    case FeedKind::kJa3: return "ja3";
    case FeedKind::kJa3s: return "ja3s";
    case FeedKind::kJa4: return "ja4";
    case FeedKind::kJa4s: return "ja4s";
    case FeedKind::kJarm: return "jarm";
    case FeedKind::kHassh: return "hassh";
    case FeedKind::kHasshServer: return "hassh-server";
    case FeedKind::kSshKey: return "ssh-key";
    case FeedKind::kBanner: return "banner";
    case FeedKind::kUserAgent: return "user-agent";
  }
  return "prefix";
}

}  // namespace orbwatch::intel
