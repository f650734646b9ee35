// Communities of a weighted graph: Leiden's method (Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing
// well-connected communities", Scientific Reports 9, 2019) as igraph has it. The only file that knows igraph.
//
// Quality is modularity with a resolution above 1, which cuts too finely rather than too coarsely: a small network
// beside a large one would else vanish in it (Fortunato and Barthelemy 2007). NetworkTracker joins what belongs
// together afterwards, by evidence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/error.h"

namespace orbwatch::track {

struct Edge {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  double weight = 0;  // > 0
};

// The community of each of `nodes` nodes, numbered from 0. The same graph gives the same communities: the random
// numbers are igraph's, begun anew with the same seed.
// One call at a time in a process, for igraph's generator is one. An error: an edge out of range, a weight that is not
// above 0, igraph's own.
core::Expected<std::vector<std::uint32_t>> leiden(std::size_t nodes, std::span<const Edge> edges,
                                                  double resolution = 1.5);

}  // namespace orbwatch::track
