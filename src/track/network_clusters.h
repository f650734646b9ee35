// Communities of a weighted graph: Leiden's method (Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing
// well-connected communities", Scientific Reports 9, 2019), with modularity as the quality. docs/architecture.md says
// why it is written here.
//
// Modularity does not see a small community beside a large one (its resolution limit: Fortunato and Barthelemy, PNAS
// 104, 2007), and a higher resolution breaks up what stands alone. Hence each connected part is cut by itself, and each
// community once more by itself: too finely rather than too coarsely, but what is alike throughout and small stays
// whole. NetworkTracker joins what belongs together afterwards, by evidence.
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

// The community of each of `nodes` nodes, numbered from 0 in the order of their first nodes. Pure: the same graph gives
// the same communities. An error: an edge out of range or from a node to itself, a weight
// that is not above 0.
core::Expected<std::vector<std::uint32_t>> communities(std::size_t nodes, std::span<const Edge> edges);

// One cut by Leiden's method; quality is the sum over communities of
// (weight inside - resolution * strength^2 / (4 * weight of all)).
core::Expected<std::vector<std::uint32_t>> leiden(std::size_t nodes, std::span<const Edge> edges,
                                                  double resolution = 1);

}  // namespace orbwatch::track
