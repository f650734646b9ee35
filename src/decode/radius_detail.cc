// Accounting files of RADIUS servers ("detail"): who was connected from where, with which address, for how long.
//
// Sources: FreeRADIUS, raddb/mods-available/detail and man rlm_detail; RFC 2866. Radiator (AcctLogFileName) and servers
// descended from Livingston's write the same.
//   Sun Nov 22 08:00:00 2026
//           User-Name = "alice"
//           NAS-IP-Address = 192.0.2.1
//           Acct-Status-Type = Start
//           Calling-Station-Id = "203.0.113.7"
//           Framed-IP-Address = 10.8.0.20
//           Timestamp = 1795334400
// Requests and answers of log-ins in the same shape do not say what became of a request and are ignored by name
// ("packet Access-Request"), so are devices that are known by their hardware address and other states ("status
// Accounting-On").
#include "decode/radius_detail.h"

#include <algorithm>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/radius.h"

namespace orbwatch::decode {
namespace {

const Symbol kNoStatus = core::intern("radius_detail: no Acct-Status-Type");
const Symbol kNoTime = core::intern("radius_detail: no time");
const Symbol kNobody = core::intern("radius_detail: neither user nor address");
const Symbol kTooLong = core::intern("record too long");
const Symbol kDevice = core::intern("device by its hardware address");
const Symbol kRadius = core::intern("radius");

// More spaces than this are no empty line: what is kept of a block must have a bound.
constexpr std::uint64_t kLongestEmptyLine = 256;
constexpr std::size_t kShownOfTooLong = 256;
constexpr std::uint64_t kLongestDelay = 7 * 86400;

bool is_indent(char c) { return c == ' ' || c == '\t'; }

bool only_spaces(std::string_view text) { return std::all_of(text.begin(), text.end(), core::is_space); }

struct Pair {
  std::string_view name;
  std::string_view value;
};

// `\tUser-Name = "alice"`, `\tTunnel-Client-Endpoint:0 := "203.0.113.7"`. No name if it is none.
Pair pair_of(std::string_view line) {
  line = core::trim(line);
  const auto space = line.find(' ');
  if (space == line.npos) return {};
  std::string_view name = line.substr(0, space);
  std::string_view rest = line.substr(space + 1);
  if (rest.starts_with(':') || rest.starts_with('+')) rest.remove_prefix(1);
  if (!rest.starts_with("= ") && rest != "=") return {};
  std::string_view value = core::trim(rest.substr(1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  // The tag of a tunnel attribute.
  if (const auto colon = name.find(':'); colon != name.npos) name = name.substr(0, colon);
  return {name, value};
}

}  // namespace

int recognise_radius_detail(std::string_view head) {
  while (!head.empty() && core::is_space(head.front())) {
    // A file that was cut begins within a block.
    if (is_indent(head.front()) && pair_of(head.substr(0, head.find('\n'))).name.contains('-'))
      return head.contains("\n\tAcct-Status-Type = ") ? 100 : 0;
    head.remove_prefix(1);
  }
  const core::TimeReader utc;
  if (!core::parse_ctime(head, utc)) return 0;
  core::take_until(head, '\n');
  return !head.empty() && is_indent(head.front()) && !pair_of(head.substr(0, head.find('\n'))).name.empty() ? 100 : 0;
}

RadiusDetail::RadiusDetail(const Options& options, core::TimeReader times)
    : source_(options.source),
      longest_(options.longest_record),
      times_(std::move(times)),
      name_(core::intern("radius_detail")) {}

bool RadiusDetail::is_blank_line() const { return line_empty_ && offset_ - line_offset_ <= kLongestEmptyLine; }

// A block ends at an empty line, and where a line is not indented: it is the time of the next one.
void RadiusDetail::feed(std::string_view bytes, EventBatch& batch) {
  std::size_t begin = 0;  // of the open block or of the line in `bytes`
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (!line_begun_) {
      line_begun_ = true;
      line_empty_ = true;
      line_offset_ = offset_;
      if (open_ && !core::is_space(bytes[at])) end_block(bytes.substr(begin, at - begin), offset_, batch);
      if (!open_) {
        block_offset_ = offset_;
        block_line_ = line_;
        begin = at;
      }
    }
    const std::size_t newline = std::min(bytes.find('\n', at), bytes.size());
    const std::string_view part = bytes.substr(at, newline - at);
    if (line_empty_) line_empty_ = only_spaces(part);
    offset_ += part.size();
    at = newline;
    if (at == bytes.size()) break;
    if (is_blank_line()) {
      const std::size_t back = std::min<std::uint64_t>(offset_ - line_offset_, at - begin);
      if (open_) end_block(bytes.substr(begin, at - begin - back), line_offset_, batch);
      carry_.clear();
    } else {
      open_ = true;
    }
    ++offset_;
    ++line_;
    ++at;
    line_begun_ = false;
    if (!open_) begin = at;
  }
  keep(bytes.substr(begin));
}

void RadiusDetail::keep(std::string_view bytes) {
  // A block that is too long for certain: it will not become shorter.
  if (offset_ - block_offset_ > longest_ + kLongestEmptyLine) {
    if (carry_.size() < kShownOfTooLong) carry_.append(bytes.substr(0, kShownOfTooLong - carry_.size()));
    carry_.resize(std::min(carry_.size(), kShownOfTooLong));
    return;
  }
  carry_.append(bytes);
}

void RadiusDetail::finish(EventBatch& batch) {
  if (line_begun_ && !is_blank_line()) open_ = true;
  if (open_) end_block({}, offset_, batch);
  carry_.clear();
  line_begun_ = false;
}

// The block consists of what was kept and `rest`, and ends at `end`.
void RadiusDetail::end_block(std::string_view rest, std::uint64_t end, EventBatch& batch) {
  open_ = false;
  const std::uint64_t length = end - block_offset_;
  const bool carried = !carry_.empty();
  if (length > longest_) {
    if (carry_.size() < kShownOfTooLong) carry_.append(rest.substr(0, kShownOfTooLong - carry_.size()));
    batch.counts.reject(kTooLong);
    batch.note_reject({block_offset_, block_line_, kTooLong,
                       core::printable(std::string_view(carry_).substr(0, kShownOfTooLong), 160)});
    carry_.clear();
    return;
  }
  if (carried) {
    carry_.append(rest);
    rest = std::string_view(carry_).substr(0, length);
  }
  while (!rest.empty() && core::is_space(rest.back())) rest.remove_suffix(1);
  Event& event = batch.next();
  const Fate fate = decode(rest, event);
  switch (fate.verdict) {
    case Verdict::kEvent:
      event.dataset = name_;
      event.record.offset = block_offset_;
      event.record.line = block_line_;
      event.record.length = static_cast<std::uint32_t>(rest.size());
      event.record.source = source_;
      batch.keep();
      batch.counts.event(name_);
      if (carried) batch.hold(block_offset_, rest);
      break;
    case Verdict::kIgnored: batch.counts.ignore(fate.reason); break;
    case Verdict::kSeveral:
    case Verdict::kRejected:
      batch.counts.reject(fate.reason);
      batch.note_reject({block_offset_, block_line_, fate.reason, core::printable(rest, 160)});
  }
  carry_.clear();
}

Fate RadiusDetail::decode(std::string_view block, Event& event) const {
  RadiusAttributes attributes;
  std::string_view packet;
  std::string_view delay;
  std::string_view stamp;
  if (const auto time = core::parse_ctime(block, times_)) {
    event.time = *time;
    core::take_until(block, '\n');
  }
  while (!block.empty()) {
    const Pair pair = pair_of(core::take_until(block, '\n'));
    if (pair.name == "Packet-Type") packet = pair.value;
    if (pair.name == "Acct-Delay-Time") delay = pair.value;
    if (pair.name == "Timestamp") stamp = pair.value;
    attributes.put(pair.name, pair.value);
  }
  const std::string_view status = attributes[RadiusAttributes::kStatusType];
  if (status.empty() && !packet.empty()) return json::ignored("packet", packet);
  if (status.empty()) return Fate::rejected(kNoStatus);
  // The server's clock without the zone's doubt.
  if (const auto time = core::parse_epoch(stamp)) event.time = *time;
  if (event.time == 0) return Fate::rejected(kNoTime);
  // What the gateway sends late happened earlier.
  event.time -= seconds(std::min(core::parse_number<std::uint64_t>(delay).value_or(0), kLongestDelay));
  const std::string_view name = attributes[RadiusAttributes::kUserName];
  if (is_hardware_address(name)) return Fate::ignored(kDevice);
  attributes.put_ends(event);
  if (!attributes.put_accounting(event)) return json::ignored("status", status);
  put_radius_user(event, name);
  event.application = kRadius;
  event.code = core::intern(status);
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNobody);
  return Fate::kept();
}

std::unique_ptr<Decoder> make_radius_detail(const Options& options) {
  auto times = core::TimeReader::make(options.zone, options.reference, options.year);
  return std::make_unique<RadiusDetail>(options, times ? std::move(*times) : core::TimeReader());
}

}  // namespace orbwatch::decode
