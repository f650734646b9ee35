// What flow exporters have told: templates and options, per observation domain, within hard limits.
//
// A domain is (exporter address, protocol, source id or observation domain id). The source port is not part of it:
// exporters change it at each start, and some send templates and data from different ports (RFC 3954, 5.1 does not
// count it in either).
//
// Limits: what was there first stays. A new domain, template or pending set beyond a limit is rejected by name, so that
// a flood of forged exporters cannot push out the real ones.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/archive.h"
#include "decode/flow_context.h"
#include "decode/flow_template.h"

namespace orbwatch::decode {

struct FlowLimits {
  std::size_t domains = 4096;
  std::size_t templates_per_domain = 1024;
  std::size_t template_bytes = std::size_t{64} << 20;  // of all templates
  std::size_t option_entries = 1 << 18;              // samplers and application names of all domains; more are not kept
  std::size_t pending_sets_per_domain = 64;          // data sets that came before their template
  std::size_t pending_bytes = std::size_t{4} << 20;  // of all domains
};

class FlowExporters {
 public:
  class Domain;

  explicit FlowExporters(const FlowLimits& limits);
  ~FlowExporters();
  FlowExporters(const FlowExporters&) = delete;
  FlowExporters& operator=(const FlowExporters&) = delete;

  // Of the datagram's exporter. nullptr if there are too many: the datagram is rejected then.
  Domain* domain(std::uint32_t id, Dialect dialect, const FlowContext& context);
  // Counts the template record as ignored "template" or "options template", or rejects it. Data that waited for it are
  // decoded.
  void learn(Domain& domain, std::uint16_t id, std::vector<FieldSpec> fields, bool options, const FlowContext& context);
  // RFC 7011, 8.1: withdraws one template, all of them, or all options templates.
  void withdraw(Domain& domain, std::uint16_t id);
  void withdraw_all(Domain& domain, bool options);
  // One data set without its header. Without template it waits, if there is room; else it is rejected as "flow: no
  // template", counted as one record, as nobody knows how many it holds. Gives the number of records if it is known.
  std::optional<std::size_t> data(Domain& domain, std::uint16_t id, std::string_view set, const MessageTime& time,
                                  bool cut, const FlowContext& context);
  // The input ends: what still waits is rejected.
  void finish(EventBatch& batch);

  std::size_t domains() const { return domains_.size(); }

  // Templates, options, names and what waits, of all domains; the limits excepted. Restored exporters give what the
  // saved ones would have given. RecordRef::source of what waits is written as it is. Errors stick to the reader; what
  // is beyond the limits is refused. After an error this is to be thrown away.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  struct Key {
    core::Ip exporter;
    std::uint32_t id = 0;
    Dialect dialect = Dialect::kNetflowV9;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.exporter, k.id, k.dialect);
    }
  };

  std::size_t decode(Domain& domain, const Template& made, std::string_view set, MessageTime time, bool cut,
                     const FlowContext& context);
  Domain* add(const Key& key);
  template <typename Archive>
  void persist(Archive& archive);
  template <typename Archive>
  void persist(Archive& archive, Domain& domain);

  FlowLimits limits_;
  absl::flat_hash_map<Key, std::unique_ptr<Domain>> domains_;
  std::vector<Domain*> in_order_;  // as they were met: finish() must not depend on hashes
  Key last_key_;
  Domain* last_ = nullptr;
  std::size_t template_bytes_ = 0;
  std::size_t pending_bytes_ = 0;
  std::size_t option_entries_left_;
};

}  // namespace orbwatch::decode
