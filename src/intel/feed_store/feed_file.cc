#include "intel/feed_store/feed_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/archive.h"

namespace orbwatch::intel {
namespace {

constexpr std::uint32_t kLayout = 2;
constexpr std::uint32_t kOldestLayout = 1;  // without parts

template <typename A>
void persist(A& a, FeedStatement& s) {
  a.enumeration(s.kind, static_cast<FeedKind>(kFeedKinds - 1));
  a(s.has_prefix, s.prefix.base);
  a.bounded(s.prefix.bits, std::uint8_t{128});
  a(s.autonomous_system, s.value, s.host, s.label, s.id, s.port, s.confidence, s.revoked, s.detect, s.known_good);
  a.moments(s.valid_from, s.first_seen, s.last_seen, s.modified, s.listed_from, s.listed_until);
  bool endless = s.valid_until == kNoEnd;
  core::Nanoseconds until = endless ? 0 : s.valid_until;
  a(endless);
  a.moment(until);
  s.valid_until = endless ? kNoEnd : until;
  a(s.sightings, s.false_positives);
}

template <typename A>
void persist(A& a, FeedFile& f) {
  const std::uint32_t layout = a.section("feed", kLayout, kOldestLayout);
  a(f.format, f.records, f.used, f.ignored, f.rejected, f.read_as);
  a(f.validators.etag, f.validators.last_modified, f.validators.file);
  a.moments(f.first, f.updated);
  a.sequence(f.statements, [&](FeedStatement& s) { persist(a, s); });
  if (layout < 2) return;
  a(f.added_after, f.collection);
  a.moment(f.whole);
  a.entries(f.parts, [&](std::string& id, StoredPart& part) { a(id, part.version, part.json); });
}

std::string path_of(const std::string& folder, std::string_view name) {
  return fmt::format("{}/{}.feed", folder, name);
}

}  // namespace

std::string FeedStatement::key() const { return fmt::format("{}|{}|{}", static_cast<int>(kind), port, value); }

core::Expected<FeedFile> load_feed_file(const std::string& folder, std::string_view name) {
  FeedFile file;
  const std::string path = path_of(folder, name);
  if (::access(path.c_str(), F_OK) != 0) return file;
  auto reader = core::ArchiveReader::from_file(path);
  if (!reader) return std::unexpected(reader.error());
  persist(*reader, file);
  if (const auto end = reader->finish(); !end) {
    return core::fail("a feed's file is damaged", fmt::format("{}: {}", path, end.error().text()),
                      "remove it and run `orbwatch feeds update`");
  }
  return file;
}

core::Expected<void> save_feed_file(const std::string& folder, std::string_view name, FeedFile& file) {
  auto writer = core::ArchiveWriter::to_file(path_of(folder, name));
  if (!writer) return std::unexpected(writer.error());
  persist(*writer, file);
  return writer->finish();
}

}  // namespace orbwatch::intel
