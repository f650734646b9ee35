#include "event/batch.h"

namespace orbwatch::event {
namespace {

void count(core::SymbolCounts& by, Symbol reason, std::uint64_t n = 1) {
  if (by.size() >= Counts::kMostReasons && !by.contains(reason)) {
    static const Symbol other = core::intern("other");
    reason = other;
  }
  by[reason] += n;
}

}  // namespace

void Counts::ignore(Symbol reason, std::uint64_t n) {
  if (n == 0) return;
  records += n;
  ignored += n;
  count(ignored_by, reason, n);
}

void Counts::reject(Symbol reason) {
  ++records;
  ++rejected;
  count(rejected_by, reason);
}

void Counts::add(const Counts& other) {
  records += other.records;
  events += other.events;
  ignored += other.ignored;
  rejected += other.rejected;
  for (const auto& [reason, n] : other.ignored_by) ignored_by[reason] += n;
  for (const auto& [reason, n] : other.rejected_by) rejected_by[reason] += n;
  for (const auto& [format, n] : other.events_by) events_by[format] += n;
  last_count_ = nullptr;
  last_format_ = Symbol();
}

std::string_view EventBatch::raw(const RecordRef& record) const {
  if (chunk && record.offset >= chunk->offset && record.offset + record.length <= chunk->offset + chunk->bytes.size()) {
    return std::string_view(chunk->bytes).substr(record.offset - chunk->offset, record.length);
  }
  for (const auto& [offset, bytes] : held_) {
    if (record.offset >= offset && record.offset + record.length <= offset + bytes.size()) {
      return std::string_view(bytes).substr(record.offset - offset, record.length);
    }
  }
  return {};
}

void EventBatch::hold(std::uint64_t offset, std::string_view bytes) { held_.emplace_back(offset, bytes); }

void EventBatch::clear() {
  used_ = 0;
  chunk.reset();
  counts = Counts();
  rejects.clear();
  held_.clear();
}

}  // namespace orbwatch::event
