#include "intel/feed/all.h"

#include <array>

#include "intel/feed/readers.h"

namespace orbwatch::intel {

std::span<const FeedReader* const> feed_readers() {
  // At equal claims the first counts.
  static const std::array<const FeedReader*, 7> readers = {
      &stix_feed(), &misp_feed(), &misp_warninglist_feed(), &csv_feed(), &json_feed(), &text_feed(), &report_feed()};
  return readers;
}

const FeedReader* find_feed_reader(std::string_view name) {
  for (const FeedReader* reader : feed_readers()) {
    if (reader->name() == name) return reader;
  }
  return nullptr;
}

const FeedReader* recognise_feed(std::string_view head, std::string_view file_name) {
  const FeedReader* best = nullptr;
  int most = 0;
  if (head.find('\0') != head.npos) return nullptr;
  for (const FeedReader* reader : feed_readers()) {
    const int score = reader->recognise(head, file_name);
    if (score > most) {
      most = score;
      best = reader;
    }
  }
  return best;
}

}  // namespace orbwatch::intel
