#include "evaluate/simulate.h"

#include <absl/container/flat_hash_set.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "core/symbol.h"
#include "core/text.h"
#include "evaluate/log_file.h"
#include "evaluate/world.h"

namespace orbwatch::evaluate {
namespace {

using core::CivilTime;
using core::kDay;
using core::kHour;
using core::kMillisecond;
using core::kMinute;
using core::kSecond;

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
};

// The organisation's own public addresses: documentation space (RFC 5737), so that they can be nobody's.
constexpr std::string_view kAsaAddress[2] = {"198.51.100.1", "198.51.100.2"};
constexpr std::string_view kFortigateAddress = "198.51.100.3";
constexpr std::string_view kServerAddress = "198.51.100.20";  // public web server
constexpr std::string_view kBastionAddress = "198.51.100.22";
constexpr std::string_view kRadius = "10.1.0.11";

// What a world of 150 users writes per user and day at noise 1, for `lines`. Measured: see tests (ScalesToLines).
constexpr double kLinesPerUserDay = 20.0;

struct IpText {
  explicit IpText(std::uint32_t ip) {
    char* end = fmt::format_to(text, FMT_COMPILE("{}.{}.{}.{}"), ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255);
    size = static_cast<std::size_t>(end - text);
  }
  operator std::string_view() const { return {text, size}; }  // NOLINT(google-explicit-constructor)
  char text[16];
  std::size_t size;
};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// One remote-access session.
struct Session {
  Nanoseconds start = 0;
  Nanoseconds length = kHour;
  std::uint32_t ip = 0;
  std::string_view user;
  std::size_t user_number = 0;
  std::string_view group;
  std::string client;
  int wrong_before = 0;  // failed attempts before it
  int reconnects = 0;
  std::string_view reason = "User Requested";
  std::uint16_t source_port = 0;  // 0: any
  double mean_bytes = 6e7;
};

class Simulator {
 public:
  Simulator(const SimulateOptions& options, World world) : options_(options), world_(std::move(world)) {}

  core::Expected<SimulateResult> run();

 private:
  // ---- lines
  // -------------------------------------------------------------------------------------------------------------------
  LogFile& log(Gateway gateway) { return logs_[static_cast<std::size_t>(gateway)]; }

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

  // date=... time=... devname=...: FortiOS 6.4 and later
  template <typename Format, typename... Args>
  void fortigate(Nanoseconds time, std::string_view log_id, Format format, const Args&... args) {
    LogFile& file = log(Gateway::kFortigate);
    auto out = file.begin(time);
    const int offset = utc_offset(world_.region, time);
    const CivilTime c = core::to_utc(time + offset * kSecond);
    fmt::format_to(
        out,
        FMT_COMPILE(
            "date={:04}-{:02}-{:02} time={:02}:{:02}:{:02} devname=\"fgt-1\" devid=\"FGT60FTK20099001\" eventtime={} "
            "tz=\"{}{:02}00\" logid=\"{}\" type=\"event\" "),
        c.year, c.month, c.day, c.hour, c.minute, c.second, time, offset < 0 ? '-' : '+', std::abs(offset) / 3600,
        log_id);
    fmt::format_to(out, format, args...);
    file.end(tally_);
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

  // Connection numbers grow with time, as on the device; the low bits keep those of one instant apart.
  std::uint32_t connection_id(Nanoseconds time, Rng& rng) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>((time - world_.start) / (10 * kMillisecond)) * 16 +
                                      rng.below(16) + 1000);
  }
  static std::string pool_address(std::size_t user) {
    return fmt::format("10.{}.{}.{}", 20 + user / 62500, user / 250 % 250, user % 250 + 1);
  }
  static std::string asa_duration(Nanoseconds length) {
    const auto s = length / kSecond;
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  }

  // ---- ordinary life
  // -----------------------------------------------------------------------------------------------------------
  void user_day(std::size_t user, int day);
  void work_from(Rng& rng, std::size_t user, Nanoseconds start, Nanoseconds length, std::uint32_t ip);
  void session(Rng& rng, Gateway gateway, const Session& session);
  void asa_session(Rng& rng, Gateway gateway, const Session& session);
  void fortigate_session(Rng& rng, const Session& session);
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
  std::uint32_t hotel(Rng& rng, std::uint64_t trip, bool abroad);
  std::string_view group_of(const User& user) const {
    return user.contractor ? "GP-Contractors" : user.admin ? "GP-Admins" : "GP-Staff";
  }
  Gateway gateway_for(const User& user, Rng& rng) const {
    // Whoever uses one ASA meets the other when the first is busy.
    if (user.gateway == Gateway::kFortigate) return Gateway::kFortigate;
    return rng.chance(0.06) ? (user.gateway == Gateway::kAsa1 ? Gateway::kAsa2 : Gateway::kAsa1) : user.gateway;
  }
  std::uint16_t ephemeral(Rng& rng) const { return static_cast<std::uint16_t>(rng.between(32768, 65000)); }

  // ---- the covert network
  // ------------------------------------------------------------------------------------------------------
  void attacks();
  void covert_logins(const std::vector<int>& days);
  void intrusion(Rng& rng, std::size_t user, Nanoseconds time, const Node& node, bool copied, bool ssh, TruthItem item);
  void spray(int campaign, int first_day);
  void slow_scan(int campaign, int first_day);
  void management_probe(int number, int day);
  const Node* exit_node(Rng& rng, Nanoseconds time, Nanoseconds until,
                        const std::function<bool(const Node&)>& fits) const;
  template <typename Work>
  void as_item(TruthItem item, Work work);
  static int score_disguise(const TruthItem& item, bool usual_hours);
  static std::string_view provider_of(const User& user, const Node& node, Nanoseconds time);

  SimulateOptions options_;
  World world_;
  std::vector<LogFile> logs_;
  LineTally* tally_ = nullptr;
  std::int64_t asa_day_ = INT64_MIN;
  std::string asa_date_;
  // Attack work waits here until its day is written, so that memory holds one day only.
  std::multimap<int, std::function<void()>> due_;
  std::vector<TruthItem> truth_;
  int attack_from_ = 0;
};

// ---- sessions
// --------------------------------------------------------------------------------------------------------------------

void Simulator::connection(Rng& rng, Gateway gateway, Nanoseconds time, std::string_view ip, std::uint16_t port,
                           std::string_view to, std::uint16_t to_port, Nanoseconds length, std::uint64_t bytes) {
  const std::uint32_t id = connection_id(time, rng);
  const std::string_view inside = to == kServerAddress || to == kBastionAddress ? "dmz" : "identity";
  asa(gateway, time,
      FMT_COMPILE("6-302013: Built inbound TCP connection {} for outside:{}/{} ({}/{}) to {}:{}/{} ({}/{})"), id, ip,
      port, ip, port, inside, to, to_port, to, to_port);
  asa(gateway, time + length,
      FMT_COMPILE("6-302014: Teardown TCP connection {} for outside:{}/{} to {}:{}/{} duration {} bytes {} TCP {}"), id,
      ip, port, inside, to, to_port, asa_duration(length), bytes, rng.chance(0.85) ? "FINs" : "Reset-O");
}

void Simulator::denied(Rng& rng, Gateway gateway, Nanoseconds time, std::string_view ip, std::uint16_t port,
                       std::uint16_t to_port) {
  asa(gateway, time,
      FMT_COMPILE("4-106023: Deny tcp src outside:{}/{} dst dmz:198.51.100.{}/{} by access-group \"outside_access_in\" "
                  "[0x0, 0x0]"),
      ip, port, rng.between(16, 30), to_port);
}

void Simulator::failed_login(Rng& rng, Gateway gateway, Nanoseconds time, std::uint32_t address, std::string_view user,
                             std::uint16_t source_port) {
  const IpText ip(address);
  if (gateway == Gateway::kFortigate) {
    fortigate(time, "0101039943",
              FMT_COMPILE("subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN new connection\" "
                          "action=\"ssl-new-con\" "
                          "tunneltype=\"ssl\" tunnelid=0 remip={} user=\"N/A\" group=\"N/A\" dst_host=\"N/A\" "
                          "reason=\"N/A\" msg=\"SSL new connection\""),
              std::string_view(ip));
    fortigate(
        time + 1800 * kMillisecond, "0101039426",
        FMT_COMPILE(
            "subtype=\"vpn\" level=\"alert\" vd=\"root\" logdesc=\"SSL VPN login fail\" action=\"ssl-login-fail\" "
            "tunneltype=\"ssl-web\" tunnelid=0 remip={} user=\"{}\" group=\"N/A\" dst_host=\"N/A\" "
            "reason=\"sslvpn_login_permission_denied\" msg=\"SSL user failed to logged in\""),
        std::string_view(ip), user);
    return;
  }
  const std::uint16_t port = source_port != 0 ? source_port : ephemeral(rng);
  const std::string_view to = kAsaAddress[gateway == Gateway::kAsa1 ? 0 : 1];
  asa(gateway, time,
      FMT_COMPILE("6-725001: Starting SSL handshake with client outside:{}/{} to {}/443 for TLS session"),
      std::string_view(ip), port, to);
  asa(gateway, time + 120 * kMillisecond,
      FMT_COMPILE("6-725002: Device completed SSL handshake with client outside:{}/{} to {}/443 for TLSv1.2 session"),
      std::string_view(ip), port, to);
  asa(gateway, time + 1900 * kMillisecond,
      FMT_COMPILE(
          "6-113005: AAA user authentication Rejected : reason = AAA failure : server = {} : user = {} : user IP = {}"),
      kRadius, user, std::string_view(ip));
  asa(gateway, time + 2600 * kMillisecond,
      FMT_COMPILE("6-725007: SSL session with client outside:{}/{} to {}/443 terminated"), std::string_view(ip), port,
      to);
}

void Simulator::asa_session(Rng& rng, Gateway gateway, const Session& s) {
  const IpText address(s.ip);
  const std::string_view ip = address;
  const std::string_view to = kAsaAddress[gateway == Gateway::kAsa1 ? 0 : 1];
  const std::uint16_t port = s.source_port != 0 ? s.source_port : ephemeral(rng);
  const std::string pool = pool_address(s.user_number);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, gateway, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds end = t + std::max(s.length, kMinute);
  const std::uint64_t sent = static_cast<std::uint64_t>(s.mean_bytes * rng.exponential(1)) + 40'000;
  const std::uint64_t received = static_cast<std::uint64_t>(s.mean_bytes * 0.2 * rng.exponential(1)) + 20'000;
  connection(rng, gateway, t, ip, port, to, 443, end - t, sent + received);
  asa(gateway, t, FMT_COMPILE("6-725001: Starting SSL handshake with client outside:{}/{} to {}/443 for TLS session"),
      ip, port, to);
  asa(gateway, t + 150 * kMillisecond,
      FMT_COMPILE("6-725002: Device completed SSL handshake with client outside:{}/{} to {}/443 for TLSv1.2 session"),
      ip, port, to);
  t += rng.between(2, 9) * kSecond;
  asa(gateway, t, FMT_COMPILE("6-113004: AAA user authentication Successful : server =  {} : user = {}"), kRadius,
      s.user);
  asa(gateway, t, FMT_COMPILE("6-113009: AAA retrieved default group policy ({}) for user = {}"), s.group, s.user);
  asa(gateway, t, FMT_COMPILE("6-113008: AAA transaction status ACCEPT : user = {}"), s.user);
  asa(gateway, t,
      FMT_COMPILE("6-734001: DAP: User {}, Addr {}, Connection AnyConnect: The following DAP records were selected for "
                  "this connection: DfltAccessPolicy"),
      s.user, ip);
  asa(gateway, t, FMT_COMPILE("6-113039: Group <{}> User <{}> IP <{}> AnyConnect parent session started."), s.group,
      s.user, ip);
  asa(gateway, t + kSecond, FMT_COMPILE("6-737026: IPAA: Client assigned {} from local pool VPN-POOL"), pool);
  asa(gateway, t + kSecond,
      FMT_COMPILE("5-722033: Group <{}> User <{}> IP <{}> First TCP SVC connection established for SVC session."),
      s.group, s.user, ip);
  asa(gateway, t + kSecond,
      FMT_COMPILE("6-722022: Group <{}> User <{}> IP <{}> TCP SVC connection established without compression"), s.group,
      s.user, ip);
  asa(gateway, t + kSecond, FMT_COMPILE("6-722055: Group <{}> User <{}> IP <{}> Client Type: {}"), s.group, s.user, ip,
      s.client);
  asa(gateway, t + kSecond,
      FMT_COMPILE("4-722051: Group <{}> User <{}> IP <{}> IPv4 Address <{}> IPv6 address <::> assigned to session"),
      s.group, s.user, ip, pool);
  // One connection through the tunnel stands for the many.
  const std::uint16_t inner = ephemeral(rng);
  const std::uint32_t id = connection_id(t + 4 * kSecond, rng);
  asa(gateway, t + 4 * kSecond,
      FMT_COMPILE("6-302013: Built inbound TCP connection {} for outside:{}/{} ({}/{})(LOCAL\\{}) to "
                  "inside:10.1.0.{}/443 (10.1.0.{}/443) ({})"),
      id, pool, inner, pool, inner, s.user, 20 + s.user_number % 5, 20 + s.user_number % 5, s.user);
  asa(gateway, t + 95 * kSecond,
      FMT_COMPILE("6-302014: Teardown TCP connection {} for outside:{}/{}(LOCAL\\{}) to inside:10.1.0.{}/443 duration "
                  "0:01:31 bytes {} TCP FINs ({})"),
      id, pool, inner, s.user, 20 + s.user_number % 5, 3000 + rng.below(900'000), s.user);
  for (int i = 0; i < s.reconnects; ++i) {
    const Nanoseconds when =
        t + 2 * kMinute +
        static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(std::max(end - t - 3 * kMinute, kSecond))));
    asa(gateway, when,
        FMT_COMPILE("6-722023: Group <{}> User <{}> IP <{}> TCP SVC connection terminated without compression"),
        s.group, s.user, ip);
    asa(gateway, when + 20 * kSecond,
        FMT_COMPILE("5-722034: Group <{}> User <{}> IP <{}> New TCP SVC connection, no existing connection."), s.group,
        s.user, ip);
  }
  asa(gateway, end - kSecond,
      FMT_COMPILE("6-722023: Group <{}> User <{}> IP <{}> TCP SVC connection terminated without compression"), s.group,
      s.user, ip);
  const auto seconds = (end - t) / kSecond;
  asa(gateway, end,
      FMT_COMPILE("4-113019: Group = VPN-Staff, Username = {}, IP = {}, Session disconnected. Session Type: SSL, "
                  "Duration: {}h:{:02}m:{:02}s, Bytes "
                  "xmt: {}, Bytes rcv: {}, Reason: {}"),
      s.user, ip, seconds / 3600, seconds / 60 % 60, seconds % 60, sent, received, s.reason);
  asa(gateway, end, FMT_COMPILE("6-716002: Group <{}> User <{}> IP <{}> WebVPN session terminated: {}."), s.group,
      s.user, ip, s.reason);
  asa(gateway, end, FMT_COMPILE("6-737016: IPAA: Freeing local pool address {}"), pool);
  asa(gateway, end, FMT_COMPILE("6-725007: SSL session with client outside:{}/{} to {}/443 terminated"), ip, port, to);
}

void Simulator::fortigate_session(Rng& rng, const Session& s) {
  const IpText address(s.ip);
  const std::string_view ip = address;
  const std::string pool = pool_address(s.user_number);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, Gateway::kFortigate, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds begin = t;
  const Nanoseconds end = t + std::max(s.length, kMinute);
  const std::uint64_t tunnel = 100'000'000 + rng.below(1'900'000'000);
  const std::uint64_t sent = static_cast<std::uint64_t>(s.mean_bytes * rng.exponential(1)) + 40'000;
  const std::uint64_t received = static_cast<std::uint64_t>(s.mean_bytes * 0.2 * rng.exponential(1)) + 20'000;
  fortigate(
      t, "0101039943",
      FMT_COMPILE(
          "subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN new connection\" action=\"ssl-new-con\" "
          "tunneltype=\"ssl\" tunnelid=0 remip={} user=\"N/A\" group=\"N/A\" dst_host=\"N/A\" reason=\"N/A\" msg=\"SSL "
          "new connection\""),
      ip);
  t += rng.between(2, 9) * kSecond;
  fortigate(t, "0101039424",
            FMT_COMPILE("subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN tunnel up\" "
                        "action=\"tunnel-up\" tunneltype=\"ssl-web\" "
                        "tunnelid={} remip={} user=\"{}\" group=\"{}\" dst_host=\"N/A\" reason=\"login successfully\" "
                        "msg=\"SSL tunnel established\""),
            tunnel, ip, s.user, s.group);
  fortigate(t + kSecond, "0101039947",
            FMT_COMPILE("subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN tunnel up\" "
                        "action=\"tunnel-up\" tunneltype=\"ssl-tunnel\" "
                        "tunnelid={} remip={} tunnelip={} user=\"{}\" group=\"{}\" dst_host=\"N/A\" reason=\"tunnel "
                        "established\" msg=\"SSL tunnel "
                        "established\""),
            tunnel, ip, pool, s.user, s.group);
  for (Nanoseconds at = t + 2 * kHour; at < end; at += 2 * kHour) {
    const double part = static_cast<double>(at - begin) / static_cast<double>(end - begin);
    fortigate(
        at, "0101039949",
        FMT_COMPILE(
            "subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN statistics\" action=\"tunnel-stats\" "
            "tunneltype=\"ssl-tunnel\" tunnelid={} remip={} tunnelip={} user=\"{}\" group=\"{}\" dst_host=\"N/A\" "
            "nextstat=7200 "
            "duration={} sentbyte={} rcvdbyte={} msg=\"SSL tunnel statistics\""),
        tunnel, ip, pool, s.user, s.group, (at - t) / kSecond,
        static_cast<std::uint64_t>(static_cast<double>(sent) * part),
        static_cast<std::uint64_t>(static_cast<double>(received) * part));
  }
  fortigate(end, "0101039948",
            FMT_COMPILE("subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN tunnel down\" "
                        "action=\"tunnel-down\" tunneltype=\"ssl-tunnel\" "
                        "tunnelid={} remip={} tunnelip={} user=\"{}\" group=\"{}\" dst_host=\"N/A\" reason=\"N/A\" "
                        "duration={} sentbyte={} rcvdbyte={} "
                        "msg=\"SSL tunnel shutdown\""),
            tunnel, ip, pool, s.user, s.group, (end - t) / kSecond, sent, received);
}

void Simulator::session(Rng& rng, Gateway gateway, const Session& s) {
  if (gateway == Gateway::kFortigate) {
    fortigate_session(rng, s);
  } else {
    asa_session(rng, gateway, s);
  }
}

void Simulator::ssh_session(Rng& rng, Nanoseconds start, Nanoseconds length, std::string_view ip, std::string_view user,
                            bool key, int wrong) {
  const auto pid = static_cast<std::uint32_t>(1000 + rng.below(4'000'000));
  const std::uint16_t port = ephemeral(rng);
  for (int i = 0; i < wrong; ++i) {
    sshd(start, pid, FMT_COMPILE("Failed password for {} from {} port {} ssh2"), user, ip, port);
    start += rng.between(3, 9) * kSecond;
  }
  if (key) {
    sshd(start, pid,
         FMT_COMPILE("Accepted publickey for {} from {} port {} ssh2: ED25519 SHA256:{:016x}{:016x}Vd4uVwmJpWc"), user,
         ip, port, core::hash64(user, world_.seed), core::hash64(user, world_.seed + 1));
  } else {
    sshd(start, pid, FMT_COMPILE("Accepted password for {} from {} port {} ssh2"), user, ip, port);
  }
  sshd(start + 40 * kMillisecond, pid,
       FMT_COMPILE("pam_unix(sshd:session): session opened for user {}(uid={}) by (uid=0)"), user,
       1000 + core::hash64(user) % 500);
  const Nanoseconds end = start + length;
  sshd(end, pid, FMT_COMPILE("Received disconnect from {} port {}:11: disconnected by user"), ip, port);
  sshd(end, pid, FMT_COMPILE("Disconnected from user {} {} port {}"), user, ip, port);
  sshd(end + 5 * kMillisecond, pid, FMT_COMPILE("pam_unix(sshd:session): session closed for user {}"), user);
}

void Simulator::ssh_guess(Rng& rng, Nanoseconds time, std::uint32_t address, std::string_view user, bool exists) {
  const IpText text(address);
  const std::string_view ip = text;
  const auto pid = static_cast<std::uint32_t>(1000 + rng.below(4'000'000));
  const std::uint16_t port = ephemeral(rng);
  if (!exists) sshd(time, pid, FMT_COMPILE("Invalid user {} from {} port {}"), user, ip, port);
  sshd(time + kSecond, pid, FMT_COMPILE("Failed password for {}{} from {} port {} ssh2"), exists ? "" : "invalid user ",
       user, ip, port);
  sshd(time + 2 * kSecond, pid, FMT_COMPILE("Connection closed by {} user {} {} port {} [preauth]"),
       exists ? "authenticating" : "invalid", user, ip, port);
}

// ---- people
// ----------------------------------------------------------------------------------------------------------------------

std::uint32_t Simulator::hotel(Rng& rng, std::uint64_t trip, bool abroad) {
  if (abroad) {
    const PlanNetwork& network = *world_.abroad[rng.below(world_.abroad.size())];
    return world_.fixed_address(network, trip);
  }
  if (rng.chance(0.5))
    return world_.fixed_address(*world_.businesses[rng.below(world_.businesses.size())], 1000 + trip % 40);
  const Town& town = world_.towns[rng.below(world_.towns.size())];
  return world_.fixed_address(*town.homes[rng.below(town.homes.size())], trip);
}

void Simulator::work_from(Rng& rng, std::size_t number, Nanoseconds start, Nanoseconds length, std::uint32_t ip) {
  const User& user = world_.users[number];
  const int day = world_.day_of(start);
  Session s;
  s.user = user.name;
  s.user_number = number;
  s.group = group_of(user);
  Rng which(world_.seed, {kSecondComputer, number, static_cast<std::uint64_t>(day)});
  s.client = world_.client_of(user, day, which.chance(user.second_computer));
  const Gateway gateway = gateway_for(user, rng);
  // Some people stay connected all day, others take the tunnel down at noon.
  const int pieces = rng.chance(0.62) || length < 3 * kHour ? 1 : 2;
  Nanoseconds at = start;
  for (int i = 0; i < pieces; ++i) {
    s.start = at;
    s.length = length / pieces - (pieces > 1 ? rng.between(15, 50) * kMinute : 0);
    s.ip = ip;
    s.wrong_before = rng.chance(user.typo) ? (rng.chance(0.2) ? 2 : 1) : 0;
    s.reconnects = rng.poisson(0.35);
    const double how = rng.uniform();
    s.reason = how < 0.62   ? "User Requested"
               : how < 0.85 ? "Idle Timeout"
               : how < 0.96 ? "Lost Service"
                            : "Connection Preempted";
    s.mean_bytes = user.shift == Shift::kField ? 1e7 : 6e7;
    session(rng, gateway, s);
    at += length / pieces + rng.between(2, 12) * kMinute;
  }
}

void Simulator::user_day(std::size_t number, int day) {
  const User& user = world_.users[number];
  if (day < user.hired_day) return;
  Rng rng(world_.seed, {kUserDay, number, static_cast<std::uint64_t>(day)});
  const Nanoseconds midnight = world_.midnight(day);
  const CivilTime date = world_.date(day);
  const bool workday = (user.workdays >> world_.weekday(day) & 1) != 0 && !public_holiday(world_.region, date);
  const bool vacation = day >= user.vacation_from && day <= user.vacation_to;
  const auto minutes = [](double hours) { return static_cast<Nanoseconds>(hours * 60) * kMinute; };
  const Nanoseconds minute = midnight + minutes(user.start_hour + 0.35 * rng.bell());
  const Nanoseconds start = minute + rng.between(0, 59) * kSecond;
  const Nanoseconds length = std::max(minutes(user.hours + 0.6 * rng.bell()), 40 * kMinute);

  // Trips: the week number decides, so that a trip lasts some days. Travellers one week in four, others one in forty.
  const auto week = static_cast<std::uint64_t>((day + 400) / 7);
  Rng trip_rng(world_.seed, {kUserDay, number, 7'000'000 + week});
  const bool trip_week = trip_rng.chance(user.traveller ? 0.28 : 0.025) && !user.contractor;
  const int trip_first = trip_rng.between(0, 3);
  const int trip_last = trip_first + trip_rng.between(0, 3);
  const bool trip_abroad = trip_rng.chance(0.4);
  const std::uint64_t trip_key = trip_rng.next();
  const int day_of_week = (day + 400) % 7;
  const bool travelling = trip_week && day_of_week >= trip_first && day_of_week <= trip_last;
  // Conferences: one in two weeks, some people of the organisation in one hotel.
  Rng conference(world_.seed, {kConference, week});
  const bool conference_week = conference.chance(0.5);
  const int conference_day = conference.between(0, 4);
  const bool conference_abroad = conference.chance(0.5);
  const std::uint64_t conference_key = conference.next() % 97;
  Rng attends(world_.seed, {kConference, week, number});
  const bool at_conference = conference_week && !user.contractor && attends.chance(0.03) &&
                             (day_of_week == conference_day || day_of_week == conference_day + 1);

  if (user.contractor) {
    if (workday && rng.chance(user.remote_share)) {
      // Virtual desktops: one of the provider's three exits.
      const PlanNetwork& network = *world_.vdis[number % world_.vdis.size()];
      work_from(rng, number, start, length, world_.fixed_address(network, 7000 + rng.below(3)));
    }
    return;
  }
  if (vacation) {
    // A look at the mail from the beach, at times.
    if (rng.chance(0.10)) {
      Rng place(world_.seed, {kUserDay, number, 9'000'000});
      const Nanoseconds at = midnight + minutes(10 + 10 * rng.uniform());
      const Nanoseconds lasts = minutes(0.5 + rng.uniform());
      const bool abroad = place.chance(0.6);
      work_from(rng, number, at, lasts, hotel(place, number, abroad));
    }
    return;
  }
  const auto mobile_ip = [&] { return world_.cgnat_address(*user.mobile, user.town * 16 + rng.below(4)); };
  const Line home = world_.home_of(user, start);
  bool remote = false;
  if (workday) {
    if (at_conference) {
      Rng place(world_.seed, {kConference, week, 1'000'000});
      const Nanoseconds at = midnight + minutes(7.5 + 12 * rng.uniform());
      const Nanoseconds lasts = minutes(1 + rng.uniform());
      work_from(rng, number, at, lasts, hotel(place, conference_key, conference_abroad));
      remote = true;
    } else if (travelling) {
      Rng place(trip_key, {1});
      const std::uint32_t ip = hotel(place, trip_key, trip_abroad);
      if (rng.chance(0.35)) {
        const Nanoseconds at = start + minutes(rng.uniform() * 4);
        const Nanoseconds lasts = minutes(0.4 + 1.5 * rng.uniform());
        work_from(rng, number, at, lasts, mobile_ip());
      }
      if (rng.chance(0.8)) {
        const Nanoseconds at = midnight + minutes(17.5 + 4 * rng.uniform());
        const Nanoseconds lasts = minutes(0.5 + 2 * rng.uniform());
        work_from(rng, number, at, lasts, ip);
      }
      remote = true;
    } else if (rng.chance(user.remote_share)) {
      remote = true;
      std::uint32_t ip = world_.address(home, start);
      if (user.second_home.network != nullptr && rng.chance(0.12)) ip = world_.address(user.second_home, start);
      if (user.commercial_vpn && rng.chance(0.4)) {
        const PlanNetwork& exit = *world_.vpns[(number + rng.below(3)) % world_.vpns.size()];
        ip = world_.fixed_address(exit, rng.below(60));
      }
      if (user.shift == Shift::kField || (user.mobile_often && rng.chance(0.3)) || rng.chance(0.02)) {
        // On the road: several short sessions through the phone.
        const int count = rng.between(1, 3);
        for (int i = 0; i < count; ++i) {
          const Nanoseconds at = start + length * i / count + rng.between(0, 40) * kMinute;
          const Nanoseconds lasts = minutes(0.3 + 1.2 * rng.uniform());
          work_from(rng, number, at, lasts, mobile_ip());
        }
      } else {
        work_from(rng, number, start, length, ip);
      }
    } else if (rng.chance(0.03)) {
      // At a customer's or a branch's: the VPN out of a business network.
      const PlanNetwork& network = *world_.businesses[rng.below(world_.businesses.size())];
      const Nanoseconds lasts = minutes(1 + 3 * rng.uniform());
      work_from(rng, number, start + kHour, lasts, world_.fixed_address(network, 20 + rng.below(6)));
      remote = true;
    }
    if (!travelling && !at_conference && rng.chance(remote ? 0.10 : 0.06)) {
      const Nanoseconds evening = midnight + minutes(19 + 3.5 * rng.uniform());
      const Nanoseconds lasts = minutes(0.3 + 1.2 * rng.uniform());
      work_from(rng, number, evening, lasts, rng.chance(0.12) ? mobile_ip() : world_.address(home, evening));
    }
  } else if (rng.chance(0.05)) {
    const Nanoseconds odd = midnight + minutes(9 + 12 * rng.uniform());
    const bool at_second = user.second_home.network != nullptr && rng.chance(0.5);
    work_from(rng, number, odd, minutes(0.3 + 2 * rng.uniform()),
              world_.address(at_second ? user.second_home : home, odd));
  }
  // The password ran out: the phone goes on trying with the old one, the owner mistypes the new one.
  if (day == user.password_day && workday) {
    const int retries = rng.between(4, 14);
    const std::uint32_t phone = rng.chance(0.5) ? mobile_ip() : world_.address(home, start);
    for (int i = 0; i < retries; ++i) {
      failed_login(rng, user.gateway, start + kHour + i * 15 * kMinute + rng.between(0, 20) * kSecond, phone, user.name,
                   0);
    }
  }
  if (user.admin && (workday || rng.chance(0.1))) {
    const int count = rng.poisson(2.2);
    for (int i = 0; i < count; ++i) {
      const Nanoseconds at = start + static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(length)));
      const bool from_home = remote && rng.chance(0.6);
      const IpText outside(world_.address(home, at));
      const std::string inside = pool_address(number);
      const Nanoseconds lasts = rng.between(1, 100) * kMinute;
      const bool key = !rng.chance(0.1);
      const int wrong = rng.chance(0.03) ? 1 : 0;
      ssh_session(rng, at, lasts, from_home ? std::string_view(outside) : std::string_view(inside), user.name, key,
                  wrong);
    }
  }
}

// ---- the Internet's background, and machines
// -------------------------------------------------------------------------------------

void Simulator::noise_day(int day) {
  const double scale = options_.noise * std::max(1.0, static_cast<double>(world_.users.size()) / 150.0);
  if (scale <= 0) return;
  const Nanoseconds midnight = world_.midnight(day);
  const auto at = [&](Rng& rng) { return midnight + static_cast<Nanoseconds>(rng.below(86'000'000)) * kMillisecond; };
  const auto number = static_cast<std::uint64_t>(day);

  // Scanners: a few hosts sweep many ports and addresses.
  Rng rng(world_.seed, {kScanNoise, number});
  constexpr std::array<std::uint16_t, 24> kSwept = {21,   22,   23,   25,   80,   81,   110,  143,
                                                    443,  445,  993,  1433, 1723, 2222, 3306, 3389,
                                                    5060, 5432, 5900, 6379, 8000, 8080, 8443, 9200};
  for (int i = rng.poisson(22 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[rng.below(world_.hosting.size())];
    const IpText ip(world_.fixed_address(network, rng.below(400)));
    Nanoseconds t = at(rng);
    for (int k = rng.between(4, 28); k > 0; --k) {
      const Gateway gateway = rng.chance(0.5) ? Gateway::kAsa1 : Gateway::kAsa2;
      const std::uint16_t port = ephemeral(rng);
      denied(rng, gateway, t, ip, port, rng.pick(kSwept));
      t += rng.between(1, 40) * kSecond;
    }
  }
  // Worms of the Mirai kind: single packets from homes all over the world. Ordinary, and alike to a covert network's
  // scanning.
  constexpr std::array<std::uint16_t, 7> kWormPorts = {23, 2323, 23, 5555, 37215, 8080, 81};
  for (int i = rng.poisson(150 * scale); i > 0; --i) {
    const bool abroad = rng.chance(0.8);
    const PlanNetwork* network = abroad ? world_.abroad[rng.below(world_.abroad.size())] : nullptr;
    if (network == nullptr) {
      const Town& town = world_.towns[rng.below(world_.towns.size())];
      network = town.homes[rng.below(town.homes.size())];
    }
    const IpText ip(world_.fixed_address(*network, 100'000 + rng.below(1u << 20)));
    const Gateway gateway = rng.chance(0.5) ? Gateway::kAsa1 : Gateway::kAsa2;
    const Nanoseconds t = at(rng);
    const std::uint16_t port = ephemeral(rng);
    denied(rng, gateway, t, ip, port, rng.pick(kWormPorts));
  }
  // Password guessing at the VPN: few hosts, many attempts each.
  constexpr std::array<std::string_view, 14> kGuessed = {"admin",   "test", "vpn",  "guest", "user",
                                                         "cisco",   "root", "info", "scan",  "sales",
                                                         "support", "it",   "demo", "backup"};
  Rng guess(world_.seed, {kNoise, number});
  for (int i = guess.poisson(2.5 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[guess.below(world_.hosting.size())];
    const std::uint32_t ip = world_.fixed_address(network, 500 + guess.below(100));
    const Gateway gateway = guess.chance(0.5)   ? Gateway::kAsa1
                            : guess.chance(0.5) ? Gateway::kAsa2
                                                : Gateway::kFortigate;
    Nanoseconds t = at(guess);
    for (int k = guess.between(5, 30); k > 0; --k) {
      failed_login(guess, gateway, t, ip, guess.pick(kGuessed), 0);
      t += guess.between(3, 60) * kSecond;
    }
  }
  // SSH guessing.
  constexpr std::array<std::string_view, 12> kSshNames = {"root",     "admin", "ubuntu", "test",   "oracle", "git",
                                                          "postgres", "pi",    "user",   "hadoop", "ftp",    "mysql"};
  for (int i = guess.poisson(9 * scale); i > 0; --i) {
    const PlanNetwork& network = *world_.hosting[guess.below(world_.hosting.size())];
    const std::uint32_t ip = world_.fixed_address(network, 700 + guess.below(300));
    Nanoseconds t = at(guess);
    for (int k = guess.between(3, 16); k > 0; --k) {
      const std::string_view user = guess.pick(kSshNames);
      ssh_guess(guess, t, ip, user, user == "root");
      t += guess.between(2, 30) * kSecond;
    }
  }
  // Customers at the web server: consumer broadband and phones, mostly of the region.
  Rng web(world_.seed, {kWebTraffic, number});
  for (int i = web.poisson(260 * scale); i > 0; --i) {
    const Town& town = world_.towns[web.below(world_.towns.size())];
    const PlanNetwork* network = town.homes[web.below(town.homes.size())];
    std::uint32_t ip = world_.fixed_address(*network, 2'000'000 + web.below(1u << 20));
    if (web.chance(0.3)) {
      const PlanNetwork& mobile = *world_.mobiles[web.below(world_.mobiles.size())];
      ip = world_.cgnat_address(mobile, web.below(48));
    }
    // the hours of the day have their weight: nights are quiet
    const double hour = 14 + 4.2 * web.bell();
    const Nanoseconds t = midnight + static_cast<Nanoseconds>(std::clamp(hour, 0.0, 23.9) * 3600) * kSecond;
    const std::uint16_t port = ephemeral(web);
    const Nanoseconds lasts = web.between(1, 240) * kSecond;
    connection(web, Gateway::kAsa1, t, IpText(ip), port, kServerAddress, 443, lasts,
               static_cast<std::uint64_t>(web.exponential(90'000)) + 2000);
  }
}

void Simulator::services_day(int day) {
  const Nanoseconds midnight = world_.midnight(day);
  Rng rng(world_.seed, {kMonitoring, static_cast<std::uint64_t>(day)});
  // A branch watches the bastion; its IPsec peer renews its keys.
  const IpText branch(world_.fixed_address(*world_.businesses[0], 1));
  for (int hour = 0; hour < 24; hour += 2) {
    ssh_session(rng, midnight + hour * kHour + 5 * kMinute + rng.between(0, 5) * kSecond, 4 * kSecond, branch,
                "monitor", true, 0);
    const std::uint32_t id = connection_id(midnight + hour * kHour, rng);
    asa(Gateway::kAsa1, midnight + hour * kHour,
        FMT_COMPILE(
            "6-302015: Built inbound UDP connection {} for outside:{}/500 ({}/500) to identity:{}/500 ({}/500)"),
        id, std::string_view(branch), std::string_view(branch), kAsaAddress[0], kAsaAddress[0]);
    asa(Gateway::kAsa1, midnight + hour * kHour + 2 * kMinute,
        FMT_COMPILE(
            "6-302016: Teardown UDP connection {} for outside:{}/500 to identity:{}/500 duration 0:02:01 bytes {}"),
        id, std::string_view(branch), kAsaAddress[0], 900 + rng.below(900));
  }
  // The build server's deployments, out of a cloud.
  const IpText cloud(world_.fixed_address(*world_.vdis[0], 42));
  const int deployments = world_.weekday(day) < 5 ? rng.between(1, 5) : rng.between(0, 1);
  for (int i = 0; i < deployments; ++i) {
    const Nanoseconds t = midnight + 8 * kHour + static_cast<Nanoseconds>(rng.below(10 * 3600)) * kSecond;
    const Nanoseconds lasts = rng.between(10, 90) * kSecond;
    ssh_session(rng, t, lasts, cloud, "deploy", true, 0);
  }
  // Administrators at the devices, from inside.
  if (world_.weekday(day) < 5) {
    const User& admin = world_.users[0];
    const Nanoseconds t = midnight + 9 * kHour + rng.between(0, 7 * 3600) * kSecond;
    asa(Gateway::kAsa1, t, FMT_COMPILE("6-113012: AAA user authentication Successful : local database : user = {}"),
        admin.name);
    asa(Gateway::kAsa1, t, FMT_COMPILE("6-611101: User authentication succeeded: IP address: 10.1.0.50, Uname: {}"),
        admin.name);
    asa(Gateway::kAsa1, t,
        FMT_COMPILE("6-605005: Login permitted from 10.1.0.50/{} to inside:10.1.0.1/ssh for user \"{}\""),
        ephemeral(rng), admin.name);
    fortigate(
        t + kHour, "0100032001",
        FMT_COMPILE("subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Admin login successful\" sn=\"{}\" "
                    "user=\"{}\" "
                    "ui=\"https(10.1.0.50)\" method=\"https\" srcip=10.1.0.50 dstip=10.1.0.2 action=\"login\" "
                    "status=\"success\" reason=\"none\" "
                    "profile=\"super_admin\" msg=\"Administrator {} logged in successfully from https(10.1.0.50)\""),
        1'700'000'000 + rng.below(1'000'000), admin.name, admin.name);
  }
  // A service provider keeps the FortiGate from its own office once a week: an exposure that is known and ordinary
  // here.
  if (world_.weekday(day) == 2) {
    const std::uint32_t ip = world_.fixed_address(*world_.businesses[1 % world_.businesses.size()], 2);
    const IpText text(ip);
    TruthItem item;
    item.kind = "exposure";
    item.campaign = "service-provider";
    item.id = fmt::format("s{}-exposure-{}", world_.seed, day);
    item.grey = true;
    item.users = {"svc-netcare"};
    item.sources = {std::string(text)};
    item.gateway = name(Gateway::kFortigate);
    item.outcome = "success";
    as_item(item, [&](TruthItem&) {
      const Nanoseconds t = midnight + 10 * kHour + rng.between(0, 5 * 3600) * kSecond;
      fortigate(
          t, "0100032001",
          FMT_COMPILE(
              "subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Admin login successful\" sn=\"{}\" "
              "user=\"svc-netcare\" "
              "ui=\"https({})\" method=\"https\" srcip={} dstip={} action=\"login\" status=\"success\" reason=\"none\" "
              "profile=\"super_admin\" msg=\"Administrator svc-netcare logged in successfully from https({})\""),
          1'700'000'000 + rng.below(1'000'000), std::string_view(text), std::string_view(text), kFortigateAddress,
          std::string_view(text));
    });
  }
}

// ---- the covert network
// ----------------------------------------------------------------------------------------------------------

template <typename Work>
void Simulator::as_item(TruthItem item, Work work) {
  LineTally tally;
  tally_ = &tally;
  work(item);
  tally_ = nullptr;
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

int Simulator::score_disguise(const TruthItem& item, bool usual_hours) {
  int score = item.placement == "same-town-same-provider"    ? 3
              : item.placement == "same-town-other-provider" ? 2
              : item.placement == "other-town"               ? 1
                                                             : 0;
  if (item.client == "copied") ++score;
  if (usual_hours) ++score;
  return score;
}

// Whether the user himself is a customer of the node's provider, or was.
std::string_view Simulator::provider_of(const User& user, const Node& node, Nanoseconds time) {
  const auto same = [&](const PlanNetwork* network) {
    return network != nullptr && network->asn == node.line.network->asn;
  };
  const bool own = same(user.home.network) || (time >= user.moves && same(user.next_home.network)) ||
                   same(user.second_home.network) || same(user.mobile);
  return own ? "own" : "new";
}

// A node that is alive from `time` to `until`; null if none fits.
const Node* Simulator::exit_node(Rng& rng, Nanoseconds time, Nanoseconds until,
                                 const std::function<bool(const Node&)>& fits) const {
  std::vector<const Node*> candidates;
  for (const Node& node : world_.nodes) {
    if (node.born <= time && node.dies >= until && fits(node)) candidates.push_back(&node);
  }
  return candidates.empty() ? nullptr : candidates[rng.below(candidates.size())];
}

void Simulator::intrusion(Rng& rng, std::size_t number, Nanoseconds time, const Node& node, bool copied, bool ssh,
                          TruthItem item) {
  const User& user = world_.users[number];
  const int day = world_.day_of(time);
  as_item(std::move(item), [&](TruthItem& truth) {
    const std::uint32_t ip = world_.address(node.line, time);
    truth.users.push_back(user.name);
    truth.sources.push_back(std::string(IpText(ip)));
    truth.outcome = "success";
    if (ssh) {
      // The stolen thing is the password; the owner mostly uses a key.
      truth.gateway = name(Gateway::kBastion);
      truth.client = "unseen";
      ssh_session(rng, time, rng.between(3, 60) * kMinute, IpText(ip), user.name, copied, 0);
      return;
    }
    Session s;
    s.user = user.name;
    s.user_number = number;
    s.group = group_of(user);
    s.start = time;
    s.length = rng.between(8, 95) * kMinute;
    s.ip = ip;
    s.source_port = node.source_port;
    s.mean_bytes = 9e7;
    constexpr std::array<std::string_view, 3> kOther = {"Cisco AnyConnect VPN Agent for Windows 4.8.03052",
                                                        "Open AnyConnect VPN Agent v8.20",
                                                        "Cisco AnyConnect VPN Agent for Linux 4.9.06037"};
    s.client = copied ? world_.client_of(user, day) : std::string(rng.pick(kOther));
    const Gateway gateway = user.gateway;
    truth.gateway = name(gateway);
    truth.client = gateway == Gateway::kFortigate ? "unseen" : copied ? "copied" : "different";
    session(rng, gateway, s);
  });
}

void Simulator::covert_logins(const std::vector<int>& days) {
  constexpr std::array<std::string_view, 6> kPlacements = {
      "same-town-other-provider", "same-town-same-provider", "other-town",
      "same-town-other-provider", "same-town-same-provider", "abroad"};
  absl::flat_hash_set<std::size_t> victims;
  for (int c = 0; c < options_.covert_logins; ++c) {
    Rng rng(world_.seed, {kCovert, static_cast<std::uint64_t>(c)});
    const std::string_view placement = kPlacements[static_cast<std::size_t>(c) % kPlacements.size()];
    const bool copied = rng.chance(0.5);
    const bool usual_hours = rng.chance(0.6);
    const int log_ins = rng.between(1, 3);
    int day = days[rng.below(days.size())];
    const bool ssh = c % 6 == 4;  // one in six at the bastion, with an administrator's credentials
    // A victim who is neither contractor nor newly hired; stolen credentials are of people who use them.
    std::size_t victim = rng.below(world_.users.size());
    for (int tries = 0; tries < 500; ++tries, victim = rng.below(world_.users.size())) {
      const User& u = world_.users[victim];
      if (!u.contractor && u.hired_day + 5 < day && u.remote_share > 0.25 && !victims.contains(victim) &&
          (!ssh || u.admin))
        break;
    }
    if (ssh && !world_.users[victim].admin) victim = 0;
    victims.insert(victim);
    const User& user = world_.users[victim];
    for (int i = 0; i < log_ins && day < world_.days; ++i, day += rng.between(1, 2)) {
      // Either in the victim's hours or in the operators' (09:00 to 18:00 in China, 01:00 to 10:00 UTC).
      const Nanoseconds midnight = world_.midnight(day);
      const Nanoseconds time =
          usual_hours
              ? midnight + static_cast<Nanoseconds>((user.start_hour + user.hours * rng.uniform()) * 3600) * kSecond
              : (midnight / kDay + 1) * kDay + kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Line home = world_.home_of(user, time);
      const Node* node = exit_node(rng, time, time + 2 * kHour, [&](const Node& n) {
        if (placement == "abroad") return n.town == SIZE_MAX;
        if (placement == "other-town") return n.town != SIZE_MAX && n.town != user.town;
        return n.town == user.town && (n.line.network == home.network) == (placement == "same-town-same-provider");
      });
      if (node == nullptr) continue;
      TruthItem item;
      item.kind = "covert-login";
      item.campaign = fmt::format("s{}-intrusion-{}", world_.seed, c + 1);
      item.id = fmt::format("{}-{}", item.campaign, i + 1);
      item.placement = placement;
      item.provider = provider_of(user, *node, time);
      item.client = ssh || user.gateway == Gateway::kFortigate ? "unseen" : copied ? "copied" : "different";
      item.disguise = score_disguise(item, usual_hours);
      const std::uint64_t stream = rng.next();
      due_.emplace(world_.day_of(time), [this, stream, victim, time, node, copied, ssh, item] {
        Rng own(world_.seed, {kCovert, stream});
        intrusion(own, victim, time, *node, copied, ssh, item);
      });
    }
  }
}

void Simulator::spray(int campaign, int first_day) {
  // Quad7's way (Microsoft, 31 October 2024): each account once a day, each source once or twice, over the working day;
  // a hit is used within the day by another node, near the victim.
  constexpr std::array<std::string_view, 16> kNames = {
      "administrator", "reception", "office", "service", "hr",       "finance",   "marketing", "mail",
      "printer",       "training",  "board",  "legal",   "helpdesk", "logistics", "purchase",  "archive"};
  Rng plan(world_.seed, {kSpray, static_cast<std::uint64_t>(campaign)});
  const Gateway gateway = plan.chance(0.7) ? Gateway::kAsa1 : Gateway::kFortigate;
  std::vector<std::size_t> accounts;
  for (std::size_t u = 0; u < world_.users.size(); ++u) {
    if (plan.chance(world_.users.size() > 400 ? 240.0 / static_cast<double>(world_.users.size()) : 0.6))
      accounts.push_back(u);
  }
  const std::string name_of = fmt::format("s{}-spray-{}", world_.seed, campaign + 1);
  for (int d = 0; d < 4 && first_day + d < world_.days; ++d) {
    const int day = first_day + d;
    const bool hit_day = d == 1 || d == 3;
    // The account that falls: one that this gateway serves.
    std::optional<std::size_t> fallen;
    if (hit_day) {
      for (int tries = 0; tries < 500 && !fallen; ++tries) {
        const std::size_t u = plan.below(world_.users.size());
        const User& user = world_.users[u];
        if ((user.gateway == Gateway::kFortigate) == (gateway == Gateway::kFortigate) && !user.contractor &&
            user.hired_day < day)
          fallen = u;
      }
    }
    const std::uint64_t stream = plan.next();
    due_.emplace(day, [this, stream, day, d, gateway, accounts, fallen, name_of, kNames] {
      Rng rng(world_.seed, {kSpray, stream});
      const Nanoseconds midnight = world_.midnight(day);
      TruthItem item;
      item.kind = "spray";
      item.campaign = name_of;
      item.id = fmt::format("{}-day-{}", name_of, d + 1);
      item.gateway = name(gateway);
      item.outcome = "failure";
      const auto any_node = [&](Nanoseconds t) {
        return exit_node(rng, t, t + kMinute, [](const Node&) { return true; });
      };
      as_item(item, [&](TruthItem& truth) {
        const Node* node = nullptr;
        int uses = 0;
        const auto attempt = [&](std::string_view user) {
          const Nanoseconds t = midnight + 7 * kHour + static_cast<Nanoseconds>(rng.below(11 * 3600)) * kSecond;
          if (node == nullptr || --uses <= 0 || node->born > t || node->dies < t) {
            node = any_node(t);
            uses = rng.chance(0.8) ? 1 : 2;
          }
          if (node == nullptr) return;
          const std::uint32_t ip = world_.address(node->line, t);
          truth.sources.push_back(std::string(IpText(ip)));
          truth.users.emplace_back(user);
          failed_login(rng, gateway, t, ip, user, node->source_port);
        };
        for (const std::size_t u : accounts) {
          if (fallen == u || world_.users[u].hired_day > day) continue;
          attempt(world_.users[u].name);
        }
        for (const std::string_view guessed : kNames) attempt(guessed);
      });
      if (!fallen) return;
      // The hit, and its use some hours later.
      const User& user = world_.users[*fallen];
      TruthItem success;
      success.kind = "credential-success-after-spray";
      success.campaign = name_of;
      success.id = fmt::format("{}-hit-{}", name_of, d + 1);
      const Nanoseconds first = midnight + 9 * kHour + static_cast<Nanoseconds>(rng.below(5 * 3600)) * kSecond;
      const Nanoseconds second = first + kHour + static_cast<Nanoseconds>(rng.below(4 * 3600)) * kSecond;
      const Node* guesser = any_node(first);
      const Node* near = exit_node(rng, second, second + 2 * kHour, [&](const Node& n) {
        return n.town == user.town && n.line.network != world_.home_of(user, second).network;
      });
      if (near == nullptr) near = any_node(second);
      if (guesser == nullptr || near == nullptr) return;
      success.placement = near->town == user.town  ? "same-town-other-provider"
                          : near->town == SIZE_MAX ? "abroad"
                                                   : "other-town";
      success.provider = provider_of(user, *near, second);
      as_item(success, [&](TruthItem& truth) {
        const auto log_in = [&](const Node& n, Nanoseconds t, Nanoseconds length, double bytes) {
          Session s;
          s.user = user.name;
          s.user_number = *fallen;
          s.group = group_of(user);
          s.start = t;
          s.length = length;
          s.ip = world_.address(n.line, t);
          s.source_port = n.source_port;
          s.client = "Open AnyConnect VPN Agent v8.20";
          s.mean_bytes = bytes;
          truth.sources.push_back(std::string(IpText(s.ip)));
          session(rng, user.gateway, s);
        };
        truth.users.push_back(user.name);
        truth.gateway = name(user.gateway);
        truth.outcome = "success";
        truth.client = user.gateway == Gateway::kFortigate ? "unseen" : "different";
        truth.disguise = score_disguise(truth, true);
        log_in(*guesser, first, kMinute, 1000);
        log_in(*near, second, rng.between(10, 80) * kMinute, 9e7);
      });
    });
  }
}

void Simulator::slow_scan(int campaign, int first_day) {
  // JDY's way (Lumen, June 2026): a few ports, many homes, one or two probes from each a day.
  constexpr std::array<std::uint16_t, 7> kPorts = {22, 23, 80, 443, 8080, 8443, 8888};
  const std::string name_of = fmt::format("s{}-scan-{}", world_.seed, campaign + 1);
  for (int d = 0; d < 3 && first_day + d < world_.days; ++d) {
    const int day = first_day + d;
    due_.emplace(day, [this, campaign, day, d, name_of, kPorts] {
      Rng rng(world_.seed, {kScan, static_cast<std::uint64_t>(campaign), static_cast<std::uint64_t>(day)});
      TruthItem item;
      item.kind = "slow-scan";
      item.campaign = name_of;
      item.id = fmt::format("{}-day-{}", name_of, d + 1);
      item.gateway = name(Gateway::kAsa1);
      as_item(item, [&](TruthItem& truth) {
        for (int i = 0; i < 45; ++i) {
          const Nanoseconds t = world_.midnight(day) + static_cast<Nanoseconds>(rng.below(86'000)) * kSecond;
          const Node* node = exit_node(rng, t, t + kHour, [](const Node&) { return true; });
          if (node == nullptr) continue;
          const IpText ip(world_.address(node->line, t));
          truth.sources.push_back(std::string(ip));
          for (int k = rng.between(1, 3); k > 0; --k) {
            const std::uint16_t port = rng.pick(kPorts);
            const std::uint16_t from = node->source_port != 0 ? node->source_port : ephemeral(rng);
            const Nanoseconds at = t + k * 7 * kSecond;
            if (port == 443) {
              connection(rng, Gateway::kAsa1, at, ip, from, kAsaAddress[0], 443, 2 * kSecond, 600 + rng.below(4000));
            } else {
              denied(rng, Gateway::kAsa1, at, ip, from, port);
            }
          }
        }
      });
    });
  }
}

void Simulator::management_probe(int number, int day) {
  due_.emplace(day, [this, number, day] {
    Rng rng(world_.seed, {kManagement, static_cast<std::uint64_t>(number)});
    TruthItem item;
    item.kind = "management-probe";
    item.campaign = fmt::format("s{}-management-{}", world_.seed, number + 1);
    item.id = item.campaign + "-1";
    const bool on_asa = number % 2 == 0;
    item.gateway = name(on_asa ? Gateway::kAsa1 : Gateway::kFortigate);
    item.outcome = on_asa ? "failure" : "success";
    item.users = {on_asa ? "admin" : "netadmin"};
    const Nanoseconds begin =
        world_.midnight(day) + 2 * kHour + static_cast<Nanoseconds>(rng.below(6 * 3600)) * kSecond;
    as_item(item, [&](TruthItem& truth) {
      Nanoseconds t = begin;
      for (int i = 0; i < 4; ++i) {
        const Node* node = exit_node(rng, t, t + kHour, [](const Node&) { return true; });
        if (node == nullptr) continue;
        const IpText text(world_.address(node->line, t));
        const std::string_view ip = text;
        truth.sources.emplace_back(ip);
        const std::uint16_t port = node->source_port != 0 ? node->source_port : ephemeral(rng);
        if (on_asa) {
          connection(rng, Gateway::kAsa1, t, ip, port, kAsaAddress[0], 443, 9 * kSecond, 2500 + rng.below(2000));
          asa(Gateway::kAsa1, t + 4 * kSecond,
              FMT_COMPILE("6-113015: AAA user authentication Rejected : reason = Invalid password : local database : "
                          "user = admin : user IP = {}"),
              ip);
          asa(Gateway::kAsa1, t + 4 * kSecond,
              FMT_COMPILE("6-605004: Login denied from {}/{} to outside:{}/https for user \"admin\""), ip, port,
              kAsaAddress[0]);
        } else if (i < 3) {
          fortigate(t, "0100032002",
                    FMT_COMPILE("subtype=\"system\" level=\"alert\" vd=\"root\" logdesc=\"Admin login failed\" "
                                "sn=\"0\" user=\"netadmin\" ui=\"https({})\" "
                                "method=\"https\" srcip={} dstip={} action=\"login\" status=\"failed\" "
                                "reason=\"passwd_invalid\" msg=\"Administrator "
                                "netadmin login failed from https({}) because of invalid password\""),
                    ip, ip, kFortigateAddress, ip);
        } else {
          fortigate(t, "0100032001",
                    FMT_COMPILE(
                        "subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Admin login successful\" "
                        "sn=\"{}\" user=\"netadmin\" "
                        "ui=\"https({})\" method=\"https\" srcip={} dstip={} action=\"login\" status=\"success\" "
                        "reason=\"none\" "
                        "profile=\"super_admin\" msg=\"Administrator netadmin logged in successfully from https({})\""),
                    1'700'000'000 + rng.below(1'000'000), ip, ip, kFortigateAddress, ip);
        }
        t += rng.between(10, 70) * kMinute;
      }
    });
  });
}

void Simulator::attacks() {
  attack_from_ = options_.attack_from >= 0 ? options_.attack_from : std::max(1, world_.days * 2 / 5);
  const int length = options_.attack_days > 0 ? options_.attack_days : std::max(1, world_.days * 45 / 100);
  std::vector<int> days;
  for (int d = attack_from_; d < std::min(world_.days, attack_from_ + length); ++d) days.push_back(d);
  if (days.empty()) return;
  Rng plan(world_.seed, {kAttackPlan});
  const int last = days.back();
  // Recon first, then the spray; each fits into the window if the window is long enough for it.
  for (int i = 0; i < options_.scans; ++i)
    slow_scan(i, std::min(last, attack_from_ + plan.between(0, std::max(0, (last - attack_from_) / 3))));
  for (int i = 0; i < options_.sprays; ++i) {
    const int latest = std::max(attack_from_, last - 3);
    spray(i, std::min(latest, attack_from_ + plan.between(std::min(2, latest - attack_from_), latest - attack_from_)));
  }
  for (int i = 0; i < options_.management_probes; ++i) management_probe(i, days[plan.below(days.size())]);
  covert_logins(days);
}

// ---- running
// ---------------------------------------------------------------------------------------------------------------------

void append_truth(std::string& out, const TruthItem& item) {
  const auto text = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
    core::append_json_string(out, value);
  };
  const auto list = [&](std::string_view key, const std::vector<std::string>& values) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":[", key);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ',';
      core::append_json_string(out, values[i]);
    }
    out += ']';
  };
  out += "{\"id\":";
  core::append_json_string(out, item.id);
  text("kind", item.kind);
  text("campaign", item.campaign);
  text("time", core::rfc3339(item.time));
  text("end", core::rfc3339(item.end));
  list("users", item.users);
  list("sources", item.sources);
  text("gateway", item.gateway);
  text("placement", item.placement);
  text("provider", item.provider);
  text("client", item.client);
  text("outcome", item.outcome);
  fmt::format_to(std::back_inserter(out), ",\"disguise\":{},\"grey\":{},\"lines\":{}}}\n", item.disguise, item.grey,
                 item.lines);
}

core::Expected<SimulateResult> Simulator::run() {
  namespace fs = std::filesystem;
  const fs::path dir = options_.out;
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return core::fail("cannot make the directory", options_.out, error.message());
  const auto path = [&](std::string_view file) { return (dir / file).string(); };
  const Nanoseconds half = world_.midnight(world_.days / 2);
  const Nanoseconds three_quarters = world_.midnight(world_.days * 3 / 4);
  logs_.emplace_back(std::vector<LogFile::Part>{
      {path("asa-1.log.2.gz"), half}, {path("asa-1.log.1"), three_quarters}, {path("asa-1.log"), INT64_MAX}});
  logs_.emplace_back(std::vector<LogFile::Part>{{path("asa-2.log.1"), three_quarters}, {path("asa-2.log"), INT64_MAX}});
  logs_.emplace_back(std::vector<LogFile::Part>{{path("fortigate.log"), INT64_MAX}});
  logs_.emplace_back(std::vector<LogFile::Part>{{path("bastion-auth.log"), INT64_MAX}});

  attacks();
  for (int day = 0; day < world_.days; ++day) {
    for (std::size_t user = 0; user < world_.users.size(); ++user) user_day(user, day);
    noise_day(day);
    services_day(day);
    const auto [from, to] = due_.equal_range(day);
    for (auto it = from; it != to; ++it) it->second();
    // No line of a later day lies before its midnight: what starts today is written, what ends later waits.
    for (LogFile& file : logs_) {
      if (auto flushed = file.flush(world_.midnight(day + 1)); !flushed) return std::unexpected(flushed.error());
    }
  }
  SimulateResult result;
  for (LogFile& file : logs_) {
    if (auto flushed = file.flush(INT64_MAX); !flushed) return std::unexpected(flushed.error());
    if (auto closed = file.close(); !closed) return std::unexpected(closed.error());
    result.lines += file.lines();
    result.bytes += file.bytes();
    for (const LogFile::Part& part : file.parts()) result.files.push_back(part.path);
  }
  std::ranges::sort(
      truth_, [](const TruthItem& a, const TruthItem& b) { return a.time != b.time ? a.time < b.time : a.id < b.id; });
  std::string text = fmt::format(
      "{{\"truth\":\"orbwatch "
      "simulate\",\"version\":\"{}\",\"seed\":{},\"region\":\"{}\",\"start\":\"{}\",\"users\":{},\"days\":{},\"noise\":"
      "{},"
      "\"attack_from\":{}}}\n",
      ORBWATCH_VERSION, world_.seed, world_.region, core::rfc3339(world_.start), world_.users.size(), world_.days,
      options_.noise, attack_from_);
  for (const TruthItem& item : truth_) append_truth(text, item);
  result.truth_file = path(kTruthFile);
  std::ofstream out(result.truth_file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return core::fail("cannot write the truth", result.truth_file, "is the disk full?");
  result.users = static_cast<int>(world_.users.size());
  result.region = world_.region;
  result.start = world_.start;
  result.days = world_.days;
  result.truth = std::move(truth_);
  return result;
}

std::optional<CivilTime> parse_date(std::string_view text) {
  CivilTime date;
  const auto year = core::parse_number<int>(core::take_until(text, '-'));
  const auto month = core::parse_number<int>(core::take_until(text, '-'));
  const auto day = core::parse_number<int>(text);
  if (!year || !month || !day) return std::nullopt;
  date.year = *year;
  date.month = *month;
  date.day = *day;
  if (!core::valid(date) || date.year < 2000 || date.year > 2200) return std::nullopt;
  return date;
}

}  // namespace

core::Expected<SimulateResult> simulate(const SimulateOptions& options) {
  const auto date = parse_date(options.start);
  if (!date) return core::fail("no such date", options.start, "write --start YYYY-MM-DD");
  if (!options.region.empty() && options.region != "de" && options.region != "gb" && options.region != "us") {
    return core::fail("unknown region", options.region, "known: de, gb, us");
  }
  if (options.days < 2 || options.days > 1000)
    return core::fail("days out of range", fmt::format("{}", options.days), "2 to 1000");
  if (options.noise < 0 || options.noise > 1000 || std::isnan(options.noise)) {
    return core::fail("noise out of range", fmt::format("{}", options.noise), "0 to 1000");
  }
  if (options.out.empty()) return core::fail("no directory to write to", {}, "--out DIRECTORY");
  int users = options.users;
  if (options.lines > 0) {
    const double wanted = static_cast<double>(options.lines) / (options.days * kLinesPerUserDay);
    users = static_cast<int>(std::clamp(wanted, 1.0, 200000.0));
  }
  if (users < 1 || users > 200000) return core::fail("users out of range", fmt::format("{}", users), "1 to 200000");
  if (options.covert_logins < 0 || options.sprays < 0 || options.scans < 0 || options.management_probes < 0) {
    return core::fail("negative number of attacks", {}, "0 or more of each kind");
  }
  Simulator simulator(options, make_world(options.seed, users, options.days, *date, options.region));
  return simulator.run();
}

core::Expected<Truth> read_truth(const std::string& path) {
  simdjson::padded_string bytes;
  if (simdjson::padded_string::load(path).get(bytes) != simdjson::SUCCESS) {
    return core::fail("cannot read the truth", path, "`orbwatch simulate` writes it beside the logs");
  }
  Truth truth;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  if (parser.parse_many(bytes).get(lines) != simdjson::SUCCESS) return core::fail("not a truth file", path);
  core::TimeReader utc;
  const auto text = [](const simdjson::dom::element& object, std::string_view key) {
    std::string_view value;
    return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  const auto number = [](const simdjson::dom::element& object, std::string_view key) {
    std::int64_t value = 0;
    return object[key].get(value) == simdjson::SUCCESS ? value : 0;
  };
  const auto time = [&](const simdjson::dom::element& object, std::string_view key) {
    const std::string value = text(object, key);
    std::string_view view = value;
    return core::parse_iso8601(view, utc).value_or(0);
  };
  const auto list = [](const simdjson::dom::element& object, std::string_view key) {
    std::vector<std::string> values;
    simdjson::dom::array array;
    if (object[key].get(array) != simdjson::SUCCESS) return values;
    for (const simdjson::dom::element element : array) {
      std::string_view value;
      if (element.get(value) == simdjson::SUCCESS) values.emplace_back(value);
    }
    return values;
  };
  bool header = true;
  for (auto line : lines) {
    simdjson::dom::element object;
    if (line.get(object) != simdjson::SUCCESS) return core::fail("not a truth file", path, "a line is no JSON object");
    if (header) {
      header = false;
      if (text(object, "truth") != "orbwatch simulate")
        return core::fail("not a truth file", path, "its first line says nothing of it");
      truth.seed = static_cast<std::uint64_t>(number(object, "seed"));
      truth.version = text(object, "version");
      truth.region = text(object, "region");
      truth.start = time(object, "start");
      truth.days = static_cast<int>(number(object, "days"));
      truth.attack_from = static_cast<int>(number(object, "attack_from"));
      continue;
    }
    TruthItem item;
    item.id = text(object, "id");
    item.kind = text(object, "kind");
    item.campaign = text(object, "campaign");
    item.time = time(object, "time");
    item.end = time(object, "end");
    item.users = list(object, "users");
    item.sources = list(object, "sources");
    item.gateway = text(object, "gateway");
    item.placement = text(object, "placement");
    item.provider = text(object, "provider");
    item.client = text(object, "client");
    item.outcome = text(object, "outcome");
    item.disguise = static_cast<int>(number(object, "disguise"));
    bool grey = false;
    item.grey = object["grey"].get(grey) == simdjson::SUCCESS && grey;
    item.lines = static_cast<std::uint64_t>(number(object, "lines"));
    truth.items.push_back(std::move(item));
  }
  if (header) return core::fail("not a truth file", path, "it is empty");
  return truth;
}

}  // namespace orbwatch::evaluate
