#include "decode/flow_streams.h"

#include <algorithm>
#include <set>
#include <string>

#include "decode/bytes.h"
#include "decode/datagram_file.h"
#include "decode/ipfix.h"

namespace orbwatch::decode {
namespace {

const Symbol kLost = core::intern("flow: TCP bytes that the capture lacks");
const Symbol kIncomplete = core::intern("flow: SCTP message incomplete");

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kSctp = 132;

constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kRst = 4;

constexpr std::size_t kHeader = 24;  // bytes that tell whether a message starts here

// Sequence numbers of 32 bits wrap around; here they count on. The one nearest to `near` is meant.
std::uint64_t unwrapped(std::uint32_t serial, std::uint64_t near) {
  return near + static_cast<std::uint64_t>(
                    static_cast<std::int64_t>(static_cast<std::int32_t>(serial - static_cast<std::uint32_t>(near))));
}
// The first one of a connection, far enough from zero for what came before it.
std::uint64_t first_serial(std::uint32_t serial) { return (std::uint64_t{1} << 32) + serial; }

// A piece of a connection.
struct Part {
  Datagram place;             // its payload is empty
  std::string_view bytes;     // of a part that waits: into `kept`
  std::uint32_t missing = 0;  // bytes behind these that were not captured
  bool begins = false;        // of SCTP: the first, the last part of a message
  bool ends = false;
  std::uint16_t stream = 0;  // of SCTP
  std::string kept;
};

}  // namespace

// Parts that came too early, by their serial number. `used` counts the bytes of all connections.
class FlowStreams::Waiting {
 public:
  Waiting(const StreamLimits& limits, std::size_t& used) : limits_(limits), used_(used) {}
  ~Waiting() { clear(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool empty() const { return parts_.empty(); }
  std::uint64_t first() const { return parts_.begin()->first; }
  const Part* find(std::uint64_t serial) const {
    const auto found = parts_.find(serial);
    return found == parts_.end() ? nullptr : &found->second;
  }
  // Of two parts with the same number the longer one stays.
  void put(std::uint64_t serial, const Part& part) {
    const auto [at, fresh] = parts_.try_emplace(serial);
    Part& kept = at->second;
    if (!fresh) {
      if (kept.kept.size() + kept.missing >= part.bytes.size() + part.missing) return;
      remove(kept);
    }
    kept = part;
    kept.kept.assign(part.bytes);
    kept.bytes = {};
    mine_ += cost(kept);
    used_ += cost(kept);
  }
  Part take(std::uint64_t serial) {
    const auto found = parts_.find(serial);
    Part part = std::move(found->second);
    remove(part);
    parts_.erase(found);
    return part;
  }
  void clear() {
    used_ -= mine_;
    mine_ = 0;
    parts_.clear();
  }
  bool too_much() const { return mine_ > limits_.waiting_per_connection || used_ > limits_.waiting; }

 private:
  static std::size_t cost(const Part& part) { return part.kept.size() + sizeof(Part); }
  void remove(const Part& part) {
    mine_ -= cost(part);
    used_ -= cost(part);
  }

  const StreamLimits& limits_;
  std::size_t& used_;
  std::size_t mine_ = 0;
  std::map<std::uint64_t, Part> parts_;
};

// One direction of a TCP connection.
class FlowStreams::Tcp {
 public:
  Tcp(const StreamLimits& limits, std::size_t& used) : waiting_(limits, used) {}

  void start(std::uint32_t sequence) { next_ = first_serial(sequence); }
  // Nothing is to be expected of it: it makes room for others.
  bool idle() const { return ended_ || other_ || !data_; }

  Fate segment(std::uint32_t sequence, const Part& part, std::uint8_t flags, const Sink& sink) {
    std::uint64_t from = unwrapped(sequence, next_);
    const std::uint64_t end = from + part.bytes.size() + part.missing;
    Fate fate = Fate::kNoData;
    if (from != end) {
      data_ = true;
      fate = other_ ? Fate::kNoFlow : Fate::kSeenBefore;
      if (!other_ && end > next_) {
        if (from > next_) {
          waiting_.put(from, part);
          fate = Fate::kTaken;
          while (!waiting_.empty() && waiting_.too_much()) skip_gap(sink);
        } else {
          fate = deliver(from, part, sink);
          drain(sink);
        }
      }
    }
    if ((flags & kRst) != 0 || ((flags & kFin) != 0 && end == next_)) finish(sink);
    return fate;
  }

  void finish(const Sink& sink) {
    while (!waiting_.empty()) skip_gap(sink);
    cut(true, last_, sink);
    if (!begin_.empty()) FlowContext{last_, sink.batch}.reject(flow_reason::kNoDatagram, begin_);
    begin_.clear();
    ended_ = true;
  }

 private:
  // A part that begins at or before the next byte and ends behind it.
  Fate deliver(std::uint64_t from, const Part& part, const Sink& sink) {
    const std::uint64_t end = from + part.bytes.size() + part.missing;
    const std::string_view bytes = part.bytes.substr(std::min<std::uint64_t>(next_ - from, part.bytes.size()));
    const bool missing = part.missing != 0;
    next_ = end;
    last_ = part.place;
    if (other_) return Fate::kNoFlow;
    if (known_) {
      cutter_.push(bytes);
    } else {
      const bool first = begin_.empty();
      begin_.append(bytes);
      if (begin_.size() < kHeader && !missing) return Fate::kTaken;
      const FlowProtocol protocol = flow_header_of(begin_);
      if (protocol == FlowProtocol::kNone) {
        other_ = true;
        // What was taken before is accounted for here, what begins with this packet by its name.
        if (!first) FlowContext{last_, sink.batch}.reject(flow_reason::kNoDatagram, begin_);
        begin_.clear();
        return first ? Fate::kNoFlow : Fate::kTaken;
      }
      know(protocol);
    }
    cut(false, part.place, sink);
    if (missing) lose(part.place, sink);
    return Fate::kTaken;
  }

  void drain(const Sink& sink) {
    while (!waiting_.empty() && waiting_.first() <= next_) {
      const std::uint64_t from = waiting_.first();
      Part part = waiting_.take(from);
      part.bytes = part.kept;
      if (from + part.bytes.size() + part.missing <= next_) continue;
      if (deliver(from, part, sink) == Fate::kNoFlow) FlowContext{part.place, sink.batch}.ignore(flow_reason::kNoFlow);
    }
  }

  // What stands before the first part that waits will not come any more.
  void skip_gap(const Sink& sink) {
    lose(waiting_.find(waiting_.first())->place, sink);
    next_ = waiting_.first();
    drain(sink);
  }

  // Only IPFIX is looked for where IPFIX began: the headers of the others are too short to be told from other bytes
  // behind a gap.
  void know(FlowProtocol protocol) {
    known_ = true;
    cutter_ = DatagramCutter(protocol == FlowProtocol::kIpfix);
    cutter_.push(begin_);
    begin_.clear();
  }

  void lose(const Datagram& place, const Sink& sink) {
    if (other_) return;
    if (!known_)
      know(FlowProtocol::kIpfix);  // what follows is no beginning, and nothing else goes over TCP by standard
    cut(true, last_, sink);
    FlowContext{place, sink.batch}.reject(kLost, {});
  }

  void cut(bool end, const Datagram& place, const Sink& sink) {
    DatagramCutter::Piece piece;
    while (cutter_.next(end, piece)) {
      Datagram message = place;
      message.payload = piece.bytes;
      if (piece.datagram) {
        sink.decoder.decode(message, sink.batch);
      } else if (!piece.padding()) {
        FlowContext{message, sink.batch}.reject(flow_reason::kNoDatagram, piece.bytes);
      }
    }
  }

  DatagramCutter cutter_;
  Waiting waiting_;
  std::uint64_t next_ = 0;  // serial number of the next byte
  Datagram last_;           // of the part before
  std::string begin_;       // the first bytes, until they tell what this is
  bool known_ = false;
  bool data_ = false;   // some bytes came
  bool other_ = false;  // no flow export
  bool ended_ = false;
};

// One direction of an SCTP association.
class FlowStreams::Sctp {
 public:
  Sctp(const StreamLimits& limits, std::size_t& used) : waiting_(limits, used) {}

  void start(std::uint32_t tsn) { next_ = first_serial(tsn); }
  // Where the association's beginning was not captured: chunks may be out of order from the first one on.
  void start_within(std::uint32_t tsn) { next_ = first_serial(tsn) - kMostEarlier; }
  bool idle() const { return ended_ || !data_; }
  void end() { ended_ = true; }

  // False if the chunk came before.
  bool chunk(std::uint32_t tsn, Part& part, const Sink& sink) {
    const std::uint64_t serial = unwrapped(tsn, next_);
    data_ = true;
    if (serial < next_ || !seen_.insert(serial).second) return false;
    // Unordered delivery and losses leave holes: the oldest are given up.
    if (seen_.size() > kMostEarlier) next_ = *seen_.begin();
    while (!seen_.empty() && *seen_.begin() == next_) {
      seen_.erase(seen_.begin());
      ++next_;
    }
    if (part.begins && part.ends) {
      part.place.payload = part.bytes;
      sink.decoder.decode(part.place, sink.batch);
      return true;
    }
    waiting_.put(serial, part);
    assemble(serial, sink);
    if (waiting_.too_much()) finish(sink);
    return true;
  }

  // Parts of messages that are not all there.
  void finish(const Sink& sink) {
    while (!waiting_.empty()) {
      std::uint64_t serial = waiting_.first();
      const Part first = waiting_.take(serial);
      while (const Part* more = waiting_.find(++serial)) {
        if (more->begins || more->stream != first.stream) break;
        waiting_.take(serial);
      }
      FlowContext{first.place, sink.batch}.reject(kIncomplete, first.kept);
    }
  }

 private:
  static constexpr std::size_t kMostEarlier = 1024;

  // The parts of a message have numbers one behind the other (RFC 9260, 6.9).
  void assemble(std::uint64_t serial, const Sink& sink) {
    const std::uint16_t stream = waiting_.find(serial)->stream;
    const auto of_it = [&](std::uint64_t number) {
      const Part* part = waiting_.find(number);
      return part != nullptr && part->stream == stream ? part : nullptr;
    };
    std::uint64_t begin = serial;
    while (!of_it(begin)->begins) {
      if (of_it(--begin) == nullptr) return;
    }
    std::uint64_t end = serial;
    while (!of_it(end)->ends) {
      if (of_it(++end) == nullptr) return;
    }
    const Datagram place = waiting_.find(serial)->place;
    std::string message;
    for (std::uint64_t number = begin; number <= end; ++number) message += waiting_.take(number).kept;
    Datagram whole = place;
    whole.payload = message;
    sink.decoder.decode(whole, sink.batch);
  }

  Waiting waiting_;
  std::set<std::uint64_t> seen_;  // numbers of chunks that came before others
  std::uint64_t next_ = 0;        // every chunk before this one came, or will not come any more
  bool data_ = false;             // some chunk came
  bool ended_ = false;
};

FlowStreams::FlowStreams(const StreamLimits& limits) : limits_(limits) {}
FlowStreams::~FlowStreams() = default;

bool FlowStreams::carries(std::uint8_t protocol) { return protocol == kTcp || protocol == kSctp; }

template <typename Connection>
Connection* FlowStreams::find(Connections<Connection>& all, const Frame& frame) {
  if (all.empty()) return nullptr;
  const auto found = all.find({frame.source, frame.destination, frame.source_port, frame.destination_port});
  return found == all.end() ? nullptr : found->second.get();
}

// Makes a connection, in place of the one between the same ends. nullptr if there are too many.
template <typename Connection>
Connection* FlowStreams::add(Connections<Connection>& all, const Frame& frame) {
  if (all.size() >= limits_.connections && find(all, frame) == nullptr) {
    const auto idle = std::find_if(all.begin(), all.end(), [](const auto& entry) { return entry.second->idle(); });
    if (idle == all.end()) return nullptr;
    all.erase(idle);
  }
  auto& made = all[{frame.source, frame.destination, frame.source_port, frame.destination_port}];
  made = std::make_unique<Connection>(limits_, waiting_);
  return made.get();
}

FlowStreams::Fate FlowStreams::packet(const Frame& frame, const Datagram& place, const Sink& sink) {
  return frame.protocol == kTcp ? tcp(frame, place, sink) : sctp(frame, place, sink);
}

FlowStreams::Fate FlowStreams::tcp(const Frame& frame, const Datagram& place, const Sink& sink) {
  const bool flow_port = is_flow_port(frame.destination_port);
  const bool begins = flow_port && (frame.tcp_flags & kSyn) != 0;
  Tcp* connection = find(tcp_, frame);
  if (begins && connection != nullptr) {
    connection->finish(sink);  // its ports are used anew
  } else if (connection == nullptr && !begins) {
    if (!flow_port) {
      // Elsewhere only what cannot be anything else: a whole message.
      if (frame.payload.size() < kHeader || !ipfix_header(frame.payload) ||
          !ipfix_plausible(frame.payload.substr(0, ipfix_length(frame.payload))))
        return Fate::kNotFollowed;
    } else if (frame.payload.size() < kHeader || flow_header_of(frame.payload) == FlowProtocol::kNone) {
      return Fate::kNoFlow;
    }
  }
  std::uint32_t sequence = frame.tcp_sequence;
  if (begins) ++sequence;
  if (begins || connection == nullptr) {
    connection = add(tcp_, frame);
    if (connection == nullptr) return Fate::kTooMany;
    connection->start(sequence);
  }
  Part part;
  part.place = place;
  part.bytes = frame.payload;
  part.missing = frame.payload_missing;
  return connection->segment(sequence, part, frame.tcp_flags, sink);
}

FlowStreams::Fate FlowStreams::sctp(const Frame& frame, const Datagram& place, const Sink& sink) {
  constexpr std::uint8_t kData = 0;
  constexpr std::uint8_t kInit = 1;
  constexpr std::uint8_t kAbort = 6;
  constexpr std::uint8_t kShutdown = 7;
  const bool flow_port = is_flow_port(frame.destination_port);
  Sctp* association = find(sctp_, frame);
  Fate fate = association != nullptr ? Fate::kNoData : flow_port ? Fate::kNoFlow : Fate::kNotFollowed;
  const auto note = [&fate](Fate better) { fate = std::max(fate, better); };
  std::string_view rest = frame.payload;
  while (rest.size() >= 4) {
    const std::size_t length = be16(rest.data() + 2);
    if (length < 4) break;
    const auto type = static_cast<std::uint8_t>(rest[0]);
    const auto flags = static_cast<std::uint8_t>(rest[1]);
    const std::string_view chunk = rest.substr(0, length);
    rest.remove_prefix(std::min(rest.size(), (length + 3) & ~std::size_t{3}));
    if (type == kInit && chunk.size() >= 20 && flow_port) {
      if (association != nullptr) association->finish(sink);
      association = add(sctp_, frame);
      if (association == nullptr) return Fate::kTooMany;
      association->start(be32(chunk.data() + 16));
      note(Fate::kNoData);
    } else if ((type == kAbort || type == kShutdown) && association != nullptr) {
      association->end();
    }
    if (type != kData || chunk.size() < 16) continue;
    Part part;
    part.place = place;
    part.place.sequenced = false;  // RFC 7011, 3.1: each stream counts for itself
    part.bytes = chunk.substr(16);
    part.ends = (flags & 1U) != 0;
    part.begins = (flags & 2U) != 0;
    part.stream = be16(chunk.data() + 8);
    const std::uint32_t tsn = be32(chunk.data() + 4);
    if (association == nullptr) {
      const FlowEvidence evidence = flow_port ? FlowEvidence::kVersion : FlowEvidence::kWhole;
      if (!part.begins || (!part.ends && !flow_port) || flow_protocol_of(part.bytes, evidence) == FlowProtocol::kNone)
        continue;
      association = add(sctp_, frame);
      if (association == nullptr) return Fate::kTooMany;
      association->start_within(tsn);
    }
    note(association->chunk(tsn, part, sink) ? Fate::kTaken : Fate::kSeenBefore);
  }
  return fate;
}

void FlowStreams::finish(const Sink& sink) {
  for (auto& [key, connection] : tcp_) connection->finish(sink);
  for (auto& [key, association] : sctp_) association->finish(sink);
}

}  // namespace orbwatch::decode
