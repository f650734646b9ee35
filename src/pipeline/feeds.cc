#include "pipeline/feeds.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>

#include "core/text.h"
#include "intel/feed/reader.h"
#include "intel/fetch/misp_feed.h"
#include "intel/fetch/taxii.h"

namespace orbwatch::pipeline {
namespace {

using intel::FeedSource;

core::Error too_much(const FeedSource& source) {
  return {"the feed is larger than can be read", core::printable(source.from, 200),
          fmt::format("at most {} MiB of JSON", intel::kMostFeedJsonBytes >> 20), core::ErrorKind::kInput};
}

// All objects of all pages as one envelope: what one page says of another's is then seen.
core::Expected<std::string> read_collection(intel::Fetcher& fetcher, const FeedSource& source) {
  intel::TaxiiSettings settings;
  settings.url = source.from;
  settings.api_root = source.api_root;
  settings.collection = source.collection;
  std::string out = R"({"more":false,"objects":[)";
  bool first = true;
  simdjson::dom::parser parser;
  const auto sink = [&](std::string_view envelope) -> core::Expected<void> {
    simdjson::dom::array objects;
    simdjson::dom::element root;
    if (parser.parse(envelope.data(), envelope.size()).get(root) != simdjson::SUCCESS)
      return core::fail("a page of the collection is no JSON", core::printable(source.from, 200));
    if (root["objects"].get(objects) != simdjson::SUCCESS) return {};  // a page without any
    for (const simdjson::dom::element object : objects) {
      if (!first) out += ',';
      first = false;
      out += simdjson::minify(object);
    }
    if (out.size() > intel::kMostFeedJsonBytes) return std::unexpected(too_much(source));
    return {};
  };
  const auto read = intel::read_taxii(fetcher, settings, "", sink);
  if (!read) return std::unexpected(read.error());
  return out + "]}";
}

core::Expected<std::string> read_events(intel::Fetcher& fetcher, const FeedSource& source) {
  intel::MispFeedSettings settings;
  settings.url = source.from;
  std::string out = "[";
  const auto sink = [&](const intel::MispListing&, std::string_view json) -> core::Expected<void> {
    if (out.size() > 1) out += ',';
    out += json;
    if (out.size() > intel::kMostFeedJsonBytes) return std::unexpected(too_much(source));
    return {};
  };
  const auto read = intel::read_misp_feed(fetcher, settings, {}, sink);
  if (!read) return std::unexpected(read.error());
  if (read->missing + read->too_large + read->left > 0) {
    return core::fail("not all events of the feed could be read",
                      fmt::format("{} missing, {} too large, {} over the limits: {}", read->missing, read->too_large,
                                  read->left, read->troubles.empty() ? "" : read->troubles[0]));
  }
  return out + "]";
}

FeedOutcome update_one(intel::FeedStore& store, const FeedSource& source, const FeedsRequest& request) {
  FeedOutcome out;
  out.name = source.name;
  const auto known = store.known(source);
  const auto fetched = known ? fetch_feed(source, *known) : std::unexpected(known.error());
  if (!fetched) {
    out.error = fetched.error().text();
  } else if (fetched->not_modified) {
    out.unchanged = true;
  } else if (auto update = store.take(source, fetched->document, request.now, request.accept, fetched->validators)) {
    out.update = std::move(*update);
  } else {
    out.error = update.error().text();
  }
  store.note_try(source, request.now, out.error);
  return out;
}

}  // namespace

bool FeedsUpdate::all_good() const {
  return std::ranges::all_of(feeds, [](const FeedOutcome& f) { return f.error.empty(); });
}

core::Expected<FetchedFeed> fetch_feed(const FeedSource& source, const intel::Validators& known) {
  auto fetcher = intel::Fetcher::make(source.fetch);
  if (!fetcher) return std::unexpected(fetcher.error());
  FetchedFeed out;
  if (source.protocol != intel::FeedProtocol::kDocument) {
    auto all = source.protocol == intel::FeedProtocol::kTaxii ? read_collection(**fetcher, source)
                                                              : read_events(**fetcher, source);
    if (!all) return std::unexpected(all.error());
    out.document = std::move(*all);
    return out;
  }
  intel::Request request;
  request.url = source.from;
  request.known = known;
  auto response = (*fetcher)->get(request);
  if (!response) return std::unexpected(response.error());
  out.not_modified = response->not_modified;
  out.document = std::move(response->body);
  out.validators = std::move(response->validators);
  return out;
}

core::Expected<FeedsUpdate> update_feeds(const FeedsRequest& request) {
  for (const std::string& name : request.only) {
    if (std::ranges::find(request.sources, name, &FeedSource::name) == request.sources.end())
      return core::fail("no feed is called so", core::printable(name, 64), "`orbwatch feeds list` names them");
  }
  auto store = intel::FeedStore::open(request.folder);
  if (!store) return std::unexpected(store.error());
  FeedsUpdate out;
  for (const FeedSource& source : request.sources) {
    if (!request.only.empty() && std::ranges::find(request.only, source.name) == request.only.end()) continue;
    out.feeds.push_back(update_one(*store, source, request));
    if (request.done) request.done(out.feeds.back());
  }
  auto compiled = store->compile(request.sources, request.now);
  if (!compiled) return std::unexpected(compiled.error());
  out.table = *compiled;
  return out;
}

core::Expected<std::unique_ptr<const intel::FeedTable>> open_feeds(const std::string& folder,
                                                                   std::span<const FeedSource> sources) {
  using intel::decay::HalfLife;
  using intel::decay::Kind;
  const std::string path = fmt::format("{}/{}", folder, intel::FeedStore::kTable);
  if (::access(path.c_str(), F_OK) != 0) return std::unique_ptr<const intel::FeedTable>();
  auto table = intel::IndicatorTable::open(path);
  if (!table) return std::unexpected(table.error());
  auto out = std::make_unique<intel::FeedTable>(intel::FeedTable{std::move(*table), {}});
  for (const FeedSource& source : sources) {
    if (source.half_life_days <= 0) continue;
    for (const Kind kind :
         {Kind::kAddress, Kind::kPrefix, Kind::kDomain, Kind::kUrl, Kind::kCertificate, Kind::kFingerprint}) {
      out->half_lives.set(source.name, kind, core::NetworkType::kUnknown,
                          HalfLife{source.half_life_days, 0, "the configuration"});
    }
  }
  return out;
}

}  // namespace orbwatch::pipeline
