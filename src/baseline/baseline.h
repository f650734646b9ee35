// All profiles, what they learn and how they forget.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "baseline/edge_probes.h"
#include "baseline/forecast.h"
#include "baseline/profile.h"
#include "baseline/tunnels.h"
#include "baseline/view.h"
#include "core/archive.h"
#include "event/event.h"

namespace orbwatch::baseline {

using event::Event;

struct Limits {
  std::size_t users = 1'000'000;
  std::size_t sources = 4'000'000;
  std::size_t quarantined = 100'000;
  // An event that ended in an alert is learned only after this time, unless a verdict comes first.
  Nanoseconds quarantine = 14 * core::kDay;
};

// Not thread-safe. Events in nearly ascending time; the same events in the same order give the same profiles.
class Baseline {
 public:
  explicit Baseline(const core::NetworkView& networks, const Limits& limits = {});
  ~Baseline();

  // What is known before this event. Valid until the next learn() or quarantine().
  View view(const Event& event);
  // A network on probation on which a log-in sheds light.
  struct Light {
    std::uint64_t key = 0;  // View::network_key of its log-in
    // The user is back from it: on an older line of the same provider, so that what seemed a new address of it was
    // another line; or at home, from far away.
    bool left = false;
    std::uint8_t follow_up = 0;  // FollowUp bits with this log-in's
  };
  // Those of which this log-in tells something that was not known. Ask before learn(), which settles the question.
  std::vector<Light> light(const Event& event) const;
  // The probation of the network of this log-in is over: how such stories go on is learned. Returns its FollowUp bits,
  // nothing if the profile has forgotten the network.
  std::optional<std::uint8_t> close_network(const Event& event);
  void learn(const Event& event);
  // What the end of a session tells of it; its length also from its beginning, if that is remembered. Ask before
  // learn(), which closes it.
  SessionShape session_shape(const Event& end) const;
  // What sessions reach inside (tunnels.h). A line of a log-in: it may say who holds an assigned address.
  void open_tunnel(const Event& line) { tunnels_.open(line); }
  // Any connection or flow: its tunnel, if it came out of one and that is to be judged once more (Tunnels::note).
  const Tunnel* note_destination(const Event& connection);
  // The tunnel of a log-in that has settled, if it has reached enough by now to be judged.
  const Tunnel* telling_tunnel(const Event& login) const;
  Reached reached(const Tunnel& tunnel) const { return tunnels_.reached(tunnel, unit_value_); }
  // Of a session that ends here; its log-in has been learned. Ask before close_tunnel().
  std::optional<Reached> reached(const Event& end) const { return tunnels_.reached(end, unit_value_); }
  void close_tunnel(const Event& end);
  // Sets the view's members that speak of it; `reached` must outlive the view.
  void show_reached(View& view, Symbol user, const Reached& reached) const;
  // A log-in of which a verdict says that it was the user's own: without probation.
  void learn_at_once(const Event& login);
  // The user and the source learn the event only when `limits.quarantine` has passed by event time. The population does
  // at once: how often people show something new must be counted over all log-ins, or what alarms would seem ever
  // rarer.
  void quarantine(const Event& event);
  // The user's profile forgets what this log-in taught, which turned out to be alarming: its network, and its client if
  // that was new then.
  void forget(const Event& event, bool with_client);
  // A log-in of an intruder, by a verdict: as quarantine(), but the user and the source never learn it.
  void refuse(const Event& login);
  // Where log-ins of a verdict came from: the address and its Event::source_facts.
  struct Origin {
    Ip ip;
    std::uint32_t facts = 0;
  };
  // They were an intruder's: what waits in quarantine from there is dropped, and the user's profile forgets what they
  // taught: addresses, prefix, provider, place and country as far as nothing else taught them, these clients, and the
  // hours of these log-ins (their times, ascending; those in quarantine have taught none). Of a prefix from which the
  // user has another address only the intruder's addresses go. Marks, methods and the counts of the population stay.
  void disown(Symbol user, std::span<const Origin> origins, std::span<const Client> clients,
              std::span<const Nanoseconds> logins);
  // They were the user's own after all: what quarantine() held back from there is learned, and their network and these
  // clients are known from now on.
  void accept(Symbol user, std::span<const Origin> origins, std::span<const Client> clients);
  // A trait of a small device (see detect/soho_source.cc): a port, or the number of a banner.
  struct SohoNote {
    std::uint16_t port = 0;
    std::uint8_t banner = 0;
    std::uint8_t weight = 0;
    bool scanned = false;  // by somebody who looked, not in the traffic: `time` is then no time of use of the address
  };
  // Of several traits of an address the strongest is kept, of equals the first.
  void note_soho(const Ip& ip, const SohoNote& note, Nanoseconds time);

  // All that it knows and keeps, the limits excepted: a restored baseline goes on as the saved one would have. Errors
  // stick to the reader; after one this is to be thrown away. What points into tables of the process must be put right
  // behind load(): each_event() shows the events that are kept (their facts), and renumber_banners() takes the new
  // number of each banner, 0 if it is gone.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);
  template <typename Visit>
  void each_event(Visit&& visit) {
    for (auto& [when, event] : quarantine_) visit(event);
  }
  void renumber_banners(const std::array<std::uint8_t, 256>& numbers);

  std::size_t users() const { return users_.size(); }
  std::size_t sources() const { return sources_.size(); }
  std::size_t groups() const { return groups_.size(); }
  std::size_t quarantined() const { return quarantine_.size(); }
  const GroupProfile& everyone() const { return everyone_; }
  std::uint64_t forgotten_sources() const { return forgotten_sources_; }
  std::uint64_t refused_users() const { return refused_users_; }
  const EdgeProbes& edge() const { return edge_; }
  const Tunnels& tunnels() const { return tunnels_; }

  // For the store and `explain`: the user's profile or null.
  const UserProfile* user(Symbol name) const;
  template <typename Visit>
  void each_user(Visit&& visit) const {
    for (const auto& [name, profile] : users_) visit(name, *profile);
  }

 private:
  double unit(Nanoseconds time);
  SourceProfile* source_of(const Ip& ip, Nanoseconds time);
  struct Novelty {
    Familiarity level = Familiarity::kNewCountry;
    Nanoseconds since = 0;   // on probation since; 0 = not
    bool neighbour = false;  // an address new to the user in a known prefix
  };
  static Novelty novelty(const UserProfile& user, const Event& event, const core::NetworkFacts& facts);
  void learn_population(const Event& event, const core::NetworkFacts& facts);
  void learn_system(const Event& event, const core::NetworkFacts& facts, const UserProfile* user,
                    const Novelty& novelty);
  void learn_login(const Event& event, const core::NetworkFacts& facts, bool at_once);
  void learn_network(UserProfile& user, const Event& event, const core::NetworkFacts& facts, const Novelty& novelty,
                     float weight, bool at_once);
  // What the session that ends teaches: what is normal for its user, what people do in networks new to them, nothing.
  Tunnels::Teaches teaches(const UserProfile& user, const Event& end, const core::NetworkFacts& facts) const;
  void learn_session(UserProfile& user, const Event& end, const core::NetworkFacts& facts);
  void learn_break(UserProfile& user, Nanoseconds now, std::uint32_t place, float w);
  static void note_network(UserProfile& user, const Event& event, const core::NetworkFacts& facts,
                           const Novelty& novelty, bool alarmed);
  void learn_client(UserProfile& user, const Event& event, float weight, bool at_once, bool at_home);
  void learn_method(UserProfile& user, const Event& event, float weight, bool at_once);
  std::uint8_t follow_up(const UserProfile& user, const UserProfile::RecentNetwork& network, const Event& event,
                         const core::NetworkFacts& facts, const Novelty& novelty) const;
  void note_follow_ups(UserProfile& user, const Event& event, const core::NetworkFacts& facts,
                       const Novelty& novelty) const;
  static bool at_home(const Novelty& found, const core::NetworkFacts& facts);
  static bool leaves(const UserProfile& user, const UserProfile::RecentNetwork& network, const Event& event,
                     const core::NetworkFacts& facts);
  double moved(const UserProfile& user, std::uint32_t asn) const;
  double readdressed(const UserProfile& user, std::uint32_t asn) const;
  double by_experience(double moved, std::size_t bin) const;
  // What is forecast of a log-in of the user through this provider; `corrected`: by Calibration.
  struct Forecast {
    NoveltyChances novelty;
    double moved = 0.15;       // through a provider known to him: that it is from a prefix new to him
    double readdressed = 0.2;  // from a known prefix: that it is from an address new to him
  };
  Forecast forecast(const UserProfile& user, const GroupProfile* group, std::uint32_t asn) const;
  Forecast corrected(Forecast forecast) const;
  void check(const Forecast& forecast, const Novelty& found, Nanoseconds time);
  void describe_move(View& view, const UserProfile& user, const Event& event) const;
  GroupProfile* group_of(Symbol name, bool add);
  void learn_failure(const Event& event, const core::NetworkFacts& facts);
  void learn_denied(const Event& event, const core::NetworkFacts& facts);
  Nanoseconds held_until(const Event& held) const;
  void release(Nanoseconds now);
  void hold_back(const Event& event);
  void make_room();
  template <typename Archive>
  void persist(Archive& archive);

  const core::NetworkView& networks_;
  Limits limits_;
  Nanoseconds origin_ = 0;
  Nanoseconds last_learned_ = 0;
  Nanoseconds unit_time_ = 0;
  double unit_value_ = 1;
  absl::flat_hash_map<Symbol, std::unique_ptr<UserProfile>> users_;
  absl::flat_hash_map<Ip, SourceProfile> sources_;
  absl::flat_hash_map<Symbol, std::unique_ptr<GroupProfile>> groups_;
  absl::flat_hash_map<std::uint32_t, SystemProfile> systems_;  // by AS number
  SystemProfile all_systems_;
  absl::flat_hash_map<std::uint64_t, float> clients_;
  float clients_total_ = 0;
  GroupProfile everyone_;
  Accounts accounts_;
  // How good the forecasts were: NoveltyChances in their order, moved, readdressed.
  std::array<Calibration, 5> calibrations_;
  StrangerFailures strangers_;
  EdgeProbes edge_;
  Tunnels tunnels_;
  Marks marks_;
  std::deque<std::pair<Nanoseconds, Event>> quarantine_;
  std::uint64_t forgotten_sources_ = 0;
  std::uint64_t refused_users_ = 0;
};

// What kind of event this is for the profiles.
bool is_login(const Event& event);  // a log-in that succeeded
bool is_failed_login(const Event& event);
ClientChange client_change(const UserProfile& user, const Client& client);
Familiarity familiarity(const UserProfile& user, const Ip& ip, const core::NetworkFacts& facts);

}  // namespace orbwatch::baseline
