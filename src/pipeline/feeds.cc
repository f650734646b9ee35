#include "pipeline/feeds.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/symbol.h"
#include "core/text.h"
#include "intel/feed/reader.h"
#include "intel/feed/times.h"
#include "intel/fetch/misp_feed.h"
#include "intel/fetch/taxii.h"

namespace orbwatch::pipeline {
namespace {

using intel::FeedSource;

core::Error too_much(const FeedSource& source) {
  return {"the feed is larger than can be read", core::printable(source.from, 200),
          fmt::format("at most {} MiB of JSON", intel::kMostFeedJsonBytes >> 20), core::ErrorKind::kInput};
}

struct Bounded {
  const FeedSource& source;
  std::uint64_t bytes = 0;
  // What comes of one reading is held until its end.
  core::Expected<void> add(intel::FeedPart part, intel::FeedParts& out) {
    bytes += part.json.size();
    if (bytes > intel::kMostFeedJsonBytes) return std::unexpected(too_much(source));
    out.parts.push_back(std::move(part));
    return {};
  }
};

// An object without an id has no versions: it is told from others by its text.
intel::FeedPart part_of(const simdjson::dom::element& object) {
  intel::FeedPart part;
  part.json = simdjson::minify(object);
  std::string_view text;
  if (object["modified"].get(text) == simdjson::SUCCESS) part.version = intel::parse_feed_time(text).value_or(0);
  if (object["id"].get(text) == simdjson::SUCCESS && !text.empty() && text.size() <= intel::kLongestId) {
    part.id = text;
  } else {
    part.id = fmt::format("#{:016x}", core::hash64(part.json));
  }
  return part;
}

core::Expected<intel::FeedParts> read_collection(intel::Fetcher& fetcher, const FeedSource& source,
                                                 const intel::FeedKnown& known) {
  intel::TaxiiSettings settings;
  settings.url = source.from;
  settings.api_root = source.api_root;
  settings.collection = source.collection;
  intel::FeedParts out;
  Bounded bounded{source};
  simdjson::dom::parser parser;
  const auto sink = [&](std::string_view envelope) -> core::Expected<void> {
    simdjson::dom::array objects;
    simdjson::dom::element root;
    if (parser.parse(envelope.data(), envelope.size()).get(root) != simdjson::SUCCESS)
      return core::fail("a page of the collection is no JSON", core::printable(source.from, 200));
    if (root["objects"].get(objects) != simdjson::SUCCESS) return {};  // a page without any
    for (const simdjson::dom::element object : objects) {
      if (auto added = bounded.add(part_of(object), out); !added) return added;
    }
    return {};
  };
  const auto read = intel::read_taxii(fetcher, settings, known.added_after, sink);
  if (!read) return std::unexpected(read.error());
  out.whole = known.added_after.empty();
  out.added_after = read->added_after;
  out.collection = read->collection.api_root + read->collection.id;
  // Another collection of that name: what is had is of the old one.
  if (!out.whole && out.collection != known.collection) return read_collection(fetcher, source, {});
  return out;
}

core::Expected<intel::FeedParts> read_events(intel::Fetcher& fetcher, const FeedSource& source,
                                             const intel::FeedKnown& known) {
  intel::MispFeedSettings settings;
  settings.url = source.from;
  intel::FeedParts out;
  Bounded bounded{source};
  simdjson::dom::parser parser;
  const auto sink = [&](const intel::MispListing& event, std::string_view json) -> core::Expected<void> {
    simdjson::dom::element root;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
      return core::fail("an event of the feed is no JSON",
                        fmt::format("{}, {}", event.uuid, core::printable(source.from, 200)));
    }
    return bounded.add({event.uuid, event.timestamp, simdjson::minify(root)}, out);
  };
  const auto read = intel::read_misp_feed(fetcher, settings, intel::MispCursor{known.parts}, sink);
  if (!read) return std::unexpected(read.error());
  if (read->missing + read->too_large + read->left > 0) {
    return core::fail("not all events of the feed could be read",
                      fmt::format("{} missing, {} too large, {} over the limits: {}", read->missing, read->too_large,
                                  read->left, read->troubles.empty() ? "" : read->troubles[0]));
  }
  out.whole = known.parts.empty();
  out.gone = read->gone;
  return out;
}

FeedOutcome update_one(intel::FeedStore& store, const FeedSource& source, const FeedsRequest& request) {
  FeedOutcome out;
  out.name = source.name;
  auto known = store.known(source);
  if (known &&
      (request.whole || (source.protocol == intel::FeedProtocol::kTaxii && request.now - known->whole >= kWholeAfter)))
    *known = {};
  auto fetched = known ? fetch_feed(source, *known) : std::unexpected(known.error());
  const auto take = [&] {
    return source.protocol == intel::FeedProtocol::kDocument
               ? store.take(source, fetched->document, request.now, request.accept, fetched->validators)
               : store.take_parts(source, std::move(fetched->parts), request.now, request.accept);
  };
  if (!fetched) {
    out.error = fetched.error().text();
  } else if (fetched->not_modified) {
    out.unchanged = true;
  } else if (auto update = take()) {
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

core::Expected<FetchedFeed> fetch_feed(const FeedSource& source, const intel::FeedKnown& known) {
  auto fetcher = intel::Fetcher::make(source.fetch);
  if (!fetcher) return std::unexpected(fetcher.error());
  FetchedFeed out;
  if (source.protocol != intel::FeedProtocol::kDocument) {
    auto all = source.protocol == intel::FeedProtocol::kTaxii ? read_collection(**fetcher, source, known)
                                                              : read_events(**fetcher, source, known);
    if (!all) return std::unexpected(all.error());
    out.parts = std::move(*all);
    out.not_modified = out.parts.nothing_new();
    return out;
  }
  intel::Request request;
  request.url = source.from;
  request.known = known.validators;
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

std::vector<std::uint32_t> entries_of(const intel::IndicatorTable& table, const std::string& value) {
  std::array<std::uint32_t, intel::IndicatorTable::kMostPrefixes> found;
  std::vector<std::uint32_t> out;
  if (const auto ip = core::Ip::parse(value)) {
    out.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(table.find_all(*ip, found)));
    return out;
  }
  if (value.size() > 2 && (value.starts_with("AS") || value.starts_with("as"))) {
    if (const auto number = core::parse_number<std::uint32_t>(std::string_view(value).substr(2)))
      if (const auto entry = table.find_autonomous_system(*number); entry != intel::IndicatorTable::kNone)
        out.push_back(entry);
  }
  const std::size_t n = table.find_domains(value, found);
  out.insert(out.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n));
  for (unsigned kind = 0; kind < static_cast<unsigned>(intel::TextKind::kCount); ++kind) {
    if (static_cast<intel::TextKind>(kind) == intel::TextKind::kDomain) continue;
    const auto entry = table.find_text(static_cast<intel::TextKind>(kind), value);
    if (entry != intel::IndicatorTable::kNone) out.push_back(entry);
  }
  return out;
}

}  // namespace orbwatch::pipeline
