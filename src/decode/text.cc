#include "decode/text.h"

#include <algorithm>
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
const Symbol kOtherProgram = core::intern("syslog of another program");
const Symbol kOtherJson = core::intern("JSON of no known format");
const Symbol kNoFormat = core::intern("no known format");
const Symbol kTruncated = core::intern("truncated JSON");
const Symbol kNotJson = core::intern("not JSON");
const Symbol kNoRecords = core::intern("no records in it");

constexpr std::size_t kShownOfTooLong = 256;  // bytes kept of a record that is too long

std::string_view skip_bom_and_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && core::is_space(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

Framing framing_of(std::string_view head) {
  head = skip_bom_and_space(head);
  if (head.empty()) return Framing::kLines;
  if (head[0] == '[') {
    const auto rest = skip_bom_and_space(head.substr(1));
    return rest.empty() || rest[0] == '{' || rest[0] == ']' ? Framing::kJsonValues : Framing::kLines;
  }
  if (head[0] != '{') return Framing::kLines;
  // Lines, if the first one is one whole object and not what stands around records: {"Records":[{...},{...}]}
  std::string line(head.substr(0, head.find('\n')));
  line.reserve(line.size() + core::kPadding);
  std::string_view rest = line;
  JsonValues values(line.size());
  JsonValues::Piece piece;
  if (values.next(rest, piece) != JsonValues::Found::kRecord || piece.offset != 0) return Framing::kJsonValues;
  return core::trim(rest).starts_with('{') ? Framing::kJsonValues : Framing::kLines;
}

TextDecoder::TextDecoder(Framing framing, std::string_view main_format, bool only, const Options& options,
                         core::TimeReader times)
    : framing_(framing),
      options_(options),
      times_(std::move(times)),
      index_(std::make_unique<json::Index>()),
      values_(options.longest_record) {
  bool with_headers = framing == Framing::kJsonValues;
  for (const RecordFormat& format : record_formats()) with_headers |= format.name == main_format && !format.stateless;
  for (const bool main : {true, false}) {
    for (const RecordFormat& format : record_formats()) {
      if (!with_headers && !format.stateless) continue;
      if ((format.name == main_format) == main && (main || !only))
        readers_.push_back({core::intern(format.name), format.make(times_), 0});
    }
  }
}

TextDecoder::~TextDecoder() = default;

std::uint64_t TextDecoder::claimed(Symbol name) const {
  for (const Reader& reader : readers_) {
    if (reader.name == name) return reader.claimed;
  }
  return 0;
}

void TextDecoder::start_at(std::uint64_t offset, std::uint64_t lines_before, bool inside_line) {
  offset_ = offset;
  line_ = static_cast<std::uint32_t>(lines_before + 1);
  inside_line_ = inside_line;
}

// Gives each part its own place: a finding then shows the flow, not the thousand others around it.
class TextDecoder::RecordParts final : public Parts {
 public:
  RecordParts(TextDecoder& frame, const Reader& reader, const TextRecord& record, std::uint64_t offset,
              std::uint32_t line, EventBatch& batch)
      : frame_(frame),
        reader_(reader),
        record_(record),
        offset_(offset),
        line_(line),
        batch_(batch),
        counted_to_(record.raw.data()) {}

  Event& next() override { return frame_.next(record_, batch_); }

  void end(Fate fate, std::string_view text) override {
    ++count_;
    const std::string_view raw = record_.raw;
    // A part of a cleaned copy (json::Index) lies elsewhere and stands for the whole.
    const std::less_equal<const char*> before;
    const bool inside =
        !text.empty() && before(counted_to_, text.data()) && before(text.data() + text.size(), raw.data() + raw.size());
    if (!inside) {
      frame_.settle(reader_, fate, raw, offset_, line_, batch_);
      return;
    }
    lines_ += static_cast<std::uint32_t>(std::count(counted_to_, text.begin(), '\n'));
    counted_to_ = text.data();
    frame_.settle(reader_, fate, text, offset_ + static_cast<std::uint64_t>(text.data() - raw.data()), line_ + lines_,
                  batch_);
  }

  std::size_t count() const { return count_; }

 private:
  TextDecoder& frame_;
  const Reader& reader_;
  const TextRecord& record_;
  std::uint64_t offset_;
  std::uint32_t line_;
  EventBatch& batch_;
  const char* counted_to_;  // line ends are counted up to here
  std::uint32_t lines_ = 0;
  std::size_t count_ = 0;
};

void TextDecoder::feed(std::string_view bytes, EventBatch& batch) {
  if (bytes.empty()) return;
  if (framing_ == Framing::kLines) {
    lines(bytes, batch);
  } else {
    values(bytes, batch);
  }
}

void TextDecoder::finish(EventBatch& batch) {
  if (framing_ == Framing::kLines) {
    if (too_long_ || !carry_.empty()) record_from_carry(batch);
  } else {
    JsonValues::Piece piece;
    value(values_.finish(piece), piece, batch);
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

void TextDecoder::values(std::string_view bytes, EventBatch& batch) {
  JsonValues::Piece piece;
  while (true) {
    const JsonValues::Found found = values_.next(bytes, piece);
    if (found == JsonValues::Found::kNothing) return;
    value(found, piece, batch);
  }
}

void TextDecoder::value(JsonValues::Found found, const JsonValues::Piece& piece, EventBatch& batch) {
  switch (found) {
    case JsonValues::Found::kNothing: break;
    case JsonValues::Found::kRecord: {
      const std::size_t before = batch.size();
      record(piece.text, piece.offset, piece.line, batch);
      if (piece.carried && batch.size() != before) batch.hold(piece.offset, piece.text);
      break;
    }
    case JsonValues::Found::kTooLong: reject(piece.text, piece.offset, piece.line, kTooLong, batch); break;
    case JsonValues::Found::kTruncated: reject(piece.text, piece.offset, piece.line, kTruncated, batch); break;
    case JsonValues::Found::kNotJson: reject(piece.text, piece.offset, piece.line, kNotJson, batch); break;
  }
}

void TextDecoder::record(std::string_view raw, std::uint64_t offset, std::uint32_t line, EventBatch& batch) {
  if (offset == 0 && raw.starts_with("\xef\xbb\xbf")) {
    raw.remove_prefix(3);
    offset += 3;
  }
  while (!raw.empty() && (raw.back() == '\r' || raw.back() == '\0')) raw.remove_suffix(1);
  TextRecord r;
  const char first = raw.empty() ? ' ' : raw.front();
  if (first == ' ' || first == '\t') {
    const std::string_view text = raw.substr(std::min(raw.find_first_not_of(" \t"), raw.size()));
    if (core::trim(text).empty()) {
      batch.counts.ignore(kBlank);
      return;
    }
    if (text.front() == '{') {  // an indented object
      offset += raw.size() - text.size();
      raw = text;
    }
  }
  r.raw = raw;
  if (!raw.empty() && raw.front() == '{') {
    r.message = raw;
    r.json = true;
  } else {
    parse_envelope(r, times_);
    r.json = r.message.starts_with('{');
  }
  if (r.json) r.index = index_.get();
  for (Reader& reader : readers_) {
    if (!reader.decoder->claims(r)) continue;
    ++reader.claimed;
    const Fate fate = reader.decoder->decode(r, next(r, batch));
    if (fate.verdict == Verdict::kSeveral) {
      RecordParts parts(*this, reader, r, offset, line, batch);
      reader.decoder->decode_parts(r, parts);
      if (parts.count() == 0) batch.counts.ignore(kNoRecords);
    } else {
      settle(reader, fate, raw, offset, line, batch);
    }
    return;
  }
  if (r.json) {
    batch.counts.ignore(kOtherJson);
  } else if (r.time != 0 && (!r.host.empty() || !r.program.empty())) {
    batch.counts.ignore(kOtherProgram);
  } else {
    reject(raw, offset, line, kNoFormat, batch);
  }
}

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

void TextDecoder::settle(const Reader& reader, Fate fate, std::string_view seen, std::uint64_t offset,
                         std::uint32_t line, EventBatch& batch) {
  switch (fate.verdict) {
    case Verdict::kEvent: {
      Event& event = *batch.end();
      event.dataset = reader.name;
      event.record.offset = offset;
      event.record.line = line;
      event.record.length = static_cast<std::uint32_t>(seen.size());
      event.record.source = options_.source;
      batch.keep();
      batch.counts.event(reader.name);
      return;
    }
    case Verdict::kIgnored: batch.counts.ignore(fate.reason); return;
    case Verdict::kSeveral:
    case Verdict::kRejected: reject(seen, offset, line, fate.reason, batch); return;
  }
}

void TextDecoder::reject(std::string_view seen, std::uint64_t offset, std::uint32_t line, Symbol reason,
                         EventBatch& batch) {
  batch.counts.reject(reason);
  if (batch.rejects.size() < EventBatch::kMostRejects)
    batch.note_reject({offset, line, reason, core::printable(seen, 160)});
}

}  // namespace orbwatch::decode
