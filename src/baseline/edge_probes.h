// Who knocks at the organisation's edge in vain, and on which doors: the raw material of a coordinated scan.
//
// Counted are sources, not packets: a source counts once for each port that it touches within 24 hours of its first
// touch. Only the ports of edge devices are looked at, and only sources that try little; who sweeps many ports, or
// tries again and again, is everyday background and is taken out of the count.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"

namespace orbwatch::baseline {

struct EdgePort {
  std::uint16_t port;
  std::uint8_t protocol;  // IANA: 6 TCP, 17 UDP
};
// Where VPN gateways, firewalls, routers and remote administration listen. JDY asked 22, 23, 80, 443, 8080, 8443 and
// 8888 (Lumen, June 2026); the others are ports of the same kind of devices: SSL VPN of other makers, IKE, L2TP, PPTP,
// OpenVPN, router administration, SNMP, RDP. In ascending order.
constexpr std::array<EdgePort, 24> kEdgePorts = {{
    {22, 6},   {23, 6},   {80, 6},   {161, 17}, {443, 6},  {500, 17},  {1194, 17}, {1701, 17},
    {1723, 6}, {2222, 6}, {2323, 6}, {3389, 6}, {4443, 6}, {4500, 17}, {4786, 6},  {7547, 6},
    {8000, 6}, {8080, 6}, {8081, 6}, {8291, 6}, {8443, 6}, {8888, 6},  {9443, 6},  {10443, 6},
}};
constexpr std::size_t kNoEdgePort = kEdgePorts.size();
// Its place in kEdgePorts, kNoEdgePort if it is none of them. A test of one bit for all other ports.
std::size_t edge_port(std::uint16_t port, std::uint8_t protocol);
std::string edge_port_text(std::size_t place);  // "8443", "500/udp"

// Lines on which a hijacked router of a home or a small office stands. Servers, schools and services for rent are not
// among them.
constexpr bool is_access_line(core::NetworkType type) {
  return type == core::NetworkType::kConsumer || type == core::NetworkType::kMobile ||
         type == core::NetworkType::kBusiness || type == core::NetworkType::kSatellite;
}

// Not thread-safe; reads are, as long as nothing is learned. Times from 1970 on, in nearly ascending order.
class EdgeProbes {
 public:
  static constexpr std::size_t kPorts = kEdgePorts.size();
  static constexpr std::size_t kHours = 24;
  static constexpr std::size_t kDays = 28;
  // What a source may do within the window and still count. Lumen saw one to three probes from a node and day; a
  // firewall logs the repeated SYN of one attempt to connect up to four times.
  static constexpr int kMostPortsEach = 4;
  static constexpr std::uint8_t kMostProbesEach = 12;
  // Sources within the window, some 30 bytes each; further ones are not counted, see uncounted().
  static constexpr std::size_t kMostSources = 262'144;
  // Finished days that must be known before anything is called unusual.
  static constexpr std::uint32_t kLeastDays = 7;

  // What an ordinary day has: mean and dispersion k of a negative binomial, whose variance is m + m^2 / k.
  struct Ordinary {
    double mean = 0.5;
    double k = 2;
    double raised = 3;  // more than this is more than a standard deviation above the mean
  };

  // A connection from `source` to an edge port (its place in kEdgePorts) was denied.
  void learn(const core::Ip& source, bool access_line, core::Nanoseconds time, std::size_t port);
  // The logs are silent up to this day (since 1970): the days between are unknown, not quiet.
  void skip_to(std::int64_t next_day);

  // Within 24 hours up to the newest learned: access lines that touched this port, those of them that touched it
  // first, access lines that touched several, and sources in all other networks that touched any.
  std::uint32_t touched(std::size_t port) const { return touched_now_[port]; }
  std::uint32_t first(std::size_t port) const { return first_now_[port]; }
  std::uint32_t several() const { return several_now_; }
  std::uint32_t others() const { return others_now_; }
  // Finished days that are known; nothing is ordinary before there are kLeastDays.
  std::uint32_t days() const { return day_count_; }
  const Ordinary& ordinary(std::size_t port) const { return ordinary_[port]; }
  const Ordinary& ordinary_several() const { return ordinary_[kSeveral]; }
  const Ordinary& ordinary_others() const { return ordinary_[kOthers]; }
  // Sources that found no room, each time they came.
  std::uint64_t uncounted() const { return uncounted_; }
  std::size_t sources() const { return sources_.size(); }

  template <typename Archive>
  friend void persist(Archive& archive, EdgeProbes& probes);

 private:
  struct Source {
    std::uint32_t hour = 0;   // since the epoch, of its first touch
    std::uint32_t ports = 0;  // bits: touched since; 0 of a source that is no longer counted
    std::uint8_t probes = 0;
    std::uint8_t first = 0;  // port
    bool access_line = false;
  };
  static constexpr std::uint8_t kNoisy = UINT8_MAX;  // in `probes`
  struct Hour {
    std::array<std::uint32_t, kPorts> touched{};
    std::array<std::uint32_t, kPorts> first{};
    std::uint32_t several = 0;
    std::uint32_t others = 0;
  };
  static constexpr std::uint32_t kMostDayCount = 1000 * kDays;
  // What is kept of a day: touched, by port, and two more.
  static constexpr std::size_t kSeveral = kPorts;
  static constexpr std::size_t kOthers = kPorts + 1;
  using Day = std::array<std::uint32_t, kPorts + 2>;

  static std::size_t slot(std::int64_t hour) { return static_cast<std::size_t>(hour) % kHours; }
  void move_to(std::int64_t hour);
  void close_days(std::int64_t next_day);
  void close_day(const Day& day);
  void take_out(Source& source);
  void estimate();
  void add_up();  // what is made of the rest, after the rest has been read

  absl::flat_hash_map<core::Ip, Source> sources_;
  std::array<Hour, kHours> hours_{};
  std::int64_t hour_ = 0;  // of the newest
  std::array<Day, kDays> days_{};
  std::uint32_t day_count_ = 0;
  std::int64_t day_ = 0;  // the one that is being counted
  Day today_{};
  std::uint64_t uncounted_ = 0;
  // Made of the above.
  std::array<std::uint32_t, kPorts> touched_now_{};
  std::array<std::uint32_t, kPorts> first_now_{};
  std::uint32_t several_now_ = 0;
  std::uint32_t others_now_ = 0;
  std::array<Ordinary, kPorts + 2> ordinary_{};
};

}  // namespace orbwatch::baseline
