#include "track/network_clusters.h"

#include <fmt/format.h>
#include <igraph.h>

#include <cmath>
#include <mutex>

namespace orbwatch::track {
namespace {

constexpr unsigned kSeed = 20'251;
constexpr int kIterations = 8;        // it mostly settles after two or three
constexpr double kRandomness = 0.01;  // beta of the paper, its own default

std::mutex one_at_a_time;

struct Graph {
  igraph_t graph{};
  igraph_vector_t weights{};
  igraph_vector_t strengths{};
  igraph_vector_int_t ends{};
  igraph_vector_int_t membership{};
  igraph_rng_t random{};
  int made = 0;

  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() {
    if (made > 5) igraph_destroy(&graph);
    if (made > 4) igraph_rng_destroy(&random);
    if (made > 3) igraph_vector_int_destroy(&membership);
    if (made > 2) igraph_vector_int_destroy(&ends);
    if (made > 1) igraph_vector_destroy(&strengths);
    if (made > 0) igraph_vector_destroy(&weights);
  }
  // Each step only if those before went well.
  igraph_error_t make(std::size_t nodes, std::span<const Edge> edges) {
    const auto n = static_cast<igraph_integer_t>(nodes);
    const auto m = static_cast<igraph_integer_t>(edges.size());
    if (const auto error = igraph_vector_init(&weights, m)) return error;
    made = 1;
    if (const auto error = igraph_vector_init(&strengths, n)) return error;
    made = 2;
    if (const auto error = igraph_vector_int_init(&ends, 2 * m)) return error;
    made = 3;
    if (const auto error = igraph_vector_int_init(&membership, n)) return error;
    made = 4;
    if (const auto error = igraph_rng_init(&random, &igraph_rngtype_mt19937)) return error;
    made = 5;
    for (igraph_integer_t e = 0; e < m; ++e) {
      const Edge& edge = edges[static_cast<std::size_t>(e)];
      VECTOR(weights)[e] = edge.weight;
      VECTOR(ends)[2 * e] = edge.a;
      VECTOR(ends)[2 * e + 1] = edge.b;
      VECTOR(strengths)[edge.a] += edge.weight;
      VECTOR(strengths)[edge.b] += edge.weight;
    }
    if (const auto error = igraph_create(&graph, &ends, n, IGRAPH_UNDIRECTED)) return error;
    made = 6;
    return igraph_rng_seed(&random, kSeed);
  }
};

}  // namespace

core::Expected<std::vector<std::uint32_t>> leiden(std::size_t nodes, std::span<const Edge> edges, double resolution) {
  std::vector<std::uint32_t> out(nodes);
  double all = 0;
  for (const Edge& edge : edges) {
    if (edge.a >= nodes || edge.b >= nodes)
      return core::fail("an edge of a graph ends at no node", fmt::format("{} and {}", edge.a, edge.b),
                        fmt::format("below {}", nodes));
    if (!std::isfinite(edge.weight) || edge.weight <= 0)
      return core::fail("an edge's weight is out of range", fmt::format("{}", edge.weight), "above 0");
    all += edge.weight;
  }
  if (edges.empty()) {  // nothing to divide by
    for (std::size_t i = 0; i < nodes; ++i) out[i] = static_cast<std::uint32_t>(i);
    return out;
  }
  const std::lock_guard lock(one_at_a_time);
  igraph_error_handler_t* const handler = igraph_set_error_handler(igraph_error_handler_ignore);  // else it aborts
  Graph g;
  igraph_error_t error = g.make(nodes, edges);
  if (error == IGRAPH_SUCCESS) {
    igraph_rng_t* const random = igraph_rng_default();
    igraph_rng_set_default(&g.random);
    igraph_integer_t communities = 0;
    igraph_real_t quality = 0;
    error = igraph_community_leiden(&g.graph, &g.weights, &g.strengths, resolution / (2 * all), kRandomness,
                                    /*start=*/false, kIterations, &g.membership, &communities, &quality);
    igraph_rng_set_default(random);
  }
  igraph_set_error_handler(handler);
  if (error != IGRAPH_SUCCESS)
    return core::fail("the communities of a graph could not be found", igraph_strerror(error), "fewer nodes");
  for (std::size_t i = 0; i < nodes; ++i)
    out[i] = static_cast<std::uint32_t>(VECTOR(g.membership)[static_cast<igraph_integer_t>(i)]);
  return out;
}

}  // namespace orbwatch::track
