// What each gateway of a simulated world writes about a session, a failed log-in or a connection.
#include <algorithm>

#include "core/symbol.h"
#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

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
  if (gateway == Gateway::kPaloAlto) {
    Session s;
    s.user = user;
    s.ip = address;
    globalprotect(time, "gateway-auth", "login", "RADIUS", s, ip, {},
                  "Authentication failed: Invalid username or password", true, 0);
    paloalto_system(
        time, "auth", "auth-fail", "medium",
        fmt::format("failed authentication for user '{}'. Reason: Invalid username/password. auth profile 'VPN', vsys "
                    "'vsys1', server profile 'RADIUS', server address '{}', auth protocol 'PAP', From: {}.",
                    user, kRadius, std::string_view(ip)));
    return;
  }
  if (gateway == Gateway::kIvanti) {
    ivanti(time, ip, user, "Staff", "",
           FMT_COMPILE("Login failed using auth server RADIUS-1 (Radius Server).  Reason: Failed"));
    ivanti(time, ip, user, "Staff", "", FMT_COMPILE("Primary authentication failed for {}/RADIUS-1 from {}"), user,
           std::string_view(ip));
    return;
  }
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
  const std::string pool = pool_address(s.pool_number);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, gateway, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds end = t + std::max(s.length, kMinute);
  const std::uint64_t sent = static_cast<std::uint64_t>(s.mean_bytes * rng.exponential(1)) + 40'000;
  const std::uint64_t received =
      static_cast<std::uint64_t>(s.mean_bytes * s.received_share * rng.exponential(1)) + 20'000;
  const bool moves = s.moved_to != 0 && s.moved_at > t + kMinute && s.moved_at < end - kMinute;
  const IpText second(moves ? s.moved_to : s.ip);
  const std::string_view last = second;
  connection(rng, gateway, t, ip, port, to, 443, (moves ? s.moved_at : end) - t, sent + received);
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
      asa_client(s.client));
  asa(gateway, t + kSecond,
      FMT_COMPILE("4-722051: Group <{}> User <{}> IP <{}> IPv4 Address <{}> IPv6 address <::> assigned to session"),
      s.group, s.user, ip, pool);
  // Where the traffic of tunnels is not logged, one connection stands for the many. It draws its numbers in any case,
  // so that all other lines stay the same.
  const std::uint16_t inner = ephemeral(rng);
  const std::uint32_t id = connection_id(t + 4 * kSecond, rng);
  const std::uint64_t bytes = 3000 + rng.below(900'000);
  if (inside_ == nullptr) {
    asa(gateway, t + 4 * kSecond,
        FMT_COMPILE("6-302013: Built inbound TCP connection {} for outside:{}/{} ({}/{})(LOCAL\\{}) to "
                    "inside:10.1.0.{}/443 (10.1.0.{}/443) ({})"),
        id, pool, inner, pool, inner, s.user, 20 + s.user_number % 5, 20 + s.user_number % 5, s.user);
    asa(gateway, t + 95 * kSecond,
        FMT_COMPILE(
            "6-302014: Teardown TCP connection {} for outside:{}/{}(LOCAL\\{}) to inside:10.1.0.{}/443 duration "
            "0:01:31 bytes {} TCP FINs ({})"),
        id, pool, inner, s.user, 20 + s.user_number % 5, bytes, s.user);
  } else {
    tunnel_traffic(gateway, s, t + 2 * kSecond, end, sent, received);
  }
  for (int i = 0; i < s.reconnects; ++i) {
    const Nanoseconds when =
        t + 2 * kMinute +
        static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(std::max(end - t - 3 * kMinute, kSecond))));
    const std::string_view at = moves && when >= s.moved_at - 20 * kSecond ? last : ip;
    asa(gateway, when,
        FMT_COMPILE("6-722023: Group <{}> User <{}> IP <{}> TCP SVC connection terminated without compression"),
        s.group, s.user, at);
    asa(gateway, when + 20 * kSecond,
        FMT_COMPILE("5-722034: Group <{}> User <{}> IP <{}> New TCP SVC connection, no existing connection."), s.group,
        s.user, at);
  }
  std::uint16_t last_port = port;
  if (moves) {
    // The session goes on with its cookie: no password is asked for.
    last_port = ephemeral(rng);
    asa(gateway, s.moved_at - 20 * kSecond,
        FMT_COMPILE("6-722023: Group <{}> User <{}> IP <{}> TCP SVC connection terminated without compression"),
        s.group, s.user, ip);
    asa(gateway, s.moved_at - 19 * kSecond,
        FMT_COMPILE("6-725007: SSL session with client outside:{}/{} to {}/443 terminated"), ip, port, to);
    connection(rng, gateway, s.moved_at, last, last_port, to, 443, end - s.moved_at, received);
    asa(gateway, s.moved_at,
        FMT_COMPILE("6-725001: Starting SSL handshake with client outside:{}/{} to {}/443 for TLS session"), last,
        last_port, to);
    asa(gateway, s.moved_at,
        FMT_COMPILE("6-725002: Device completed SSL handshake with client outside:{}/{} to {}/443 for TLSv1.2 session"),
        last, last_port, to);
    asa(gateway, s.moved_at + kSecond,
        FMT_COMPILE("5-722034: Group <{}> User <{}> IP <{}> New TCP SVC connection, no existing connection."), s.group,
        s.user, last);
  }
  asa(gateway, end - kSecond,
      FMT_COMPILE("6-722023: Group <{}> User <{}> IP <{}> TCP SVC connection terminated without compression"), s.group,
      s.user, last);
  const auto seconds = (end - t) / kSecond;
  asa(gateway, end,
      FMT_COMPILE("4-113019: Group = VPN-Staff, Username = {}, IP = {}, Session disconnected. Session Type: SSL, "
                  "Duration: {}h:{:02}m:{:02}s, Bytes "
                  "xmt: {}, Bytes rcv: {}, Reason: {}"),
      s.user, last, seconds / 3600, seconds / 60 % 60, seconds % 60, sent, received, s.reason);
  asa(gateway, end, FMT_COMPILE("6-716002: Group <{}> User <{}> IP <{}> WebVPN session terminated: {}."), s.group,
      s.user, last, s.reason);
  asa(gateway, end, FMT_COMPILE("6-737016: IPAA: Freeing local pool address {}"), pool);
  asa(gateway, end, FMT_COMPILE("6-725007: SSL session with client outside:{}/{} to {}/443 terminated"), last,
      last_port, to);
}

void Simulator::fortigate_session(Rng& rng, const Session& s) {
  const IpText address(s.ip);
  const std::string_view ip = address;
  const std::string pool = pool_address(s.pool_number);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, Gateway::kFortigate, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds begin = t;
  const Nanoseconds end = t + std::max(s.length, kMinute);
  const std::uint64_t tunnel = 100'000'000 + rng.below(1'900'000'000);
  const std::uint64_t sent = static_cast<std::uint64_t>(s.mean_bytes * rng.exponential(1)) + 40'000;
  const std::uint64_t received =
      static_cast<std::uint64_t>(s.mean_bytes * s.received_share * rng.exponential(1)) + 20'000;
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
  tunnel_traffic(Gateway::kFortigate, s, t + 2 * kSecond, end, sent, received);
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

std::string Simulator::host_name(const Session& s) {
  switch (s.computer) {
    case Computer::kOwn: return fmt::format("pc-{:05}", s.user_number);
    case Computer::kSpare: return fmt::format("lt-{:05}", s.user_number);
    case Computer::kOperators: break;
  }
  // A machine for each victim, with the name that Windows gives it.
  constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string name = "desktop-";
  std::uint64_t rest = core::hash64(s.user, world_.seed);
  for (int i = 0; i < 7; ++i, rest /= kLetters.size()) name += kLetters[rest % kLetters.size()];
  return name;
}

// Grows with time, as on the device, whatever else is written.
std::uint64_t Simulator::paloalto_sequence(Nanoseconds time, std::string_view about) const {
  return static_cast<std::uint64_t>((time - world_.start) / kMillisecond) * 16 + core::hash64(about) % 16 + 7'000'000;
}

std::back_insert_iterator<std::string> Simulator::begin_paloalto(Nanoseconds time, std::string_view type) {
  auto out = log(Gateway::kPaloAlto).begin(time);
  const CivilTime c = core::to_utc(time);
  fmt::format_to(
      out, FMT_COMPILE("<14>{} {:>2} {:02}:{:02}:{:02} pa-1 1,{:04}/{:02}/{:02} {:02}:{:02}:{:02},001801000001,{},"),
      kMonths[static_cast<std::size_t>(c.month - 1)], c.day, c.hour, c.minute, c.second, c.year, c.month, c.day, c.hour,
      c.minute, c.second, type);
  return out;
}

void Simulator::globalprotect(Nanoseconds time, std::string_view event, std::string_view stage, std::string_view method,
                              const Session& s, std::string_view ip, std::string_view assigned, std::string_view reason,
                              bool failed, Nanoseconds duration) {
  constexpr std::array<std::string_view, 3> kFamilies = {"Windows", "Mac", "Linux"};
  constexpr std::array<std::string_view, 3> kVersions = {"Microsoft Windows 11 Enterprise , 64-bit",
                                                         "Apple Mac OS X 14.6.1", "Linux Ubuntu 22.04.4 LTS"};
  const CivilTime c = core::to_utc(time);
  const auto os = static_cast<std::size_t>(s.client.os);
  const bool known = !s.group.empty();  // nothing is known of who failed
  auto out = begin_paloalto(time, "GLOBALPROTECT");
  fmt::format_to(
      out,
      FMT_COMPILE(
          "0,2561,{:04}/{:02}/{:02} "
          "{:02}:{:02}:{:02},vsys1,{},{},{},{},{},{},{},{},0.0.0.0,{},0.0.0.0,,,{},{},\"{}\",1,{},"
          "{},,{},,{},,0,gp-gateway,{},0x8000000000000000,{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00,,,,,,0,0,"
          "0,0,,pa-1,1"),
      c.year, c.month, c.day, c.hour, c.minute, c.second, event, stage, method,
      event == "gateway-connected" ? "IPSec" : "", s.user, World::country_of(s.ip), "", ip,
      assigned.empty() ? "0.0.0.0" : assigned, known ? globalprotect_version(s.client) : std::string_view("5.2.8"),
      kFamilies[os], known ? kVersions[os] : std::string_view(), reason, failed ? "Auth error" : "",
      failed ? "failure" : "success", duration / kSecond, paloalto_sequence(time, s.user), c.year, c.month, c.day,
      c.hour, c.minute, c.second, c.nanosecond / 1'000'000);
  log(Gateway::kPaloAlto).end(tally_);
}

void Simulator::paloalto_system(Nanoseconds time, std::string_view subtype, std::string_view event,
                                std::string_view severity, std::string_view text) {
  const CivilTime c = core::to_utc(time);
  auto out = begin_paloalto(time, "SYSTEM");
  fmt::format_to(
      out,
      FMT_COMPILE("{},2561,{:04}/{:02}/{:02} {:02}:{:02}:{:02},,{},{},0,0,general,{},\"{}\",{},0x8000000000000000,"
                  "0,0,0,0,,pa-1,0,0,{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00"),
      subtype, c.year, c.month, c.day, c.hour, c.minute, c.second, event, subtype == "auth" ? "VPN" : "", severity,
      text, paloalto_sequence(time, text), c.year, c.month, c.day, c.hour, c.minute, c.second,
      c.nanosecond / 1'000'000);
  log(Gateway::kPaloAlto).end(tally_);
}

void Simulator::globalprotect_session(Rng& rng, const Session& s) {
  const IpText address(s.ip);
  const std::string_view ip = address;
  const std::string pool = pool_address(s.pool_number);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, Gateway::kPaloAlto, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds end = t + std::max(s.length, kMinute);
  globalprotect(t, "gateway-prelogin", "before-login", "", s, ip, {}, "", false, 0);
  t += rng.between(2, 9) * kSecond;
  globalprotect(t, "gateway-auth", "login", "RADIUS", s, ip, {}, "", false, 0);
  paloalto_system(t, "auth", "auth-success", "informational",
                  fmt::format("authenticated for user '{}'. auth profile 'VPN', vsys 'vsys1', server profile 'RADIUS', "
                              "server address '{}', From: {}.",
                              s.user, kRadius, ip));
  globalprotect(t, "gateway-register", "login", "", s, ip, {}, "", false, 0);
  globalprotect(t + kSecond, "gateway-getconfig", "configuration", "", s, ip, pool, "", false, 0);
  globalprotect(t + 2 * kSecond, "gateway-connected", "connected", "", s, ip, pool, "", false, 0);
  for (int i = 0; i < s.reconnects; ++i) {
    const Nanoseconds when =
        t + 2 * kMinute +
        static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(std::max(end - t - 3 * kMinute, kSecond))));
    const bool moved = s.moved_to != 0 && when >= s.moved_at;
    globalprotect(when, "gateway-switch-to-ssl", "tunnel", "", s, IpText(moved ? s.moved_to : s.ip), pool, "", false,
                  0);
  }
  Session later = s;
  if (s.moved_to != 0 && s.moved_at > t + kMinute && s.moved_at < end - kMinute) {
    // The cookie of the first log-in opens the tunnel again.
    later.ip = s.moved_to;
    const IpText there(later.ip);
    globalprotect(s.moved_at, "gateway-auth", "login", "Cookie", later, there, {}, "", false, 0);
    globalprotect(s.moved_at + kSecond, "gateway-connected", "connected", "", later, there, pool, "", false, 0);
  }
  if (inside_ != nullptr) {
    // It does not log the session's bytes, so they have not been drawn.
    Rng bytes(world_.seed, {kTunnelLines, s.user_number, static_cast<std::uint64_t>(s.start / kSecond), 1});
    const double to_client = s.mean_bytes * bytes.exponential(1);
    const double from_client = s.mean_bytes * s.received_share * bytes.exponential(1);
    tunnel_traffic(Gateway::kPaloAlto, s, t + 3 * kSecond, end, static_cast<std::uint64_t>(to_client) + 40'000,
                   static_cast<std::uint64_t>(from_client) + 20'000);
  }
  globalprotect(end, "gateway-logout", "logout", "", later, IpText(later.ip), pool,
                s.reason == "User Requested" ? "client logout" : "inactivity timeout", false, end - t);
}

void Simulator::ivanti_session(Rng& rng, const Session& s) {
  constexpr std::string_view kRoles = "Users";
  const IpText address(s.ip);
  std::string_view ip = address;
  const std::string pool = pool_address(s.pool_number);
  const std::string agent = ivanti_client(s.client);
  Nanoseconds t = s.start;
  for (int i = 0; i < s.wrong_before; ++i) {
    failed_login(rng, Gateway::kIvanti, t, s.ip, s.user, s.source_port);
    t += rng.between(6, 25) * kSecond;
  }
  const Nanoseconds end = t + std::max(s.length, kMinute);
  const std::uint64_t sent = static_cast<std::uint64_t>(s.mean_bytes * rng.exponential(1)) + 40'000;
  const std::uint64_t received =
      static_cast<std::uint64_t>(s.mean_bytes * s.received_share * rng.exponential(1)) + 20'000;
  const std::uint64_t id = rng.next() >> 20;
  t += rng.between(2, 9) * kSecond;
  ivanti(t, ip, s.user, "Staff", "", FMT_COMPILE("Primary authentication successful for {}/RADIUS-1 from {}"), s.user,
         ip);
  ivanti(t, ip, s.user, "Staff", kRoles,
         FMT_COMPILE("Agent login succeeded for {}/Staff (session:sid{:011x}) from {} with {}."), s.user, id, ip,
         agent);
  ivanti(t + kSecond, ip, s.user, "Staff", kRoles,
         FMT_COMPILE("VPN Tunneling: Session started for user (session: sid{:011x}) with IPv4 address {}, hostname "
                     "{}"),
         id, pool, host_name(s));
  ivanti(t + kSecond, ip, s.user, "Staff", kRoles,
         FMT_COMPILE("VPN Tunneling: User with IP {} connected with ESP transport mode."), pool);
  tunnel_traffic(Gateway::kIvanti, s, t + 2 * kSecond, end, sent, received);
  const IpText second(s.moved_to);
  const bool moves = s.moved_to != 0 && s.moved_at > t + kMinute && s.moved_at < end - kMinute;
  for (int i = 0; i < s.reconnects; ++i) {
    const Nanoseconds when =
        t + 2 * kMinute +
        static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(std::max(end - t - 3 * kMinute, kSecond))));
    ivanti(when, moves && when >= s.moved_at ? std::string_view(second) : ip, s.user, "Staff", kRoles,
           FMT_COMPILE("Session resumed from user agent '{}' (session:sid{:011x})."), agent, id);
  }
  if (moves) {
    ivanti(s.moved_at, second, s.user, "Staff", kRoles,
           FMT_COMPILE("Remote address for user {}/Staff changed from {} to {}."), s.user, ip,
           std::string_view(second));
    ip = second;
  }
  ivanti(end, ip, s.user, "Staff", kRoles,
         FMT_COMPILE("Closed connection to TUN-VPN port 443 after {} seconds, with {} bytes read (in 1 chunks) and {} "
                     "bytes written (in 4 chunks) (session:sid{:011x})"),
         (end - t) / kSecond, received, sent, id);
  ivanti(end, ip, s.user, "Staff", kRoles,
         FMT_COMPILE("VPN Tunneling: Session ended for user (session: sid{:011x}) with IPv4 address {}"), id, pool);
  ivanti(end, ip, s.user, "", "", FMT_COMPILE("Logout from {} (session:sid{:011x})"), ip, id);
}

std::back_insert_iterator<std::string> Simulator::begin_fortigate(Nanoseconds time, std::string_view log_id,
                                                                  std::string_view type) {
  auto out = log(Gateway::kFortigate).begin(time);
  const int offset = utc_offset(world_.region, time);
  const CivilTime c = core::to_utc(time + offset * kSecond);
  return fmt::format_to(
      out,
      FMT_COMPILE(
          "date={:04}-{:02}-{:02} time={:02}:{:02}:{:02} devname=\"fgt-1\" devid=\"FGT60FTK20099001\" eventtime={} "
          "tz=\"{}{:02}00\" logid=\"{}\" type=\"{}\" "),
      c.year, c.month, c.day, c.hour, c.minute, c.second, time, offset < 0 ? '-' : '+', std::abs(offset) / 3600, log_id,
      type);
}

void Simulator::tunnel_traffic(Gateway gateway, const Session& s, Nanoseconds from, Nanoseconds until,
                               std::uint64_t to_client, std::uint64_t from_client) {
  if (inside_ == nullptr) return;
  const InsideNetwork::Plan plan = inside_->plan({.user = s.user_number,
                                                  .day = world_.day_of(s.opened),
                                                  .opened = s.opened,
                                                  .length = until - from,
                                                  .os = s.client.os,
                                                  .spare = s.computer == Computer::kSpare,
                                                  .on_a_trip = s.on_a_trip,
                                                  .purpose = s.purpose});
  reached_ = std::max(reached_, plan.reached);
  Rng rng(world_.seed, {kTunnelLines, s.user_number, static_cast<std::uint64_t>(s.start / kSecond)});
  double weights = 0;
  for (const Visit& visit : plan.visits) weights += visit.weight;
  const std::string assigned = pool_address(s.pool_number);
  const std::string_view pool = assigned;
  for (const Visit& visit : plan.visits) {
    const IpText address(visit.address);
    const std::string_view to = address;
    const Nanoseconds begin = from + visit.at;
    const Nanoseconds end = begin + visit.length;
    const std::uint16_t port = ephemeral(rng);
    const std::string_view protocol = visit.udp ? "UDP" : "TCP";
    const double part = weights > 0 ? visit.weight / weights : 0;
    // What a connection needs at least, and its share of the rest.
    const std::uint64_t down = visit.bytes * 2 / 3 + static_cast<std::uint64_t>(static_cast<double>(to_client) * part);
    const std::uint64_t up = visit.bytes / 3 + static_cast<std::uint64_t>(static_cast<double>(from_client) * part);
    const bool to_the_end = end >= until;
    const bool reset = rng.chance(0.08);
    switch (gateway) {
      case Gateway::kFortigate: {
        const std::uint64_t id = 1'000'000 + rng.below(4'000'000'000U);
        fmt::format_to(
            begin_fortigate(end, "0000000013", "traffic"),
            FMT_COMPILE("subtype=\"forward\" level=\"notice\" vd=\"root\" srcip={} srcport={} srcintf=\"ssl.root\" "
                        "srcintfrole=\"undefined\" dstip={} dstport={} dstintf=\"internal\" dstintfrole=\"lan\" "
                        "sessionid={} proto={} action=\"{}\" policyid=9 policytype=\"policy\" user=\"{}\" group=\"{}\" "
                        "service=\"{}/{}\" trandisp=\"noop\" duration={} sentbyte={} rcvdbyte={}"),
            pool, port, to, visit.port, id, visit.udp ? 17 : 6,
            visit.udp                       ? "accept"
            : !visit.answered || to_the_end ? "timeout"
            : reset                         ? "client-rst"
                                            : "close",
            s.user, s.group, visit.udp ? "udp" : "tcp", visit.port, visit.length / kSecond, visit.answered ? up : 156,
            down);
        log(Gateway::kFortigate).end(tally_);
        break;
      }
      case Gateway::kPaloAlto: {
        const std::uint64_t id = 1000 + rng.below(4'000'000);
        const CivilTime c = core::to_utc(end);
        const CivilTime b = core::to_utc(begin);
        const std::uint64_t sent = visit.answered ? up : 198;
        const std::string_view application = !visit.answered      ? "incomplete"
                                             : visit.port == 53   ? "dns"
                                             : visit.port == 445  ? "ms-ds-smb"
                                             : visit.port == 3389 ? "ms-rdp"
                                             : visit.port == 22   ? "ssh"
                                             : visit.port == 389  ? "ldap"
                                             : visit.port == 88   ? "kerberos"
                                             : visit.port == 443  ? "ssl"
                                                                  : "unknown-tcp";
        fmt::format_to(
            begin_paloalto(end, "TRAFFIC"),
            FMT_COMPILE("end,2561,{:04}/{:02}/{:02} {:02}:{:02}:{:02},{},{},0.0.0.0,0.0.0.0,vpn-to-inside,{},,{},vsys1,"
                        "vpn,inside,tunnel.1,ethernet1/2,Syslog,{:04}/{:02}/{:02} {:02}:{:02}:{:02},{},1,{},{},0,0,"
                        "0x1c,{},allow,{},{},{},{},{:04}/{:02}/{:02} {:02}:{:02}:{:02},{},any,0,{},"
                        "0x8000000000000000,10.0.0.0-10.255.255.255,10.0.0.0-10.255.255.255,0,{},{},{},0,0,0,0,,pa-1,"
                        "from-policy"),
            c.year, c.month, c.day, c.hour, c.minute, c.second, pool, to, s.user, application, c.year, c.month, c.day,
            c.hour, c.minute, c.second, id, port, visit.port, visit.udp ? "udp" : "tcp", sent + down, sent, down,
            (sent + down) / 700 + 2, b.year, b.month, b.day, b.hour, b.minute, b.second, visit.length / kSecond,
            paloalto_sequence(end, s.user), sent / 700 + 1, down / 700 + (visit.answered ? 1 : 0),
            visit.udp || !visit.answered || to_the_end ? "aged-out"
            : reset                                    ? "tcp-rst-from-client"
                                                       : "tcp-fin");
        log(Gateway::kPaloAlto).end(tally_);
        break;
      }
      case Gateway::kIvanti: {
        // It logs no connections; the firewall behind it does, and knows no users.
        const std::uint32_t id = connection_id(begin, rng);
        asa(Gateway::kAsa1, begin,
            FMT_COMPILE("6-{}: Built inbound {} connection {} for vpn-dmz:{}/{} ({}/{}) to inside:{}/{} ({}/{})"),
            visit.udp ? 302015 : 302013, protocol, id, pool, port, pool, port, to, visit.port, to, visit.port);
        asa(Gateway::kAsa1, end,
            FMT_COMPILE("6-{}: Teardown {} connection {} for vpn-dmz:{}/{} to inside:{}/{} duration {} bytes {}{}"),
            visit.udp ? 302016 : 302014, protocol, id, pool, port, to, visit.port, asa_duration(visit.length),
            visit.answered ? up + down : 0,
            visit.udp         ? ""
            : !visit.answered ? " SYN Timeout"
            : to_the_end      ? " Connection timeout"
            : reset           ? " TCP Reset-O"
                              : " TCP FINs");
        break;
      }
      case Gateway::kAsa1:
      case Gateway::kAsa2:
      case Gateway::kBastion: {
        const std::uint32_t id = connection_id(begin, rng);
        asa(gateway, begin,
            FMT_COMPILE("6-{}: Built inbound {} connection {} for outside:{}/{} ({}/{})(LOCAL\\{}) to inside:{}/{} "
                        "({}/{}) ({})"),
            visit.udp ? 302015 : 302013, protocol, id, pool, port, pool, port, s.user, to, visit.port, to, visit.port,
            s.user);
        asa(gateway, end,
            FMT_COMPILE(
                "6-{}: Teardown {} connection {} for outside:{}/{}(LOCAL\\{}) to inside:{}/{} duration {} bytes "
                "{}{} ({})"),
            visit.udp ? 302016 : 302014, protocol, id, pool, port, s.user, to, visit.port, asa_duration(visit.length),
            visit.answered ? up + down : 0,
            visit.udp         ? ""
            : !visit.answered ? " SYN Timeout"
            : to_the_end      ? " Tunnel has been torn down"
            : reset           ? " TCP Reset-O"
                              : " TCP FINs",
            s.user);
        break;
      }
    }
  }
}

void Simulator::session(Rng& rng, Gateway gateway, const Session& session) {
  Session s = session;
  s.opened = s.start;
  // Wrong passwords before it and a resumption make it end some minutes later than its length says.
  s.pool_number = inside_ == nullptr ? s.user_number
                                     : inside_->lease(s.user_number, s.start, s.start + s.length + 3 * kMinute,
                                                      s.purpose == Purpose::kOwner);
  switch (gateway) {
    case Gateway::kPaloAlto: return globalprotect_session(rng, s);
    case Gateway::kIvanti: return ivanti_session(rng, s);
    case Gateway::kFortigate:
      if (s.moved_to != 0 && s.moved_at > s.start + kMinute) {
        // It knows no resumption: a second tunnel with the saved password.
        Session part = s;
        part.length = s.moved_at - s.start;
        fortigate_session(rng, part);
        part.start = s.moved_at + 20 * kSecond;
        part.length = s.length - part.length;
        part.ip = s.moved_to;
        part.wrong_before = 0;
        // The same computer with the same address; what it had open, it opens again.
        return fortigate_session(rng, part);
      }
      return fortigate_session(rng, s);
    case Gateway::kAsa1:
    case Gateway::kAsa2:
    case Gateway::kBastion: return asa_session(rng, gateway, s);
  }
}

// Somebody at a device's administration: "User admin logged in via Web from 198.51.100.7 using https".
void Simulator::admin_login(Rng& rng, Nanoseconds t, std::string_view ip, std::string_view user, bool success) {
  const bool inside = ip.starts_with("10.");
  switch (administered()) {
    case Gateway::kPaloAlto:
      if (success) {
        paloalto_system(t, "general", "general", "informational",
                        fmt::format("User {} logged in via Web from {} using https", user, ip));
      } else {
        paloalto_system(
            t, "auth", "auth-fail", "medium",
            fmt::format("failed authentication for user '{}'. Reason: Invalid username/password. From: {}.", user, ip));
      }
      return;
    case Gateway::kFortigate: {
      const std::string_view to = inside ? std::string_view("10.1.0.2") : kFortigateAddress;
      if (success) {
        fortigate(t, "0100032001",
                  FMT_COMPILE("subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Admin login successful\" "
                              "sn=\"{}\" user=\"{}\" ui=\"https({})\" method=\"https\" srcip={} dstip={} "
                              "action=\"login\" status=\"success\" reason=\"none\" profile=\"super_admin\" "
                              "msg=\"Administrator {} logged in successfully from https({})\""),
                  1'700'000'000 + rng.below(1'000'000), user, ip, ip, to, user, ip);
      } else {
        fortigate(t, "0100032002",
                  FMT_COMPILE("subtype=\"system\" level=\"alert\" vd=\"root\" logdesc=\"Admin login failed\" sn=\"0\" "
                              "user=\"{}\" ui=\"https({})\" method=\"https\" srcip={} dstip={} action=\"login\" "
                              "status=\"failed\" reason=\"passwd_invalid\" msg=\"Administrator {} login failed from "
                              "https({}) because of invalid password\""),
                  user, ip, ip, to, user, ip);
      }
      return;
    }
    default:
      asa(Gateway::kAsa1, t, FMT_COMPILE("6-{}: Login {} from {}/{} to {}:{}/https for user \"{}\""),
          success ? 605005 : 605004, success ? "permitted" : "denied", ip, ephemeral(rng),
          inside ? "inside" : "outside", inside ? "10.1.0.1" : kAsaAddress[0], user);
  }
}

void Simulator::ssh_session(Rng& rng, Nanoseconds start, Nanoseconds length, std::string_view ip, std::string_view user,
                            bool key, int wrong) {
  if (!world_.bastion) return;
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
  if (!world_.bastion) return;
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

}  // namespace orbwatch::evaluate
