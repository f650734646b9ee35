#include "enrich/enrich.h"

#include <algorithm>
#include <utility>

namespace orbwatch::enrich {
namespace {

using core::NetworkFacts;
using core::NetworkType;
using event::Direction;

intel::TypeClaim claim_of(const intel::DeclaredNetwork& network) {
  return {network.type, core::TypeSource::kOrganisation, intel::kWeightOrganisation,
          "the organisation's own networks ('" + network.name + "')"};
}

Direction direction_of(bool source_inside, bool destination_inside) {
  if (source_inside) return destination_inside ? Direction::kInternal : Direction::kOutbound;
  return destination_inside ? Direction::kInbound : Direction::kExternal;
}

}  // namespace

Enricher::Enricher(std::shared_ptr<const intel::Networks> networks,
                   std::shared_ptr<const intel::Organisation> organisation)
    : networks_(networks != nullptr ? std::move(networks) : std::make_shared<const intel::Networks>()),
      organisation_(organisation != nullptr ? std::move(organisation) : std::make_shared<const intel::Organisation>()),
      base_(networks_->facts_count()) {
  const auto add_text = [&](std::string_view value) -> std::uint32_t {
    if (value.empty()) return 0;
    value = value.substr(0, 1000);
    const auto at = static_cast<std::uint32_t>(networks_->text_size() + declared_text_.size());
    const auto length = static_cast<std::uint16_t>(value.size());
    declared_text_ += static_cast<char>(length & 0xff);
    declared_text_ += static_cast<char>(length >> 8);
    declared_text_ += value;
    return at;
  };
  // Offset 0 is the empty string, also without a table.
  if (networks_->text_size() == 0) declared_text_.assign(2, '\0');
  for (const intel::DeclaredNetwork& network : organisation_->networks()) {
    const std::uint32_t from = networks_->lookup(network.prefix.base);
    NetworkFacts f = networks_->facts(from);
    // Names of private space or of a carrier mean less than the organisation's word; a public prefix keeps its AS's
    // name.
    if (f.asn == 0) f.as_name = add_text(network.name);
    if (!network.site.empty()) {
      f.city = add_text(network.site);
      f.region = 0;
    }
    const std::uint16_t country = core::pack_country(network.country);
    if (country != 0 && country != f.country) {
      f.country = country;
      if (network.site.empty()) f.city = f.region = 0;
      f.latitude = f.longitude = 0;
    }
    if (network.latitude != 0 || network.longitude != 0) {
      f.latitude = network.latitude;
      f.longitude = network.longitude;
    }
    if (network.type != NetworkType::kUnknown) {
      f.type = network.type;
      f.type_sources |= static_cast<std::uint8_t>(core::TypeSource::kOrganisation);
    }
    declared_facts_.push_back(f);
    declared_from_.push_back(from);
  }
}

void Enricher::enrich(event::EventBatch& batch, Scratch& scratch) const {
  scratch.ips_.clear();
  scratch.targets_.clear();
  const auto ask = [&](const core::Ip& ip, std::uint32_t& target) {
    if (!ip.present()) {
      target = 0;
      return;
    }
    scratch.ips_.push_back(ip);
    scratch.targets_.push_back(&target);
  };
  for (event::Event& event : batch) {
    ask(event.source_ip, event.source_facts);
    ask(event.destination_ip, event.destination_facts);
  }
  scratch.indices_.resize(scratch.ips_.size());
  networks_->lookup(scratch.ips_, scratch.indices_);
  if (!organisation_->empty()) {
    for (std::size_t i = 0; i < scratch.ips_.size(); ++i) {
      const std::int32_t declared_at = organisation_->find(scratch.ips_[i]);
      if (declared_at >= 0) scratch.indices_[i] = base_ + static_cast<std::uint32_t>(declared_at);
    }
  }
  for (std::size_t i = 0; i < scratch.targets_.size(); ++i) *scratch.targets_[i] = scratch.indices_[i];

  for (event::Event& event : batch) {
    if (event.direction != Direction::kUnknown || !event.source_ip.present() || !event.destination_ip.present())
      continue;
    event.direction = direction_of(inside(event.source_ip, event.source_facts),
                                   inside(event.destination_ip, event.destination_facts));
  }
}

// The facts' index tells a declared network; the rest is a matter of the address.
bool Enricher::inside(const core::Ip& ip, std::uint32_t index) const {
  if (const intel::DeclaredNetwork* network = declared(index); network != nullptr) return network->own;
  return ip.is_private();
}

std::uint32_t Enricher::lookup(const core::Ip& ip) const {
  if (!ip.present()) return 0;
  const std::int32_t declared_at = organisation_->find(ip);
  return declared_at >= 0 ? base_ + static_cast<std::uint32_t>(declared_at) : networks_->lookup(ip);
}

const NetworkFacts& Enricher::facts(std::uint32_t index) const {
  return index >= base_ && index - base_ < declared_facts_.size() ? declared_facts_[index - base_]
                                                                  : networks_->facts(index);
}

std::string_view Enricher::text(std::uint32_t offset) const {
  const std::uint32_t own = networks_->text_size();
  if (offset < own || offset == 0) return networks_->text(offset);
  const std::size_t at = offset - own;
  if (at + 2 > declared_text_.size()) return {};
  const std::size_t length = static_cast<unsigned char>(declared_text_[at]) |
                             static_cast<std::size_t>(static_cast<unsigned char>(declared_text_[at + 1])) << 8;
  return std::string_view(declared_text_).substr(at + 2, length);
}

const intel::DeclaredNetwork* Enricher::declared(std::uint32_t index) const {
  return index >= base_ && index - base_ < declared_facts_.size() ? &organisation_->networks()[index - base_] : nullptr;
}

bool Enricher::is_own(std::uint32_t index) const {
  if (const intel::DeclaredNetwork* network = declared(index); network != nullptr) return network->own;
  return index == static_cast<std::uint32_t>(intel::SpecialRange::kPrivate);
}

bool Enricher::is_allowed(std::uint32_t index) const {
  const intel::DeclaredNetwork* network = declared(index);
  return network != nullptr && network->allowed;
}

std::vector<intel::TypeClaim> Enricher::claims(std::uint32_t index) const {
  const intel::DeclaredNetwork* network = declared(index);
  if (network == nullptr) return networks_->claims(index);
  std::vector<intel::TypeClaim> out;
  if (network->type != NetworkType::kUnknown) out.push_back(claim_of(*network));
  for (intel::TypeClaim& c : networks_->claims(declared_from_[index - base_])) out.push_back(std::move(c));
  return out;
}

Description Enricher::describe(std::uint32_t index) const {
  const NetworkFacts& f = facts(index);
  Description out;
  out.asn = f.asn;
  out.org = text(f.as_name);
  if (const intel::DeclaredNetwork* network = declared(index); network != nullptr && !network->name.empty()) {
    out.org = network->name;
  }
  out.country = core::unpack_country(f.country).view();
  out.region = text(f.region);
  out.city = text(f.city);
  out.located = f.located();
  out.latitude = static_cast<double>(f.latitude);
  out.longitude = static_cast<double>(f.longitude);
  out.network_type = f.type;
  out.claims = claims(index);
  out.disputed = intel::decide_type(out.claims).disputed;
  out.type_text = intel::explain_type(out.claims);
  return out;
}

}  // namespace orbwatch::enrich
