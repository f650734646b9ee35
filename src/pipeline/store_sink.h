// What a hunt writes with --db: every event, the findings, the accounting and the users' profiles, in one store file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "pipeline/hunt.h"
#include "store/store.h"

namespace orbwatch::pipeline {

class StoreSink final : public EventSink {
 public:
  static core::Expected<std::unique_ptr<StoreSink>> create(const std::string& path);

  core::Expected<void> begin(const enrich::Enricher& enricher) override;
  core::Expected<void> events(const event::EventBatch& batch, const std::vector<std::string>& source_names) override;
  // Also completes the file: behind it, FILE is there and whole.
  core::Expected<void> end(const HuntResult& result, const baseline::Baseline& baseline) override;

  const std::string& notice() const { return store_->notice(); }

 private:
  explicit StoreSink(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

  std::unique_ptr<store::Store> store_;
  store::FactsLookup facts_;
};

}  // namespace orbwatch::pipeline
