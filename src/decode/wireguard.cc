// WireGuard in the Linux kernel: what its debug messages say of handshakes and peers; wg-quick.
//
// Source: drivers/net/wireguard of Linux 5.6 to 6.12 (receive.c, send.c, timers.c, peer.c, noise.c). The messages are
// off until dynamic debug turns them on.
//   kernel: [82508.102168] wireguard: wg0: Receiving handshake initiation from peer 5 (203.0.113.7:51820)
//   kernel: [82508.102168] wireguard: wg0: Invalid handshake initiation from 203.0.113.9:51820
// A peer has no name, only the number under which the kernel made it: the user is "wg0 peer 5 on gw1". A handshake is
// repeated every two minutes while there is traffic; each is an update of the peer's session.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kWireGuard = core::intern("wireguard");
const Symbol kNoAddress = core::intern("wireguard: no address");
const Symbol kQuick = core::intern("wg-quick");
const Symbol kOther = core::intern("wireguard other message");
const Symbol kKeepalive = core::intern("wireguard keepalive");

// "[82508.102168] wireguard: " at the front; false if the line is not WireGuard's.
bool skip_head(std::string_view& text) {
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    const auto close = rest.substr(0, 24).find("] ");
    if (close == rest.npos) return false;
    rest.remove_prefix(close + 2);
  }
  if (!core::skip_prefix(rest, "wireguard: ")) return false;
  text = rest;
  return true;
}

// "peer 5 (203.0.113.7:51820)" or "203.0.113.7:51820" behind " from ", " for ", " to ".
void put_peer(std::string_view text, std::string_view interface, Event& e) {
  Scanner s(text);
  if (s.skip_past("peer ") && is_digit(s.peek())) {
    const std::string_view digits = s.until_any(" ,)");
    e.session_id = Scanner(digits).number();
    std::array<char, 160> name;
    char* p = name.data();
    const auto append = [&](std::string_view part, std::size_t most) {
      p = std::copy_n(part.begin(), std::min(part.size(), most), p);
    };
    append(interface, 16);
    append(" peer ", 6);
    append(digits, 20);
    if (e.observer.present()) {
      append(" on ", 4);
      append(e.observer.text(), 100);
    }
    e.user = core::intern({name.data(), static_cast<std::size_t>(p - name.data())});
    if (!s.skip(" (")) return;
  } else {
    s = Scanner(text);
    if (!s.skip_past(" from ")) return;
  }
  if (s.ip(e.source_ip) && s.skip(':')) e.source_port = s.port();
}

Fate needs_address(const Event& e) { return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress); }

Fate handshake_failed(Event& e, std::string_view reason) {
  e.event_class = Class::kHandshake;
  e.activity = Activity::kObserved;
  e.outcome = Outcome::kFailure;
  e.reason = core::intern(reason);
  return needs_address(e);
}

Fate message(std::string_view text, Event& e) {
  const auto colon = text.find(": ");
  if (colon > 16) return Fate::ignored(kOther);
  const std::string_view interface = text.substr(0, colon);
  text.remove_prefix(colon + 2);
  e.group = core::intern(interface);
  e.service = Service::kVpn;
  e.application = kWireGuard;
  e.protocol = 17;
  if (text.starts_with("Receiving handshake ")) {
    // Logged when the peer's key has proven right.
    put_peer(text, interface, e);
    put_session(e, Activity::kUpdate, kWireGuard);
    e.outcome = Outcome::kSuccess;
    e.auth_method = AuthMethod::kPublicKey;
    return needs_address(e);
  }
  if (text.starts_with("Invalid handshake initiation")) {
    // Somebody whose key is not known here, or who replays an old message.
    put_peer(text, interface, e);
    put_login(e, Outcome::kFailure, Service::kVpn);
    e.auth_method = AuthMethod::kPublicKey;
    e.reason = core::intern("invalid handshake initiation");
    return needs_address(e);
  }
  if (text.starts_with("Invalid handshake response") || text.starts_with("Invalid MAC of handshake")) {
    put_peer(text, interface, e);
    return handshake_failed(e, text.starts_with("Invalid MAC") ? "invalid MAC" : "invalid handshake response");
  }
  if (text.starts_with("Handshake for peer ")) {
    put_peer(text, interface, e);
    return handshake_failed(e, "no answer");
  }
  if (text.starts_with("Packet has unallowed src IP") || text.starts_with("Packet has incorrect size")) {
    put_peer(text.substr(text.find(" from ") == text.npos ? 0 : text.find(" from ")), interface, e);
    e.event_class = Class::kConnection;
    e.action = Action::kDenied;
    e.reason = core::intern(text.starts_with("Packet has unallowed") ? "source not allowed" : "incorrect size");
    return needs_address(e);
  }
  if (text.contains("keepalive packet")) return Fate::ignored(kKeepalive);
  return Fate::ignored(kOther);
}

class WireGuard final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    if (r.program == "wg-quick" || r.program == "wireguard") return true;
    std::string_view text = r.message;
    return (r.program.empty() || r.program == "kernel") && skip_head(text);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (r.program == "wg-quick") return Fate::ignored(kQuick);
    std::string_view text = r.message;
    skip_head(text);
    return message(text, e);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_wireguard(const core::TimeReader&) { return std::make_unique<WireGuard>(); }

}  // namespace orbwatch::decode
