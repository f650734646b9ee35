// Systancia Cleanroom (also Gate and IPdiva): log-ins to its portal, connections of clients and gateways, applications
// that were opened through it, in French or English as the server is set.
//
// Source: records in the public test data of Sekoia's intake format "Systancia Cleanroom"; the vendor's own description
// is not public.
//   Nov 22 08:00:00 clr1 ipdiva: Connexion au portail web org:corp, user:alice@local, ip:203.0.113.7
//   Nov 22 08:00:01 clr1 ipdiva: Lancement d'une application RDS : ERP org:corp, user:alice@local, ip:203.0.113.7
//   Nov 22 08:00:02 clr1 ipdiva: alice@local New process: "C:\Windows\notepad.exe"
// A record is told by its end, ", user:NAME, ip:ADDRESS", and what happened by its first words. Ignored by name: the
// recording of what is done within a session ("recording"), other records of that form ("other action").
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kRecording = core::intern("recording");
const Symbol kOtherAction = core::intern("other action");
const Symbol kNobody = core::intern("cleanroom: neither user nor address");

struct Parts {
  std::string_view what;
  std::string_view org;
  std::string_view user;
  std::string_view address;
};

// "WHAT org:ORG, user:USER, ip:ADDRESS", read from its end: WHAT may be the name of an application.
bool parts_of(std::string_view text, Parts& out) {
  text = core::trim(text);
  constexpr std::string_view kIp = "ip:";
  constexpr std::size_t kLongestAddress = 45;
  const std::size_t tail = text.size() - std::min(text.size(), kIp.size() + kLongestAddress + 1);
  const auto space = text.substr(tail).rfind(' ');
  if (space == text.npos) return false;
  const std::size_t at = tail + space;
  if (!text.substr(at + 1).starts_with(kIp) || at == 0 || text[at - 1] != ',') return false;
  out.address = text.substr(at + 1 + kIp.size());
  text = text.substr(0, at - 1);
  const auto user = text.rfind(", user:");
  const auto org = text.rfind(" org:", user);
  if (user == text.npos || org == text.npos) return false;
  out.user = text.substr(user + 7);
  out.org = text.substr(org + 5, user - org - 5);
  out.what = text.substr(0, org);
  return !out.what.empty();
}

// "alice@local New process: ...", "Process end: ...", "SSO key sequence ...": what a recorded session shows.
bool is_recording(std::string_view text) {
  const auto space = text.substr(0, 128).find(' ');
  if (space == text.npos || text.substr(0, space).find('@') == text.npos) return false;
  text.remove_prefix(space + 1);
  return text.starts_with("New process: \"") || text.starts_with("Process end: \"") || text.starts_with("SSO idle ") ||
         text.starts_with("SSO key sequence ");
}

enum class Kind : std::uint8_t { kPortal, kClient, kGateway, kApplication, kManagement, kOther };

bool holds(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.contains(word)) return true;
  }
  return false;
}

// What of an accented letter is the same whether it stands there in UTF-8, in Latin-1 or as "&#233;": the rest.
bool is_end(std::string_view what) {
  return holds(what.substr(0, 24), {"connexion", "Fermeture", "isconnection", "Closing", "logout", "Logout"}) &&
         !what.starts_with("Connexion");
}
bool is_start(std::string_view what) {
  for (const std::string_view word : {"Connexion", "Lancement", "Connection", "Launch", "Login"}) {
    if (what.starts_with(word)) return true;
  }
  return false;
}
bool is_refused(std::string_view what) {
  return holds(what, {"chec de ", "chec d'", "chec d&#39;", "refus", "failed", "failure", "denied"});
}

Kind kind_of(std::string_view what) {
  if (holds(what, {"portail", "portal"})) return Kind::kPortal;
  if (holds(what, {"administr"})) return Kind::kManagement;
  if (holds(what, {"passerelle", "gateway"})) return Kind::kGateway;
  if (holds(what, {"application"})) return Kind::kApplication;
  if (holds(what, {"plugin", "client"})) return Kind::kClient;
  return Kind::kOther;
}

// "Lancement d'une application RDS  : ERP" gives ERP.
std::string_view application_of(std::string_view what) {
  const auto colon = what.find(" : ");
  return colon == what.npos ? std::string_view() : core::trim(what.substr(colon + 3));
}

class Cleanroom final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Parts parts;
    return (parts_of(r.message, parts) || is_recording(r.message));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Parts p;
    if (!parts_of(r.message, p)) return Fate::ignored(kRecording);
    const bool refused = is_refused(p.what);
    const bool ends = is_end(p.what);
    if (!refused && !ends && !is_start(p.what)) return Fate::ignored(kOtherAction);
    put(kind_of(p.what), ends, refused, e);
    // The gateways' own connections come with a domain alone.
    if (!p.user.starts_with('@')) set_typed_user(e, p.user);
    e.source_ip = given_ip(p.address);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    e.group = core::intern(p.org);
    if (e.event_class == event::Class::kSession) e.destination_name = core::intern(application_of(p.what));
    return Fate::kept();
  }

 private:
  static void put(Kind kind, bool ends, bool refused, Event& e) {
    const Outcome outcome = refused ? Outcome::kFailure : Outcome::kSuccess;
    const bool over = ends && !refused;
    switch (kind) {
      case Kind::kClient:
      case Kind::kApplication:
        put_session(e, over ? Activity::kEnd : Activity::kStart);
        e.outcome = outcome;
        if (kind == Kind::kApplication) e.service = Service::kOther;
        break;
      case Kind::kGateway:
        e.event_class = event::Class::kConnection;
        e.activity = over ? Activity::kEnd : Activity::kStart;
        e.action = refused ? event::Action::kDenied : event::Action::kAllowed;
        break;
      default:
        put_login(e, over ? Outcome::kUnknown : outcome,
                  kind == Kind::kPortal       ? Service::kWeb
                  : kind == Kind::kManagement ? Service::kManagement
                                              : Service::kOther);
        if (over) e.activity = Activity::kLogoff;
    }
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cleanroom(const core::TimeReader&) { return std::make_unique<Cleanroom>(); }

}  // namespace orbwatch::decode
