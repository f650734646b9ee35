// ISC DHCP server (dhcpd): counted and ignored by name. A lease says which network card has an address within the
// organisation; it is no way into the network, and an event has no place for a card's address.
// Spec: dhcpd(8) and the messages of dhcpd.
//
// Three sample lines:
//   Nov 22 08:00:00 dhcp1 dhcpd[812]: DHCPACK on 192.0.2.50 to 00:00:5e:00:53:01 (pc7) via eth0
//   Nov 22 08:00:01 dhcp1 dhcpd[812]: DHCPDISCOVER from 00:00:5e:00:53:02 via 192.0.2.1: network 192.0.2.0/24: no free
//   leases
//   Nov 22 08:00:02 dhcp1 dhcpd[812]: Wrote 12 leases to leases file.
// Ignored by name: "lease DHCPACK" and alike, "dhcpd other message".
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

const Symbol kOther = core::intern("dhcpd other message");

// "DHCPACK", "BOOTREQUEST": the kind of message at the front of a line that goes on as dhcpd writes it; "" if there is
// none.
std::string_view message_kind(std::string_view text) {
  if (!text.starts_with("DHCP") && !text.starts_with("BOOTRE")) return {};
  Scanner s(text);
  const std::string_view kind = s.word();
  for (const char c : kind) {
    if (c < 'A' || c > 'Z') return {};
  }
  const bool goes_on = s.skip(" on ") || s.skip(" from ") || s.skip(" for ") || s.skip(" to ") || s.skip(" of ");
  return goes_on && kind.size() <= 20 ? kind : std::string_view{};
}

class IscDhcpd final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    return r.program.empty() ? !message_kind(r.message).empty() : r.program == "dhcpd";
  }

  Fate decode(const TextRecord& r, Event&) override {
    const std::string_view kind = message_kind(r.message);
    return kind.empty() ? Fate::ignored(kOther) : json::ignored("lease", kind);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_isc_dhcpd(const core::TimeReader&) { return std::make_unique<IscDhcpd>(); }

}  // namespace orbwatch::decode
