#include "pipeline/feeds.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/text.h"
#include "intel/feed/reader.h"

namespace orbwatch::pipeline {
namespace {

using intel::FeedSource;

core::Expected<std::string> read_document(const std::string& path) {
  // A FIFO or a device would be waited for without end.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return core::fail("cannot read the feed", fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat info{};
  std::string out;
  std::string wrong;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    wrong = "it is no file";
  } else if (static_cast<std::uint64_t>(info.st_size) > intel::kMostFeedBytes) {
    wrong = fmt::format("{} bytes, more than {}", info.st_size, intel::kMostFeedBytes);
  } else {
    out.resize(static_cast<std::size_t>(info.st_size));
    std::size_t have = 0;
    while (have < out.size()) {
      const ssize_t n = ::read(fd, out.data() + have, out.size() - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) wrong = std::strerror(errno);
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    out.resize(have);  // it became shorter meanwhile
  }
  ::close(fd);
  if (!wrong.empty()) return core::fail("cannot read the feed", fmt::format("{}: {}", path, wrong));
  return out;
}

FeedOutcome update_one(intel::FeedStore& store, const FeedSource& source, const FeedsRequest& request) {
  FeedOutcome out;
  out.name = source.name;
  const auto document = fetch_feed(source);
  if (!document) {
    out.error = document.error().text();
  } else if (auto update = store.take(source, *document, request.now, request.accept)) {
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

core::Expected<std::string> fetch_feed(const FeedSource& source) {
  std::string path = source.from;
  if (path.starts_with("file://")) path.erase(0, 7);
  if (path.find("://") != path.npos) {
    return core::fail("a feed's address must be a file", core::printable(source.from, 200),
                      "fetch it with another program, and name the file");
  }
  return read_document(path);
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
