#include "evaluate/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "baseline/client.h"
#include "baseline/profile.h"

namespace orbwatch::evaluate {
namespace {

using core::Nanoseconds;

template <std::size_t N>
constexpr double left(const std::array<double, N>& weights) {
  double rest = 1;
  for (const double w : weights) rest -= w;
  return rest;
}

std::uint64_t hashed(std::string_view level, std::string_view text) { return core::hash64(text, core::hash64(level)); }

}  // namespace

std::optional<ReferenceLogin> reference_login(const event::Event& login, const core::NetworkView& networks) {
  if (!login.user.present() || !login.source_ip.is_global() || networks.is_own(login.source_facts)) return std::nullopt;
  const core::NetworkFacts& facts = networks.facts(login.source_facts);
  ReferenceLogin out;
  out.time = login.time;
  out.user = login.user;
  out.ip = login.source_ip;
  out.asn = facts.asn;
  out.country = facts.country;
  out.located = facts.located();
  out.latitude = static_cast<double>(facts.latitude);
  out.longitude = static_cast<double>(facts.longitude);
  const baseline::Client client = baseline::client_of(login);
  if (client.present()) {
    out.client = baseline::version_key(client);
    out.client_model = baseline::model_key(client);
  }
  return out;
}

std::optional<double> ImpossibleTravel::take(const ReferenceLogin& login) {
  if (!login.located) return std::nullopt;
  const auto [found, first] = last_.try_emplace(login.user);
  const Place before = std::exchange(found->second, Place{login.time, login.latitude, login.longitude});
  if (first) return std::nullopt;
  const double far = baseline::kilometres(before.latitude, before.longitude, login.latitude, login.longitude);
  if (far < kLeastDistance) return std::nullopt;
  // Two at the same moment: as if a second lay between.
  const double hours = static_cast<double>(std::max(login.time - before.time, core::kSecond)) / core::kHour;
  const double speed = far / hours;
  return speed > kLeastSpeed ? std::optional(speed) : std::nullopt;
}

std::optional<double> FirstSeen::take(const ReferenceLogin& login) {
  const std::uint32_t now = value(login);
  const Nanoseconds since = known_since_.try_emplace(login.user, login.time).first->second;
  if (now == 0) return std::nullopt;
  const bool is_new = seen_.emplace(login.user, now).second;
  return is_new && login.time - since >= kLearning ? std::optional(1.0) : std::nullopt;
}

Freeman::Levels Freeman::levels_of(const ReferenceLogin& login) {
  Levels levels{};
  levels[0] = hashed("address", login.ip.text());
  levels[1] = hashed("prefix", core::Prefix::neighbourhood(login.ip).text());
  if (login.asn != 0) levels[2] = hashed("as", fmt::format("{}", login.asn));
  if (login.country != 0) levels[3] = hashed("country", fmt::format("{}", login.country));
  if (login.client != 0) levels[4] = hashed("client", fmt::format("{}", login.client));
  if (login.client_model != 0) levels[5] = hashed("model", fmt::format("{}", login.client_model));
  return levels;
}

// p(h(x) | u) / p(h(x)), counted without the log-in that is being scored.
double Freeman::lift(core::Symbol user, double logins_of_user, std::uint64_t value) const {
  const auto own = of_users_.find(std::pair(user, value));
  if (own == of_users_.end()) return 0;
  return own->second / logins_of_user / (everybody_.find(value)->second / logins_);
}

std::optional<double> Freeman::take(const ReferenceLogin& login) {
  const Levels levels = levels_of(login);
  double& of_user = users_[login.user];
  std::optional<double> score;
  if (of_user > 0) {
    double address = left(kAddressWeights);
    for (std::size_t i = 0; i < kAddressWeights.size(); ++i) {
      if (levels[i] != 0) address += kAddressWeights[i] * lift(login.user, of_user, levels[i]);
    }
    double client = 1;  // a gateway that does not log it: no feature
    if (login.client != 0) {
      client = left(kClientWeights);
      for (std::size_t i = 0; i < kClientWeights.size(); ++i)
        client += kClientWeights[i] * lift(login.user, of_user, levels[4 + i]);
    }
    score = -std::log(address) - std::log(client);
  }
  ++of_user;
  ++logins_;
  for (const std::uint64_t value : levels) {
    if (value == 0) continue;
    ++everybody_[value];
    ++of_users_[std::pair(login.user, value)];
  }
  return score;
}

std::vector<std::unique_ptr<Reference>> make_references() {
  std::vector<std::unique_ptr<Reference>> all;
  all.push_back(std::make_unique<ImpossibleTravel>());
  all.push_back(std::make_unique<FirstCountry>());
  all.push_back(std::make_unique<FirstSystem>());
  all.push_back(std::make_unique<Freeman>());
  return all;
}

void AlertList::add(const ReferenceLogin& login, double score) {
  const std::pair key(login.user, core::Prefix::neighbourhood(login.ip).base);
  const auto [found, first] = open_.try_emplace(key, alerts_.size());
  if (first || login.time > alerts_[found->second].end + baseline::kProbation) {
    found->second = alerts_.size();
    alerts_.push_back({login.user, login.time, login.time, score, {login.ip}});
    return;
  }
  Alert& alert = alerts_[found->second];
  alert.time = std::min(alert.time, login.time);
  alert.end = std::max(alert.end, login.time);
  alert.score = std::max(alert.score, score);
  if (alert.sources.size() < score::Finding::kMostListed &&
      std::ranges::find(alert.sources, login.ip) == alert.sources.end())
    alert.sources.push_back(login.ip);
}

std::vector<score::Finding> AlertList::take() {
  std::vector<score::Finding> findings;
  findings.reserve(alerts_.size());
  for (const Alert& alert : alerts_) {
    score::Finding f;
    f.kind = detect::FindingKind::kLogin;
    f.time = alert.time;
    f.end = alert.end;
    f.log_odds = alert.score;
    f.user = alert.user.text();
    for (const core::Ip& ip : alert.sources) {
      score::SourceFacts source;
      source.ip = ip;
      f.sources.push_back(source);
    }
    f.source_count = f.sources.size();
    findings.push_back(std::move(f));
  }
  alerts_.clear();
  open_.clear();
  return findings;
}

}  // namespace orbwatch::evaluate
