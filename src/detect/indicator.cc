// An address, a name or a fingerprint that a list or a threat feed names as bad. Nodes of covert networks live for
// weeks, so a hit is evidence that fades with age, not a verdict: of a list by half in kHalfLifeDays, of a feed as
// intel/decay says for the feed, the kind of indicator and the kind of network, and for what analysts found here.
#include "intel/indicators.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "detect/factories.h"
#include "detect/feed_hit.h"
#include "intel/decay/confidence.h"
#include "intel/decay/evidence_weight.h"
#include "intel/decay/local_verdicts.h"
#include "intel/feed_table.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using core::NetworkType;
using event::Class;
using event::Event;
using intel::IndicatorStatement;
using intel::IndicatorTable;
using intel::TextKind;
namespace decay = intel::decay;

constexpr double kHalfLifeDays = 31;
// An address that a list of what is harmless names, too, is worth telling, hardly more.
constexpr double kMostOfKnownGood = 1;
// Subscribers behind one address at a moment, roughly: carriers give each some thousand ports of 64,512 (RFC 7422).
constexpr double kSharersOfCarrierNat = 32;
constexpr double kSharersOfOthers = 8;  // VPN services and mobile gateways
constexpr std::size_t kMostPrefixes = 8;

constexpr Need kNeeds[] = {Need::kIndicators};
constexpr DetectorInfo kInfo = {
    "indicator",
    "Contact with an address that a threat list names",
    "T1584.005,T1584.008",
    "an address that changed hands since it was listed; shared addresses behind carrier NAT",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession) | bit(Class::kConnection) | bit(Class::kFlow) |
        bit(Class::kHandshake),
};

core::Nanoseconds moment(std::uint32_t seconds) { return seconds * core::kSecond; }

double sharers(NetworkType type) {
  switch (type) {
    case NetworkType::kCgnat: return kSharersOfCarrierNat;
    case NetworkType::kMobile:
    case NetworkType::kVpn: return kSharersOfOthers;
    default: return 1;
  }
}

// What is looked up: one address, name or fingerprint of an event.
struct Subject {
  std::string_view text;
  std::uint16_t port = 0;  // of an address, on its side
  decay::Kind kind = decay::Kind::kAddress;
  NetworkType type = NetworkType::kUnknown;
};

// What one feed says of a subject.
struct Heard {
  std::uint16_t feed = 0;
  std::uint32_t entry = 0;
  double confidence = 0;
};

// The most that feeds say of a subject.
struct Said {
  double confidence = 0;
  decay::Confidence at;
  decay::HitsHere hits;
  IndicatorStatement best;
  std::uint32_t best_entry = 0;
  // One of each feed, the first that speak.
  std::array<Heard, FeedHit::kMostEntries> heard{};
  std::size_t heard_count = 0;
  double half_life_days = 0;
  std::size_t feeds = 0;
  IndicatorStatement good;
  bool known_good = false;
};

// The text of one JA3, JA4, HASSH ... does not say which of them it is; where two kinds look alike, both are asked.
struct TextKinds {
  std::array<TextKind, 2> kinds;
  std::size_t count;
};
TextKinds client_kinds(std::string_view text, bool ssh) {
  if (ssh) return {{TextKind::kHassh}, 1};
  return text.find('_') != text.npos ? TextKinds{{TextKind::kJa4}, 1} : TextKinds{{TextKind::kJa3}, 1};
}
TextKinds server_kinds(std::string_view text, bool ssh) {
  if (ssh) return {{TextKind::kHasshServer}, 1};
  return text.find('_') != text.npos ? TextKinds{{TextKind::kJa4s}, 1}
                                     : TextKinds{{TextKind::kJa3s, TextKind::kJarm}, 2};
}

class IndicatorHit final : public Detector {
 public:
  explicit IndicatorHit(const Context& context)
      : indicators_(context.indicators),
        feeds_(indicators_ != nullptr ? indicators_->feeds() : nullptr),
        learned_(context.learned) {}
  const DetectorInfo& info() const override { return kInfo; }

  bool wants(const Event& e) const override {
    if (indicators_ == nullptr || indicators_->empty()) return false;
    if (indicators_->find(e.source_ip) != nullptr || indicators_->find(e.destination_ip) != nullptr) return true;
    if (feeds_ == nullptr) return false;
    const IndicatorTable& t = feeds_->table;
    if (t.find(e.source_ip) != IndicatorTable::kNone || t.find(e.destination_ip) != IndicatorTable::kNone) return true;
    bool found = false;
    each_text(e, [&](std::uint32_t, const Subject&) { found = true; });
    return found;
  }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (indicators_ == nullptr || indicators_->empty()) return;
    look(e.source_ip, e, v, sink);
    if (e.destination_ip.is_global()) look(e.destination_ip, e, v, sink);
    if (feeds_ == nullptr) return;
    look_in_feeds(e.source_ip, {.text = {}, .port = e.source_port, .type = v.source->type}, e, v, sink);
    if (e.destination_ip.is_global()) {
      const NetworkType type = v.networks->facts(e.destination_facts).type;
      look_in_feeds(e.destination_ip, {.text = {}, .port = e.destination_port, .type = type}, e, v, sink);
    }
    each_text(e, [&](std::uint32_t entry, const Subject& subject) {
      Said said;
      hear(entry, subject, e.time, said);
      tell(subject, said, e, strength(e, v, e.source_ip), v.login, sink);
    });
  }

 private:
  static double strength(const Event& e, const View& v, const core::Ip& ip) {
    if (v.login && ip == e.source_ip) return 6.0;
    return e.action == event::Action::kDenied || v.failed_login ? 5.0 : 6.5;
  }

  void look(const core::Ip& ip, const Event& e, const View& v, EvidenceSink& sink) const {
    if (!ip.present()) return;
    const intel::Indicator* hit = indicators_->find(ip);
    if (hit == nullptr) return;
    const bool login = v.login && ip == e.source_ip;
    double llr = strength(e, v, ip);
    if (hit->last_seen != 0 && e.time > hit->last_seen) {
      llr *= std::exp2(-static_cast<double>(e.time - hit->last_seen) / static_cast<double>(core::kDay) / kHalfLifeDays);
    }
    Evidence out{"indicator", kInfo.name, Group::kIndicator, login ? FindingKind::kLogin : FindingKind::kIntel,
                 llr,         {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{} is on the list {}{}{}", ip.text(), hit->list.text(), hit->label.present() ? ": " : "",
                             hit->label.text());
    }
    sink.add(std::move(out));
  }

  void look_in_feeds(const core::Ip& ip, Subject subject, const Event& e, const View& v, EvidenceSink& sink) const {
    if (!ip.present()) return;
    std::array<std::uint32_t, kMostPrefixes> entries;
    const std::size_t n = feeds_->table.find_all(ip, entries);
    if (n == 0) return;
    Said said;
    for (std::size_t i = 0; i < n; ++i) {
      subject.kind = intel::kind_of(feeds_->table.key(entries[i]));
      hear(entries[i], subject, e.time, said);
    }
    const std::string text = sink.wants_text() ? ip.text() : std::string();
    subject.text = text;
    tell(subject, said, e, strength(e, v, ip), v.login && ip == e.source_ip, sink);
  }

  // visit(entry, subject) for each text of the event that the table knows.
  template <typename Visit>
  void each_text(const Event& e, Visit&& visit) const {
    const IndicatorTable& t = feeds_->table;
    const auto look_up = [&](core::Symbol symbol, decay::Kind kind, TextKinds kinds) {
      for (std::size_t i = 0; i < kinds.count; ++i) {
        const std::uint32_t entry = kinds.kinds[i] == TextKind::kDomain ? t.find_domain(symbol.text())
                                                                        : t.find_text(kinds.kinds[i], symbol.text());
        if (entry != IndicatorTable::kNone) visit(entry, Subject{.text = symbol.text(), .kind = kind});
      }
    };
    const bool ssh = e.service == event::Service::kSsh || (e.application.present() && e.application.text() == "ssh");
    using decay::Kind;
    if (e.destination_name.present()) look_up(e.destination_name, Kind::kDomain, {{TextKind::kDomain}, 1});
    if (e.fingerprint.present()) look_up(e.fingerprint, Kind::kFingerprint, client_kinds(e.fingerprint.text(), ssh));
    if (e.server_fingerprint.present())
      look_up(e.server_fingerprint, Kind::kFingerprint, server_kinds(e.server_fingerprint.text(), ssh));
    if (e.certificate_fingerprint.present())
      look_up(e.certificate_fingerprint, Kind::kCertificate, {{TextKind::kCertificate}, 1});
    if (e.banner.present()) look_up(e.banner, Kind::kFingerprint, {{TextKind::kBanner}, 1});
  }

  // Adds what the feeds state under this key.
  void hear(std::uint32_t entry, const Subject& subject, core::Nanoseconds time, Said& said) const {
    intel::StatementReader reader = feeds_->table.statements(entry);
    IndicatorStatement s;
    std::string value;
    if (learned_ != nullptr && !learned_->verdicts.empty()) value = intel::value_of(feeds_->table.key(entry));
    while (reader.next(s)) {
      if (s.port != 0 && subject.port != 0 && s.port != subject.port) continue;
      if ((s.flags & intel::kKnownGood) != 0) {
        said.known_good = true;
        said.good = s;
        continue;
      }
      if ((s.flags & intel::kContextOnly) != 0) continue;
      const auto [at, half_life, hits] = feeds_->belief(s, subject.kind, subject.type, time, learned_, value);
      if (at.value <= 0) continue;
      ++said.feeds;
      note(s.feed, entry, at.value, said);
      if (at.value <= said.confidence) continue;
      said.confidence = at.value;
      said.at = at;
      said.hits = hits;
      said.best = s;
      said.best_entry = entry;
      said.half_life_days = half_life.days;
    }
  }

  static void note(std::uint16_t feed, std::uint32_t entry, double confidence, Said& said) {
    std::size_t i = 0;
    while (i < said.heard_count && said.heard[i].feed != feed) ++i;
    if (i == said.heard.size()) return;
    if (i < said.heard_count && said.heard[i].confidence >= confidence) return;
    said.heard[i] = {feed, entry, confidence};
    said.heard_count = std::max(said.heard_count, i + 1);
  }

  void tell(const Subject& subject, const Said& said, const Event& e, double most, bool login,
            EvidenceSink& sink) const {
    if (said.feeds == 0) return;
    double llr = decay::hit_llr(said.confidence, most, sharers(subject.type));
    if (said.known_good) llr = std::min(llr, kMostOfKnownGood);
    Evidence out{"indicator", kInfo.name, Group::kIndicator, login ? FindingKind::kLogin : FindingKind::kIntel,
                 llr,         {}};
    if (sink.wants_text()) out.says = sentence(subject, said, e);
    sink.add(std::move(out));
  }

  static std::string judged(std::uint32_t hits, std::string_view what) {
    static constexpr std::array<std::string_view, 4> kWords = {"", "one earlier hit of this entry was",
                                                               "two earlier hits of this entry were",
                                                               "three earlier hits of this entry were"};
    if (hits == 0) return {};
    return fmt::format(
        "; {} found to be {} here",
        hits < kWords.size() ? std::string(kWords[hits]) : fmt::format("{} earlier hits of this entry were", hits),
        what);
  }

  std::string sentence(const Subject& subject, const Said& said, const Event& e) const {
    const IndicatorStatement& s = said.best;
    const IndicatorTable& t = feeds_->table;
    std::vector<FeedHit::Entry> entries = {{std::string(t.feed_name(s.feed)), intel::value_of(t.key(said.best_entry))}};
    for (std::size_t i = 0; i < said.heard_count; ++i) {
      const Heard& other = said.heard[i];
      if (other.feed != s.feed)
        entries.push_back({std::string(t.feed_name(other.feed)), intel::value_of(t.key(other.entry))});
    }
    std::string text = feed_hit_words(subject.text, entries);
    if (!s.label.empty()) text += fmt::format(": {}", s.label);
    const core::Nanoseconds first = moment(s.first_seen != 0 ? s.first_seen : s.valid_from);
    const double days = static_cast<double>(std::abs(first - e.time)) / static_cast<double>(core::kDay);
    if (first > e.time) {
      text += fmt::format(", which named it {:.0f} days after this", days);
    } else if (s.last_seen != 0) {
      text += fmt::format(", last seen {}", core::date_text(moment(s.last_seen)));
    }
    text += fmt::format(" (believed by {:.0f} % at this moment, half of it goes in {:.0f} days)", 100 * said.confidence,
                        said.half_life_days);
    if (said.feeds > 1) text += fmt::format("; {} statements of feeds in all", said.feeds);
    text += judged(said.hits.false_hits, "false") + judged(said.hits.true_hits, "true");
    if (said.known_good)
      text += fmt::format("; known as harmless to {}{}{}", feeds_->table.feed_name(said.good.feed),
                          said.good.label.empty() ? "" : ": ", said.good.label);
    return text;
  }

  const intel::Indicators* indicators_;
  const intel::FeedTable* feeds_;
  const decay::LearnedHere* learned_;
};

}  // namespace

std::unique_ptr<Detector> make_indicator(const Context& context) { return std::make_unique<IndicatorHit>(context); }

}  // namespace orbwatch::detect
