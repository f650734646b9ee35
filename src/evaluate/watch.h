// What is seen of a world while it is hunted: the references' alerts, and when a running service would first have said
// something about each item of the truth.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/compare.h"
#include "evaluate/references.h"
#include "evaluate/simulate.h"
#include "pipeline/hunt.h"

namespace orbwatch::evaluate {

// One spray campaign as the logs and a service show it.
struct SprayStory {
  core::Nanoseconds begin = 0;    // its first attempt
  core::Nanoseconds alerted = 0;  // when an alert of kind spray about it was first handed out; 0 = never
  // When a finding of kind spray about it first stood at these log-odds: both rise.
  std::vector<std::pair<core::Nanoseconds, double>> strength;
  std::vector<std::pair<core::Nanoseconds, core::Symbol>> attempts;  // time and account, ascending
};

struct Watched {
  // By item of items_of(): when an alert that finds it was first handed out; 0 = never.
  std::vector<core::Nanoseconds> alerted;
  std::map<std::string, SprayStory> sprays;  // by campaign
  // After the days of learning.
  std::uint64_t logins = 0;
  std::uint64_t covert_logins = 0;  // of them, those of intrusions
  // By reference, in the order of make_references().
  std::vector<std::vector<score::Finding>> references;
};

class Watch final : public pipeline::Watcher {
 public:
  // The truth must outlive this.
  explicit Watch(const Truth& truth);

  void begin(const core::NetworkView& networks) override { networks_ = &networks; }
  void login(const event::Event& login) override;
  void failed_login(const event::Event& attempt) override;
  void told(const score::Finding& finding, core::Nanoseconds now) override;
  // Leaves this empty.
  Watched take();

 private:
  const Truth& truth_;
  std::vector<TruthItem> items_;
  const core::NetworkView* networks_ = nullptr;
  absl::flat_hash_map<core::Ip, std::vector<std::uint32_t>> by_source_;  // items of intrusions and sprays
  std::vector<std::unique_ptr<Reference>> references_;
  std::vector<AlertList> alerts_;
  Watched seen_;
};

}  // namespace orbwatch::evaluate
