#include "track/network_clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace orbwatch::track {
namespace {

// It mostly settles after two or three; each costs as much as the first.
constexpr int kMostRounds = 10;
constexpr std::uint32_t kNobody = 0xffffffff;

// Of weight, below which a gain is rounding.
constexpr double kNothing = 1e-9;

// A graph in which a node may stand for several of the level below. Edges from a node to itself are left out, for they
// decide no move; strength counts them.
struct Level {
  std::vector<std::uint32_t> begin;   // nodes + 1 places in the two below
  std::vector<std::uint32_t> target;  // each edge from both ends
  std::vector<double> weight;
  std::vector<double> strength;

  std::uint32_t nodes() const { return static_cast<std::uint32_t>(strength.size()); }
  template <typename Visit>
  void each(std::uint32_t node, const Visit& visit) const {
    for (std::uint32_t e = begin[node]; e < begin[node + 1]; ++e) visit(target[e], weight[e]);
  }
};

Level level_of(std::uint32_t nodes, std::span<const Edge> edges, std::vector<double> strength) {
  Level out;
  out.strength = std::move(strength);
  out.begin.resize(nodes + 1);
  for (const Edge& e : edges) {
    ++out.begin[e.a + 1];
    ++out.begin[e.b + 1];
  }
  std::partial_sum(out.begin.begin(), out.begin.end(), out.begin.begin());
  out.target.resize(2 * edges.size());
  out.weight.resize(2 * edges.size());
  std::vector<std::uint32_t> at(out.begin.begin(), out.begin.end() - 1);
  const auto put = [&](std::uint32_t from, std::uint32_t to, double weight) {
    out.target[at[from]] = to;
    out.weight[at[from]++] = weight;
  };
  for (const Edge& e : edges) {
    put(e.a, e.b, e.weight);
    put(e.b, e.a, e.weight);
  }
  return out;
}

// Numbers of communities without gaps, in the order of their first nodes.
std::uint32_t renumber(std::vector<std::uint32_t>& of) {
  std::vector<std::uint32_t> fresh;
  std::uint32_t next = 0;
  for (std::uint32_t& c : of) {
    if (c >= fresh.size()) fresh.resize(c + 1, kNobody);
    if (fresh[c] == kNobody) fresh[c] = next++;
    c = fresh[c];
  }
  return next;
}

// Weights to the communities around a node, and which those are.
class Around {
 public:
  explicit Around(std::uint32_t communities) : weight_(communities) {}
  void add(std::uint32_t community, double weight) {
    if (weight_[community] == 0) seen_.push_back(community);
    weight_[community] += weight;
  }
  double operator[](std::uint32_t community) const { return weight_[community]; }
  const std::vector<std::uint32_t>& seen() const { return seen_; }
  void clear() {
    for (const std::uint32_t c : seen_) weight_[c] = 0;
    seen_.clear();
  }

 private:
  std::vector<double> weight_;
  std::vector<std::uint32_t> seen_;
};

// An order that says nothing of where a node came from, the same each time.
std::vector<std::uint32_t> mixed_order(std::uint32_t nodes) {
  std::vector<std::uint32_t> order(nodes);
  std::iota(order.begin(), order.end(), 0);
  std::uint64_t state = 0x9e3779b97f4a7c15U;
  for (std::uint32_t i = nodes; i > 1; --i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    std::swap(order[i - 1], order[static_cast<std::uint32_t>((state >> 33) % i)]);
  }
  return order;
}

// Nodes move to the community where quality gains most, until none does (the fast local move of the paper). `rate` is
// resolution / (2 * weight of all).
bool move_nodes(const Level& level, double rate, std::vector<std::uint32_t>& of) {
  const std::uint32_t n = level.nodes();
  std::vector<double> strength(n);
  std::vector<std::uint32_t> size(n);
  for (std::uint32_t v = 0; v < n; ++v) {
    strength[of[v]] += level.strength[v];
    ++size[of[v]];
  }
  std::vector<std::uint32_t> empty;
  for (std::uint32_t c = n; c-- > 0;) {
    if (size[c] == 0) empty.push_back(c);
  }
  std::vector<std::uint32_t> queue = mixed_order(n);
  std::vector<bool> queued(n, true);
  Around around(n);
  bool moved = false;
  // A queue that is worked off from the front; what comes again is appended, and what is done is thrown away in bulk.
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const std::uint32_t v = queue[at];
    queued[v] = false;
    around.clear();
    level.each(v, [&](std::uint32_t u, double w) { around.add(of[u], w); });
    const std::uint32_t old = of[v];
    const double own = level.strength[v];
    const double stay = around[old] - rate * own * (strength[old] - own);
    double best = stay + kNothing;
    std::uint32_t to = old;
    for (const std::uint32_t c : around.seen()) {
      if (c == old) continue;
      const double gain = around[c] - rate * own * strength[c];
      if (gain > best) {
        best = gain;
        to = c;
      }
    }
    if (best < 0 && size[old] > 1 && !empty.empty()) to = empty.back();  // alone is better
    if (to != old) {
      moved = true;
      if (size[to] == 0) empty.pop_back();
      strength[old] -= own;
      strength[to] += own;
      ++size[to];
      if (--size[old] == 0) empty.push_back(old);
      of[v] = to;
      level.each(v, [&](std::uint32_t u, double) {
        if (of[u] == to || queued[u]) return;
        queued[u] = true;
        queue.push_back(u);
      });
    }
    if (at > n && 2 * at > queue.size()) {
      queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      at = static_cast<std::size_t>(-1);
    }
  }
  return moved;
}

// Parts of each community that are well connected inside: nodes that are alone join the part where quality gains most,
// if they and that part are well connected to the whole (the refinement of the paper, without chance: the best part).
std::vector<std::uint32_t> refine(const Level& level, double rate, const std::vector<std::uint32_t>& of) {
  const std::uint32_t n = level.nodes();
  std::vector<double> whole(n);
  for (std::uint32_t v = 0; v < n; ++v) whole[of[v]] += level.strength[v];
  std::vector<std::uint32_t> part(n);
  std::iota(part.begin(), part.end(), 0);
  std::vector<double> strength = level.strength;
  std::vector<double> outside(n);  // weight from a part to the rest of its community
  for (std::uint32_t v = 0; v < n; ++v) {
    level.each(v, [&](std::uint32_t u, double w) {
      if (of[u] == of[v]) outside[v] += w;
    });
  }
  std::vector<bool> alone(n, true);
  Around around(n);
  for (const std::uint32_t v : mixed_order(n)) {
    if (!alone[v]) continue;
    const double own = level.strength[v];
    if (outside[v] < rate * own * (whole[of[v]] - own) - kNothing) continue;
    around.clear();
    level.each(v, [&](std::uint32_t u, double w) {
      if (of[u] == of[v]) around.add(part[u], w);
    });
    double best = kNothing;
    std::uint32_t to = kNobody;
    for (const std::uint32_t p : around.seen()) {
      if (outside[p] < rate * strength[p] * (whole[of[v]] - strength[p]) - kNothing) continue;
      const double gain = around[p] - rate * own * strength[p];
      if (gain > best) {
        best = gain;
        to = p;
      }
    }
    if (to == kNobody) continue;
    outside[to] += outside[v] - 2 * around[to];
    strength[to] += own;
    part[v] = to;
    alone[to] = false;  // whose number the part has
    alone[v] = false;
  }
  return part;
}

// Of the graph whose nodes are the parts: ascending, each pair once.
std::vector<Edge> edges_between(const Level& level, const std::vector<std::uint32_t>& part, std::uint32_t parts) {
  std::vector<std::uint32_t> begin(parts + 1);  // of each part's nodes
  for (const std::uint32_t p : part) ++begin[p + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::uint32_t> nodes(part.size());
  std::vector<std::uint32_t> at(begin.begin(), begin.end() - 1);
  for (std::uint32_t v = 0; v < part.size(); ++v) nodes[at[part[v]]++] = v;
  std::vector<Edge> out;
  std::vector<std::uint32_t> others;
  Around around(parts);
  for (std::uint32_t p = 0; p < parts; ++p) {
    around.clear();
    for (std::uint32_t i = begin[p]; i < begin[p + 1]; ++i) {
      level.each(nodes[i], [&](std::uint32_t u, double w) {
        if (part[u] > p) around.add(part[u], w);
      });
    }
    others = around.seen();
    std::ranges::sort(others);
    for (const std::uint32_t other : others) out.push_back({p, other, around[other]});
  }
  return out;
}

std::vector<std::uint32_t> leiden_of(std::uint32_t nodes, std::span<const Edge> edges, double resolution) {
  std::vector<double> strength(nodes);
  double all = 0;
  for (const Edge& e : edges) {
    strength[e.a] += e.weight;
    strength[e.b] += e.weight;
    all += e.weight;
  }
  std::vector<std::uint32_t> found(nodes);
  std::iota(found.begin(), found.end(), 0);
  if (edges.empty()) return found;
  const double rate = resolution / (2 * all);
  const Level ground = level_of(nodes, edges, std::move(strength));
  for (int round = 0; round < kMostRounds; ++round) {
    Level level = ground;
    std::vector<std::uint32_t> node(nodes);  // of the present level, by node of the ground
    std::iota(node.begin(), node.end(), 0);
    std::vector<std::uint32_t> of = found;
    bool gained = false;
    while (true) {
      gained |= move_nodes(level, rate, of);
      std::vector<std::uint32_t> part = refine(level, rate, of);
      const std::uint32_t parts = renumber(part);
      if (parts == level.nodes()) break;
      std::vector<double> strengths(parts);
      std::vector<std::uint32_t> next(parts);
      for (std::uint32_t v = 0; v < level.nodes(); ++v) {
        strengths[part[v]] += level.strength[v];
        next[part[v]] = of[v];
      }
      const std::vector<Edge> joined = edges_between(level, part, parts);
      for (std::uint32_t& v : node) v = part[v];
      renumber(next);
      of = std::move(next);
      level = level_of(parts, joined, std::move(strengths));
    }
    for (std::uint32_t v = 0; v < nodes; ++v) found[v] = of[node[v]];
    renumber(found);
    if (!gained) break;
  }
  return found;
}

core::Expected<void> checked(std::size_t nodes, std::span<const Edge> edges) {
  if (nodes >= kNobody / 2 || edges.size() >= kNobody / 2)
    return core::fail("a graph is too large", fmt::format("{} nodes, {} edges", nodes, edges.size()), "fewer");
  for (const Edge& edge : edges) {
    if (edge.a >= nodes || edge.b >= nodes || edge.a == edge.b)
      return core::fail("an edge of a graph ends at no other node", fmt::format("{} and {}", edge.a, edge.b),
                        fmt::format("below {}", nodes));
    if (!std::isfinite(edge.weight) || edge.weight <= 0)
      return core::fail("an edge's weight is out of range", fmt::format("{}", edge.weight), "above 0");
  }
  return {};
}

// Each group of `of` cut by itself.
void cut_each(std::uint32_t groups, std::span<const Edge> edges, std::vector<std::uint32_t>& of) {
  std::vector<std::uint32_t> place(of.size());  // within its group
  std::vector<std::uint32_t> size(groups);
  for (std::size_t v = 0; v < of.size(); ++v) place[v] = size[of[v]]++;
  std::vector<std::vector<Edge>> inside(groups);
  for (const Edge& e : edges) {
    if (of[e.a] == of[e.b]) inside[of[e.a]].push_back({place[e.a], place[e.b], e.weight});
  }
  std::vector<std::uint32_t> first(groups);
  std::vector<std::vector<std::uint32_t>> cuts(groups);
  std::uint32_t next = 0;
  for (std::uint32_t g = 0; g < groups; ++g) {
    cuts[g] = leiden_of(size[g], inside[g], 1);
    first[g] = next;
    next += cuts[g].empty() ? 0 : *std::ranges::max_element(cuts[g]) + 1;
  }
  for (std::size_t v = 0; v < of.size(); ++v) of[v] = first[of[v]] + cuts[of[v]][place[v]];
}

std::vector<std::uint32_t> connected_parts(std::size_t nodes, std::span<const Edge> edges) {
  std::vector<std::uint32_t> up(nodes);
  std::iota(up.begin(), up.end(), 0);
  const auto root = [&](std::uint32_t v) {
    while (up[v] != v) v = up[v] = up[up[v]];
    return v;
  };
  for (const Edge& e : edges) {
    const std::uint32_t a = root(e.a), b = root(e.b);
    up[std::max(a, b)] = std::min(a, b);
  }
  for (std::uint32_t v = 0; v < nodes; ++v) up[v] = root(v);
  return up;
}

}  // namespace

core::Expected<std::vector<std::uint32_t>> communities(std::size_t nodes, std::span<const Edge> edges) {
  if (auto good = checked(nodes, edges); !good) return std::unexpected(good.error());
  std::vector<std::uint32_t> of = connected_parts(nodes, edges);
  for (int cut = 0; cut < 2; ++cut) {
    const std::uint32_t groups = renumber(of);
    cut_each(groups, edges, of);
  }
  renumber(of);
  return of;
}

core::Expected<std::vector<std::uint32_t>> leiden(std::size_t nodes, std::span<const Edge> edges, double resolution) {
  if (auto good = checked(nodes, edges); !good) return std::unexpected(good.error());
  return leiden_of(static_cast<std::uint32_t>(nodes), edges, resolution);
}

}  // namespace orbwatch::track
