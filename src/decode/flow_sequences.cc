#include "decode/flow_sequences.h"

#include <algorithm>
#include <tuple>

namespace orbwatch::decode {
namespace {

// Raised with every change of what persist() lists.
constexpr std::uint32_t kLayout = 1;

bool counts_flows(FlowProtocol protocol) {
  return protocol == FlowProtocol::kNetflowV5 || protocol == FlowProtocol::kNetflowV7 ||
         protocol == FlowProtocol::kIpfix;
}

}  // namespace

void FlowSequences::take(FlowProtocol protocol, const core::Ip& exporter, std::uint32_t domain, std::uint32_t number,
                         std::optional<std::uint32_t> units) {
  const Key key{exporter, domain, protocol};
  auto found = sequences_.find(key);
  if (found == sequences_.end()) {
    if (sequences_.size() >= most_) {
      ++not_followed_;
      return;
    }
    found = sequences_.emplace(key, Sequence{}).first;
  }
  follow(found->second, number, units);
}

void FlowSequences::follow(Sequence& s, std::uint32_t number, std::optional<std::uint32_t> units) {
  ++s.datagrams;
  s.received += units.value_or(0);
  const std::uint32_t behind = number + units.value_or(0);  // the number that should follow
  const auto go_on = [&] {
    s.next = behind;
    s.known = units.has_value();
    s.doubted = false;
    s.backward = 0;
  };
  if (!s.known) {
    go_on();
    return;
  }
  const std::uint32_t ahead = number - s.next;
  const std::uint32_t back = s.next - number;
  if (ahead == 0) {
    go_on();
  } else if (ahead <= kNear) {
    s.lost += ahead;
    add_gap(s, s.next, ahead);
    go_on();
  } else if (s.doubted && number == s.doubted_next) {  // the jump was one
    if (s.doubted_lost == 0) {
      begin_anew(s);
    } else {
      s.lost += s.doubted_lost;
      add_gap(s, s.next, s.doubted_lost);
    }
    go_on();
  } else if (back <= kNear) {
    if (fills(s, number, units.value_or(0))) {
      ++s.late;
      s.backward = 0;
      return;
    }
    ++s.repeated;
    s.backward = number == s.backward_next ? s.backward + 1 : 1;
    s.backward_next = behind;
    if (s.backward < kRestart || !units.has_value()) return;
    s.repeated -= s.backward;  // they were the first of a new sequence
    begin_anew(s);
    go_on();
  } else {
    s.doubted = units.has_value();
    s.doubted_next = behind;
    s.doubted_lost = ahead <= kFar ? ahead : 0;
  }
}

// Whether these were missed; if so they are lost no more.
bool FlowSequences::fills(Sequence& s, std::uint32_t number, std::uint32_t units) {
  if (units == 0) return false;
  for (Gap& gap : s.gaps) {
    const std::uint32_t at = number - gap.from;
    if (at >= gap.size || units > gap.size - at) continue;
    s.lost -= units;
    const Gap behind{number + units, gap.size - at - units};
    gap.size = at;
    if (at == 0) {
      gap = behind;
    } else if (behind.size > 0) {
      add_gap(s, behind.from, behind.size);
    }
    return true;
  }
  return false;
}

void FlowSequences::add_gap(Sequence& s, std::uint32_t from, std::uint32_t size) {
  const auto free = std::ranges::find(s.gaps, 0U, &Gap::size);
  if (free != s.gaps.end()) {
    *free = {from, size};
    return;
  }
  s.gaps[s.next_gap] = {from, size};
  s.next_gap = (s.next_gap + 1) % kGaps;
}

void FlowSequences::begin_anew(Sequence& s) {
  ++s.restarts;
  s.gaps = {};
}

FlowLosses FlowSequences::lost() const {
  FlowLosses all;
  all.not_followed = not_followed_;
  all.of_each.reserve(sequences_.size());
  for (const auto& [key, s] : sequences_) {
    (counts_flows(key.protocol) ? all.flows : all.datagrams) += s.lost;
    all.of_each.push_back(
        {key.exporter, key.protocol, key.domain, s.datagrams, s.received, s.lost, s.late, s.repeated, s.restarts});
  }
  std::ranges::sort(all.of_each, [](const FlowLoss& a, const FlowLoss& b) {
    return std::tie(a.exporter, a.protocol, a.domain) < std::tie(b.exporter, b.protocol, b.domain);
  });
  return all;
}

template <typename Archive>
void FlowSequences::persist(Archive& a) {
  a.section("flow sequences", kLayout);
  a.entries(sequences_, [&](Key& key, Sequence& s) {
    a(key.exporter, key.domain);
    a.enumeration(key.protocol, FlowProtocol::kSflowV5);
    a(s.next, s.known, s.doubted, s.doubted_next, s.doubted_lost, s.backward, s.backward_next);
    for (Gap& gap : s.gaps) a(gap.from, gap.size);
    a.bounded(s.next_gap, static_cast<std::uint32_t>(kGaps - 1));
    a(s.datagrams, s.received, s.lost, s.late, s.repeated, s.restarts);
  });
  a(not_followed_);
  if constexpr (Archive::kReads) {
    if (sequences_.size() > most_) a.refuse("more sequences than are followed");
  }
}

void FlowSequences::save(core::ArchiveWriter& archive) const { const_cast<FlowSequences*>(this)->persist(archive); }
void FlowSequences::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::decode
