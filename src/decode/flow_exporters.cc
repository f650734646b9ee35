#include "decode/flow_exporters.h"

#include <algorithm>

namespace orbwatch::decode {
namespace {

const Symbol kTemplate = core::intern("template");
const Symbol kOptionsTemplate = core::intern("options template");
const Symbol kNoTemplate = core::intern("flow: no template");
const Symbol kTooManyTemplates = core::intern("flow: too many templates");

}  // namespace

class FlowExporters::Domain {
 public:
  explicit Domain(Dialect d) : dialect(d) {}

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
  auto found = domains_.find(key);
  if (found == domains_.end()) {
    if (domains_.size() >= limits_.domains) {
      context.reject(flow_reason::kTooManyExporters, context.datagram.payload);
      return nullptr;
    }
    found = domains_.emplace(key, std::make_unique<Domain>(dialect)).first;
    found->second->facts.entries_left = &option_entries_left_;
    in_order_.push_back(found->second.get());
  }
  last_key_ = key;
  last_ = found->second.get();
  return last_;
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

void FlowExporters::decode(Domain& domain, const Template& made, std::string_view set, MessageTime time, bool cut,
                           const FlowContext& context) {
  if (!time.has_uptime && domain.facts.boot_ms != 0) {
    const auto exported_ms = static_cast<std::uint64_t>(time.exported / core::kMillisecond);
    time.uptime_ms = static_cast<std::uint32_t>(exported_ms - domain.facts.boot_ms);
    time.has_uptime = true;
  }
  made.decode(set, time, 0, cut, domain.facts, context);
}

void FlowExporters::data(Domain& domain, std::uint16_t id, std::string_view set, const MessageTime& time, bool cut,
                         const FlowContext& context) {
  if (const Template* made = domain.find(id)) {
    decode(domain, *made, set, time, cut, context);
    return;
  }
  if (cut || domain.pending.size() >= limits_.pending_sets_per_domain ||
      pending_bytes_ + Domain::cost(set) > limits_.pending_bytes) {
    context.reject(kNoTemplate, set);
    return;
  }
  pending_bytes_ += Domain::cost(set);
  Datagram datagram = context.datagram;
  datagram.payload = {};
  domain.pending.push_back({id, time, datagram, std::string(set)});
}

void FlowExporters::finish(EventBatch& batch) {
  for (Domain* domain : in_order_) {
    for (const Domain::Pending& p : domain->pending) FlowContext{p.datagram, batch}.reject(kNoTemplate, p.set);
    domain->pending.clear();
  }
  pending_bytes_ = 0;
}

}  // namespace orbwatch::decode
