// Fills the facts of an event's addresses and the direction of its traffic, from the compiled table and the
// organisation's own networks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/network_facts.h"
#include "event/batch.h"
#include "intel/networks.h"
#include "intel/organisation.h"

namespace orbwatch::enrich {

// Facts of one index in words, for findings. Absent is empty or 0.
struct Description {
  std::uint32_t asn = 0;
  std::string_view org;  // AS organisation, or the declared network's name
  std::string country;   // ISO code
  std::string_view region;
  std::string_view city;  // or the declared network's site
  double latitude = 0;
  double longitude = 0;
  bool located = false;
  core::NetworkType network_type = core::NetworkType::kUnknown;
  bool disputed = false;  // sources disagree about the type
  std::vector<intel::TypeClaim> claims;
  std::string type_text;  // explain_type(claims)
};

// Immutable after construction, thread-safe; a Scratch belongs to one thread. Indices: those of the table first, then
// one per declared network. A declared network's facts are made once, from the table's facts of the prefix's first
// address where the declaration leaves something open; with a prefix that spans several places only its first counts.
class Enricher final : public core::NetworkView {
 public:
  // Either may be null: no table (special ranges are still known), no declared networks.
  explicit Enricher(std::shared_ptr<const intel::Networks> networks,
                    std::shared_ptr<const intel::Organisation> organisation = nullptr);

  // Working memory that keeps its size between batches.
  class Scratch {
   private:
    friend class Enricher;
    std::vector<core::Ip> ips_;
    std::vector<std::uint32_t> indices_;
    std::vector<std::uint32_t*> targets_;
  };

  // Sets source_facts and destination_facts of all events, and direction where it is kUnknown and both addresses are
  // present: internal = both inside, inbound = source outside and destination inside, outbound = the reverse, external
  // = both outside. Inside is private address space or a network declared as own.
  void enrich(event::EventBatch& batch, Scratch& scratch) const;

  // One address, the same result.
  std::uint32_t lookup(const core::Ip& ip) const;

  Description describe(std::uint32_t index) const;
  // Claims of an index; of a declared network: the organisation's first, then the table's.
  std::vector<intel::TypeClaim> claims(std::uint32_t index) const;
  // The declaration behind an index, null if it is not a declared network's.
  const intel::DeclaredNetwork* declared(std::uint32_t index) const;

  const core::NetworkFacts& facts(std::uint32_t index) const override;
  std::string_view text(std::uint32_t offset) const override;
  double as_share(std::uint32_t asn) const override { return networks_->as_share(asn); }
  double as_share_in_country(std::uint32_t asn, std::uint16_t country) const override {
    return networks_->as_share_in_country(asn, country);
  }
  double country_share(std::uint16_t country) const override { return networks_->country_share(country); }
  double type_share(core::NetworkType type) const override { return networks_->type_share(type); }
  double type_share_in_country(core::NetworkType type, std::uint16_t country) const override {
    return networks_->type_share_in_country(type, country);
  }
  bool is_own(std::uint32_t index) const override;
  bool is_allowed(std::uint32_t index) const override;

  const intel::Networks& networks() const { return *networks_; }
  const intel::Organisation& organisation() const { return *organisation_; }

 private:
  bool inside(const core::Ip& ip, std::uint32_t index) const;

  std::shared_ptr<const intel::Networks> networks_;          // never null
  std::shared_ptr<const intel::Organisation> organisation_;  // never null
  std::uint32_t base_ = 0;                                   // first index of a declared network
  std::vector<core::NetworkFacts> declared_facts_;           // one per declared network, same order
  std::vector<std::uint32_t> declared_from_;                 // the table's facts that they were made from
  std::string declared_text_;                                // their strings; offsets begin at networks_->text_size()
};

}  // namespace orbwatch::enrich
