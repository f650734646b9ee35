// What a hit on an indicator is worth as evidence: a log-likelihood ratio, in nats.
//
// Let c be the confidence that the entry is true now, a = P(hit | covert log-in) for a true entry, o = P(hit | ordinary
// log-in). An entry that is no longer true is an address like any other and is hit alike by both. Hence
//   P(hit | covert) / P(hit | ordinary) = (c * a + (1 - c) * o) / o = 1 + c * (a / o - 1).
// With c = 1 that is the feed's strength a / o; with c = 0 it is 1 and says nothing. It falls more slowly than c: one
// chance in ten that the address is still a relay is far more than any ordinary address has.
// Where `sharers` subscribers use the address, the relay is one of them and a / o counts for that part alone:
//   1 + c * (a / o - 1) / sharers.
//
// The strength is measured per feed with verdicts and ordinary traffic, and shrunk towards what is assumed of a feed
// that is not known: a hit adds to a rate whose prior is worth one hit.
#pragma once

#include <cstdint>

namespace orbwatch::intel::decay {

// A list is never a proof by itself: the strength of a feed, and hence what any hit can add, stays below.
constexpr double kMostStrength = 7.0;     // a / o = 1,100
constexpr double kAssumedStrength = 6.0;  // a / o = 400, before anything was measured

// 0..strength; `strength` = ln(a / o) is cut to 0..kMostStrength, confidence to 0..1. Rises with both, falls with
// sharers (below 1 counts as 1). What is no number counts as 0.
double hit_llr(double confidence, double strength = kAssumedStrength, double sharers = 1);

// Of one feed: log-ins (or contacts) known to be covert and known to be ordinary, and how many of each it named.
struct FeedHits {
  std::uint64_t covert = 0;
  std::uint64_t covert_hits = 0;
  std::uint64_t ordinary = 0;
  std::uint64_t ordinary_hits = 0;
};
// ln(a / o) with both rates shrunk towards the assumed ones (a = 0.1; o = a / e^kAssumedStrength). 0..kMostStrength;
// a feed that names ordinary traffic as often as covert gets 0.
double feed_strength(const FeedHits& hits);

}  // namespace orbwatch::intel::decay
