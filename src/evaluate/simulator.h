// How `orbwatch simulate` writes a world down: one Simulator is one run. Internal to the simulator's own files, which
// divide the work by subject: gateway_logs.cc (what each device writes), people.cc (what people do in a day),
// background.cc (the Internet and machines), inside.cc (what lies behind the VPN), covert_network.cc and
// covert_variety.cc (the attacks), happenings.cc (what was ordinary, in words), simulate.cc (a run, and the truth).
// world.h has what a Simulator starts from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "evaluate/inside.h"
#include "evaluate/log_file.h"
#include "evaluate/rng.h"
#include "evaluate/simulate.h"
#include "evaluate/world.h"

namespace orbwatch::evaluate {

using core::CivilTime;
using core::kDay;
using core::kHour;
using core::kMillisecond;
using core::kMinute;
using core::kSecond;

// The streams of random numbers; world.cc has those below 100.
enum Stream : std::uint64_t {
  kUserDay = 101,
  kNoise,
  kScanNoise,
  kWebTraffic,
  kMonitoring,
  kConference,
  kAttackPlan,
  kCovert,
  kSpray,
  kScan,
  kManagement,
  kSessionId,
  kSecondComputer,
  kGatewayChoice,
  kVaried,  // what people do in a world with variety only
  kRoaming,
  kSharedAccount,
  kOnCall,
  kEvent,
  kVariedIntrusion,
  kVariedSpray,
  kInsideNetwork,  // in a world with the tunnels' traffic only
  kInsidePerson,
  kInsideSession,
  kInsideIntruder,
  kTunnelLines,
};

// The organisation's own public addresses: documentation space (RFC 5737), so that they can be nobody's.
inline constexpr std::string_view kAsaAddress[2] = {"198.51.100.1", "198.51.100.2"};
inline constexpr std::string_view kFortigateAddress = "198.51.100.3";
inline constexpr std::string_view kServerAddress = "198.51.100.20";  // public web server
inline constexpr std::string_view kBastionAddress = "198.51.100.22";
inline constexpr std::string_view kRadius = "10.1.0.11";

struct IpText {
  explicit IpText(std::uint32_t ip) {
    char* end = fmt::format_to(text, FMT_COMPILE("{}.{}.{}.{}"), ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255);
    size = static_cast<std::size_t>(end - text);
  }
  operator std::string_view() const { return {text, size}; }  // NOLINT(google-explicit-constructor)
  char text[16];
  std::size_t size;
};

inline constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Whose computer it is: some gateways log its name.
enum class Computer : std::uint8_t { kOwn, kSpare, kOperators };

// One remote-access session.
struct Session {
  Nanoseconds start = 0;
  Nanoseconds length = kHour;
  std::uint32_t ip = 0;
  std::string_view user;
  std::size_t user_number = 0;
  std::string_view group;
  Client client;
  Computer computer = Computer::kOwn;  // an operator who copies the client copies the name of the computer, too
  int wrong_before = 0;                // failed attempts before it
  int reconnects = 0;
  std::string_view reason = "User Requested";
  std::uint16_t source_port = 0;  // 0: any
  double mean_bytes = 6e7;
  double received_share = 0.2;  // of it, what comes from the client
  // Resumed from another address; 0 = never. At least a minute within the session.
  std::uint32_t moved_to = 0;
  Nanoseconds moved_at = 0;
  // Behind the gateway.
  Purpose purpose = Purpose::kOwner;
  bool on_a_trip = false;       // hotel, conference
  Nanoseconds opened = 0;       // of the session that this one goes on with; its own start otherwise
  std::size_t pool_number = 0;  // of the assigned address
};

// What operators bring along: years old, and on Linux often the free client.
inline constexpr std::array<Client, 3> kOperatorClients = {{{0, -1, false}, {2, -1, true}, {2, -1, false}}};

// Where somebody works from.
struct Place {
  Place(std::uint32_t address) : ip(address) {}  // NOLINT(google-explicit-constructor): most places are an address
  Place(const World& world, const Line& line, Nanoseconds time)
      : ip(world.address(line, time)),
        first_port(line.cgnat ? World::first_port(line) : std::uint16_t{0}),
        network(line.network) {}
  std::uint32_t ip;
  std::uint16_t first_port = 0;          // of his block behind a carrier's NAT; 0 = any port
  const PlanNetwork* network = nullptr;  // of a broadband line: it may fail
  bool on_a_trip = false;
};

class Simulator {
 public:
  Simulator(const SimulateOptions& options, World world) : options_(options), world_(std::move(world)) {}

  core::Expected<SimulateResult> run();

 private:
  // ---- lines
  // -------------------------------------------------------------------------------------------------------------------
  LogFile& log(Gateway gateway) { return *logs_[static_cast<std::size_t>(gateway)]; }

  // "Oct 05 2026 06:12:44 asa-1 : %ASA-6-113039: ...": `logging timestamp` and `logging device-id hostname`; the clock
  // runs on UTC.
  template <typename Format, typename... Args>
  void asa(Gateway gateway, Nanoseconds time, Format format, const Args&... args) {
    LogFile& file = log(gateway);
    auto out = file.begin(time / kSecond * kSecond);
    const std::int64_t second = time / kSecond;
    if (second / 86400 != asa_day_) {
      asa_day_ = second / 86400;
      const CivilTime c = core::to_utc(time);
      asa_date_ = fmt::format("{} {:02} {}", kMonths[static_cast<std::size_t>(c.month - 1)], c.day, c.year);
    }
    const int s = static_cast<int>(second % 86400);
    fmt::format_to(out, FMT_COMPILE("{} {:02}:{:02}:{:02} {} : %ASA-"), asa_date_, s / 3600, s / 60 % 60, s % 60,
                   name(gateway));
    fmt::format_to(out, format, args...);
    file.end(tally_);
  }

  // date=... time=... devname=...: FortiOS 6.4 and later. Up to the type; the record's writer ends it.
  std::back_insert_iterator<std::string> begin_fortigate(Nanoseconds time, std::string_view log_id,
                                                         std::string_view type);
  template <typename Format, typename... Args>
  void fortigate(Nanoseconds time, std::string_view log_id, Format format, const Args&... args) {
    fmt::format_to(begin_fortigate(time, log_id, "event"), format, args...);
    log(Gateway::kFortigate).end(tally_);
  }

  // "2026-10-05T08:12:44.123456+02:00 bastion sshd[123]: ..."
  template <typename Format, typename... Args>
  void sshd(Nanoseconds time, std::uint32_t pid, Format format, const Args&... args) {
    LogFile& file = log(Gateway::kBastion);
    auto out = file.begin(time);
    const int offset = utc_offset(world_.region, time);
    const CivilTime c = core::to_utc(time + offset * kSecond);
    fmt::format_to(out, FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}{}{:02}:00 bastion sshd[{}]: "), c.year,
                   c.month, c.day, c.hour, c.minute, c.second, c.nanosecond / 1000, offset < 0 ? '-' : '+',
                   std::abs(offset) / 3600, pid);
    fmt::format_to(out, format, args...);
    file.end(tally_);
  }

  // "<14>Oct 05 08:12:44 pa-1 1,2026/10/05 08:12:44,001801000001,TYPE,...": PAN-OS 10 and later; the clock runs on UTC.
  // `begin_paloalto` writes up to the type; the record's writer ends it.
  std::back_insert_iterator<std::string> begin_paloalto(Nanoseconds time, std::string_view type);
  std::uint64_t paloalto_sequence(Nanoseconds time, std::string_view about) const;
  std::string host_name(const Session& session);
  void globalprotect(Nanoseconds time, std::string_view event, std::string_view stage, std::string_view method,
                     const Session& session, std::string_view ip, std::string_view assigned, std::string_view reason,
                     bool failed, Nanoseconds duration);
  void paloalto_system(Nanoseconds time, std::string_view subtype, std::string_view event, std::string_view severity,
                       std::string_view text);

  // "<134>1 2026-10-05T08:12:44+02:00 ics-1 PulseSecure: - - - 2026-10-05 08:12:44 - ics-1 - [IP] USER(REALM)[ROLES] -
  // ..."
  template <typename Format, typename... Args>
  void ivanti(Nanoseconds time, std::string_view ip, std::string_view user, std::string_view realm,
              std::string_view roles, Format format, const Args&... args) {
    LogFile& file = log(Gateway::kIvanti);
    auto out = file.begin(time / kSecond * kSecond);
    const int offset = utc_offset(world_.region, time);
    const CivilTime c = core::to_utc(time + offset * kSecond);
    fmt::format_to(out,
                   FMT_COMPILE("<134>1 {:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:00 ics-1 PulseSecure: - - - "
                               "{:04}-{:02}-{:02} {:02}:{:02}:{:02} - ics-1 - [{}] {}({})[{}] - "),
                   c.year, c.month, c.day, c.hour, c.minute, c.second, offset < 0 ? '-' : '+', std::abs(offset) / 3600,
                   c.year, c.month, c.day, c.hour, c.minute, c.second, ip, user, realm, roles);
    fmt::format_to(out, format, args...);
    file.end(tally_);
  }

  // Connection numbers grow with time, as on the device; the low bits keep those of one instant apart.
  std::uint32_t connection_id(Nanoseconds time, Rng& rng) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>((time - world_.start) / (10 * kMillisecond)) * 16 +
                                      rng.below(16) + 1000);
  }
  static std::string pool_address(std::size_t number) {
    return fmt::format("10.{}.{}.{}", 20 + number / 62500, number / 250 % 250, number % 250 + 1);
  }
  std::string inside_address(std::size_t user, Nanoseconds time) const;
  std::vector<Happening> happenings() const;
  static std::string asa_duration(Nanoseconds length) {
    const auto s = length / kSecond;
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  }

  // ---- ordinary life
  // -----------------------------------------------------------------------------------------------------------
  void user_day(std::size_t user, int day);
  void work_from(Rng& rng, std::size_t user, Nanoseconds start, Nanoseconds length, const Place& place);
  void varied_session(Rng& rng, Gateway gateway, Session session, const Place& place);
  void shared_account_day(std::size_t user, int day);
  void on_call_night(std::size_t user, int day);
  // One of the addresses that the phones of the whole country come from.
  std::uint32_t anywhere_mobile(const User& user, Rng& rng) const {
    return world_.cgnat_address(*user.mobile, rng.below(48));
  }
  std::uint32_t branch_address(int branch) const;
  void session(Rng& rng, Gateway gateway, const Session& session);
  // The connections that a session makes through its tunnel, from the moment that it stands. The bytes are what the
  // session carries in all.
  void tunnel_traffic(Gateway gateway, const Session& session, Nanoseconds from, Nanoseconds until,
                      std::uint64_t to_client, std::uint64_t from_client);
  void asa_session(Rng& rng, Gateway gateway, const Session& session);
  void fortigate_session(Rng& rng, const Session& session);
  void globalprotect_session(Rng& rng, const Session& session);
  void ivanti_session(Rng& rng, const Session& session);
  void failed_login(Rng& rng, Gateway gateway, Nanoseconds time, std::uint32_t ip, std::string_view user,
                    std::uint16_t source_port);
  void ssh_session(Rng& rng, Nanoseconds start, Nanoseconds length, std::string_view ip, std::string_view user,
                   bool key, int wrong);
  void ssh_guess(Rng& rng, Nanoseconds time, std::uint32_t ip, std::string_view user, bool exists);
  void connection(Rng& rng, Gateway gateway, Nanoseconds time, std::string_view ip, std::uint16_t port,
                  std::string_view to, std::uint16_t to_port, Nanoseconds length, std::uint64_t bytes);
  void denied(Rng& rng, Gateway gateway, Nanoseconds time, std::string_view ip, std::uint16_t port,
              std::uint16_t to_port);
  void noise_day(int day);
  void services_day(int day);
  void admin_login(Rng& rng, Nanoseconds time, std::string_view ip, std::string_view user, bool success);
  Place hotel(Rng& rng, std::uint64_t trip, bool abroad);
  std::string_view group_of(const User& user) const {
    return user.contractor ? "GP-Contractors" : user.admin ? "GP-Admins" : "GP-Staff";
  }
  Gateway gateway_for(const User& user, int day, Rng& rng) const {
    const auto [first, second, third] = world_.served;
    if (day == world_.failover_day && user.gateway == first) return second != first ? second : third;
    // Whoever uses one of the pair meets the other when the first is busy.
    if (user.gateway == third && third != second) return third;
    return rng.chance(0.06) ? (user.gateway == first ? second : first) : user.gateway;
  }
  // The firewall in front of an address, for what is no log-in.
  Gateway firewall(Gateway gateway) const { return world_.stands(gateway) ? gateway : Gateway::kAsa1; }
  // The device that is kept from outside.
  Gateway administered() const {
    for (const Gateway gateway : {Gateway::kFortigate, Gateway::kPaloAlto}) {
      if (world_.stands(gateway)) return gateway;
    }
    return Gateway::kAsa1;
  }
  std::uint16_t ephemeral(Rng& rng) const { return static_cast<std::uint16_t>(rng.between(32768, 65000)); }

  // ---- the covert network
  // ------------------------------------------------------------------------------------------------------
  void attacks();
  void covert_logins(const std::vector<int>& days);
  void varied_intrusions(const std::vector<int>& days);
  void varied_spray(int campaign, int first_day, int last_day);
  Line rented_server(std::uint64_t number) const;
  void intrusion(Rng& rng, std::size_t user, Nanoseconds time, const Node& node, bool copied, bool ssh, TruthItem item);
  void spray(int campaign, int first_day);
  void slow_scan(int campaign, int first_day);
  void management_probe(int number, int day);
  const Node* exit_node(Rng& rng, Nanoseconds time, Nanoseconds until,
                        const std::function<bool(const Node&)>& fits) const;
  template <typename Work>
  void as_item(TruthItem item, Work work);
  static int score_disguise(const TruthItem& item, bool usual_hours);
  static std::string_view provider_of(const User& user, const Line& line, Nanoseconds time);

  SimulateOptions options_;
  World world_;
  std::array<std::unique_ptr<LogFile>, kGateways> logs_;  // null: the world has no such device
  LineTally* tally_ = nullptr;
  std::unique_ptr<InsideNetwork> inside_;   // null: the tunnels' traffic is not logged
  Reached reached_ = Reached::kNotWritten;  // the most that an item's sessions reached
  std::int64_t asa_day_ = INT64_MIN;
  std::string asa_date_;
  // Attack work waits here until its day is written, so that memory holds one day only.
  std::multimap<int, std::function<void()>> due_;
  std::vector<TruthItem> truth_;
  int attack_from_ = 0;
};

template <typename Work>
void Simulator::as_item(TruthItem item, Work work) {
  LineTally tally;
  tally_ = &tally;
  reached_ = Reached::kNotWritten;
  work(item);
  tally_ = nullptr;
  item.inside = evaluate::name(reached_);
  if (tally.lines == 0) return;
  item.lines = tally.lines;
  item.time = tally.first;
  item.end = tally.last;
  std::ranges::sort(item.sources);
  item.sources.erase(std::unique(item.sources.begin(), item.sources.end()), item.sources.end());
  std::ranges::sort(item.users);
  item.users.erase(std::unique(item.users.begin(), item.users.end()), item.users.end());
  truth_.push_back(std::move(item));
}

}  // namespace orbwatch::evaluate
