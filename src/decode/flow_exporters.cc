#include "decode/flow_exporters.h"

#include <algorithm>

#include "event/persist.h"

namespace orbwatch::decode {
namespace {

constexpr std::uint32_t kLayout = 1;  // of the saved state: raised with every change of what persist() lists

const Symbol kTemplate = core::intern("template");
const Symbol kOptionsTemplate = core::intern("options template");
const Symbol kNoTemplate = core::intern("flow: no template");
const Symbol kTooManyTemplates = core::intern("flow: too many templates");

}  // namespace

class FlowExporters::Domain {
 public:
  explicit Domain(const Key& k) : key(k), dialect(k.dialect) {}

  struct Pending {
    std::uint16_t id;
    MessageTime time;
    Datagram datagram;  // its payload is empty
    std::string set;
  };

  const Template* find(std::uint16_t id) {
    if (last_ != nullptr && last_id_ == id) return last_;
    const auto found = templates.find(id);
    last_ = found == templates.end() ? nullptr : found->second.get();
    last_id_ = id;
    return last_;
  }
  void changed() { last_ = nullptr; }
  // Bytes that a waiting set takes.
  static std::size_t cost(std::string_view set) { return set.size() + sizeof(Pending); }

  const Key key;
  const Dialect dialect;
  absl::flat_hash_map<std::uint16_t, std::unique_ptr<Template>> templates;
  DomainFacts facts;
  std::vector<Pending> pending;

 private:
  const Template* last_ = nullptr;
  std::uint16_t last_id_ = 0;
};

FlowExporters::FlowExporters(const FlowLimits& limits) : limits_(limits), option_entries_left_(limits.option_entries) {}
FlowExporters::~FlowExporters() = default;

FlowExporters::Domain* FlowExporters::domain(std::uint32_t id, Dialect dialect, const FlowContext& context) {
  const Key key{context.datagram.exporter, id, dialect};
  if (last_ != nullptr && key == last_key_) return last_;
  const auto found = domains_.find(key);
  if (found == domains_.end()) {
    if (domains_.size() >= limits_.domains) {
      context.reject(flow_reason::kTooManyExporters, context.datagram.payload);
      return nullptr;
    }
    last_ = add(key);
  } else {
    last_ = found->second.get();
  }
  last_key_ = key;
  return last_;
}

FlowExporters::Domain* FlowExporters::add(const Key& key) {
  Domain* made = domains_.insert_or_assign(key, std::make_unique<Domain>(key)).first->second.get();
  made->facts.entries_left = &option_entries_left_;
  in_order_.push_back(made);
  return made;
}

void FlowExporters::learn(Domain& domain, std::uint16_t id, std::vector<FieldSpec> fields, bool options,
                          const FlowContext& context) {
  const Symbol kind = options ? kOptionsTemplate : kTemplate;
  const auto old = domain.templates.find(id);
  if (old != domain.templates.end() && old->second->options() == options && old->second->fields() == fields) {
    context.ignore(kind);  // most templates are repetitions
    return;
  }
  const std::string_view seen = context.datagram.payload;
  if (old == domain.templates.end() && domain.templates.size() >= limits_.templates_per_domain) {
    context.reject(kTooManyTemplates, seen);
    return;
  }
  auto made = Template::compile(domain.dialect, std::move(fields), options);
  if (made == nullptr) {
    context.reject(flow_reason::kBadTemplate, seen);
    return;
  }
  const std::size_t freed = old == domain.templates.end() ? 0 : old->second->memory();
  if (template_bytes_ - freed + made->memory() > limits_.template_bytes) {
    context.reject(kTooManyTemplates, seen);
    return;
  }
  template_bytes_ = template_bytes_ - freed + made->memory();
  context.ignore(kind);
  const Template& kept = *made;
  domain.templates[id] = std::move(made);
  domain.changed();
  if (domain.pending.empty()) return;

  // Data sets that waited. Those whose length does not fit were made with another template of the same number.
  std::vector<Domain::Pending> waiting;
  std::vector<Domain::Pending> ready;
  for (Domain::Pending& p : domain.pending) (p.id == id ? ready : waiting).push_back(std::move(p));
  domain.pending = std::move(waiting);
  for (const Domain::Pending& p : ready) {
    pending_bytes_ -= Domain::cost(p.set);
    const FlowContext its{p.datagram, context.batch};
    if (!kept.variable() && p.set.size() % kept.shortest_record() >= 4) {
      its.reject(kNoTemplate, p.set);
    } else {
      decode(domain, kept, p.set, p.time, false, its);
    }
  }
}

void FlowExporters::withdraw(Domain& domain, std::uint16_t id) {
  const auto found = domain.templates.find(id);
  if (found == domain.templates.end()) return;
  template_bytes_ -= found->second->memory();
  domain.templates.erase(found);
  domain.changed();
}

void FlowExporters::withdraw_all(Domain& domain, bool options) {
  absl::erase_if(domain.templates, [&](const auto& entry) {
    if (entry.second->options() != options) return false;
    template_bytes_ -= entry.second->memory();
    return true;
  });
  domain.changed();
}

std::size_t FlowExporters::decode(Domain& domain, const Template& made, std::string_view set, MessageTime time,
                                  bool cut, const FlowContext& context) {
  if (!time.has_uptime && domain.facts.boot_ms != 0) {
    const auto exported_ms = static_cast<std::uint64_t>(time.exported / core::kMillisecond);
    time.uptime_ms = static_cast<std::uint32_t>(exported_ms - domain.facts.boot_ms);
    time.has_uptime = true;
  }
  return made.decode(set, time, 0, cut, domain.facts, context);
}

std::optional<std::size_t> FlowExporters::data(Domain& domain, std::uint16_t id, std::string_view set,
                                               const MessageTime& time, bool cut, const FlowContext& context) {
  if (const Template* made = domain.find(id)) {
    const std::size_t records = decode(domain, *made, set, time, cut, context);
    return cut ? std::nullopt : std::optional(records);
  }
  if (cut || domain.pending.size() >= limits_.pending_sets_per_domain ||
      pending_bytes_ + Domain::cost(set) > limits_.pending_bytes) {
    context.reject(kNoTemplate, set);
    return std::nullopt;
  }
  pending_bytes_ += Domain::cost(set);
  Datagram datagram = context.datagram;
  datagram.payload = {};
  domain.pending.push_back({id, time, datagram, std::string(set)});
  return std::nullopt;
}

void FlowExporters::finish(EventBatch& batch) {
  for (Domain* domain : in_order_) {
    for (const Domain::Pending& p : domain->pending) FlowContext{p.datagram, batch}.reject(kNoTemplate, p.set);
    domain->pending.clear();
  }
  pending_bytes_ = 0;
}

// A compiled template holds addresses of functions: it is written as its fields and compiled anew.
template <typename Archive>
void FlowExporters::persist(Archive& a, Domain& domain) {
  const std::size_t templates = a.count(domain.templates.size());
  const auto one = [&](std::uint16_t& id, bool& options, std::vector<FieldSpec>& fields) {
    a(id, options);
    a.sequence(fields, [&](FieldSpec& f) { a(f.id, f.length, f.enterprise); });
  };
  if constexpr (Archive::kReads) {
    if (templates > limits_.templates_per_domain) a.refuse("more templates than are kept");
    for (std::size_t i = 0; i < templates && a.ok(); ++i) {
      std::uint16_t id = 0;
      bool options = false;
      std::vector<FieldSpec> fields;
      one(id, options, fields);
      if (!a.ok()) return;
      auto made = Template::compile(domain.dialect, std::move(fields), options);
      if (made == nullptr || domain.templates.contains(id)) {
        a.refuse("a template is none, or stands there twice");
        return;
      }
      template_bytes_ += made->memory();
      domain.templates.emplace(id, std::move(made));
    }
    if (template_bytes_ > limits_.template_bytes) a.refuse("more templates than are kept");
  } else {
    for (const auto& [number, made] : domain.templates) {
      std::uint16_t id = number;
      bool options = made->options();
      std::vector<FieldSpec> fields = made->fields();
      one(id, options, fields);
    }
  }
  a(domain.facts.samplers, domain.facts.applications, domain.facts.sampling);
  a.bounded(domain.facts.boot_ms, std::uint64_t{INT64_MAX / core::kMillisecond / 2});
  a.sequence(domain.pending, [&](Domain::Pending& p) {
    a(p.id, p.time.exported, p.time.uptime_ms, p.time.has_uptime, p.datagram.received, p.datagram.sequenced);
    a(p.datagram.exporter, p.datagram.exporter_port, p.datagram.record, p.set);
    if constexpr (Archive::kReads) pending_bytes_ += Domain::cost(p.set);
  });
  if constexpr (Archive::kReads) {
    const std::size_t entries = domain.facts.samplers.size() + domain.facts.applications.size();
    if (domain.pending.size() > limits_.pending_sets_per_domain || pending_bytes_ > limits_.pending_bytes ||
        entries > option_entries_left_) {
      a.refuse("more of a flow exporter than is kept");
      return;
    }
    option_entries_left_ -= entries;
  }
}

template <typename Archive>
void FlowExporters::persist(Archive& a) {
  a.section("flow exporters", kLayout);
  const std::size_t domains = a.count(in_order_.size());
  const auto one = [&](Key& key) {
    a(key.exporter, key.id);
    a.enumeration(key.dialect, Dialect::kIpfix);
  };
  if constexpr (Archive::kReads) {
    if (domains > limits_.domains) a.refuse("more exporters than are kept");
    for (std::size_t i = 0; i < domains && a.ok(); ++i) {
      Key key;
      one(key);
      if (!a.ok()) return;
      if (domains_.contains(key)) {
        a.refuse("an exporter stands there twice");
        return;
      }
      persist(a, *add(key));
    }
  } else {
    for (Domain* domain : in_order_) {
      Key key = domain->key;
      one(key);
      persist(a, *domain);
    }
  }
}

void FlowExporters::save(core::ArchiveWriter& archive) const { const_cast<FlowExporters*>(this)->persist(archive); }
void FlowExporters::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::decode
