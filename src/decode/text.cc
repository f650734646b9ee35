#include "decode/text.h"

#include <algorithm>
#include <cstring>

#include "core/text.h"
#include "decode/all.h"
#include "decode/envelope.h"

namespace orbwatch::decode {
namespace {

const Symbol kBlank = core::intern("blank line");
const Symbol kTooLong = core::intern("record too long");
const Symbol kOtherProgram = core::intern("syslog of another program");
const Symbol kOtherJson = core::intern("JSON of no known format");
const Symbol kNoFormat = core::intern("no known format");
const Symbol kTruncated = core::intern("truncated JSON");
const Symbol kNotJson = core::intern("not JSON");

constexpr std::size_t kShownOfTooLong = 256;  // bytes kept of a record that is too long

std::string_view skip_bom_and_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && core::is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Keys whose array holds the records of an export: CloudTrail and Azure ("Records", "records"), Graph ("value"),
// Elasticsearch
// ("hits"), and plain "events", "logs".
bool is_wrapper_key(std::string_view key) {
  return key == "Records" || key == "records" || key == "value" || key == "events" || key == "Events" ||
         key == "logs" || key == "hits";
}

// The first line end, nullptr if there is none.
const char* line_end(const char* begin, const char* end) {
  return static_cast<const char*>(std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)));
}

// Does one JSON object end within this line?
bool object_ends_in(std::string_view line) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth <= 0) return true;
    }
  }
  return false;
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
  const auto line = head.substr(0, head.find('\n'));
  if (!object_ends_in(line)) return Framing::kJsonValues;
  // One line, but a wrapper: {"Records":[{...},{...}]}
  for (const std::string_view key : {"{\"Records\":", "{\"records\":", "{\"value\":"}) {
    if (line.starts_with(key)) return Framing::kJsonValues;
  }
  return Framing::kLines;
}

TextDecoder::TextDecoder(Framing framing, std::string_view main_format, bool only, const Options& options,
                         core::TimeReader times)
    : framing_(framing), options_(options), times_(std::move(times)) {
  bool with_headers = framing == Framing::kJsonValues;
  for (const RecordFormat& format : record_formats()) with_headers |= format.name == main_format && !format.stateless;
  for (const bool main : {true, false}) {
    for (const RecordFormat& format : record_formats()) {
      if (!with_headers && !format.stateless) continue;
      if ((format.name == main_format) == main && (main || !only))
        readers_.push_back({core::intern(format.name), format.make(times_)});
    }
  }
}

TextDecoder::~TextDecoder() = default;

void TextDecoder::start_at(std::uint64_t offset, std::uint64_t lines_before, bool inside_line) {
  offset_ = offset;
  line_ = static_cast<std::uint32_t>(lines_before + 1);
  inside_line_ = inside_line;
}

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
  } else if (record_depth_ >= 0) {
    reject(carry_, carry_offset_, carry_line_, too_long_ ? kTooLong : kTruncated, batch);
  }
  carry_.clear();
  too_long_ = false;
}

void TextDecoder::lines(std::string_view bytes, EventBatch& batch) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  if (inside_line_) {
    const char* newline = line_end(p, end);
    const char* stop = newline != nullptr ? newline + 1 : end;
    offset_ += static_cast<std::uint64_t>(stop - p);
    p = stop;
    if (newline == nullptr) return;
    ++line_;
    inside_line_ = false;
  }
  if (too_long_ || !carry_.empty()) {
    const char* newline = line_end(p, end);
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
    const char* newline = line_end(p, end);
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

bool TextDecoder::ends_string(char c) {
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
  }
  return !in_string_;
}

// A byte-wise scanner: JSON exports with one document over many lines are small next to NDJSON.
void TextDecoder::values(std::string_view bytes, EventBatch& batch) {
  for (const char c : bytes) {
    const std::uint64_t here = offset_++;
    if (c == '\n') ++line_;
    if (record_depth_ >= 0) {
      if (!too_long_) {
        if (carry_.size() >= options_.longest_record) {
          too_long_ = true;
          carry_.resize(std::min(carry_.size(), kShownOfTooLong));
        } else {
          carry_ += c;
        }
      }
      if (in_string_) {
        if (ends_string(c)) continue;
        if (depth_ == record_depth_ + 1 && last_string_.size() < 16) last_string_ += c;
        continue;
      }
      switch (c) {
        case '"':
          in_string_ = true;
          last_string_.clear();
          break;
        case '[':
          // A wrapper: what was taken for a record turns out to be the object around the records.
          if (depth_ == record_depth_ + 1 && is_wrapper_key(last_string_)) {
            record_depth_ = -1;
            carry_.clear();
            too_long_ = false;
          }
          ++depth_;
          break;
        case '{': ++depth_; break;
        case ']':
        case '}':
          --depth_;
          if (depth_ <= record_depth_) {
            record_depth_ = -1;
            record_from_carry(batch);
          }
          break;
        default: break;
      }
      continue;
    }
    // Between records: arrays and what is left of wrapper objects are transparent.
    if (in_string_) {
      ends_string(c);
      continue;
    }
    switch (c) {
      case '"': in_string_ = true; break;
      case '{':
        record_depth_ = depth_++;
        carry_offset_ = here;
        carry_line_ = line_;
        carry_.assign(1, c);
        last_string_.clear();
        break;
      case '[': ++depth_; break;
      case ']':
      case '}': depth_ = std::max(0, depth_ - 1); break;
      default:
        if (depth_ == 0 && !core::is_space(c) && c != ',' && c != '\x1e' && static_cast<unsigned char>(c) < 0x80) {
          reject({&c, 1}, here, line_, kNotJson, batch);
        }
        break;
    }
  }
}

void TextDecoder::record(std::string_view raw, std::uint64_t offset, std::uint32_t line, EventBatch& batch) {
  if (offset == 0 && raw.starts_with("\xef\xbb\xbf")) {
    raw.remove_prefix(3);
    offset += 3;
  }
  while (!raw.empty() && (raw.back() == '\r' || raw.back() == '\0')) raw.remove_suffix(1);
  TextRecord r;
  r.raw = raw;
  const char first = raw.empty() ? ' ' : raw.front();
  if (first == ' ' || first == '\t') {
    if (core::trim(raw).empty()) {
      batch.counts.ignore(kBlank);
      return;
    }
  }
  if (first == '{') {
    r.message = raw;
    r.json = true;
  } else {
    parse_envelope(r, times_);
    r.json = r.message.starts_with('{');
  }
  r.further = &further_;
  for (Reader& reader : readers_) {
    if (!reader.decoder->claims(r)) continue;
    further_.clear();
    Event& event = batch.next();
    event.time = r.time;
    if (!r.host.empty()) {
      if (r.host != last_host_) {
        last_host_ = r.host;
        last_observer_ = core::intern(r.host);
      }
      event.observer = last_observer_;
    }
    const Fate fate = reader.decoder->decode(r, event);
    switch (fate.verdict) {
      case Verdict::kEvent:
        event.dataset = reader.name;
        event.record.offset = offset;
        event.record.line = line;
        event.record.length = static_cast<std::uint32_t>(raw.size());
        event.record.source = options_.source;
        keep_further(event, batch);
        batch.counts.event(reader.name);
        return;
      case Verdict::kIgnored: batch.counts.ignore(fate.reason); return;
      case Verdict::kRejected: reject(raw, offset, line, fate.reason, batch); return;
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

void TextDecoder::keep_further(const Event& first, EventBatch& batch) {
  const Symbol dataset = first.dataset;
  const event::RecordRef place = first.record;
  batch.keep();  // `first` lies in the batch and may move from here on
  for (Event& more : further_) {
    more.dataset = dataset;
    more.record = place;
    batch.next() = more;
    batch.keep();
  }
  batch.counts.further += further_.size();
}

void TextDecoder::reject(std::string_view seen, std::uint64_t offset, std::uint32_t line, Symbol reason,
                         EventBatch& batch) {
  batch.counts.reject(reason);
  if (batch.rejects.size() < EventBatch::kMostRejects)
    batch.note_reject({offset, line, reason, core::printable(seen, 160)});
}

}  // namespace orbwatch::decode
