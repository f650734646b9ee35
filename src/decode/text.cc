#include "decode/text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "core/text.h"
#include "decode/all.h"
#include "decode/envelope.h"
#include "decode/json_record.h"

namespace orbwatch::decode {
namespace {

const Symbol kBlank = core::intern("blank line");
const Symbol kTooLong = core::intern("record too long");
const Symbol kOfOtherProgram = core::intern(kOtherProgram);
const Symbol kOtherJson = core::intern("JSON of no known format");
const Symbol kNoFormat = core::intern("no known format");
const Symbol kTruncated = core::intern("truncated JSON");
const Symbol kNotJson = core::intern("not JSON");
const Symbol kTruncatedXml = core::intern("truncated XML");
const Symbol kNotXml = core::intern("not XML");
const Symbol kNoRecords = core::intern("no records in it");
const Symbol kOtherWrapped = core::intern("wrapped record of no known format");
const Symbol kEmptyWrapper = core::intern("wrapper without record");
const Symbol kCsvHeader = core::intern("CSV header");
const Symbol kShortRow = core::intern("CSV row too short");
const Symbol kOpenQuote = core::intern("CSV quote not closed");

constexpr std::size_t kShownOfTooLong = 256;  // bytes kept of a record that is too long

std::string_view skip_bom_and_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && core::is_space(text.front())) text.remove_prefix(1);
  return text;
}

// "123 <134>": the octet count of RFC 6587 at the front.
struct Count {
  std::size_t prefix = 0;  // bytes of the count and its space; 0 if there is none
  std::size_t octets = 0;
  bool cut = false;  // the text ends before it can be told
};

Count octet_count(std::string_view text) {
  Count count;
  std::size_t i = 0;
  for (; i < text.size() && i < 8 && text[i] >= '0' && text[i] <= '9'; ++i) {
    count.octets = count.octets * 10 + static_cast<std::size_t>(text[i] - '0');
  }
  if (i == 0 ? text.empty() : i + 2 > text.size()) {
    count.cut = i < 8 && (i == text.size() || text[i] == ' ');
    return count;
  }
  if (i != 0 && i < 8 && text[i] == ' ' && text[i + 1] == '<' && count.octets != 0) count.prefix = i + 1;
  return count;
}

bool between_frames(char c) { return c == '\n' || c == '\r' || c == '\0'; }

// May a frame end in front of this byte? Behind a count that is right stands the next frame or an end of line.
bool ends_frame(char next) { return between_frames(next) || next == '<' || (next >= '0' && next <= '9'); }

// Are there counted frames that lines alone would not tell apart: without an end of line behind, or with one inside?
bool has_counted_frames(std::string_view head) {
  while (!head.empty()) {
    const Count count = octet_count(head);
    std::size_t length = head.find('\n');
    if (count.prefix != 0 && count.prefix + count.octets < head.size() &&
        ends_frame(head[count.prefix + count.octets])) {
      const std::size_t end = count.prefix + count.octets;
      if (length != head.npos && length + 1 < end) return true;
      if (!between_frames(head[end]) && head[end - 1] != '\n') return true;
      length = end;
    }
    if (length >= head.size()) return false;
    head.remove_prefix(length + 1);
  }
  return false;
}

}  // namespace

Framing framing_of(std::string_view head) {
  while (!head.empty() && head.front() == '\0') head.remove_prefix(1);
  head = skip_bom_and_space(head);
  if (head.empty()) return Framing::kLines;
  if (head[0] == '[') {
    const auto rest = skip_bom_and_space(head.substr(1));
    return rest.empty() || rest[0] == '{' || rest[0] == ']' ? Framing::kJsonValues : Framing::kLines;
  }
  if (head[0] == '<' && is_xml_over_lines(head)) return Framing::kXmlEvents;
  if (head[0] != '{') {
    if (has_counted_frames(head)) return Framing::kCounted;
    return is_csv_wrapper(head) ? Framing::kCsvWrapper : Framing::kLines;
  }
  // Lines, if the first one is one whole object and not what stands around records: {"Records":[{...},{...}]}
  std::string line(head.substr(0, head.find('\n')));
  line.reserve(line.size() + core::kPadding);
  std::string_view rest = line;
  JsonValues values(line.size());
  JsonValues::Piece piece;
  if (values.next(rest, piece) != JsonValues::Found::kRecord || piece.offset != 0) return Framing::kJsonValues;
  return core::trim(rest).starts_with('{') ? Framing::kJsonValues : Framing::kLines;
}

void TextDecoder::add_reader(const RecordFormat& format) {
  Reader* const reader = &readers_.emplace_back(core::intern(format.name), format.make(times_));
  if (format.common_schema) {
    schemas_.push_back(reader);
    return;
  }
  if (format.reads != Reads::kJson) text_readers_.push_back(reader);
  if (format.reads != Reads::kText) json_readers_.push_back(reader);
}

void TextDecoder::offer_first(Symbol name, std::unique_ptr<RecordDecoder> decoder) {
  Reader* const reader = &readers_.emplace_back(name, std::move(decoder));
  for (std::vector<Reader*>* readers : {&text_readers_, &json_readers_}) readers->insert(readers->begin(), reader);
}

TextDecoder::TextDecoder(Framing framing, std::string_view main_format, bool only, const Options& options,
                         core::TimeReader times)
    : framing_(framing),
      options_(options),
      times_(std::move(times)),
      unwrapper_(times_, options.year),
      index_(std::make_unique<json::Index>()),
      values_(options.longest_record),
      elements_(options.longest_record) {
  bool with_headers = framing != Framing::kLines;
  for (const RecordFormat& format : record_formats()) with_headers |= format.name == main_format && !format.stateless;
  for (const bool main : {true, false}) {
    for (const RecordFormat& format : record_formats()) {
      if (!with_headers && !format.stateless) continue;
      if ((format.name == main_format) == main && (main || !only)) add_reader(format);
    }
  }
}

void TextDecoder::offer_to_all() {
  for (const RecordFormat& format : record_formats()) add_reader(format);
}

std::uint64_t TextDecoder::claimed(Symbol name) const {
  for (const Reader& reader : readers_) {
    if (reader.name == name) return reader.claimed;
  }
  return 0;
}

TextDecoder::~TextDecoder() = default;

void TextDecoder::start_at(std::uint64_t offset, std::uint64_t lines_before, bool inside_line) {
  offset_ = offset;
  line_ = static_cast<std::uint32_t>(lines_before + 1);
  inside_line_ = inside_line;
}

// Gives each part of a record its own place: a finding then shows the flow, not the thousand others around it.
class TextDecoder::PlacesWithin {
 public:
  explicit PlacesWithin(const Place& whole) : whole_(whole), counted_to_(whole.raw.data()) {}

  // Of the parts in their order. What was unescaped or cleaned on the way (json::Index) lies elsewhere and stands for
  // the whole.
  Place of(std::string_view text) {
    const std::less_equal<const char*> before;
    const char* const end = whole_.raw.data() + whole_.raw.size();
    if (text.empty() || !before(counted_to_, text.data()) || !before(text.data() + text.size(), end)) return whole_;
    lines_ += static_cast<std::uint32_t>(
        core::count_lines({counted_to_, static_cast<std::size_t>(text.data() - counted_to_)}));
    counted_to_ = text.data();
    return {text, whole_.offset + static_cast<std::uint64_t>(text.data() - whole_.raw.data()), whole_.line + lines_};
  }

 private:
  Place whole_;
  const char* counted_to_;  // line ends are counted up to here
  std::uint32_t lines_ = 0;
};

class TextDecoder::RecordParts final : public Parts {
 public:
  RecordParts(TextDecoder& frame, const Reader& reader, const TextRecord& record, const Place& place, EventBatch& batch)
      : frame_(frame), reader_(reader), record_(record), places_(place), batch_(batch) {}

  Event& next() override { return frame_.next(record_, batch_); }

  void end(Fate fate, std::string_view text) override {
    ++count_;
    frame_.settle(reader_, fate, places_.of(text), batch_);
  }

  std::size_t count() const { return count_; }

 private:
  TextDecoder& frame_;
  const Reader& reader_;
  const TextRecord& record_;
  PlacesWithin places_;
  EventBatch& batch_;
  std::size_t count_ = 0;
};

Event& TextDecoder::next(const TextRecord& record, EventBatch& batch) {
  Event& event = batch.next();
  event.time = record.time;
  if (!record.host.empty()) {
    if (record.host != last_host_) {
      last_host_ = record.host;
      last_observer_ = core::intern(record.host);
    }
    event.observer = last_observer_;
  }
  return event;
}

void TextDecoder::settle(const Reader& reader, Fate fate, const Place& place, EventBatch& batch) {
  switch (fate.verdict) {
    case Verdict::kEvent: {
      Event& event = *batch.end();
      event.dataset = reader.name;
      event.record.offset = place.offset;
      event.record.line = place.line;
      event.record.length = static_cast<std::uint32_t>(place.raw.size());
      event.record.source = options_.source;
      batch.keep();
      batch.counts.event(reader.name);
      return;
    }
    case Verdict::kIgnored: batch.counts.ignore(fate.reason); return;
    case Verdict::kSeveral:
    case Verdict::kRejected: reject(place.raw, place.offset, place.line, fate.reason, batch); return;
  }
}

// Inlined into record(), the path of all plain lines; so is take().
[[gnu::always_inline]] inline bool TextDecoder::offer(const TextRecord& r, const std::vector<Reader*>& readers,
                                                      const Place& place, EventBatch& batch) {
  for (Reader* const reader : readers) {
    if (!reader->decoder->claims(r)) continue;
    ++reader->claimed;
    const Fate fate = reader->decoder->decode(r, next(r, batch));
    if (fate.verdict == Verdict::kSeveral) {
      RecordParts parts(*this, *reader, r, place, batch);
      reader->decoder->decode_parts(r, parts);
      if (parts.count() == 0) batch.counts.ignore(kNoRecords);
    } else {
      settle(*reader, fate, place, batch);
    }
    return true;
  }
  return false;
}

[[gnu::always_inline]] inline void TextDecoder::take(const TextRecord& r, std::size_t level, const Place& place,
                                                     EventBatch& batch) {
  const bool array = r.message.starts_with('[') && begins_array(r.message);
  if (array || !offer(r, readers_of(r), place, batch)) unwrap(r, level, place, batch);
}

void TextDecoder::feed(std::string_view bytes, EventBatch& batch) {
  if (bytes.empty()) return;
  switch (framing_) {
    case Framing::kLines: lines(bytes, batch); break;
    case Framing::kJsonValues: values(bytes, batch); break;
    case Framing::kXmlEvents:
      elements_.add(bytes);
      elements(false, batch);
      break;
    case Framing::kCounted: frames(bytes, false, batch); break;
    case Framing::kCsvWrapper: rows(bytes, false, batch); break;
  }
}

void TextDecoder::finish(EventBatch& batch) {
  switch (framing_) {
    case Framing::kLines:
      if (too_long_ || !carry_.empty()) record_from_carry(batch);
      break;
    case Framing::kJsonValues: {
      JsonValues::Piece piece;
      const JsonValues::Found found = values_.finish(piece);
      value(found, piece, batch);
      break;
    }
    case Framing::kXmlEvents: elements(true, batch); break;
    case Framing::kCounted: frames({}, true, batch); break;
    case Framing::kCsvWrapper: rows({}, true, batch); break;
  }
  carry_.clear();
  too_long_ = false;
}

void TextDecoder::lines(std::string_view bytes, EventBatch& batch) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  if (inside_line_) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', bytes.size()));
    const char* stop = newline != nullptr ? newline + 1 : end;
    offset_ += static_cast<std::uint64_t>(stop - p);
    p = stop;
    if (newline == nullptr) return;
    ++line_;
    inside_line_ = false;
  }
  if (too_long_ || !carry_.empty()) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    const char* stop = newline != nullptr ? newline : end;
    if (!too_long_) {
      if (carry_.size() + static_cast<std::size_t>(stop - p) > options_.longest_record) {
        too_long_ = true;
        // What is shown of the record must not depend on where the input was cut.
        carry_.append(p, std::min(static_cast<std::size_t>(stop - p),
                                  kShownOfTooLong - std::min(carry_.size(), kShownOfTooLong)));
        carry_.resize(std::min(carry_.size(), kShownOfTooLong));
      } else {
        carry_.append(p, stop);
      }
    }
    offset_ += static_cast<std::uint64_t>(stop - p);
    p = stop;
    if (newline == nullptr) return;
    ++p;
    ++offset_;
    ++line_;
    record_from_carry(batch);
  }
  while (p != end) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (newline == nullptr) {
      carry_offset_ = offset_;
      carry_line_ = line_;
      const auto rest = static_cast<std::size_t>(end - p);
      too_long_ = rest > options_.longest_record;
      carry_.assign(p, too_long_ ? std::min(rest, kShownOfTooLong) : rest);
      offset_ += rest;
      return;
    }
    const auto length = static_cast<std::size_t>(newline - p);
    if (length > options_.longest_record) {
      reject({p, length}, offset_, line_, kTooLong, batch);
    } else {
      record({p, length}, offset_, line_, batch);
    }
    offset_ += length + 1;
    ++line_;
    p = newline + 1;
  }
}

void TextDecoder::record_from_carry(EventBatch& batch) {
  if (too_long_) {
    reject(carry_, carry_offset_, carry_line_, kTooLong, batch);
  } else {
    const std::size_t before = batch.size();
    carry_.reserve(carry_.size() + core::kPadding);
    record(carry_, carry_offset_, carry_line_, batch);
    if (batch.size() != before) batch.hold(carry_offset_, carry_);
  }
  too_long_ = false;
  carry_.clear();
}

// Counted frames are rare in files: the bytes go through a buffer. carry_ holds what is not used yet, from
// carry_offset_ and carry_line_ on; too_long_ says that the rest of a line is being skipped.
void TextDecoder::frames(std::string_view bytes, bool last, EventBatch& batch) {
  const std::uint64_t here = offset_;
  if (carry_.empty()) carry_offset_ = offset_;
  carry_.append(bytes);
  carry_.reserve(carry_.size() + core::kPadding);
  offset_ += bytes.size();
  std::string_view rest = carry_;
  const auto skip = [&](std::size_t n) {
    line_ += static_cast<std::uint32_t>(core::count_lines(rest.substr(0, n)));
    carry_offset_ += n;
    rest.remove_prefix(n);
  };
  const auto take = [&](std::size_t n) {
    std::string_view raw = rest.substr(0, n);
    while (!raw.empty() && between_frames(raw.back())) raw.remove_suffix(1);
    const std::size_t before = batch.size();
    record(raw, carry_offset_, line_, batch);
    if (batch.size() != before && carry_offset_ < here) batch.hold(carry_offset_, raw);
    skip(n);
  };
  while (!rest.empty()) {
    if (too_long_) {
      const auto newline = rest.find('\n');
      too_long_ = newline == rest.npos;
      skip(too_long_ ? rest.size() : newline + 1);
      continue;
    }
    if (between_frames(rest.front())) {
      skip(1);
      continue;
    }
    const Count count = octet_count(rest);
    if (count.cut && !last) break;
    if (count.prefix != 0 && count.octets <= options_.longest_record) {
      const std::size_t end = count.prefix + count.octets;
      if (end >= rest.size() && !last) break;
      // A count that is wrong is passed over: the record ends with its line.
      if (end == rest.size() || (end < rest.size() && ends_frame(rest[end]))) {
        skip(count.prefix);
        take(count.octets);
        continue;
      }
    }
    const auto newline = rest.find('\n');
    const std::size_t length = std::min(newline, rest.size());
    if (length > options_.longest_record) {
      reject(rest.substr(0, kShownOfTooLong), carry_offset_, line_, kTooLong, batch);
      too_long_ = true;
      continue;
    }
    if (newline == rest.npos && !last) break;
    take(length);
  }
  carry_.erase(0, carry_.size() - rest.size());
}

// Rows of CSV, which may go over several lines within quotes.
void TextDecoder::rows(std::string_view bytes, bool last, EventBatch& batch) {
  while (!bytes.empty()) {
    if (carry_.empty() && !too_long_) {
      carry_offset_ = offset_;
      carry_line_ = line_;
    }
    const auto newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, std::min(newline, bytes.size() - 1) + 1);
    if (!too_long_) {
      quoted_ ^= std::count(piece.begin(), piece.end(), '"') % 2 != 0;
      // Up to the limit, so that what is shown does not depend on where the input was cut.
      carry_.append(piece.substr(0, options_.longest_record + 2 - carry_.size()));
      too_long_ = carry_.size() > options_.longest_record + 1;
    }
    offset_ += piece.size();
    bytes.remove_prefix(piece.size());
    if (newline == std::string_view::npos) break;
    ++line_;
    if (too_long_ || !quoted_) row(batch);
  }
  if (last && (too_long_ || !carry_.empty())) row(batch);
}

void TextDecoder::row(EventBatch& batch) {
  std::string_view raw = carry_;
  while (!raw.empty() && (raw.back() == '\n' || raw.back() == '\r' || raw.back() == '\0')) raw.remove_suffix(1);
  if (too_long_) {
    reject(raw.substr(0, kShownOfTooLong), carry_offset_, carry_line_, kTooLong, batch);
  } else if (quoted_) {
    reject(raw, carry_offset_, carry_line_, kOpenQuote, batch);
  } else if (core::trim(raw).empty()) {
    batch.counts.ignore(kBlank);
  } else if (!header_seen_) {
    header_seen_ = true;
    unwrapper_.csv_header(raw);
    batch.counts.ignore(kCsvHeader);
  } else {
    TextRecord r;
    r.raw = raw;
    const Place place{raw, carry_offset_, carry_line_};
    const std::size_t before = batch.size();
    switch (unwrapper_.open_csv(raw, r)) {
      case Unwrapper::Opened::kYes:
        if (r.json) r.index = index_.get();
        take(r, 0, place, batch);
        break;
      case Unwrapper::Opened::kBroken: reject(raw, carry_offset_, carry_line_, kShortRow, batch); break;
      default: batch.counts.ignore(kEmptyWrapper); break;
    }
    if (batch.size() != before) batch.hold(carry_offset_, raw);
  }
  too_long_ = false;
  quoted_ = false;
  carry_.clear();
}

void TextDecoder::values(std::string_view bytes, EventBatch& batch) {
  JsonValues::Piece piece;
  while (true) {
    const JsonValues::Found found = values_.next(bytes, piece);
    if (found == JsonValues::Found::kNothing) return;
    value(found, piece, batch);
  }
}

void TextDecoder::value(JsonValues::Found found, const JsonValues::Piece& piece, EventBatch& batch) {
  if (found == JsonValues::Found::kNothing) return;
  if (found != JsonValues::Found::kRecord) {
    reject(found, {piece.text, piece.offset, piece.line}, batch);
    return;
  }
  const std::size_t before = batch.size();
  record(piece.text, piece.offset, piece.line, batch);
  if (piece.carried && batch.size() != before) batch.hold(piece.offset, piece.text);
}

void TextDecoder::reject(JsonValues::Found found, const Place& place, EventBatch& batch) {
  const Symbol reason = found == JsonValues::Found::kTooLong     ? kTooLong
                        : found == JsonValues::Found::kTruncated ? kTruncated
                                                                 : kNotJson;
  reject(place.raw, place.offset, place.line, reason, batch);
}

void TextDecoder::elements(bool last, EventBatch& batch) {
  XmlValues::Piece piece;
  while (true) {
    const XmlValues::Found found = elements_.next(last, piece);
    if (found == XmlValues::Found::kNothing) return;
    if (found != XmlValues::Found::kRecord) {
      reject(found, {piece.text, piece.offset, piece.line}, batch);
      continue;
    }
    const std::size_t before = batch.size();
    record(piece.text, piece.offset, piece.line, batch);
    if (batch.size() != before) batch.hold(piece.offset, piece.text);
  }
}

void TextDecoder::reject(XmlValues::Found found, const Place& place, EventBatch& batch) {
  const Symbol reason = found == XmlValues::Found::kTooLong     ? kTooLong
                        : found == XmlValues::Found::kTruncated ? kTruncatedXml
                                                                : kNotXml;
  reject(place.raw, place.offset, place.line, reason, batch);
}

void TextDecoder::record(std::string_view raw, std::uint64_t offset, std::uint32_t line, EventBatch& batch) {
  if (offset == 0 && raw.starts_with("\xef\xbb\xbf")) {
    raw.remove_prefix(3);
    offset += 3;
  }
  while (!raw.empty() && (raw.back() == '\r' || raw.back() == '\0')) raw.remove_suffix(1);
  if (const char first = raw.empty() ? ' ' : raw.front(); first >= '\0' && first <= ' ') {
    // A file that was cut while its writer held it open begins with zeros.
    const std::size_t zeros = std::min(raw.find_first_not_of('\0'), raw.size());
    std::size_t blanks = zeros;
    while (blanks < raw.size() && core::is_space(raw[blanks])) ++blanks;
    if (blanks == raw.size()) {
      batch.counts.ignore(kBlank);
      return;
    }
    const std::size_t skipped = raw[blanks] == '{' ? blanks : zeros;  // an indented object
    raw.remove_prefix(skipped);
    offset += skipped;
  }
  TextRecord r;
  r.raw = raw;
  if (raw.front() == '{') {
    r.message = raw;
    r.json = true;
  } else {
    parse_envelope(r, times_);
    r.json = r.message.starts_with('{');
  }
  if (r.json) r.index = index_.get();
  take(r, 0, {raw, offset, line}, batch);
}

void TextDecoder::unwrap(const TextRecord& r, std::size_t level, const Place& place, EventBatch& batch) {
  std::array<TextRecord, Unwrapper::kDeepest + 1> layers;
  std::size_t count = 0;
  layers[count++] = r;
  bool empty = false;
  while (layers[count - 1].json && level < Unwrapper::kDeepest) {
    layers[count] = layers[count - 1];
    const auto opened = unwrapper_.open(layers[count], level);
    if (opened == Unwrapper::Opened::kBroken) {
      reject(place.raw, place.offset, place.line, kNotJson, batch);
      return;
    }
    empty = opened == Unwrapper::Opened::kEmpty;
    if (opened != Unwrapper::Opened::kYes) break;
    ++level;
    const TextRecord& content = layers[count++];
    if (!begins_array(content.message) && offer(content, readers_of(content), place, batch)) return;
  }
  const TextRecord& inner = layers[count - 1];
  if (inner.json && offer(inner, schemas_, place, batch)) return;
  if (level < Unwrapper::kDeepest && unpack(inner, level, place, batch)) return;
  for (std::size_t i = count - 1; i-- > 0;) {
    if (layers[i].json && offer(layers[i], schemas_, place, batch)) return;
  }
  const bool wrapped =
      count > 1 || r.message.data() < place.raw.data() || r.message.data() > place.raw.data() + place.raw.size();
  if (inner.time != 0 && !inner.json && (!inner.host.empty() || !inner.program.empty())) {
    batch.counts.ignore(kOfOtherProgram);
  } else if (empty) {
    batch.counts.ignore(kEmptyWrapper);
  } else if (inner.json) {
    batch.counts.ignore(kOtherJson);
  } else if (wrapped) {
    batch.counts.ignore(kOtherWrapped);
  } else {
    reject(place.raw, place.offset, place.line, kNoFormat, batch);
  }
}

// The containers are those that files may have, too: json_values.h, xml_values.h.
bool TextDecoder::unpack(const TextRecord& r, std::size_t level, const Place& place, EventBatch& batch) {
  if (!r.json && begins_events(r.message)) {
    unpack_events(r, level, place, batch);
    return true;
  }
  if (!(r.json ? r.message.find('[') != r.message.npos : begins_array(r.message))) return false;
  JsonValues values(options_.longest_record);
  JsonValues::Piece piece;
  std::string_view rest = r.message;
  JsonValues::Found found = values.next(rest, piece);
  if (found == JsonValues::Found::kNothing) {
    if (values.finish(piece) != JsonValues::Found::kNothing) return false;  // it does not end
    batch.counts.ignore(kNoRecords);
    return true;
  }
  if (r.json && piece.offset == 0) return false;  // all of it is one record
  TextRecord part = r;
  if (part.index == nullptr) part.index = index_.get();
  part.json = true;
  PlacesWithin places(place);
  for (; found != JsonValues::Found::kNothing; found = values.next(rest, piece)) {
    const Place within = places.of(piece.text);
    if (found != JsonValues::Found::kRecord) {
      reject(found, within, batch);
      continue;
    }
    part.raw = part.message = piece.text;
    part.json_keys = part.product_keys = 0;
    part.indexed = false;
    take(part, level + 1, within, batch);
  }
  found = values.finish(piece);
  if (found != JsonValues::Found::kNothing) reject(found, place, batch);
  return true;
}

void TextDecoder::unpack_events(const TextRecord& r, std::size_t level, const Place& place, EventBatch& batch) {
  XmlValues values(options_.longest_record);
  values.add(r.message);
  XmlValues::Piece piece;
  TextRecord part = r;
  std::size_t count = 0;
  for (auto found = values.next(true, piece); found != XmlValues::Found::kNothing; found = values.next(true, piece)) {
    ++count;
    // The pieces lie in a copy: each stands for the whole.
    if (found != XmlValues::Found::kRecord) {
      reject(found, place, batch);
      continue;
    }
    part.raw = part.message = piece.text;
    take(part, level + 1, place, batch);
  }
  if (count == 0) batch.counts.ignore(kNoRecords);
}

void TextDecoder::reject(std::string_view seen, std::uint64_t offset, std::uint32_t line, Symbol reason,
                         EventBatch& batch) {
  batch.counts.reject(reason);
  if (batch.rejects.size() < EventBatch::kMostRejects)
    batch.note_reject({offset, line, reason, core::printable(seen, 160)});
}

}  // namespace orbwatch::decode
