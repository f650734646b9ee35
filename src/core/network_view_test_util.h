// A small table of network facts for the tests of baseline/, detect/ and what builds on them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/network_facts.h"

namespace orbwatch::core::test {

class FakeNetworks final : public NetworkView {
 public:
  FakeNetworks() { add({}); }

  // Index of the new facts.
  std::uint32_t add(NetworkFacts facts, std::string_view as_name = {}, std::string_view city = {}) {
    facts.as_name = text_of(as_name);
    facts.city = text_of(city);
    facts_.push_back(facts);
    own_.push_back(false);
    allowed_.push_back(false);
    return static_cast<std::uint32_t>(facts_.size() - 1);
  }
  // A provider's network at a place.
  std::uint32_t add(std::uint32_t asn, NetworkType type, float latitude, float longitude, std::string_view country,
                    std::string_view as_name = "Example Net", std::string_view city = {}) {
    NetworkFacts f;
    f.asn = asn;
    f.type = type;
    f.latitude = latitude;
    f.longitude = longitude;
    f.country = pack_country(country);
    return add(f, as_name, city);
  }
  void set_own(std::uint32_t index) { own_[index] = true; }
  void set_allowed(std::uint32_t index) { allowed_[index] = true; }

  const NetworkFacts& facts(std::uint32_t index) const override {
    return index < facts_.size() ? facts_[index] : facts_[0];
  }
  std::string_view text(std::uint32_t offset) const override {
    return offset < texts_.size() ? std::string_view(texts_[offset]) : std::string_view();
  }
  double as_share(std::uint32_t asn) const override { return value(as_shares, asn); }
  double as_share_in_country(std::uint32_t asn, std::uint16_t) const override { return value(as_shares, asn); }
  double country_share(std::uint16_t country) const override { return value(country_shares, country); }
  double type_share(NetworkType type) const override { return value(type_shares, type); }
  double type_share_in_country(NetworkType type, std::uint16_t) const override { return value(type_shares, type); }
  bool is_own(std::uint32_t index) const override { return index < own_.size() && own_[index]; }
  bool is_allowed(std::uint32_t index) const override { return index < allowed_.size() && allowed_[index]; }

  // World priors; what is not here is 0.
  std::map<std::uint32_t, double> as_shares;
  std::map<std::uint16_t, double> country_shares;
  std::map<NetworkType, double> type_shares;

 private:
  template <typename Map>
  static double value(const Map& map, typename Map::key_type key) {
    const auto found = map.find(key);
    return found == map.end() ? 0 : found->second;
  }
  // As in a real table a text stands once.
  std::uint32_t text_of(std::string_view text) {
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i] == text) return static_cast<std::uint32_t>(i);
    }
    texts_.emplace_back(text);
    return static_cast<std::uint32_t>(texts_.size() - 1);
  }

  std::vector<NetworkFacts> facts_;
  std::vector<std::string> texts_;
  std::vector<bool> own_;
  std::vector<bool> allowed_;
};

}  // namespace orbwatch::core::test
