// Slow reconnaissance of the organisation's edge by a covert network: few ports, many homes, one to three probes from
// each node a day (Lumen on JDY, June 2026). Each source alone is background, and a threshold per source, or a test of
// one source's successes and failures (Jung et al., "Fast Portscan Detection Using Sequential Hypothesis Testing",
// 2004), never sees it; the number of access lines that touch the same few doors does.
//
// baseline::EdgeProbes counts, for each port of an edge device, the low-rate access lines that were denied there within
// 24 hours. The counts are compared with an ordinary day's, port by port (negative binomial), against the same with n
// further nodes that touch kTouchesEach ports each out of a shared list of s ports. n, s and the list are unknown: the
// best of a small grid counts, less the logarithm of the number of choices. Gates ("Coordinated Scan Detection", NDSS
// 2009) looks for sources whose targets fit together; here the targets are the organisation's few doors, so that only
// the shared list is left to see.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::EdgeProbes;
using baseline::View;
using event::Class;
using event::Event;

constexpr std::size_t kPorts = EdgeProbes::kPorts;
// The alternative. JDY had some 650 nodes in January 2024 and more than 1,500 in June 2026, and asks seven ports; what
// share of them comes to one organisation in a day is not published, so that the grid is wide. One to three probes are
// two on average.
constexpr std::array<double, 5> kNodes = {12, 24, 48, 96, 192};
constexpr std::size_t kLeastList = 3;
constexpr std::size_t kMostList = 8;
constexpr double kTouchesEach = 2;
// Of nodes with one to three probes, evenly, on a list of seven ports 61 % touch two ports at least. Half of the
// networks, for all that is known, may send each node to one port alone.
constexpr double kSeveralEach = 0.6;
constexpr double kAsksOne = 0.5;
// How often a port sees, on an ordinary day, a wave that history does not know: a worm that is new there. About once in
// a year and a port; so no port alone weighs more than ln(400) = 6.
constexpr double kWave = 1.0 / 400;
constexpr double kRaisedPort = 1;  // a port with a ratio above this belongs to the list
constexpr double kLeastHomes = 8;
// What is louder than usual in all networks at once (another firewall logs, more addresses are announced) is no scan of
// homes: the ordinary day is as much louder as the sources elsewhere are. So many imaginary ones steady the ratio.
constexpr double kSteady = 10;
constexpr double kMostLouder = 20;
// Below, the evidence does not make up for the many moments and lists that are looked at.
constexpr double kLeastWorth = 5;
constexpr double kRounding = 1e-9;  // more than sums of a few logarithms are off by

constexpr Need kNeeds[] = {Need::kConnections, Need::kFlows};
constexpr DetectorInfo kInfo = {
    "coordinated-scan",
    "Reconnaissance through a covert network: the same few ports of the edge, from many homes, a few probes each",
    "T1595.001,T1595.002,T1584.008",
    "a worm that begins to ask several ports of edge devices at once; a survey through volunteers' home connections",
    kNeeds,
    bit(Class::kConnection) | bit(Class::kFlow),
};

struct Scan {
  double llr = 0;
  std::uint32_t ports = 0;  // bits: places in baseline::kEdgePorts
};

double log_choices(std::size_t all, std::size_t chosen) {
  return std::lgamma(static_cast<double>(all) + 1) - std::lgamma(static_cast<double>(chosen) + 1) -
         std::lgamma(static_cast<double>(all - chosen) + 1);
}

// ln NB(x; m + added, k) - ln NB(x; m, k); what depends on x! and k alone cancels out.
double log_ratio_of(double x, double m, double added, double k) {
  return x * std::log((m + added) * (k + m) / (m * (k + m + added))) - k * std::log((k + m + added) / (k + m));
}

// The same where an ordinary day, too, brings such a thing now and then for reasons that history does not know.
double bounded(double ratio) { return -std::log((1 - kWave) * std::exp(-std::min(ratio, 100.0)) + kWave); }

// Whether it is worth calculating at all: on most days not.
bool is_raised(const EdgeProbes& edge) {
  std::size_t raised = 0;
  for (std::size_t port = 0; port < kPorts; ++port) raised += edge.touched(port) > edge.ordinary(port).raised ? 1 : 0;
  return raised >= kLeastList;
}

double louder_today(const EdgeProbes& edge) {
  return std::clamp((edge.others() + kSteady) / (edge.ordinary_others().mean + kSteady), 1.0, kMostLouder);
}

// The most that a port can say, whatever is added: the likelihood is greatest where the mean is what was counted.
double most_of(const EdgeProbes& edge, std::size_t port, double louder) {
  const EdgeProbes::Ordinary& usual = edge.ordinary(port);
  const double x = edge.touched(port), m = usual.mean * louder;
  return x <= m ? 0.0 : bounded(log_ratio_of(x, m, x - m, usual.k));
}

// Of one number of nodes and length of the list; `base`: what is not said by ports.
Scan scan_of(const EdgeProbes& edge, double louder, double nodes, std::size_t list, double base) {
  const double added = nodes * kTouchesEach / static_cast<double>(list);
  std::array<std::pair<double, std::size_t>, kPorts> ratios;
  for (std::size_t port = 0; port < kPorts; ++port) {
    const EdgeProbes::Ordinary& usual = edge.ordinary(port);
    ratios[port] = {log_ratio_of(edge.touched(port), usual.mean * louder, added, usual.k), port};
  }
  std::ranges::partial_sort(ratios, ratios.begin() + static_cast<std::ptrdiff_t>(list), std::greater<>());
  Scan scan{base, 0};
  std::size_t raised = 0;
  for (std::size_t i = 0; i < list; ++i) {
    const double ratio = bounded(ratios[i].first);  // keeps their order
    scan.llr += ratio;
    if (ratio <= kRaisedPort) continue;
    scan.ports |= 1U << ratios[i].second;
    ++raised;
  }
  return raised < kLeastList ? Scan{} : scan;
}

// The best one, if it is worth kLeastWorth. On a loud day each knock asks for it: lists that cannot be the best, by the
// most that their ports can say, are not looked at.
Scan best_scan(const EdgeProbes& edge, double louder) {
  static const auto log_choices_of = [] {
    std::array<double, kMostList + 1> out{};
    for (std::size_t list = kLeastList; list <= kMostList; ++list) out[list] = log_choices(kPorts, list);
    return out;
  }();
  const double grid = std::log(static_cast<double>(kNodes.size() * (kMostList - kLeastList + 1)));
  std::array<double, kPorts> most{};
  for (std::size_t port = 0; port < kPorts; ++port) most[port] = most_of(edge, port, louder);
  std::ranges::partial_sort(most, most.begin() + kMostList, std::greater<>());
  std::array<double, kMostList + 1> most_of_list{};
  for (std::size_t list = 1; list <= kMostList; ++list) most_of_list[list] = most_of_list[list - 1] + most[list - 1];

  struct Choice {
    double nodes;
    std::size_t list;
    double base;  // what sources that come to several ports say for it, less the number of choices
    double most;
  };
  std::array<Choice, kNodes.size() * (kMostList - kLeastList + 1)> choices;
  std::size_t n = 0;
  for (const double nodes : kNodes) {
    // That the same sources come to several ports: a wave of worms, of which each asks its own port, does not show it.
    const EdgeProbes::Ordinary& usual_several = edge.ordinary_several();
    const double pairs =
        bounded(log_ratio_of(edge.several(), usual_several.mean * louder, nodes * kSeveralEach, usual_several.k));
    const double several = std::log(kAsksOne + (1 - kAsksOne) * std::exp(pairs));
    for (std::size_t list = kLeastList; list <= kMostList; ++list) {
      const double base = several - grid - log_choices_of[list];
      choices[n++] = {nodes, list, base, base + most_of_list[list] + kRounding};
    }
  }
  const auto evaluate = [&](const Choice& c) { return scan_of(edge, louder, c.nodes, c.list, c.base); };
  const Choice& likely = *std::ranges::max_element(choices, {}, &Choice::most);
  if (likely.most < kLeastWorth) return {};
  const double least = std::max(kLeastWorth, evaluate(likely).llr);
  Scan best;
  for (const Choice& choice : choices) {
    if (choice.most < least) continue;
    if (const Scan scan = evaluate(choice); scan.llr > best.llr) best = scan;
  }
  return best;
}

std::string list_of(std::uint32_t ports) {
  std::vector<std::string> names;
  for (std::size_t port = 0; port < kPorts; ++port) {
    if ((ports >> port & 1) != 0) names.push_back(baseline::edge_port_text(port));
  }
  const std::string last = names.back();
  names.pop_back();
  return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

class CoordinatedScan final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  bool wants(const Event& e) const override {
    return e.action == event::Action::kDenied &&
           baseline::edge_port(e.destination_port, e.protocol) != baseline::kNoEdgePort && e.source_ip.is_global();
  }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    const EdgeProbes& edge = *v.edge;
    if (edge.days() < EdgeProbes::kLeastDays || !is_raised(edge)) return;
    if (!wants(e) || !v.remote || !baseline::is_access_line(v.source->type) || v.networks->is_allowed(e.source_facts))
      return;
    if (v.source_profile != nullptr && v.source_profile->successes > 0) return;
    const std::size_t own = baseline::edge_port(e.destination_port, e.protocol);
    const double louder = louder_today(edge);
    if (most_of(edge, own, louder) + kRounding <= kRaisedPort) return;  // on no list
    const Scan scan = best_scan(edge, louder);
    if (scan.llr < kLeastWorth || (scan.ports >> own & 1) == 0) return;
    double touches = 0;
    double homes = 0;
    double usual = 0;
    for (std::size_t port = 0; port < kPorts; ++port) {
      if ((scan.ports >> port & 1) == 0) continue;
      touches += edge.touched(port);
      homes += edge.first(port);
      usual += edge.ordinary(port).mean;
    }
    if (homes < kLeastHomes) return;
    Evidence out{"coordinated-scan", kInfo.name, Group::kVolume, FindingKind::kRecon, std::min(scan.llr, 14.0), {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "at least {:.0f} home and small-office connections touched ports {} within 24 hours, {:.0f} times in all, {} "
          "of them several ports; an ordinary day has {:.0f} such touches",
          homes, list_of(scan.ports), touches, edge.several(), usual);
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_coordinated_scan(const Context&) { return std::make_unique<CoordinatedScan>(); }

}  // namespace orbwatch::detect
