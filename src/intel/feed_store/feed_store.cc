#include "intel/feed_store/feed_store.h"

#include <absl/container/flat_hash_map.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/symbol.h"
#include "core/text.h"
#include "intel/feed/all.h"
#include "intel/feed_store/feed_file.h"

namespace orbwatch::intel {
namespace {

using core::Nanoseconds;

constexpr std::size_t kHead = 64 << 10;
constexpr double kMostRejected = 0.5;
// An indicator that its own feed called a false positive so often is believed half as much.
constexpr double kBaseWorth = 4;
constexpr std::uint8_t kAssumedConfidence = 50;

std::string try_file(const std::string& folder, std::string_view name) {
  return fmt::format("{}/{}.try", folder, name);
}

// Statements of a document, those of one key folded; sightings go to what they tell of.
class Collect final : public FeedSink {
 public:
  void take(const FeedItem& item) override {
    if (item.sighting) {
      sightings_.push_back(
          {std::string(item.id), std::max(item.last_seen, item.first_seen), item.sightings, item.false_positives});
      return;
    }
    FeedStatement k;
    k.kind = item.kind;
    k.prefix = item.prefix;
    k.has_prefix = item.prefix.base.present();
    k.autonomous_system = item.autonomous_system;
    k.value = item.value;
    k.host = item.host;
    k.label = item.label;
    k.id = item.id;
    k.port = item.port;
    k.confidence = item.confidence;
    k.revoked = item.revoked;
    k.detect = item.detect;
    k.known_good = item.known_good;
    k.valid_from = item.valid_from;
    k.valid_until = item.valid_until;
    k.first_seen = item.first_seen;
    k.last_seen = item.last_seen;
    k.modified = item.modified;
    k.sightings = item.sightings;
    k.false_positives = item.false_positives;
    const auto [found, added] = places.try_emplace(k.key(), kept.size());
    if (added) {
      kept.push_back(std::move(k));
    } else {
      fold(kept[found->second], std::move(k));
    }
  }

  void finish() {
    if (sightings_.empty()) return;
    absl::flat_hash_map<std::string_view, std::vector<std::size_t>> by_id;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i].id.empty()) by_id[kept[i].id].push_back(i);
    }
    for (const Sighting& s : sightings_) {
      const auto found = by_id.find(s.id);
      if (found == by_id.end()) continue;
      for (const std::size_t i : found->second) {
        FeedStatement& k = kept[i];
        if (s.positive > 0 || s.false_positives == 0) k.last_seen = std::max(k.last_seen, s.at);
        k.sightings += s.positive;
        k.false_positives += s.false_positives;
      }
    }
  }

  std::vector<FeedStatement> kept;
  absl::flat_hash_map<std::string, std::size_t> places;

 private:
  struct Sighting {
    std::string id;
    Nanoseconds at;
    std::uint32_t positive, false_positives;
  };
  static void fold(FeedStatement& into, FeedStatement&& other) {
    if (other.modified > into.modified) std::swap(into, other);
    if (other.first_seen != 0 && (into.first_seen == 0 || other.first_seen < into.first_seen))
      into.first_seen = other.first_seen;
    into.last_seen = std::max(into.last_seen, other.last_seen);
    into.sightings = std::max(into.sightings, other.sightings);
    into.false_positives = std::max(into.false_positives, other.false_positives);
    if (into.label.empty()) into.label = std::move(other.label);
  }
  std::vector<Sighting> sightings_;
};

core::Expected<const FeedReader*> reader_of(const FeedSource& source, std::string_view document,
                                            std::string_view file_name) {
  if (source.format != "auto") {
    if (const FeedReader* reader = find_feed_reader(source.format)) return reader;
    std::string all;
    for (const FeedReader* reader : feed_readers()) all += (all.empty() ? "" : ", ") + std::string(reader->name());
    return core::fail("no format of feeds is called so", source.format, "auto, " + all);
  }
  if (const FeedReader* reader = recognise_feed(document.substr(0, kHead), file_name)) return reader;
  return core::fail("the document looks like no feed", core::printable(core::trim(document.substr(0, 60)), 60),
                    "an error page, or a compressed file? else name its `format`");
}

std::string_view file_name_of(std::string_view from) {
  from = from.substr(0, from.find_first_of("?#"));
  return from.substr(from.find_last_of('/') + 1);
}

std::uint64_t addresses(const core::Prefix& p) {
  return p.base.is_v4() ? std::uint64_t{1} << std::min(32 - p.bits, 32) : 0;
}

// Overlaps count twice: a limit, not a measurement.
core::Expected<void> believable(const FeedSource& source, const FeedCounts& counts,
                                const std::vector<FeedStatement>& kept, std::uint64_t before) {
  if (kept.empty()) return core::fail("the document states nothing", fmt::format("{} records", counts.records));
  if (static_cast<double>(counts.rejected_total()) > kMostRejected * static_cast<double>(counts.records)) {
    return core::fail("most of the document is not understood",
                      fmt::format("{} of {} records rejected, first: {}", counts.rejected_total(), counts.records,
                                  counts.first_rejected.empty() ? "" : counts.first_rejected[0].text),
                      "is `format` right?");
  }
  if (before >= FeedStore::kFewStatements &&
      static_cast<double>(kept.size()) < (1 - source.most_shrinkage) * static_cast<double>(before)) {
    return core::fail("the feed lost most of what it listed", fmt::format("{} before, {} now", before, kept.size()),
                      "if that is right: `orbwatch feeds update --accept`");
  }
  std::uint64_t all = 0;
  const FeedStatement* widest = nullptr;
  for (const FeedStatement& k : kept) {
    if (k.known_good || !k.detect || k.revoked || !k.has_prefix) continue;
    all += addresses(k.prefix);
    if (widest == nullptr || addresses(k.prefix) > addresses(widest->prefix)) widest = &k;
  }
  if (all > source.most_addresses) {
    return core::fail("the feed lists more addresses than is likely",
                      fmt::format("{} of them, the widest prefix is {}", all, widest->prefix.text()),
                      "if that is right raise `most_addresses`; lists of what is harmless need `known_good: true`");
  }
  return {};
}

// A hash of all that says from where and how a document is read.
std::uint64_t reading_of(const FeedSource& s) {
  std::uint64_t hash = core::hash64(s.from);
  const FeedMapping& m = s.settings.mapping;
  for (const std::string& text :
       {s.format, s.collection, s.api_root, s.settings.kind, s.settings.label, s.settings.records_path, m.value, m.kind,
        m.label, m.port, m.first_seen, m.last_seen, m.valid_from, m.valid_until, m.confidence, m.modified, m.tags, m.id,
        fmt::format("{} {} {} {}", s.settings.known_good, static_cast<int>(s.settings.delimiter), s.settings.skip,
                    name(s.protocol))})
    hash = core::hash64(text, hash);
  return hash;
}

std::string document_of(FeedProtocol protocol, const std::map<std::string, StoredPart, std::less<>>& parts) {
  const bool misp = protocol == FeedProtocol::kMisp;
  std::string out = misp ? "[" : R"({"more":false,"objects":[)";
  bool first = true;
  for (const auto& [id, part] : parts) {
    if (!first) out += ',';
    first = false;
    out += part.json;
  }
  return out + (misp ? "]" : "]}");
}

std::uint32_t seconds(Nanoseconds time) {
  if (time == kNoEnd) return 0;
  return static_cast<std::uint32_t>(std::clamp<Nanoseconds>(time / core::kSecond, 0, UINT32_MAX));
}

std::optional<TextKind> text_kind(FeedKind kind) {
  switch (kind) {
    case FeedKind::kDomain: return TextKind::kDomain;
    case FeedKind::kCertificateFingerprint: return TextKind::kCertificate;
    case FeedKind::kJa3: return TextKind::kJa3;
    case FeedKind::kJa3s: return TextKind::kJa3s;
    case FeedKind::kJa4: return TextKind::kJa4;
    case FeedKind::kJa4s: return TextKind::kJa4s;
    case FeedKind::kJarm: return TextKind::kJarm;
    case FeedKind::kHassh: return TextKind::kHassh;
    case FeedKind::kHasshServer: return TextKind::kHasshServer;
    case FeedKind::kBanner: return TextKind::kBanner;
    default: return std::nullopt;
  }
}

// False: nothing is compared with statements of this kind.
bool state(IndicatorTableWriter& writer, const FeedStatement& k, std::uint16_t feed, Nanoseconds first) {
  IndicatorStatement s;
  s.label = k.label;
  s.feed = feed;
  s.port = k.port;
  s.valid_from = seconds(k.valid_from);
  s.valid_until = seconds(k.valid_until);
  // What was there when the feed was first read may have stood there for years; what came up since is dated by that.
  const Nanoseconds appeared = k.listed_from > first ? k.listed_from : 0;
  s.first_seen = seconds(k.first_seen != 0 ? k.first_seen : appeared);
  s.last_seen = seconds(std::max(k.last_seen != 0 ? k.last_seen : k.first_seen, appeared));
  s.confidence = k.confidence;
  if (k.false_positives > 0) {
    const double base = k.confidence == kConfidenceNotSaid ? kAssumedConfidence : k.confidence;
    s.confidence =
        static_cast<std::uint8_t>(base * (kBaseWorth + k.sightings) / (kBaseWorth + k.sightings + k.false_positives));
  }
  s.flags = static_cast<std::uint8_t>((k.revoked ? kRevoked : 0) | (k.known_good ? kKnownGood : 0) |
                                      (k.detect ? 0 : kContextOnly));
  const std::uint32_t modified = seconds(k.modified);
  if (k.kind == FeedKind::kAutonomousSystem) {
    writer.add_autonomous_system(k.autonomous_system, s, modified);
  } else if (k.has_prefix) {  // of a URL its address
    writer.add(k.prefix, s, modified);
  } else if (k.kind == FeedKind::kUrl && !k.host.empty()) {
    writer.add(TextKind::kDomain, k.host, s, modified);
  } else if (const auto kind = text_kind(k.kind)) {
    writer.add(*kind, k.value, s, modified);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view name(FeedProtocol protocol) {
  static constexpr std::string_view kNames[] = {"document", "taxii", "misp"};
  return kNames[static_cast<std::size_t>(protocol)];
}

bool parse_feed_protocol(std::string_view word, FeedProtocol& out) {
  for (const FeedProtocol p : {FeedProtocol::kDocument, FeedProtocol::kTaxii, FeedProtocol::kMisp}) {
    if (word != name(p)) continue;
    out = p;
    return true;
  }
  return false;
}

std::string joined(FeedProtocol protocol, std::span<const FeedPart> parts) {
  std::map<std::string, StoredPart, std::less<>> all;
  for (const FeedPart& part : parts) {
    const auto [at, added] = all.try_emplace(part.id);
    if (added || part.version >= at->second.version) at->second = StoredPart{part.version, part.json};
  }
  return document_of(protocol, all);
}

bool is_feed_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

core::Expected<FeedStore> FeedStore::open(const std::string& folder) {
  const auto failed = [&](int error) {
    return std::unexpected(core::Error{"cannot keep feeds in the folder", folder + ": " + std::strerror(error),
                                       "`--feeds` names another", core::ErrorKind::kOutput});
  };
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failed(error.value());
  const int lock = ::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return failed(errno);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return core::fail("another orbwatch updates these feeds", folder, "wait until it has ended");
  }
  return FeedStore(folder, lock);
}

FeedStore::FeedStore(FeedStore&& other) noexcept : folder_(std::move(other.folder_)), lock_(other.lock_) {
  other.lock_ = -1;
}

FeedStore::~FeedStore() {
  if (lock_ >= 0) ::close(lock_);
}

core::Expected<FeedUpdate> FeedStore::take(const FeedSource& source, std::string_view document, Nanoseconds now,
                                           bool accept, const Validators& validators) {
  auto before = load_feed_file(folder_, source.name);
  if (!before) return std::unexpected(before.error());
  FeedFile after;
  after.read_as = reading_of(source);
  after.validators = validators;
  return take_document(source, document, now, accept, std::move(*before), std::move(after));
}

core::Expected<FeedUpdate> FeedStore::take_parts(const FeedSource& source, FeedParts parts, Nanoseconds now,
                                                 bool accept) {
  auto before = load_feed_file(folder_, source.name);
  if (!before) return std::unexpected(before.error());
  FeedFile after;
  after.read_as = reading_of(source);
  after.whole = parts.whole ? now : before->whole;
  if (!parts.whole) after.parts = std::move(before->parts);
  for (const std::string& id : parts.gone) after.parts.erase(id);
  const std::uint64_t fetched = parts.parts.size();
  for (FeedPart& part : parts.parts) {
    const auto [at, added] = after.parts.try_emplace(std::move(part.id));
    if (added || part.version >= at->second.version) at->second = StoredPart{part.version, std::move(part.json)};
  }
  std::uint64_t bytes = 0;
  for (const auto& [id, part] : after.parts) bytes += part.json.size() + 1;
  if (bytes > kMostFeedJsonBytes) {
    return core::fail("the feed is larger than can be read", core::printable(source.from, 200),
                      fmt::format("at most {} MiB of JSON", kMostFeedJsonBytes >> 20));
  }
  after.added_after = std::move(parts.added_after);
  after.collection = std::move(parts.collection);
  // The reader is the protocol's: the first parts, by id, need not look like anything.
  FeedSource as = source;
  if (as.format == "auto") as.format = source.protocol == FeedProtocol::kMisp ? "misp" : "stix";
  const std::string document = document_of(source.protocol, after.parts);
  auto update = take_document(as, document, now, accept, std::move(*before), std::move(after));
  if (!update) return update;
  update->only_new = !parts.whole;
  update->parts = fetched;
  return update;
}

core::Expected<FeedUpdate> FeedStore::take_document(const FeedSource& source, std::string_view document,
                                                    Nanoseconds now, bool accept, FeedFile&& before, FeedFile&& after) {
  const auto reader = reader_of(source, document, file_name_of(source.from));
  if (!reader) return std::unexpected(reader.error());
  Collect collect;
  auto counts = (*reader)->read(document, source.settings, collect);
  if (!counts) return std::unexpected(counts.error());
  collect.finish();
  const auto listed_before = static_cast<std::uint64_t>(
      std::ranges::count_if(before.statements, [](const FeedStatement& k) { return k.listed(); }));
  if (const auto ok = believable(source, *counts, collect.kept, listed_before); !ok && !accept)
    return std::unexpected(ok.error());

  FeedUpdate update;
  update.format = (*reader)->name();
  update.listed = collect.kept.size();
  after.format = update.format;
  after.first = before.first != 0 ? before.first : now;
  after.updated = now;
  after.records = counts->records;
  after.used = counts->used;
  after.ignored = counts->ignored_total();
  after.rejected = counts->rejected_total();
  after.statements = std::move(collect.kept);
  for (FeedStatement& k : after.statements) k.listed_from = now;
  for (FeedStatement& old : before.statements) {
    const auto found = collect.places.find(old.key());
    if (found != collect.places.end()) {
      FeedStatement& k = after.statements[found->second];
      k.listed_from = old.listed() ? old.listed_from : now;  // it came back: in use again
      continue;
    }
    if (old.listed()) {
      ++update.removed;
      old.listed_until = now;
    }
    if (now - old.listed_until > kKeptFor) {
      ++update.forgotten;
      continue;
    }
    ++update.remembered;
    after.statements.push_back(std::move(old));
  }
  update.added = update.listed - (listed_before - update.removed);
  update.counts = std::move(*counts);
  if (const auto ok = save_feed_file(folder_, source.name, after); !ok) return std::unexpected(ok.error());
  return update;
}

core::Expected<FeedKnown> FeedStore::known(const FeedSource& source) const {
  auto file = load_feed_file(folder_, source.name);
  if (!file) return std::unexpected(file.error());
  FeedKnown out;
  if (file->read_as != reading_of(source)) return out;
  out.validators = std::move(file->validators);
  out.added_after = std::move(file->added_after);
  out.collection = std::move(file->collection);
  out.whole = file->whole;
  for (const auto& [id, part] : file->parts) out.parts.emplace(id, part.version);
  return out;
}

// Beside the point of an update: if it cannot be written, the next `list` knows less.
void FeedStore::note_try(const FeedSource& source, Nanoseconds now, std::string_view error) const {
  const std::string path = try_file(folder_, source.name);
  std::ofstream out(path + ".partial", std::ios::binary | std::ios::trunc);
  out << now << '\n' << error << '\n';
  out.close();
  if (out) ::rename((path + ".partial").c_str(), path.c_str());
}

core::Expected<FeedStore::Compiled> FeedStore::compile(std::span<const FeedSource> sources, Nanoseconds now) const {
  IndicatorTableWriter writer;
  Compiled out;
  for (const FeedSource& source : sources) {
    auto file = load_feed_file(folder_, source.name);
    if (!file) return std::unexpected(file.error());
    if (file->first == 0) continue;
    const std::uint16_t feed = writer.add_feed(source.name);
    for (const FeedStatement& k : file->statements) out.not_looked_up += state(writer, k, feed, file->first) ? 0 : 1;
  }
  auto bytes = writer.write(fmt::format("{}/{}", folder_, kTable), now / core::kSecond);
  if (!bytes) return std::unexpected(bytes.error());
  out.counts = writer.counts();
  out.bytes = *bytes;
  return out;
}

std::string table_key(const FeedStatement& s) {
  if (s.kind == FeedKind::kAutonomousSystem) return fmt::format("AS{}", s.autonomous_system);
  if (s.has_prefix) return s.prefix.text();
  if (s.kind == FeedKind::kUrl && !s.host.empty())
    return fmt::format("{} {}", static_cast<int>(TextKind::kDomain), s.host);
  const auto kind = text_kind(s.kind);
  return kind ? fmt::format("{} {}", static_cast<int>(*kind), s.value) : std::string();
}

std::string table_key(const IndicatorKey& key) {
  switch (key.kind) {
    case IndicatorKey::Kind::kAutonomousSystem: return fmt::format("AS{}", key.autonomous_system);
    case IndicatorKey::Kind::kPrefix: return key.prefix.text();
    case IndicatorKey::Kind::kText: return fmt::format("{} {}", static_cast<int>(key.text_kind), key.text);
    case IndicatorKey::Kind::kNone: break;
  }
  return {};
}

core::Expected<std::vector<FeedState>> feed_states(const std::string& folder, std::span<const FeedSource> sources) {
  std::vector<FeedState> out;
  for (const FeedSource& source : sources) {
    const auto file = load_feed_file(folder, source.name);
    if (!file) return std::unexpected(file.error());
    FeedState state;
    state.name = source.name;
    state.format = file->format;
    state.first = file->first;
    state.updated = file->updated;
    state.records = file->records;
    state.used = file->used;
    state.ignored = file->ignored;
    state.rejected = file->rejected;
    for (const FeedStatement& k : file->statements) ++(k.listed() ? state.listed : state.remembered);
    std::ifstream in(try_file(folder, source.name), std::ios::binary);
    std::string line;
    if (std::getline(in, line)) state.tried = core::parse_number<std::int64_t>(line).value_or(0);
    if (std::getline(in, line)) state.error = core::printable(line, 500);
    out.push_back(std::move(state));
  }
  return out;
}

core::Expected<std::pair<std::string, FeedCounts>> check_feed(std::string_view document, std::string_view file_name,
                                                              const FeedSource& source) {
  const auto reader = reader_of(source, document, file_name_of(file_name));
  if (!reader) return std::unexpected(reader.error());
  Collect collect;
  auto counts = (*reader)->read(document, source.settings, collect);
  if (!counts) return std::unexpected(counts.error());
  return std::pair{std::string((*reader)->name()), std::move(*counts)};
}

}  // namespace orbwatch::intel
